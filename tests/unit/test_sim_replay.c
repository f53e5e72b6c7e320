/* SPDX-License-Identifier: MIT */
/*
 * The parts of a replay: what counts as the same, and what the played back plant says. Whole logs are replayed by
 * tests/replay/run.sh.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <forecourt/units.h>

#include "evse_msgs.h"
#include "pev_msgs.h"
#include "sim/sim_run_replay_cmp.h"
#include "sim/sim_run_replay_hw.h"

#define MS	(int64_t) FC_US_PER_MS
#define START	(100 * (int64_t)FC_US_PER_S)
#define N_NOTED 16

struct rig {
	struct replay_side side;
	struct replay_log log;
	struct replay_cmp cmp;
	struct replay_stack stack;
	struct replay_vehicle vehicle;
	struct replay_difference noted[N_NOTED];
	unsigned n;
};

static void note(void *ctx, const struct replay_difference *d)
{
	struct rig *r = ctx;

	assert_true(r->n < N_NOTED);
	r->noted[r->n++] = *d;
}

static int set_up_side(void **state, struct replay_side side)
{
	const struct replay_tolerance t = {150 * MS, 500, 500};
	struct rig *r = calloc(1, sizeof(*r));

	r->side = side;
	replay_log_init(&r->log, &r->side);
	replay_cmp_init(&r->cmp, &r->side, &t);
	r->cmp.on_difference = note;
	r->cmp.ctx = r;
	r->stack.log = &r->log;
	r->vehicle.log = &r->log;
	*state = r;
	return 0;
}

static int set_up_evse(void **state)
{
	return set_up_side(state, replay_side_evse(EVSE_V3_6, 1));
}

static int set_up_pev(void **state)
{
	return set_up_side(state, replay_side_pev(PEV_V2_5));
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static struct can_frame status(int32_t current_mA, uint8_t is_enabled)
{
	struct evse_power_modules_status m = {.present_current_mA = current_mA, .system_enable = is_enabled};
	struct can_frame f;

	msg_to_frame(&evse_layouts[EVSE_V3_6][EVSE_POWER_MODULES_STATUS], &m, 1, &f);
	return f;
}

static struct can_frame sequence(uint8_t is_stop)
{
	struct evse_sequence_control m = {.start_charge_authorisation = 1, .user_stop_button = is_stop};
	struct can_frame f;

	msg_to_frame(&evse_layouts[EVSE_V3_6][EVSE_SEQUENCE_CONTROL], &m, 1, &f);
	return f;
}

static struct can_frame status2(uint8_t is_closed)
{
	struct pev_dc_status2 m = {
		.contactors_closed = is_closed, .battery_voltage_mV = 350000, .inlet_voltage_mV = 350000};
	struct can_frame f;

	msg_to_frame(&pev_layouts[PEV_V2_5][PEV_DC_STATUS2], &m, 0, &f);
	return f;
}

static struct can_frame status1(int32_t request_mA)
{
	struct pev_dc_status1 m = {.max_charge_current_mA = request_mA};
	struct can_frame f;

	msg_to_frame(&pev_layouts[PEV_V2_5][PEV_DC_STATUS1], &m, 0, &f);
	return f;
}

/* Times in ms since the start. */
static void expect(struct rig *r, int64_t ms, struct can_frame f)
{
	struct replay_entry e = {.time_us = START + ms * MS, .line = 1, .frame = f};

	e.msg = replay_side_find(&r->side, &f);
	replay_cmp_expect(&r->cmp, &e);
	replay_cmp_settle(&r->cmp, e.time_us);
}

static void ours(struct rig *r, int64_t ms, struct can_frame f)
{
	replay_cmp_ours(&r->cmp, START + ms * MS, &f);
	replay_cmp_settle(&r->cmp, START + ms * MS);
}

/* --- sides ------------------------------------------------------------------------------------------------- */

