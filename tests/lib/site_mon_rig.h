/* SPDX-License-Identifier: MIT */
/*
 * The site's monitor under test: a model, its names and a view, and one point that says the usual things. For
 * cmocka.
 */
#ifndef TESTS_SITE_MON_RIG_H
#define TESTS_SITE_MON_RIG_H

#include "monitor/site_mon_view.h"

#define SMON_RIG_S	  ((int64_t)FC_US_PER_S)
#define SMON_RIG_BEGIN_US (1700000000 * SMON_RIG_S)
#define SMON_RIG_POINT	  3

struct smon_rig {
	struct smon_model model;
	struct smon_names names;
	struct smon_view view;
	struct mon_grid grid;
	int64_t now_us;
};

/* *state becomes the rig: nothing heard, no names. */
int smon_rig_set_up(void **state);
int smon_rig_tear_down(void **state);
/* A frame on bus 0, now. */
void smon_rig_send(struct smon_rig *r, enum site_msg msg, unsigned number, const void *content);
/* The point charges, wants 32 A, may draw 16 A, draws 15.5 A. */
void smon_rig_report(struct smon_rig *r, uint32_t number, uint8_t ack_age, uint8_t ack_revision);
/* For 10 s, with the reason that row 7 is full. */
void smon_rig_grant(struct smon_rig *r, uint32_t number, uint8_t revision, int32_t mA);
/* 15.5 A are drawn. */
void smon_rig_row(struct smon_rig *r, uint16_t number, int32_t taken_mA, int32_t limit_mA);
/* Running, policy fair. */
void smon_rig_status(struct smon_rig *r, uint8_t alarm);
const struct smon_point *smon_rig_point(const struct smon_rig *r);
bool smon_rig_has_event(const struct smon_rig *r, const char *text);

#endif
