/* SPDX-License-Identifier: MIT */
/*
 * Listeners on both sides of a whole charge point in virtual time: what their models record of a session is what the
 * machines did, through faults as well.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/mon_facts.h"
#include "tests/lib/mon_events.h"
#include "tests/lib/point_rig.h"

#define CHARGING  7
#define STATUS_ID (CAN_EFF_FLAG | 0x01063000u) /* Power_Modules_Status of pistol 1 */

struct listener {
	struct mon_model model;
	struct mon_events told;
	unsigned point;
	bool is_open;
	struct mon_facts facts;
	int64_t asked_us;
	uint64_t n_bound[MON_MAX_LIMITS +
			 1]; /* how often a limit was the one that binds; last: none, while charging */
};

static struct point_rig *rig;
static struct listener *side[2];

static void check_facts(struct listener *l)
{
	const struct mon_facts *f = &l->facts;

	mon_facts(&l->model, l->point, &l->facts);
	assert_true(f->binding < (int)f->n_limits);
	if (f->binding >= 0)
		assert_int_not_equal(f->limit[f->binding].mA, MON_UNKNOWN);
	if (f->phase == MON_PHASE_CHARGING)
		l->n_bound[f->binding >= 0 ? f->binding : MON_MAX_LIMITS]++;
}

static void tap(void *ctx, int64_t time_us, unsigned sender, const struct can_frame *f)
{
	(void)ctx;
	(void)sender;
	for (unsigned i = 0; i < 2; i++) {
		struct listener *l = side[i];

		if (!l->is_open) {
			struct mon_cfg cfg = {.side = (enum mon_side)i, .version = 99};
			struct mon_sink sink = mon_events_sink(&l->told);

			mon_model_init(&l->model, &cfg, &sink, time_us);
			l->is_open = true;
			l->point = i == MON_EVSE;
		}
		mon_model_rx(&l->model, time_us, f);
		if (time_us - l->asked_us < FC_US_PER_S)
			continue;
		l->asked_us = time_us;
		check_facts(l);
	}
}

static int set_up(void **state)
{
	(void)state;
	rig = calloc(1, sizeof(*rig));
	side[0] = calloc(1, sizeof(*side[0]));
	side[1] = calloc(1, sizeof(*side[1]));
	if (!rig || !side[0] || !side[1])
		return -1;
	point_rig_defaults(rig);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(rig);
	free(side[0]);
	free(side[1]);
	return 0;
}

static void begin(void)
{
	point_rig_start(rig);
	can_hub_set_tap(&rig->point.world.hub, tap, NULL);
}

static const struct mon_session *session(enum mon_side s)
{
	return &mon_point(&side[s]->model, side[s]->point)->session;
}

/* Within 0.5 %, or what the rounding of the signals (1 A, 0.1 V) may add up to. */
static void assert_energy(const struct mon_session *s, int64_t energy_mJ)
{
	int64_t off_mJ = s->energy_Wus / 1000 - energy_mJ;

	if (llabs(off_mJ) > energy_mJ / 200)
		fail_msg("energy off by %lld of %lld mJ", (long long)off_mJ, (long long)energy_mJ);
}

static void assert_states(const struct mon_session *s, const struct sim_point_states *done, unsigned first)
{
	unsigned n = 0;

	for (unsigned i = 0; i < done->n && n < s->n_states; i++) {
		if (n == 0 && done->state[i] != first)
			continue;
		assert_int_equal(s->state[n++], done->state[i]);
	}
	assert_int_equal(n, s->n_states);
}

static bool has_fault(const struct mon_session *s, const char *text)
{
	for (unsigned i = 0; i < s->n_faults && i < MON_SESSION_FAULTS; i++)
		if (strcmp(s->fault[i], text) == 0)
			return true;
	return false;
}

static void test_point_both_models_record_the_session_as_it_was(void **state)
{
	const struct mon_session *x;

	(void)state;
	point_rig_set(rig, "evse.charge_duration=600");
	begin();
	point_rig_run_session(rig);
	assert_int_equal(side[MON_EVSE]->told.n_sessions, 1);
	x = session(MON_EVSE);
	assert_true(x->is_clean);
	assert_string_equal(x->reason, "user stop");
	assert_energy(x, rig->point.evse.session.record.energy_mJ);
	assert_int_equal(x->peak_mA / 1000, rig->point.evse.session.record.peak_mA / 1000);
	assert_states(x, &rig->point.secc_states, 2);
	assert_int_equal(x->soc_start_permille, 300);
	assert_true(x->soc_end_permille > 300);
	assert_int_equal(x->n_faults, 0);
	assert_string_equal(x->protocol_name, "CCS_ISO_15118_2013_v2");
	point_rig_command(rig, SIM_EVCC, "unplug");
	point_rig_run_s(rig, 5);
	assert_int_equal(side[MON_PEV]->told.n_sessions, 1);
	x = session(MON_PEV);
	assert_true(x->is_clean);
	assert_string_equal(x->reason, "charger stopped");
	assert_energy(x, rig->point.pev.session.record.energy_mJ);
	assert_states(x, &rig->point.evcc_states, 2);
	assert_int_equal(x->n_faults, 0);
}

