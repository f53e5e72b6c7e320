/* SPDX-License-Identifier: MIT */
/* The conformance program of power-module drivers: a rig in virtual time, and the checks. */
#include "tests/lib/pm_conformance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <forecourt/units.h>

#define MS    ((int64_t)FC_US_PER_MS)
#define S     ((int64_t)FC_US_PER_S)
#define START (1000 * S)
/* The host refreshes its set point and looks at the status this often. */
#define HOST_PERIOD (100 * MS)
#define VALID	    (400 * MS)
#define BATTERY_mV  350000

struct pm_rig {
	const struct forecourt_plugin *plugin;
	const struct power_module_ops *ops;
	const struct pm_environment *env;
	void *self;
	struct forecourt_host host;
	int64_t now_us;
	int64_t host_next_us;
	struct pm_setpoint sp;
	struct pm_status st;
	struct pm_caps caps;
	int is_refreshing;
	unsigned n_frames;
	/* Extremes of the status since rig_mark. */
	int32_t v_low_mV, v_high_mV, i_low_mA, i_high_mA;
};

static void host_log(void *ctx, int32_t level, const char *text)
{
	(void)ctx;
	(void)level;
	(void)text;
}

static int32_t host_send(void *ctx, uint32_t bus, const struct can_frame *frame)
{
	struct pm_rig *rig = ctx;

	rig->n_frames++;
	if (rig->env->frame)
		rig->env->frame(rig->env->ctx, rig->now_us, bus, frame);
	return 0;
}

void pm_rig_feed(struct pm_rig *rig, uint32_t bus, const struct can_frame *f)
{
	if (rig->ops->rx)
		rig->ops->rx(rig->self, rig->now_us, bus, f);
}

static void read_status(struct pm_rig *rig)
{
	struct pm_status *st = &rig->st;

	memset(st, 0x5A, sizeof(*st));
	st->size = sizeof(*st);
	rig->ops->status(rig->self, rig->now_us, st);
	assert_int_equal(st->size, sizeof(*st));
	assert_true(st->t_vi_us <= rig->now_us);
	assert_true(rig->now_us - st->t_vi_us <= 600 * MS);
	assert_true(st->t_avail_us <= rig->now_us);
	assert_true(st->insulation_valid == 0 ||
		    (st->t_iso_us <= rig->now_us && rig->now_us - st->t_iso_us <= 3 * S));
	assert_true(st->avail_i_max_mA <= rig->caps.i_charge_max_mA);
	assert_true(st->avail_v_max_mV <= rig->caps.v_max_mV);
	if (!(rig->caps.flags & PM_CAP_BIDIRECTIONAL))
		assert_true(st->i_mA > -200);
	if (rig->caps.flags & PM_CAP_OUTPUT_RELAY && !st->is_closed)
		assert_true(fc_abs_i32(st->i_mA) < rig->caps.off_current_mA);
	rig->v_low_mV = fc_min_i32(rig->v_low_mV, st->v_mV);
	rig->v_high_mV = fc_max_i32(rig->v_high_mV, st->v_mV);
	rig->i_low_mA = fc_min_i32(rig->i_low_mA, st->i_mA);
	rig->i_high_mA = fc_max_i32(rig->i_high_mA, st->i_mA);
}

static void rig_mark(struct pm_rig *rig)
{
	rig->v_low_mV = rig->v_high_mV = rig->st.v_mV;
	rig->i_low_mA = rig->i_high_mA = rig->st.i_mA;
}

static void rig_send(struct pm_rig *rig)
{
	rig->sp.size = sizeof(rig->sp);
	rig->sp.valid_until_us = rig->now_us + VALID;
	rig->sp.seq++;
	rig->ops->set(rig->self, rig->now_us, &rig->sp);
}

static void rig_start(struct pm_rig *rig, const struct forecourt_plugin *plugin,
		      const struct forecourt_kv *kv, uint32_t n_kv, const struct pm_environment *env)
{
	char err[160] = "";

	memset(rig, 0, sizeof(*rig));
	rig->plugin = plugin;
	rig->ops = plugin->ops;
	rig->env = env;
	rig->now_us = rig->host_next_us = START;
	rig->host.size = sizeof(rig->host);
	rig->host.index = 1;
	rig->host.ctx = rig;
	rig->host.log = host_log;
	rig->host.send = host_send;
	rig->self = calloc(1, plugin->state_size);
	assert_non_null(rig->self);
	assert_int_equal(rig->ops->init(rig->self, &rig->host, kv, n_kv, START, err, sizeof(err)), 0);
	env->reset(env->ctx, rig, START);
	rig->caps.size = sizeof(rig->caps);
	rig->ops->caps(rig->self, &rig->caps);
	rig->is_refreshing = 1;
	read_status(rig);
	rig_mark(rig);
}

