/* SPDX-License-Identifier: MIT */
/*
 * Several charge points on one bus as one machine: each pistol index is a complete, independent session
 * (rule E-10); only the wake-up and the socket are shared. Pure.
 */
#ifndef EVSE_STATION_H
#define EVSE_STATION_H

#include "evse-ctrl/evse_point.h"

struct evse_station {
	struct evse_point *point[EVSE_INDEX_MAX + 1]; /* by pistol index; NULL: not ours */
	int64_t next_us[EVSE_INDEX_MAX + 1];
	uint8_t used[EVSE_INDEX_MAX]; /* indices in use */
	unsigned n_points;
};

extern const struct machine_ops evse_station_ops;

void evse_station_init(struct evse_station *st);
/* The point stays the caller's and must not move; its index must be free. */
void evse_station_add(struct evse_station *st, struct evse_point *p);

/* A frame of a site's bus that is not the module's. */
void evse_station_site_rx(struct evse_station *st, int64_t now_us, const struct can_frame *f,
			  struct out_queue *out);

/* evse_ctl.c: one request of the control socket, see evse-ctrl(1). */
int evse_ctl_command(void *self, int64_t now_us, const char *line, char *answer, size_t size,
		     struct out_queue *out);

#endif