static void test_side_knows_its_pistol_and_its_half(void **state)
{
	struct rig *r = *state;
	struct can_frame f = status(0, 0);

	assert_int_equal(replay_side_find(&r->side, &f), EVSE_POWER_MODULES_STATUS);
	assert_true(replay_side_is_controllers(&r->side, EVSE_POWER_MODULES_STATUS));
	assert_false(replay_side_is_controllers(&r->side, EVSE_DC_POWER_CONTROL));
	f.can_id += UINT32_C(1) << MSG_INDEX_SHIFT;
	assert_int_equal(replay_side_find(&r->side, &f), -1);
	f = status(0, 0);
	f.can_id |= CAN_RTR_FLAG;
	assert_int_equal(replay_side_find(&r->side, &f), -1);
	f.can_id = CAN_ERR_FLAG | 4;
	assert_int_equal(replay_side_find(&r->side, &f), -1);
}

static void test_side_takes_vehicle_identifiers_of_both_forms(void **state)
{
	struct rig *r = *state;
	struct can_frame f = status2(0);

	assert_int_equal(replay_side_find(&r->side, &f), PEV_DC_STATUS2);
	f.can_id |= CAN_EFF_FLAG;
	assert_int_equal(replay_side_find(&r->side, &f), PEV_DC_STATUS2);
	f.can_id = CAN_EFF_FLAG | 0x1613;
	assert_int_equal(replay_side_find(&r->side, &f), -1);
}

/* --- what is the same -------------------------------------------------------------------------------------- */

static void test_cmp_same_content_within_the_tolerance_agrees(void **state)
{
	struct rig *r = *state;

	expect(r, 0, status(0, 0));
	ours(r, 30, status(0, 0));
	expect(r, 100, status(0, 1));
	ours(r, 130, status(0, 0));
	expect(r, 200, status(0, 1));
	ours(r, 230, status(0, 1)); /* 130 ms later than in the log */
	expect(r, 300, status(400, 1));
	ours(r, 330, status(0, 1)); /* within 500 mA */
	replay_cmp_finish(&r->cmp);
	assert_int_equal(r->n, 0);
	assert_int_equal(replay_cmp_total(&r->cmp).n_compared, 4);
	assert_int_equal(replay_cmp_total(&r->cmp).n_ours, 4);
}

static void test_cmp_later_than_the_tolerance_is_a_difference_with_its_signal(void **state)
{
	struct rig *r = *state;
	const struct msg_layout *l = &evse_layouts[EVSE_V3_6][EVSE_POWER_MODULES_STATUS];

	ours(r, 0, status(0, 0));
	expect(r, 0, status(0, 0));
	expect(r, 100, status(0, 1));
	ours(r, 300, status(0, 1));
	expect(r, 300, status(0, 1));
	replay_cmp_finish(&r->cmp);
	assert_int_equal(r->n, 1);
	assert_int_equal(r->noted[0].kind, REPLAY_VALUE);
	assert_int_equal(r->noted[0].time_us, START + 100 * MS);
	assert_int_equal(__builtin_popcount(r->noted[0].fields), 1);
	assert_string_equal(l->fields[__builtin_ctz(r->noted[0].fields)].signal, "System_Enable");
	assert_int_equal(replay_cmp_total(&r->cmp).n_different, 1);
}

static void test_cmp_current_beyond_its_tolerance_is_a_difference(void **state)
{
	struct rig *r = *state;

	ours(r, 0, status(10000, 1));
	expect(r, 0, status(10600, 1));
	replay_cmp_finish(&r->cmp);
	assert_int_equal(r->n, 1);
}

static void test_cmp_one_frame_of_the_log_may_not_fall_out(void **state)
{
	struct rig *r = *state;
	int i;

	for (i = 0; i < 10; i++) {
		ours(r, 100 * i, status(0, 1));
		expect(r, 100 * i, status(0, i != 5));
	}
	replay_cmp_finish(&r->cmp);
	assert_int_equal(r->n, 1);
	assert_int_equal(r->noted[0].time_us, START + 500 * MS);
}

