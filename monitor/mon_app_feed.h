/* SPDX-License-Identifier: MIT */
/* The model of evse-monitor and pev-monitor as a source sees it. */
#ifndef MONITOR_MON_APP_FEED_H
#define MONITOR_MON_APP_FEED_H

#include "monitor/mon_feed.h"
#include "monitor/mon_model.h"

/* What a restart needs besides the model; kept by the caller. */
struct mon_model_feed {
	struct mon_model *model;
	const struct mon_cfg *cfg;
	const struct mon_sink *sink; /* NULL: none */
};

struct mon_feed mon_model_feed(struct mon_model_feed *f);

#endif
