/* SPDX-License-Identifier: MIT */
/*
 * One charge point and its power driver: performs what the session asks of the driver and brings the driver's
 * readings back, in the same wake-up. Pure glue without decisions; the driver's memory is the caller's.
 */
#ifndef EVSE_POINT_H
#define EVSE_POINT_H

#include <stddef.h>
#include <stdint.h>

#include "evse-ctrl/evse_session.h"
#include "lib/core/machine.h"

#define EVSE_POINT_DRIVER_FILTERS 8

struct evse_point_setup {
	const struct evse_conf *conf;
	unsigned index;			       /* pistol index, 1..15 */
	const struct forecourt_plugin *driver; /* kind FORECOURT_KIND_POWER_MODULE */
	const struct power_module_ops *ops;    /* full-size table; missing operations are NULL */
	void *driver_state;		       /* zeroed, driver->state_size bytes, kept until fini */
	const struct forecourt_kv *kv;	       /* the driver's options */
	uint32_t n_kv;
	const struct log_sink *sink;
	uint32_t first_number; /* of reports to the site: lease_hold_first_number() */
};

struct evse_point {
	struct evse_session session;
	const struct forecourt_plugin *driver;
	const struct power_module_ops *ops;
	void *driver_state;
	struct forecourt_host host;
	struct can_filter driver_filter[EVSE_POINT_DRIVER_FILTERS];
	uint32_t n_driver_filters;
	uint8_t bus_base;	/* the driver's bus 1 is the runner's bus bus_base; 0: it has none */
	struct out_queue *out;	/* where host->send goes during a call into the driver */
	struct out_queue inner; /* what the session wants done */
};

/* 0, or a negative errno with a sentence in err. The point must not move in memory afterwards. */
int evse_point_init(struct evse_point *p, const struct evse_point_setup *setup, int64_t now_us, char *err,
		    size_t err_size);
void evse_point_fini(struct evse_point *p);
void evse_point_rx(struct evse_point *p, int64_t now_us, const struct can_frame *f, struct out_queue *out);
void evse_point_tick(struct evse_point *p, int64_t now_us, struct out_queue *out);
int64_t evse_point_next_us(const struct evse_point *p);
/* After an operator's word was given to the session: performs what it queued in p->inner. */
void evse_point_settle(struct evse_point *p, int64_t now_us, struct out_queue *out);
/* A frame of the driver's own bus, numbered as the driver knows it (1 and up). */
void evse_point_driver_rx(struct evse_point *p, int64_t now_us, uint32_t bus, const struct can_frame *f,
			  struct out_queue *out);
/* A frame of the site's bus, where it is not the module's. */
void evse_point_site_rx(struct evse_point *p, int64_t now_us, const struct can_frame *f,
			struct out_queue *out);
/* The driver's descriptor has input. */
void evse_point_driver_io(struct evse_point *p, int64_t now_us, struct out_queue *out);
size_t evse_point_filters(const struct evse_point *p, struct can_filter *f, size_t n);

#endif
