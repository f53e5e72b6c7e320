/* SPDX-License-Identifier: MIT */
/*
 * The vehicle as one machine: its session and the driver of its high-voltage side. Performs what the session
 * asks of the driver and brings the readings back, in the same wake-up. Pure glue without decisions; the
 * driver's memory is the caller's.
 */
#ifndef PEV_POINT_H
#define PEV_POINT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/core/machine.h"
#include "pev-ctrl/pev_session.h"

#define PEV_POINT_DRIVER_FILTERS 16

struct pev_point_setup {
	const struct pev_conf *conf;
	const struct forecourt_plugin *driver; /* kind FORECOURT_KIND_VEHICLE_HW */
	const struct vehicle_hw_ops *ops;      /* full-size table; missing operations are NULL */
	void *driver_state;		       /* zeroed, driver->state_size bytes, kept until fini */
	const struct forecourt_kv *kv;	       /* the driver's options */
	uint32_t n_kv;
	const struct log_sink *sink;
};

struct pev_point {
	struct pev_session session;
	const struct forecourt_plugin *driver;
	const struct vehicle_hw_ops *ops;
	void *driver_state; /* NULL: no driver to end */
	struct forecourt_host host;
	struct can_filter driver_filter[PEV_POINT_DRIVER_FILTERS];
	uint32_t n_driver_filters;
	struct vh_command given; /* to the driver, last */
	struct out_queue *out;	 /* where the driver's frames go during a call */
};

/* 0, or a negative errno with a sentence in err. The point must not move in memory afterwards. */
int pev_point_init(struct pev_point *p, const struct pev_point_setup *setup, int64_t now_us, char *err,
		   size_t err_size);
void pev_point_fini(struct pev_point *p);
/* The point as its runner sees it. */
struct machine pev_point_machine(struct pev_point *p);
/*
 * A frame of a bus of the driver's own (bus 1 and up), and input on the driver's descriptor. `self` is the point;
 * the types are those of the runner's callbacks.
 */
void pev_point_driver_rx(void *self, int64_t now_us, uint32_t bus, const struct can_frame *f,
			 struct out_queue *out);
void pev_point_driver_io(void *self, int64_t now_us, struct out_queue *out);

#endif