static void rig_stop(struct pm_rig *rig)
{
	rig->ops->fini(rig->self);
	free(rig->self);
}

static void rig_run(struct pm_rig *rig, int64_t for_us)
{
	int64_t end_us = rig->now_us + for_us;

	while (rig->now_us < end_us) {
		int64_t next_us = fc_min_i64(end_us, rig->env->tick(rig->env->ctx, rig->now_us));

		next_us = fc_min_i64(next_us, rig->host_next_us);
		if (rig->ops->next_us) {
			int64_t driver_us = rig->ops->next_us(rig->self);

			assert_true(driver_us >= rig->now_us);
			next_us = fc_min_i64(next_us, driver_us);
		}
		rig->now_us = next_us > rig->now_us ? next_us : rig->now_us;
		if (rig->ops->tick) {
			unsigned n;

			rig->ops->tick(rig->self, rig->now_us);
			n = rig->n_frames;
			rig->ops->tick(rig->self, rig->now_us); /* a second tick emits nothing */
			assert_int_equal(rig->n_frames, n);
			assert_true(!rig->ops->next_us || rig->ops->next_us(rig->self) > rig->now_us);
		}
		if (rig->now_us >= rig->host_next_us) {
			rig->host_next_us += HOST_PERIOD;
			if (rig->is_refreshing)
				rig_send(rig);
			read_status(rig);
		}
	}
	read_status(rig);
}

static void rig_order(struct pm_rig *rig, int32_t mode, int32_t v_mV, int32_t i_max_mA, int32_t i_min_mA)
{
	rig->sp.mode = mode;
	rig->sp.v_mV = v_mV;
	rig->sp.i_max_mA = i_max_mA;
	rig->sp.i_min_mA = i_min_mA;
	rig->sp.v_load_mV = -1;
	rig->sp.is_closed = mode != PM_OFF;
	rig->sp.is_bleeding = 0;
	rig->sp.is_urgent = 0;
	rig_send(rig);
}

static int64_t ramp_us(const struct pm_rig *rig, int32_t v_mV)
{
	int32_t slope = rig->caps.ramp_mV_per_s > 0 ? rig->caps.ramp_mV_per_s : 100000;

	return (int64_t)v_mV * S / slope;
}

static void rig_wake(struct pm_rig *rig)
{
	rig_order(rig, PM_STANDBY, 0, 0, 0);
	rig_run(rig, rig->caps.wake_us + 500 * MS);
	assert_true(rig->st.is_ready);
}

/* Awake, precharged, battery connected, delivering i_mA. */
static void rig_deliver(struct pm_rig *rig, int32_t i_mA)
{
	rig_wake(rig);
	rig_order(rig, PM_PRECHARGE, BATTERY_mV, 2000, 0);
	rig_run(rig, 3 * S + ramp_us(rig, BATTERY_mV));
	rig->env->set_load(rig->env->ctx, PM_LOAD_BATTERY, BATTERY_mV);
	rig_run(rig, 300 * MS);
	rig_order(rig, PM_STANDBY, 0, 0, 0);
	rig_run(rig, 500 * MS);
	rig_mark(rig);
	rig_order(rig, PM_TRANSFER, BATTERY_mV + 50000, i_mA, i_mA);
	rig_run(rig, 3 * S + (int64_t)fc_abs_i32(i_mA) * S / fc_max_i32(rig->caps.ramp_mA_per_s, 1000));
}

/* --- checks ------------------------------------------------------------------------------------------------ */

