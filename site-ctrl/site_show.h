/* SPDX-License-Identifier: MIT */
/*
 * A picture of the site's tree as text: nodes with their limits per phase, what safe currents and other loads
 * take of them, the points with phases and numbers, the free constraints; and what is drawn, where the caller
 * knows. Pure.
 *
 *     site            limit A   safe A   others A
 *     transformer     3x145     18/18/12 3x40      100 kW, meter
 *     |- street       3x63      3x18     4/0/0
 *     |  |- S1        6..32     6                  AC L1L2L3 #1
 */
#ifndef SITE_SITE_SHOW_H
#define SITE_SITE_SHOW_H

#include "site-ctrl/site_model.h"

struct site_show {
	bool is_ascii;			  /* no box characters */
	bool no_points;			  /* nodes and constraints alone */
	const struct site_limits *limits; /* NULL: the configured ones only */
	const int32_t *point_mA;	  /* drawn by each point, n_points; NULL: not known */
};

/*
 * Like snprintf: writes at most size - 1 characters and a zero, returns how many there are in all. The model
 * is compiled. size 0: only counts.
 */
size_t site_show_write(const struct site_model *m, const struct site_show *show, char *text, size_t size);

#endif