static void test_cmp_changes_in_another_order_are_a_difference(void **state)
{
	struct rig *r = *state;

	ours(r, 0, sequence(0));
	expect(r, 0, sequence(0));
	ours(r, 1000, sequence(1));
	ours(r, 1050, sequence(0));
	expect(r, 1040, sequence(0)); /* met by the last one of ours */
	expect(r, 1090, sequence(1));
	replay_cmp_finish(&r->cmp);
	assert_int_equal(r->n, 0); /* the first content still held then */

	expect(r, 1500, sequence(0));
	ours(r, 1600, sequence(1));
	ours(r, 1700, sequence(0));
	expect(r, 1640, sequence(1));
	expect(r, 1840, sequence(0));
	expect(r, 1845, sequence(1)); /* that was met before the 0 */
	replay_cmp_finish(&r->cmp);
	assert_int_equal(r->n, 1);
	assert_int_equal(r->noted[0].kind, REPLAY_ORDER);
}

static void test_cmp_message_that_ours_stopped_sending_is_a_difference(void **state)
{
	struct rig *r = *state;

	ours(r, 0, status(0, 0));
	expect(r, 0, status(0, 0));
	expect(r, 250, status(0, 0)); /* one period of 100 ms, and 150 */
	expect(r, 500, status(0, 0));
	replay_cmp_finish(&r->cmp);
	assert_int_equal(r->n, 1);
	assert_int_equal(r->noted[0].kind, REPLAY_NOT_SENT);
	assert_null(r->noted[0].ours);
}

static void test_cmp_pulse_of_ours_that_the_log_does_not_have_is_told_once(void **state)
{
	struct rig *r = *state;

	expect(r, 0, sequence(0));
	ours(r, 0, sequence(0));
	expect(r, 1000, sequence(0));
	expect(r, 2000, sequence(0));
	ours(r, 2200, sequence(1)); /* between two frames of the log */
	ours(r, 2700, sequence(0));
	expect(r, 3000, sequence(0));
	expect(r, 4000, sequence(0));
	ours(r, 4000, sequence(0));
	replay_cmp_finish(&r->cmp);
	assert_int_equal(r->n, 1);
	assert_int_equal(r->noted[0].kind, REPLAY_UNEXPECTED);
	assert_int_equal(r->noted[0].time_us, START + 2200 * MS);
	assert_int_equal(__builtin_popcount(r->noted[0].fields), 1);
}

static void test_cmp_pulse_within_the_tolerance_is_not_judged(void **state)
{
	struct rig *r = *state;

	expect(r, 0, sequence(0));
	ours(r, 0, sequence(0));
	ours(r, 1900, sequence(1));
	ours(r, 2000, sequence(0));
	expect(r, 2800, sequence(0));
	replay_cmp_finish(&r->cmp);
	assert_int_equal(r->n, 0);
}

static void test_cmp_message_that_the_log_does_not_have_is_told_once(void **state)
{
	struct rig *r = *state;
	int64_t ms;

	for (ms = 0; ms <= 5000; ms += 100) {
		expect(r, ms, status(0, 0));
		ours(r, ms, status(0, 0));
		if (ms % 1000 == 0)
			ours(r, ms, sequence(ms % 2000 != 0));
	}
	replay_cmp_finish(&r->cmp);
	assert_int_equal(r->n, 1);
	assert_int_equal(r->noted[0].kind, REPLAY_UNEXPECTED);
	assert_null(r->noted[0].expected);
}

static void test_cmp_after_the_end_of_the_log_nothing_is_judged(void **state)
{
	struct rig *r = *state;

	expect(r, 0, sequence(0));
	ours(r, 0, sequence(0));
	expect(r, 1000, sequence(0));
	ours(r, 1100, sequence(1));
	replay_cmp_finish(&r->cmp);
	assert_int_equal(r->n, 0);
}