static void check_caps_are_sane(struct pm_rig *rig)
{
	const struct pm_caps *c = &rig->caps;
	struct pm_caps small;

	assert_int_equal(c->size, sizeof(*c));
	assert_true(c->v_min_mV >= 0 && c->v_max_mV > c->v_min_mV);
	assert_true(c->i_charge_max_mA > 0 && c->i_discharge_max_mA >= 0);
	assert_true(!(c->flags & PM_CAP_BIDIRECTIONAL) == (c->i_discharge_max_mA == 0));
	assert_true(c->off_current_mA > 0 && c->off_current_mA <= 5000);
	assert_true(c->watchdog_us > 0 && c->wake_us >= 0 && c->off_us >= 0);
	/* An older host's shorter record is not overrun. */
	memset(&small, 0x77, sizeof(small));
	small.size = offsetof(struct pm_caps, p_max_W);
	rig->ops->caps(rig->self, &small);
	assert_int_equal(small.p_max_W, 0x77777777);
	assert_int_equal(small.v_max_mV, c->v_max_mV);
}

static void check_status_record_is_not_overrun(struct pm_rig *rig)
{
	struct pm_status small;

	memset(&small, 0x77, sizeof(small));
	small.size = offsetof(struct pm_status, temp_hot_mdegC);
	rig->ops->status(rig->self, rig->now_us, &small);
	assert_int_equal(small.temp_hot_mdegC, 0x77777777);
	assert_int_equal(small.seq_done, 0x77777777);
}

static void check_starts_off_and_asleep(struct pm_rig *rig)
{
	rig->is_refreshing = 0;
	rig_run(rig, 2 * S);
	assert_true(rig->st.is_off_confirmed);
	assert_false(rig->st.is_ready);
	assert_false(rig->st.insulation_valid);
	assert_int_equal(rig->st.i_mA, 0);
	assert_int_equal(rig->st.faults_stop, 0);
}

static void check_wakes_in_its_time(struct pm_rig *rig)
{
	rig_order(rig, PM_STANDBY, 0, 0, 0);
	read_status(rig);
	assert_true(!rig->st.is_ready || rig->caps.wake_us == 0);
	rig_run(rig, rig->caps.wake_us + 200 * MS);
	assert_true(rig->st.is_ready);
	assert_int_equal(rig->st.seq_done, rig->sp.seq);
	rig_order(rig, PM_OFF, 0, 0, 0);
	rig_run(rig, 500 * MS);
	assert_false(rig->st.is_ready);
	/* Power that was ordered while waking waits for it. */
	rig_order(rig, PM_INSULATION_TEST, 500000, 0, 0);
	rig_run(rig, 100 * MS);
	assert_true(!rig->st.is_ready || rig->caps.wake_us <= 100 * MS);
	if (rig->caps.wake_us > 500 * MS) {
		rig_run(rig, rig->caps.wake_us - 300 * MS);
		assert_true(rig->st.v_mV < 1000);
		assert_int_equal(rig->st.state, PM_ST_WAKING);
	}
}

static void check_insulation_test_reaches_voltage(struct pm_rig *rig)
{
	rig_wake(rig);
	assert_false(rig->st.insulation_valid);
	rig_order(rig, PM_INSULATION_TEST, 500000, 0, 0);
	read_status(rig);
	assert_false(rig->st.insulation_valid); /* nothing from before the ramp */
	rig_run(rig, 10 * S);
	assert_in_range(rig->st.v_mV, 490000, 510000);
	assert_true(rig->st.is_v_reached);
	assert_true(rig->v_high_mV <= 510000);
	assert_true(rig->i_high_mA <= 2500);
	if (rig->caps.flags & PM_CAP_MEASURES_INSULATION)
		assert_true(rig->st.insulation_valid);
}

static void check_standby_floats(struct pm_rig *rig)
{
	int32_t v;
	int i;

	rig_wake(rig);
	rig_order(rig, PM_INSULATION_TEST, 500000, 0, 0);
	rig_run(rig, 10 * S);
	rig_order(rig, PM_STANDBY, 0, 0, 0);
	for (i = 0; i < 5; i++) {
		v = rig->st.v_mV;
		rig_run(rig, 1 * S);
		assert_in_range(v - rig->st.v_mV + 1000, 0, 2000);
	}
	assert_true(rig->st.is_off_confirmed);
}

static void check_bleeding_lowers_in_time(struct pm_rig *rig)
{
	rig_wake(rig);
	rig_order(rig, PM_INSULATION_TEST, fc_min_i32(rig->caps.v_max_mV, 1000000), 0, 0);
	rig_run(rig, 1 * S + ramp_us(rig, 1000000) + 2 * S);
	rig_order(rig, PM_STANDBY, 0, 0, 0);
	rig->sp.is_bleeding = 1;
	rig_send(rig);
	rig_run(rig, 10 * S);
	if (rig->caps.flags & PM_CAP_BLEEDER)
		assert_true(rig->st.v_mV <= 20000);
	assert_int_equal(rig->st.faults & PM_FAULT_DISCHARGE_FAILED, 0);
}

