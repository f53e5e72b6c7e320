/* SPDX-License-Identifier: MIT */
/*
 * The messages that one half of an interface sends, as a filter.
 */
#ifndef MONITOR_BUS_LOG_HALF_H
#define MONITOR_BUS_LOG_HALF_H

#include "monitor/bus_log_filter.h"
#include "monitor/mon_model.h"

/* Adds all messages of the half, in every version, of every point. 0 or -ENOMEM. */
int half_filter(struct id_filter *f, enum mon_side side, enum mon_half half);

#endif