static void test_point_every_frame_is_ours_on_one_side_or_of_the_plug(void **state)
{
	(void)state;
	begin();
	point_rig_run_session(rig);
	assert_int_equal(side[0]->model.bus.n_frames, side[1]->model.bus.n_frames);
	assert_true(side[0]->model.bus.n_ours > 1000 && side[1]->model.bus.n_ours > 1000);
	assert_true(side[0]->model.bus.n_ours + side[1]->model.bus.n_ours < side[0]->model.bus.n_frames);
	assert_int_equal(side[0]->model.bus.n_bad + side[1]->model.bus.n_bad, 0);
	assert_int_equal(side[0]->model.bus.n_foreign,
			 side[0]->model.bus.n_frames - side[0]->model.bus.n_ours);
	mon_events_need_none(&side[0]->told, "lost");
	mon_events_need_none(&side[1]->told, "lost");
	mon_events_need_none(&side[0]->told, "silent");
	mon_events_need_none(&side[1]->told, "silent");
}

static void test_point_a_limit_binds_all_through_the_charge(void **state)
{
	(void)state;
	point_rig_set(rig, "evse.charge_duration=300");
	begin();
	point_rig_run_to(rig, CHARGING);
	point_rig_run_s(rig, 30);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(side[i]->facts.binding >= 0);
		assert_false(side[i]->facts.is_derated);
		assert_true(side[i]->facts.is_contactor_known && side[i]->facts.are_contactors_closed);
		assert_int_equal(side[i]->facts.n_diagnostics, 0);
		assert_in_range(side[i]->facts.power_W, 31000, 34000);
	}
	/* The cable's 100 A are the module's secret on this side; the vehicle hears of them. */
	assert_string_equal(side[MON_PEV]->facts.limit[side[MON_PEV]->facts.binding].name, "charger limit");
	assert_true(side[MON_EVSE]->n_bound[MON_MAX_LIMITS] <= 2);
}

static void test_point_plots_have_no_holes(void **state)
{
	(void)state;
	begin();
	point_rig_run_session(rig);
	for (unsigned i = 0; i < 2; i++) {
		const struct mon_history *h = &mon_point(&side[i]->model, side[i]->point)->history;
		const struct mon_track *t = &h->track[MON_SPAN_SESSION];
		uint32_t n = t->n;

		assert_true(n > MON_HISTORY_LEN / 2);
		for (uint32_t k = 0; k < n; k++) {
			assert_int_not_equal(mon_history_step(h, MON_SPAN_SESSION, MON_SERIES_mV, k).last,
					     MON_UNKNOWN);
			assert_int_not_equal(mon_history_step(h, MON_SPAN_SESSION, MON_SERIES_W, k).last,
					     MON_UNKNOWN);
		}
	}
}

static void test_point_killed_module_ends_the_record_and_comes_back(void **state)
{
	const struct mon_session *x;
	char err[160];

	(void)state;
	point_rig_set(rig, "evse.charge_duration=300");
	begin();
	point_rig_run_to(rig, CHARGING);
	point_rig_run_s(rig, 30);
	world_kill(&rig->point.world, SIM_SECC);
	point_rig_run_s(rig, 10);
	x = &side[MON_EVSE]->told.session;
	assert_int_equal(side[MON_EVSE]->told.n_sessions, 1);
	assert_string_equal(x->reason, "module silent");
	assert_false(x->is_clean);
	assert_true(has_fault(x, "module silent"));
	mon_facts(&side[MON_EVSE]->model, 1, &side[MON_EVSE]->facts);
	assert_true(side[MON_EVSE]->facts.is_module_silent);
	assert_int_equal(side[MON_EVSE]->facts.phase, MON_PHASE_NONE);
	mon_events_need(&side[MON_EVSE]->told, "module silent");
	assert_int_equal(sim_point_restart(&rig->point, SIM_SECC, err, sizeof(err)), 0);
	point_rig_run_s(rig, 5);
	mon_events_need(&side[MON_EVSE]->told, "module speaks again");
}

static void test_point_lost_charger_status_is_an_emergency_with_its_cause(void **state)
{
	struct can_fault lost = {.kind = CAN_FAULT_LOSE,
				 .id = STATUS_ID,
				 .mask = CAN_EFF_FLAG | CAN_EFF_MASK,
				 .probability_ppm = CAN_FAULT_ALWAYS};
	const struct mon_session *x;

	(void)state;
	point_rig_set(rig, "evse.charge_duration=300");
	begin();
	point_rig_run_to(rig, CHARGING);
	point_rig_run_s(rig, 30);
	can_hub_add_fault(&rig->point.world.hub, &lost);
	point_rig_run_s(rig, 2);
	mon_events_need(&side[MON_EVSE]->told, "Power_Modules_Status lost");
	x = session(MON_EVSE);
	assert_string_equal(x->reason, "emergency stop by EVSE");
	mon_facts(&side[MON_EVSE]->model, 1, &side[MON_EVSE]->facts);
	assert_true(side[MON_EVSE]->facts.is_emergency);
	assert_true(side[MON_EVSE]->facts.is_controller_silent);
	can_hub_remove_faults(&rig->point.world.hub);
	point_rig_run_s(rig, 2);
	mon_events_need(&side[MON_EVSE]->told, "Power_Modules_Status back");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_point_both_models_record_the_session_as_it_was, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_point_every_frame_is_ours_on_one_side_or_of_the_plug,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_point_a_limit_binds_all_through_the_charge, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_point_plots_have_no_holes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_point_killed_module_ends_the_record_and_comes_back,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_point_lost_charger_status_is_an_emergency_with_its_cause,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