static void check_bleeding_against_battery_gives_up(struct pm_rig *rig)
{
	rig_deliver(rig, 10000);
	rig_order(rig, PM_STANDBY, 0, 0, 0);
	rig_run(rig, 2 * S);
	rig->sp.is_bleeding = 1;
	rig_send(rig);
	rig_run(rig, 8 * S);
	if (!(rig->caps.flags & PM_CAP_BLEEDER))
		return;
	assert_true(rig->st.faults & PM_FAULT_DISCHARGE_FAILED);
	assert_true(rig->st.v_mV > BATTERY_mV - 5000);
	rig_order(rig, PM_STANDBY, 0, 0, 0);
	rig_run(rig, 500 * MS);
	assert_int_equal(rig->st.faults & PM_FAULT_DISCHARGE_FAILED, 0);
}

static void check_precharge_honours_limit(struct pm_rig *rig)
{
	rig_wake(rig);
	rig_mark(rig);
	rig_order(rig, PM_PRECHARGE, BATTERY_mV, 2000, 0);
	rig_run(rig, 5 * S);
	assert_in_range(rig->st.v_mV, BATTERY_mV - 5000, BATTERY_mV + 5000);
	/* The vehicle closes 10 V lower. */
	rig->env->set_load(rig->env->ctx, PM_LOAD_BATTERY, BATTERY_mV - 10000);
	rig_run(rig, 2 * S);
	assert_true(rig->i_high_mA <= 2000 + 500);
	rig_order(rig, PM_STANDBY, 0, 0, 0);
	rig_run(rig, 500 * MS);
	rig_mark(rig);
	rig_run(rig, 3 * S);
	/* Held by the battery, neither charged nor drained. */
	assert_in_range(rig->st.v_mV, BATTERY_mV - 10000 - 3500, BATTERY_mV - 10000 + 3500);
	assert_in_range(rig->i_low_mA + 200, 0, 400);
	assert_in_range(rig->i_high_mA + 200, 0, 400);
}

static void check_transfer_follows_without_overshoot(struct pm_rig *rig)
{
	int32_t last = 0, i;

	rig_deliver(rig, 20000);
	assert_in_range(rig->st.i_mA, 20000 - 1200, 20000 + 1200);
	assert_true(rig->i_high_mA <= 20000 + 1000);
	rig_order(rig, PM_TRANSFER, BATTERY_mV + 50000, 60000, 60000);
	for (i = 0; i < 60; i++) {
		rig_run(rig, 100 * MS);
		assert_true(rig->st.i_mA >= last - 200);
		last = rig->st.i_mA;
	}
	assert_in_range(rig->st.i_mA, 60000 - 1600, 60000 + 1600);
	assert_true(rig->i_high_mA <= 60000 + 1600);
	rig_mark(rig);
	rig_order(rig, PM_TRANSFER, BATTERY_mV + 2000, 60000, 60000);
	rig_run(rig, 5 * S);
	assert_true(rig->st.v_mV <= (BATTERY_mV + 2000) / 100 * 101);
	assert_true(rig->st.i_mA < 60000);
	assert_int_equal(rig->st.limit_by, PM_LIMIT_VOLTAGE);
}

static void check_request_beyond_rating_is_clipped(struct pm_rig *rig)
{
	rig_deliver(rig, 10000);
	rig_order(rig, PM_TRANSFER, INT32_MAX, INT32_MAX, INT32_MAX);
	rig_run(rig, 60 * S);
	assert_true(rig->st.i_mA <= rig->caps.i_charge_max_mA / 100 * 101);
	assert_true(fc_power_W(rig->st.v_mV, rig->st.i_mA) <= rig->caps.p_max_W / 100 * 101);
	assert_int_not_equal(rig->st.limit_by, PM_LIMIT_NONE);
}