static void test_cmp_ignores_a_signal_or_a_message(void **state)
{
	struct rig *r = *state;

	assert_false(replay_cmp_ignore(&r->cmp, "System_Enable"));
	assert_false(replay_cmp_ignore(&r->cmp, "Power_Modules_Status.No_Such"));
	assert_false(replay_cmp_ignore(&r->cmp, "DC_Power_Control")); /* the module's */
	assert_true(replay_cmp_ignore(&r->cmp, "Power_Modules_Status.System_Enable"));
	assert_true(replay_cmp_ignore(&r->cmp, "Sequence_Control"));
	ours(r, 0, status(0, 0));
	expect(r, 0, status(0, 1));
	expect(r, 0, sequence(1));
	ours(r, 0, sequence(0));
	expect(r, 10, status(9000, 1));
	replay_cmp_finish(&r->cmp);
	assert_int_equal(r->n, 1);
	assert_int_equal(r->noted[0].time_us, START + 10 * MS);
}

static void test_cmp_flood_of_the_log_is_judged_to_its_end(void **state)
{
	struct rig *r = *state;
	int i;

	r->cmp.on_difference = NULL;
	ours(r, 0, status(0, 1));
	for (i = 0; i < 1000; i++) {
		struct replay_entry e = {.time_us = START + i, .line = 1, .frame = status(0, 1)};

		e.msg = EVSE_POWER_MODULES_STATUS;
		replay_cmp_expect(&r->cmp, &e);
	}
	for (i = 0; i < 1000; i++) { /* and one of ours */
		struct can_frame f = status(i * 100, 1);

		replay_cmp_ours(&r->cmp, START + 1000 + i, &f);
	}
	replay_cmp_settle(&r->cmp, START + 1000 * MS);
	assert_int_equal(replay_cmp_total(&r->cmp).n_compared, 1000);
}

/* --- the plant --------------------------------------------------------------------------------------------- */

static void put(struct rig *r, int64_t ms, struct can_frame f)
{
	struct replay_entry e = {.time_us = START + ms * MS, .line = 1, .frame = f};

	e.msg = replay_side_find(&r->side, &f);
	e.is_controllers = replay_side_is_controllers(&r->side, e.msg);
	assert_true(replay_log_put(&r->log, &e));
}

static int32_t current_at(struct rig *r, int64_t ms)
{
	const struct power_module_ops *ops = replay_stack_plugin.ops;
	struct pm_status st = {.size = sizeof(st)};

	ops->status(&r->stack, START + ms * MS, &st);
	return st.i_mA;
}

static void test_log_gives_the_nearest_frame_half_a_cycle_ahead(void **state)
{
	struct rig *r = *state;

	put(r, 0, status(1000, 0));
	put(r, 100, status(2000, 0));
	put(r, 300, status(3000, 0));
	assert_int_equal(current_at(r, -500), 1000); /* the first of all */
	replay_log_take(&r->log);
	assert_int_equal(current_at(r, 40), 1000);
	assert_int_equal(current_at(r, 60), 2000);
	replay_log_take(&r->log);
	assert_int_equal(current_at(r, 220), 2000); /* what comes is more than 50 ms away */
	assert_int_equal(current_at(r, 260), 3000);
	replay_log_take(&r->log);
	assert_int_equal(current_at(r, 9000), 3000);
	assert_null(replay_log_peek(&r->log));
}

static bool is_ready_at(struct rig *r, int64_t ms, int32_t mode)
{
	const struct power_module_ops *ops = replay_stack_plugin.ops;
	struct pm_setpoint sp = {.size = sizeof(sp), .mode = mode, .valid_until_us = START + (ms + 500) * MS};
	struct pm_status st = {.size = sizeof(st)};

	ops->set(&r->stack, START + ms * MS, &sp);
	ops->status(&r->stack, START + ms * MS, &st);
	return st.is_ready;
}

static void test_stack_is_ready_when_awake_and_the_log_was(void **state)
{
	struct rig *r = *state;

	put(r, 0, status(0, 0));
	put(r, 1000, status(0, 1));
	put(r, 2000, status(0, 0));
	put(r, 3000, status(0, 0));
	replay_log_take(&r->log);
	assert_false(is_ready_at(r, 500, PM_STANDBY));
	replay_log_take(&r->log);
	assert_false(is_ready_at(r, 1000, PM_OFF));
	assert_true(is_ready_at(r, 1100, PM_STANDBY));
	replay_log_take(&r->log);
	assert_true(is_ready_at(r, 2000, PM_TRANSFER)); /* that it is no more is a decision */
	assert_false(is_ready_at(r, 2100, PM_OFF));
	assert_false(is_ready_at(r, 2200, PM_STANDBY));
}

