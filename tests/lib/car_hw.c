/* SPDX-License-Identifier: MIT */
/* Scripted vehicle hardware around a pev-ctrl. */
#include "tests/lib/car.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int32_t vehicle_init(void *self, const struct forecourt_host *host, const struct forecourt_kv *kv,
			    uint32_t n_kv, int64_t now_us, char *err, uint32_t err_size)
{
	struct car_hw *v = self;

	(void)kv;
	(void)n_kv;
	v->host = host;
	v->now_us = now_us;
	v->change_us = FC_NEVER;
	if (v->does_fail_init) {
		snprintf(err, err_size, "no hardware");
		return -ENODEV;
	}
	host->log(host->ctx, FORECOURT_LOG_INFO, "hello");
	return host->send(host->ctx, 1, &(struct can_frame){.can_id = 1}) == 0 ? -EIO : 0;
}

static void vehicle_fini(void *self)
{
	struct car_hw *v = self;

	v->host = NULL;
}

static void vehicle_caps(void *self, struct vh_caps *caps)
{
	const struct car_hw *v = self;
	uint32_t size = caps->size;

	*caps = v->caps;
	caps->size = size;
}

static void vehicle_set(void *self, int64_t now_us, const struct vh_command *cmd)
{
	struct car_hw *v = self;
	struct can_frame f = {.can_id = 0x123};
	bool was_closed = v->cmd.is_closed != 0;

	v->cmd = *cmd;
	v->cmd_us = now_us;
	v->n_set++;
	if (v->does_send_on_set) {
		v->host->send(v->host->ctx, 1, &f);
		f.can_id = 0x613; /* forbidden */
		v->host->send(v->host->ctx, 0, &f);
	}
	if (was_closed == (cmd->is_closed != 0))
		return;
	if (cmd->is_closed) {
		v->n_closes++;
		v->closed_us = now_us;
	} else {
		v->opened_us = now_us;
	}
	v->change_us = now_us + v->delay_us;
}

static void follow(struct car_hw *v, int64_t now_us)
{
	if (now_us < v->change_us)
		return;
	v->change_us = FC_NEVER;
	v->st.is_closed = v->cmd.is_closed != 0;
}

static void vehicle_status(void *self, int64_t now_us, struct vh_status *st)
{
	struct car_hw *v = self;
	uint32_t size = st->size;

	v->now_us = now_us;
	follow(v, now_us);
	if (!v->has_frozen_readings)
		v->st.t_vi_us = now_us;
	if (!v->has_frozen_feedback)
		v->st.t_closed_us = now_us;
	if (!v->has_frozen_bms)
		v->st.t_bms_us = now_us;
	*st = v->st;
	st->size = size;
	if (v->is_stuck_open)
		st->is_closed = 0;
	if (v->is_stuck_closed)
		st->is_closed = 1;
}

static void vehicle_rx(void *self, int64_t now_us, uint32_t bus, const struct can_frame *frame)
{
	struct car_hw *v = self;

	(void)now_us;
	(void)bus;
	(void)frame;
	v->n_rx++;
}

static void vehicle_tick(void *self, int64_t now_us)
{
	follow(self, now_us);
}

static int64_t vehicle_next_us(void *self)
{
	const struct car_hw *v = self;

	return v->change_us;
}

static uint32_t vehicle_filters(void *self, uint32_t bus, struct can_filter *f, uint32_t n)
{
	const struct car_hw *v = self;

	if (bus != 0 || n == 0 || !v->has_filter)
		return 0;
	*f = v->filter;
	return 1;
}

static int32_t vehicle_live(void *self, int64_t now_us, const char *key, const char *value, char *answer,
			    uint32_t answer_size)
{
	struct car_hw *v = self;

	(void)now_us;
	if (strcmp(key, "depth") != 0)
		return -ENOENT;
	if (value && (value[0] < '0' || value[0] > '9'))
		return -EINVAL;
	if (value)
		v->live_value = atoi(value);
	else
		snprintf(answer, answer_size, "%d", v->live_value);
	return 0;
}

static void vehicle_io(void *self, int64_t now_us)
{
	struct car_hw *v = self;

	(void)now_us;
	v->n_io++;
}

const struct vehicle_hw_ops car_ops = {
	.init = vehicle_init,
	.fini = vehicle_fini,
	.caps = vehicle_caps,
	.set = vehicle_set,
	.status = vehicle_status,
	.rx = vehicle_rx,
	.tick = vehicle_tick,
	.next_us = vehicle_next_us,
	.filters = vehicle_filters,
	.live = vehicle_live,
	.io = vehicle_io,
};

static const struct forecourt_option car_options[] = {{"depth", "", "0", "a live value"}};

const struct forecourt_plugin car_plugin = {
	.magic = FORECOURT_PLUGIN_MAGIC,
	.abi_major = FORECOURT_ABI_MAJOR,
	.record_size = sizeof(car_plugin),
	.kind = FORECOURT_KIND_VEHICLE_HW,
	.name = "car",
	.version = "1",
	.ops = &car_ops,
	.ops_size = sizeof(car_ops),
	.state_size = sizeof(struct car_hw),
	.options = car_options,
	.n_options = 1,
	.option_stride = sizeof(struct forecourt_option),
};