static void check_direction_is_honoured(struct pm_rig *rig)
{
	rig_deliver(rig, 10000);
	rig_order(rig, PM_TRANSFER, BATTERY_mV + 50000, -10000, -10000);
	rig_run(rig, 6 * S);
	if (rig->caps.flags & PM_CAP_BIDIRECTIONAL)
		assert_in_range(-rig->st.i_mA, 9000, 11000);
	else
		assert_in_range(rig->st.i_mA + 200, 0, 400);
}

static void check_standby_stops_current(struct pm_rig *rig)
{
	rig_deliver(rig, 100000);
	rig_order(rig, PM_STANDBY, 0, 0, 0);
	rig_run(rig, 2 * S);
	assert_true(fc_abs_i32(rig->st.i_mA) < 1000);
	assert_true(rig->st.is_off_confirmed);
	assert_true(rig->st.is_ready);
	rig_order(rig, PM_TRANSFER, BATTERY_mV + 50000, 10000, 10000);
	rig_run(rig, 3 * S);
	assert_in_range(rig->st.i_mA, 8800, 11200);
}

static void check_off_is_confirmed(struct pm_rig *rig)
{
	rig_deliver(rig, 100000);
	assert_false(rig->st.is_off_confirmed);
	rig_order(rig, PM_OFF, 0, 0, 0);
	rig->sp.is_closed = 1; /* contactors still closed: the current must go away by itself */
	rig_send(rig);
	rig_run(rig, rig->caps.off_us + 500 * MS);
	assert_true(rig->st.is_off_confirmed);
	assert_true(fc_abs_i32(rig->st.i_mA) < rig->caps.off_current_mA);
}

static void check_dead_man_switches_off(struct pm_rig *rig)
{
	rig_deliver(rig, 50000);
	rig->is_refreshing = 0;
	rig_run(rig, VALID - HOST_PERIOD - 50 * MS);
	assert_true(rig->st.i_mA > 40000); /* still valid */
	rig_run(rig, HOST_PERIOD + 50 * MS + 100 * MS + rig->caps.off_us);
	assert_true(fc_abs_i32(rig->st.i_mA) < rig->caps.off_current_mA);
	rig_mark(rig);
	rig_run(rig, 10 * S);
	assert_true(rig->i_high_mA < rig->caps.off_current_mA);
	assert_true(rig->st.is_off_confirmed);
	/* And it can be used again. */
	rig->is_refreshing = 1;
	rig_order(rig, PM_STANDBY, 0, 0, 0);
	rig_run(rig, rig->caps.wake_us + 500 * MS);
	assert_true(rig->st.is_ready);
}

static void check_expired_set_point_is_not_obeyed(struct pm_rig *rig)
{
	rig_deliver(rig, 10000);
	rig_order(rig, PM_STANDBY, 0, 0, 0);
	rig_run(rig, 2 * S);
	rig->is_refreshing = 0;
	rig_mark(rig);
	rig->sp.mode = PM_TRANSFER;
	rig->sp.i_max_mA = rig->sp.i_min_mA = 50000;
	rig->sp.valid_until_us = rig->now_us;
	rig->ops->set(rig->self, rig->now_us, &rig->sp);
	rig_run(rig, 5 * S);
	assert_true(rig->i_high_mA < 1000);
}

static void check_nonsense_set_points_give_no_power(struct pm_rig *rig)
{
	static const int32_t modes[] = {-1, 5, 99, INT32_MAX, INT32_MIN};
	size_t i;

	rig_deliver(rig, 10000);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		rig_order(rig, modes[i], BATTERY_mV + 50000, 50000, 50000);
		rig_run(rig, 2 * S);
		assert_true(fc_abs_i32(rig->st.i_mA) < 1000);
	}
	rig_order(rig, PM_TRANSFER, -5000, 50000, 60000);
	rig_run(rig, 2 * S);
	assert_true(fc_abs_i32(rig->st.i_mA) < 1000);
	/* A record too short to carry its validity starts nothing. */
	rig_order(rig, PM_STANDBY, 0, 0, 0);
	rig_run(rig, 1 * S);
	rig->is_refreshing = 0;
	rig->sp.mode = PM_TRANSFER;
	rig->sp.valid_until_us = rig->now_us + 5 * S;
	rig->sp.size = offsetof(struct pm_setpoint, valid_until_us);
	rig->ops->set(rig->self, rig->now_us, &rig->sp);
	rig_mark(rig);
	rig_run(rig, 3 * S);
	assert_true(rig->i_high_mA < 1000);
}

