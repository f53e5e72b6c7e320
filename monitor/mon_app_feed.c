/* SPDX-License-Identifier: MIT */
/* The model of evse-monitor and pev-monitor as a source sees it. */
#include "monitor/mon_app_feed.h"

static void rx(void *ctx, int64_t now_us, unsigned bus, const struct can_frame *frame)
{
	(void)bus; /* one at a time */
	mon_model_rx(((struct mon_model_feed *)ctx)->model, now_us, frame);
}

static void tick(void *ctx, int64_t now_us)
{
	mon_model_tick(((struct mon_model_feed *)ctx)->model, now_us);
}

static void dropped(void *ctx, int64_t now_us, uint32_t n_frames)
{
	mon_model_dropped(((struct mon_model_feed *)ctx)->model, now_us, n_frames);
}

static void restart(void *ctx, int64_t now_us)
{
	const struct mon_model_feed *f = ctx;

	mon_model_init(f->model, f->cfg, f->sink, now_us);
}

static uint64_t n_ours(const void *ctx)
{
	return ((const struct mon_model_feed *)ctx)->model->bus.n_ours;
}

struct mon_feed mon_model_feed(struct mon_model_feed *f)
{
	return (struct mon_feed){f, rx, tick, dropped, restart, n_ours};
}
