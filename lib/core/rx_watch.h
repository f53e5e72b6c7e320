/* SPDX-License-Identifier: MIT */
/*
 * Freshness of expected messages: each input has an age. Pure; header only.
 *
 * A watch knows when its message was last accepted and how old it may become. It is silent before the first
 * message, unless armed: arming counts from the moment of arming.
 */
#ifndef CORE_RX_WATCH_H
#define CORE_RX_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <forecourt/units.h>

struct rx_watch {
	int64_t last_us;    /* last accepted, or FC_NEVER: not since init */
	int64_t timeout_us; /* age at which it counts as lost */
	int64_t armed_us;   /* supervised since; FC_NEVER: not supervised */
	uint32_t n_rx;
};

static inline void rx_watch_init(struct rx_watch *w, int64_t timeout_us)
{
	w->last_us = FC_NEVER;
	w->timeout_us = timeout_us;
	w->armed_us = FC_NEVER;
	w->n_rx = 0;
}

static inline void rx_watch_seen(struct rx_watch *w, int64_t now_us)
{
	w->last_us = now_us;
	w->n_rx++;
}

/* Supervise from now on; a message is due within the timeout. Arming twice keeps the first moment. */
static inline void rx_watch_arm(struct rx_watch *w, int64_t now_us)
{
	if (w->armed_us == FC_NEVER)
		w->armed_us = now_us;
}

static inline void rx_watch_disarm(struct rx_watch *w)
{
	w->armed_us = FC_NEVER;
}

/* When it becomes lost, FC_NEVER while not supervised. */
static inline int64_t rx_watch_due_us(const struct rx_watch *w)
{
	int64_t since;

	if (w->armed_us == FC_NEVER)
		return FC_NEVER;
	since = w->last_us != FC_NEVER && w->last_us > w->armed_us ? w->last_us : w->armed_us;
	return since + w->timeout_us;
}

static inline bool rx_watch_is_lost(const struct rx_watch *w, int64_t now_us)
{
	return now_us >= rx_watch_due_us(w);
}

/* Age of the last message; FC_NEVER when there was none. */
static inline int64_t rx_watch_age_us(const struct rx_watch *w, int64_t now_us)
{
	return w->last_us == FC_NEVER ? FC_NEVER : now_us - w->last_us;
}

#endif