static void check_relay_opens_without_current(struct pm_rig *rig)
{
	rig_deliver(rig, 80000);
	if (!(rig->caps.flags & PM_CAP_OUTPUT_RELAY))
		return;
	assert_true(rig->st.is_closed);
	rig->sp.is_closed = 0; /* still in transfer: the order to open wins */
	rig_send(rig);
	rig_run(rig, 1500 * MS); /* sooner than the force of 2 s */
	assert_false(rig->st.is_closed);
	assert_int_equal(rig->st.faults & PM_FAULT_STUCK_ON, 0);
	assert_int_equal(rig->st.i_mA, 0);
}

static void check_modules_are_listed(struct pm_rig *rig)
{
	struct pm_module m;
	uint32_t i;

	if (!rig->ops->module)
		return;
	rig_wake(rig);
	for (i = 0; i < rig->st.n_expected; i++) {
		memset(&m, 0, sizeof(m));
		m.size = sizeof(m);
		assert_int_equal(rig->ops->module(rig->self, i, &m), 0);
		assert_int_equal(m.serial[sizeof(m.serial) - 1], '\0');
	}
	assert_true(rig->ops->module(rig->self, i, &m) < 0);
}

static void check_random_frames_change_nothing(struct pm_rig *rig)
{
	struct can_filter f[8];
	uint32_t n, i, seed = 12345;

	if (!rig->ops->rx || !rig->ops->filters)
		return;
	n = rig->ops->filters(rig->self, 0, f, 8);
	assert_true(n <= 8);
	rig_wake(rig);
	for (i = 0; i < 2000; i++) {
		struct can_frame frame;
		unsigned k;

		memset(&frame, 0, sizeof(frame));
		seed = seed * 1664525u + 1013904223u;
		frame.can_id = n ? f[i % n].can_id : seed;
		if (i % 5 == 0)
			frame.can_id |= CAN_RTR_FLAG;
		frame.can_dlc = (uint8_t)(seed >> 28 & 7);
		for (k = 0; k < 8; k++)
			frame.data[k] = (uint8_t)(seed >> k);
		pm_rig_feed(rig, i % 3, &frame);
		if (i % 50 == 0)
			rig_run(rig, 10 * MS);
	}
	rig_run(rig, 1 * S);
	assert_int_equal(rig->st.faults_stop, 0);
	assert_in_range(rig->i_high_mA + 1000, 0, 2000);
}

void pm_conformance_run(const struct forecourt_plugin *plugin, const struct forecourt_kv *kv, uint32_t n_kv,
			const struct pm_environment *env)
{
	static const struct {
		const char *name;
		void (*check)(struct pm_rig *rig);
	} checks[] = {
		{"caps are sane", check_caps_are_sane},
		{"status record is not overrun", check_status_record_is_not_overrun},
		{"starts off and asleep", check_starts_off_and_asleep},
		{"wakes in its time", check_wakes_in_its_time},
		{"insulation test reaches voltage", check_insulation_test_reaches_voltage},
		{"standby floats", check_standby_floats},
		{"bleeding lowers in time", check_bleeding_lowers_in_time},
		{"bleeding against a battery gives up", check_bleeding_against_battery_gives_up},
		{"precharge honours the limit", check_precharge_honours_limit},
		{"transfer follows without overshoot", check_transfer_follows_without_overshoot},
		{"request beyond the rating is clipped", check_request_beyond_rating_is_clipped},
		{"direction is honoured", check_direction_is_honoured},
		{"standby stops the current", check_standby_stops_current},
		{"off is confirmed", check_off_is_confirmed},
		{"dead man switches off", check_dead_man_switches_off},
		{"expired set point is not obeyed", check_expired_set_point_is_not_obeyed},
		{"nonsense set points give no power", check_nonsense_set_points_give_no_power},
		{"relay opens without current", check_relay_opens_without_current},
		{"modules are listed", check_modules_are_listed},
		{"random frames change nothing", check_random_frames_change_nothing},
	};
	size_t i;

	assert_int_equal(plugin->magic, FORECOURT_PLUGIN_MAGIC);
	assert_int_equal(plugin->kind, FORECOURT_KIND_POWER_MODULE);
	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct pm_rig rig;

		print_message("           %s\n", checks[i].name);
		rig_start(&rig, plugin, kv, n_kv, env);
		checks[i].check(&rig);
		rig_stop(&rig);
	}
}
