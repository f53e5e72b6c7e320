/* SPDX-License-Identifier: MIT */
/* A complete charge point under test. */
#include "tests/lib/point_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define START_US (1000 * (int64_t)FC_US_PER_S)

/* The contactors answer 0.6 s after the command at the latest (simulators.md section 2), plus one cycle. */
#define CONTACTOR_US (800 * (int64_t)FC_US_PER_MS)

static uint64_t mix(uint64_t hash, const void *data, size_t n)
{
	const uint8_t *p = data;
	size_t i;

	for (i = 0; i < n; i++)
		hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static void tap(void *ctx, int64_t time_us, unsigned sender, const struct can_frame *f)
{
	struct point_rig *r = ctx;

	r->trace_hash = mix(r->trace_hash, &time_us, sizeof(time_us));
	r->trace_hash = mix(r->trace_hash, &sender, sizeof(sender));
	r->trace_hash = mix(r->trace_hash, &f->can_id, sizeof(f->can_id));
	r->trace_hash = mix(r->trace_hash, f->data, f->can_dlc);
	r->n_frames++;
}

/* Power only while the module is heard, and never beyond the limits. */
static void check_charger(struct point_rig *r)
{
	const struct evse_session *s = &r->point.evse.session;
	const struct world *w = &r->point.world;

	if (!w->node[SIM_EVSE].is_alive)
		return;
	if (s->sp.mode >= PM_INSULATION_TEST) {
		assert_true(s->is_open);
		assert_true(w->now_us - s->status_watch.last_us <= 200000);
		assert_true(s->sp.is_closed);
		assert_int_equal(s->faults.latched, 0);
		if (s->sp.mode > r->peak_power_mode)
			r->peak_power_mode = s->sp.mode;
	}
	assert_true(s->sp.v_mV <= s->conf.max_voltage_mV);
	assert_true(s->sp.i_max_mA <= s->conf.max_charge_current_mA);
	assert_true(s->in.status.v_mV <= s->conf.max_voltage_mV + 6000);
	assert_true(s->in.status.i_mA <= 123000);
	assert_true(evse_state_row(s->state)->modes & EVSE_MODE_BIT(s->sp.mode));
}

/* Contactors closed only while the vehicle's module was heard to ask for it. */
static void check_vehicle(struct point_rig *r)
{
	const struct world *w = &r->point.world;
	const struct pev_session *s = &r->point.pev.session;

	if (!w->node[SIM_PEV].is_alive)
		return;
	if (r->point.pev.given.is_closed)
		assert_true(w->now_us - s->control.last_us <= 1000000 + CONTACTOR_US + 2000000);
}

static void after_event(void *ctx, struct world *w, unsigned node)
{
	struct point_rig *r = ctx;
	double soc = r->point.vehicle.battery.soc;

	sim_point_note_states(&r->point, node);
	if (soc > r->max_soc)
		r->max_soc = soc;
	if (node == SIM_EVSE && r->point.evse.session.state == EVSE_ST_TRANSFER &&
	    w->now_us - r->last_current_us > 60 * (int64_t)FC_US_PER_S) {
		r->last_current_mA = r->point.evse.session.in.status.i_mA;
		r->last_current_us = w->now_us;
	}
	check_charger(r);
	check_vehicle(r);
}

void point_rig_defaults(struct point_rig *r)
{
	memset(r, 0, sizeof(*r));
	sim_point_defaults(&r->point);
	r->trace_hash = UINT64_C(0xcbf29ce484222325);
}

void point_rig_set(struct point_rig *r, const char *assignment)
{
	char err[160] = "";

	if (sim_point_set(&r->point, assignment, err, sizeof(err)) != 0)
		fail_msg("%s: %s", assignment, err);
}

void point_rig_set2(struct point_rig *r, const char *key, const char *value)
{
	char text[128];

	snprintf(text, sizeof(text), "%s=%s", key, value);
	point_rig_set(r, text);
}

void point_rig_start(struct point_rig *r)
{
	struct can_hub_cfg bus = {.seed = 1};
	char err[160] = "";

	if (sim_point_start(&r->point, &bus, START_US, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	r->point.world.after_event = after_event;
	r->point.world.ctx = r;
	can_hub_set_tap(&r->point.world.hub, tap, r);
}

static bool is_session_over(void *ctx)
{
	return sim_point_is_session_over(&((struct point_rig *)ctx)->point);
}

void point_rig_run_session(struct point_rig *r)
{
	world_run(&r->point.world, r->point.world.now_us + 7200 * (int64_t)FC_US_PER_S, is_session_over, r);
	assert_true(is_session_over(r));
}

static bool is_in_state(void *ctx)
{
	struct point_rig *r = ctx;

	return r->point.secc.state == (enum secc_state)r->until_state;
}

void point_rig_run_to(struct point_rig *r, uint8_t secc_state)
{
	r->until_state = secc_state;
	world_run(&r->point.world, r->point.world.now_us + 600 * (int64_t)FC_US_PER_S, is_in_state, r);
	if (!is_in_state(r))
		fail_msg("state %u not reached, in %u", secc_state, (unsigned)r->point.secc.state);
}

void point_rig_run_s(struct point_rig *r, int64_t s)
{
	world_run(&r->point.world, r->point.world.now_us + s * FC_US_PER_S, NULL, NULL);
}

void point_rig_command(struct point_rig *r, enum sim_who who, const char *line)
{
	char answer[4096];
	int ret = world_command(&r->point.world, who, line, answer, sizeof(answer));

	if (ret != 0)
		fail_msg("%s %s: %d %s", sim_point_name(who), line, ret, answer);
}

void point_rig_replug(struct point_rig *r)
{
	char answer[4096];

	if (world_command(&r->point.world, SIM_EVCC, "unplug", answer, sizeof(answer)) != 0)
		world_command(&r->point.world, SIM_EVCC, "unplug force", answer, sizeof(answer));
	point_rig_run_s(r, 10);
	memset(&r->point.secc_states, 0, sizeof(r->point.secc_states));
	memset(&r->point.evcc_states, 0, sizeof(r->point.evcc_states));
	r->peak_power_mode = PM_OFF;
	point_rig_command(r, SIM_EVCC, "plug");
}