static int closed_at(struct rig *r, int64_t ms, int32_t is_asked)
{
	const struct vehicle_hw_ops *ops = replay_vehicle_plugin.ops;
	struct vh_command cmd = {.size = sizeof(cmd), .is_closed = is_asked};
	struct vh_status st = {.size = sizeof(st)};

	ops->set(&r->vehicle, START + ms * MS, &cmd);
	ops->status(&r->vehicle, START + ms * MS, &st);
	return st.is_closed;
}

static void test_vehicle_contactors_follow_the_log_and_at_last_the_command(void **state)
{
	struct rig *r = *state;

	put(r, 0, status2(0));
	put(r, 600, status2(1));
	replay_log_take(&r->log);
	assert_int_equal(closed_at(r, 0, 0), 0);
	assert_int_equal(closed_at(r, 100, 1), 0);
	assert_int_equal(closed_at(r, 500, 1), 0);
	replay_log_take(&r->log);
	assert_int_equal(closed_at(r, 600, 1), 1);
	assert_int_equal(closed_at(r, 700, 0), 1); /* the log stays closed */
	assert_int_equal(closed_at(r, 1600, 0), 1);
	assert_int_equal(closed_at(r, 1700, 0), 0);
}

static void test_vehicle_wants_what_was_last_requested(void **state)
{
	const struct vehicle_hw_ops *ops = replay_vehicle_plugin.ops;
	struct rig *r = *state;
	struct vh_status st = {.size = sizeof(st)};

	put(r, 0, status1(60000));
	put(r, 1000, status1(0));
	replay_log_take(&r->log);
	ops->status(&r->vehicle, START, &st);
	assert_int_equal(st.i_charge_max_mA, 60000);
	replay_log_take(&r->log);
	ops->status(&r->vehicle, START + 2000 * MS, &st);
	assert_int_equal(st.i_charge_max_mA, 60000); /* to ask for nothing is a decision */
	assert_int_equal(st.is_hv_ready, 1);
}

#define EVSE(name) cmocka_unit_test_setup_teardown(name, set_up_evse, tear_down)
#define PEV(name)  cmocka_unit_test_setup_teardown(name, set_up_pev, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EVSE(test_side_knows_its_pistol_and_its_half),
		PEV(test_side_takes_vehicle_identifiers_of_both_forms),
		EVSE(test_cmp_same_content_within_the_tolerance_agrees),
		EVSE(test_cmp_later_than_the_tolerance_is_a_difference_with_its_signal),
		EVSE(test_cmp_current_beyond_its_tolerance_is_a_difference),
		EVSE(test_cmp_one_frame_of_the_log_may_not_fall_out),
		EVSE(test_cmp_changes_in_another_order_are_a_difference),
		EVSE(test_cmp_message_that_ours_stopped_sending_is_a_difference),
		EVSE(test_cmp_pulse_of_ours_that_the_log_does_not_have_is_told_once),
		EVSE(test_cmp_pulse_within_the_tolerance_is_not_judged),
		EVSE(test_cmp_message_that_the_log_does_not_have_is_told_once),
		EVSE(test_cmp_after_the_end_of_the_log_nothing_is_judged),
		EVSE(test_cmp_ignores_a_signal_or_a_message),
		EVSE(test_cmp_flood_of_the_log_is_judged_to_its_end),
		EVSE(test_log_gives_the_nearest_frame_half_a_cycle_ahead),
		EVSE(test_stack_is_ready_when_awake_and_the_log_was),
		PEV(test_vehicle_contactors_follow_the_log_and_at_last_the_command),
		PEV(test_vehicle_wants_what_was_last_requested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
