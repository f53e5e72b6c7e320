/* SPDX-License-Identifier: MIT */
/* The last gate of the charger: each rule on its own facts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "evse-ctrl/evse_guard.h"
#include "evse_msgs.h"
#include "site_msgs.h"

static struct evse_guard guard;
static struct out_queue out;

/* Everything in order for power transfer. */
static struct evse_guard_facts good_facts(void)
{
	return (struct evse_guard_facts){
		.state = EVSE_ST_TRANSFER,
		.is_status_fresh = true,
		.is_reading_fresh = true,
		.i_mA = 100000,
		.max_voltage_mV = 500000,
		.max_charge_mA = 120000,
		.max_discharge_mA = 60000,
		.open_limit_mA = 1000,
		.is_closed = true,
	};
}

static struct pm_setpoint transfer(void)
{
	return (struct pm_setpoint){
		.mode = PM_TRANSFER, .v_mV = 400000, .i_max_mA = 100000, .i_min_mA = 100000, .is_closed = 1};
}

static bool pass(const struct evse_guard_facts *facts, struct pm_setpoint *sp)
{
	bool is_good;

	out_queue_clear(&out);
	is_good = evse_guard_setpoint(&guard, facts, sp, &out);
	assert_int_equal(out.n, 1);
	assert_memory_equal(&out.item[0].u.setpoint, sp, sizeof(*sp));
	return is_good;
}

static int setup(void **state)
{
	(void)state;
	evse_guard_init(&guard, EVSE_V3_6, 1);
	out_queue_init(&out);
	return 0;
}

static void assert_withheld(struct evse_guard_facts facts, struct pm_setpoint sp)
{
	assert_false(pass(&facts, &sp));
	assert_int_equal(sp.mode, PM_OFF);
	assert_int_equal(sp.i_max_mA, 0);
	assert_int_equal(sp.is_bleeding, 0);
}

static void test_guard_good_transfer_passes_unchanged(void **state)
{
	struct evse_guard_facts facts = good_facts();
	struct pm_setpoint sp = transfer(), before = sp;

	(void)state;
	assert_true(pass(&facts, &sp));
	assert_memory_equal(&sp, &before, sizeof(sp));
	assert_int_equal(guard.n_withheld + guard.n_clipped, 0);
}

static void test_guard_power_needs_fresh_module_readings_no_emergency_no_fault(void **state)
{
	struct evse_guard_facts facts;

	(void)state;
	facts = good_facts();
	facts.is_status_fresh = false;
	assert_withheld(facts, transfer());
	facts = good_facts();
	facts.is_reading_fresh = false;
	assert_withheld(facts, transfer());
	facts = good_facts();
	facts.is_emergency = true;
	assert_withheld(facts, transfer());
	facts = good_facts();
	facts.has_latched_fault = true;
	assert_withheld(facts, transfer());
	assert_int_equal(guard.n_withheld, 4);
}

static void test_guard_every_power_mode_needs_a_fresh_module(void **state)
{
	static const struct {
		enum evse_state state;
		int32_t mode;
	} power[] = {{EVSE_ST_INSULATION, PM_INSULATION_TEST}, {EVSE_ST_PRECHARGE, PM_PRECHARGE}};
	struct evse_guard_facts facts = good_facts();
	unsigned i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct pm_setpoint sp = transfer();

		facts.state = power[i].state;
		facts.is_status_fresh = true;
		sp.mode = power[i].mode;
		assert_true(pass(&facts, &sp));
		facts.is_status_fresh = false;
		assert_withheld(facts, sp);
	}
}

static void test_guard_mode_must_fit_the_state(void **state)
{
	struct evse_guard_facts facts = good_facts();
	struct pm_setpoint sp = transfer();
	int32_t s, mode;

	(void)state;
	for (s = 0; s < EVSE_N_STATES; s++) {
		for (mode = PM_OFF; mode <= PM_TRANSFER; mode++) {
			bool may = evse_state_row((enum evse_state)s)->modes & EVSE_MODE_BIT(mode);

			facts.state = (enum evse_state)s;
			facts.i_mA = 0;
			sp = transfer();
			sp.mode = mode;
			sp.is_closed = evse_state_row(facts.state)->may_close;
			assert_int_equal(pass(&facts, &sp), may);
		}
	}
	sp = transfer();
	sp.mode = 17;
	assert_withheld(good_facts(), sp);
	sp.mode = -1;
	assert_withheld(good_facts(), sp);
}

static void test_guard_contactors_stay_closed_while_current_flows(void **state)
{
	struct evse_guard_facts facts = good_facts();
	struct pm_setpoint sp = transfer();

	(void)state;
	sp.mode = PM_STANDBY;
	sp.i_max_mA = sp.i_min_mA = 0;
	sp.is_closed = 0;
	assert_false(pass(&facts, &sp));
	assert_true(sp.is_closed);
	facts.i_mA = 999;
	sp = transfer();
	sp.mode = PM_STANDBY;
	sp.i_max_mA = sp.i_min_mA = 0;
	sp.is_closed = 0;
	assert_true(pass(&facts, &sp));
	assert_false(sp.is_closed);
}

static void test_guard_opening_may_be_forced_or_needs_a_fresh_reading(void **state)
{
	struct evse_guard_facts facts = good_facts();
	struct pm_setpoint sp = {.mode = PM_OFF};

	(void)state;
	facts.may_force_open = true;
	assert_true(pass(&facts, &sp));
	facts.may_force_open = false;
	facts.i_mA = 0;
	facts.is_reading_fresh = false;
	assert_false(pass(&facts, &sp));
	assert_true(sp.is_closed);
}

static void test_guard_closing_is_refused_where_not_permitted(void **state)
{
	static const enum evse_state open[] = {EVSE_ST_NO_MODULE, EVSE_ST_IDLE,	 EVSE_ST_BLOCKED,
					       EVSE_ST_CLOSING,	  EVSE_ST_FAULT, EVSE_ST_STOPPED};
	struct evse_guard_facts facts = good_facts();
	struct pm_setpoint sp = {.is_closed = 1};
	unsigned i;

	(void)state;
	facts.is_closed = false;
	for (i = 0; i < 6; i++) {
		facts.state = open[i];
		sp = (struct pm_setpoint){.mode = PM_OFF, .is_closed = 1};
		assert_false(pass(&facts, &sp));
		assert_false(sp.is_closed);
	}
	/* In the shutdown closed contactors may stay, open ones may not close. */
	facts.state = EVSE_ST_SHUTDOWN;
	sp = (struct pm_setpoint){.mode = PM_OFF, .is_closed = 1};
	assert_false(pass(&facts, &sp));
	facts.is_closed = true;
	sp = (struct pm_setpoint){.mode = PM_OFF, .is_closed = 1};
	assert_true(pass(&facts, &sp));
	/* Stale module, emergency, fault. */
	facts = good_facts();
	facts.state = EVSE_ST_STANDBY;
	facts.is_closed = false;
	facts.is_emergency = true;
	sp = (struct pm_setpoint){.mode = PM_STANDBY, .is_closed = 1};
	assert_false(pass(&facts, &sp));
}

static void test_guard_power_needs_closed_contactors(void **state)
{
	struct evse_guard_facts facts = good_facts();
	struct pm_setpoint sp = transfer();

	(void)state;
	facts.i_mA = 0;
	sp.is_closed = 0;
	assert_withheld(facts, sp);
}

static void test_guard_bleeding_only_in_standby_without_current(void **state)
{
	struct evse_guard_facts facts = good_facts();
	struct pm_setpoint sp = transfer();

	(void)state;
	sp.is_bleeding = 1;
	assert_withheld(facts, sp);
	facts.state = EVSE_ST_LOWERING;
	sp = (struct pm_setpoint){.mode = PM_STANDBY, .is_closed = 1, .is_bleeding = 1};
	assert_true(pass(&facts, &sp));
	sp.i_max_mA = 10;
	assert_withheld(facts, sp);
}

static void test_guard_clips_to_limits_and_counts(void **state)
{
	struct evse_guard_facts facts = good_facts();
	struct pm_setpoint sp = transfer();

	(void)state;
	sp.v_mV = 900000;
	sp.i_max_mA = 300000;
	sp.i_min_mA = -300000;
	assert_true(pass(&facts, &sp));
	assert_int_equal(sp.v_mV, 500000);
	assert_int_equal(sp.i_max_mA, 120000);
	assert_int_equal(sp.i_min_mA, -60000);
	assert_int_equal(guard.n_clipped, 1);
	sp.v_mV = -1; /* each value alone is noticed */
	assert_true(pass(&facts, &sp));
	assert_int_equal(sp.v_mV, 0);
	assert_int_equal(guard.n_clipped, 2);
	sp = transfer();
	sp.i_max_mA = 120001;
	assert_true(pass(&facts, &sp));
	assert_int_equal(guard.n_clipped, 3);
	sp = transfer();
	sp.i_min_mA = -60001;
	assert_true(pass(&facts, &sp));
	assert_int_equal(guard.n_clipped, 4);
}

/* 20 kW granted, 10 kW of feeding back, at 400 V. */
static struct evse_guard_facts granted_facts(void)
{
	struct evse_guard_facts facts = good_facts();

	facts.has_grant = true;
	facts.grant_W = 20000;
	facts.grant_feed_W = 10000;
	facts.grant_v_mV = 400000;
	return facts;
}

static void test_guard_grant_bounds_current_times_voltage(void **state)
{
	struct evse_guard_facts facts = granted_facts();
	struct pm_setpoint sp = transfer();

	(void)state;
	sp.i_max_mA = sp.i_min_mA = 50000; /* exactly the grant */
	assert_true(pass(&facts, &sp));
	assert_int_equal(sp.i_max_mA, 50000);
	assert_int_equal(guard.n_clipped, 0);
	sp.i_max_mA = sp.i_min_mA = 50001;
	assert_true(pass(&facts, &sp));
	assert_int_equal(sp.i_max_mA, 50000);
	assert_int_equal(sp.i_min_mA, 50000);
	assert_int_equal(guard.n_clipped, 1);
	/* The voltage of the battery counts, not the set point's, which may be far above. */
	sp = transfer();
	sp.v_mV = 500000;
	assert_true(pass(&facts, &sp));
	assert_int_equal(sp.i_max_mA, 50000);
	facts.has_grant = false;
	sp = transfer();
	assert_true(pass(&facts, &sp));
	assert_int_equal(sp.i_max_mA, 100000);
	assert_int_equal(sp.p_max_W, 0);
}

static void test_guard_grant_bounds_test_and_precharge_at_their_set_point(void **state)
{
	struct evse_guard_facts facts = granted_facts();
	struct pm_setpoint sp = transfer();

	(void)state;
	facts.grant_W = 500;
	facts.state = EVSE_ST_INSULATION;
	sp.mode = PM_INSULATION_TEST;
	sp.v_mV = 500000;
	sp.i_max_mA = 2000;
	sp.i_min_mA = 0;
	assert_true(pass(&facts, &sp));
	assert_int_equal(sp.i_max_mA, 1000);
	assert_int_equal(sp.i_min_mA, 0);
	assert_int_equal(sp.p_max_W, 500);
}

static void test_guard_grant_is_a_limit_of_the_power_modules_too(void **state)
{
	struct evse_guard_facts facts = granted_facts();
	struct pm_setpoint sp = transfer();

	(void)state;
	assert_true(pass(&facts, &sp));
	assert_int_equal(sp.p_max_W, 20000);
	sp = transfer();
	sp.p_max_W = 5000; /* the tighter one stays */
	assert_true(pass(&facts, &sp));
	assert_int_equal(sp.p_max_W, 5000);
	sp.p_max_W = 30000;
	assert_true(pass(&facts, &sp));
	assert_int_equal(sp.p_max_W, 20000);
	facts.grant_W = 0;
	sp = transfer();
	assert_true(pass(&facts, &sp));
	assert_int_equal(sp.i_max_mA, 0);
	assert_int_equal(sp.p_max_W, 1); /* 0 would mean no limit */
	sp = transfer();
	sp.mode = PM_STANDBY; /* nothing flows: nothing to limit */
	sp.i_max_mA = sp.i_min_mA = 0;
	assert_true(pass(&facts, &sp));
	assert_int_equal(sp.p_max_W, 0);
}

static void test_guard_grant_bounds_feeding_back_by_itself(void **state)
{
	struct evse_guard_facts facts = granted_facts();
	struct pm_setpoint sp = transfer();

	(void)state;
	sp.i_max_mA = sp.i_min_mA = -40000;
	assert_true(pass(&facts, &sp));
	assert_int_equal(sp.i_max_mA, -25000);
	assert_int_equal(sp.i_min_mA, -25000);
	assert_int_equal(sp.p_max_W, 10000);
	sp = transfer();
	sp.i_min_mA = -40000; /* a window over zero */
	assert_true(pass(&facts, &sp));
	assert_int_equal(sp.i_max_mA, 50000);
	assert_int_equal(sp.i_min_mA, -25000);
	assert_int_equal(sp.p_max_W, 20000);
	facts.grant_feed_W = 0;
	sp = transfer();
	sp.i_max_mA = sp.i_min_mA = -40000;
	assert_true(pass(&facts, &sp));
	assert_int_equal(sp.i_min_mA, 0);
}

static void test_guard_lets_a_message_out_after_it_was_allowed(void **state)
{
	const struct msg_layout *l = &site_layouts[SITE_V1][SITE_POINT_REPORT];
	uint8_t zero[64] = {0};
	struct can_frame f;
	unsigned i;

	(void)state;
	msg_to_frame(l, zero, 1, &f);
	assert_false(evse_guard_frame(&guard, &f, &out));
	evse_guard_allow(&guard, l, 1, 0);
	assert_true(evse_guard_frame(&guard, &f, &out));
	msg_to_frame(l, zero, 2, &f);
	assert_false(evse_guard_frame(&guard, &f, &out));
	for (i = 0; i < 2 * EVSE_GUARD_MAX_TX; i++)
		evse_guard_allow(&guard, &site_layouts[SITE_V1][SITE_POINT_DEMAND], i, 0);
	assert_int_equal(guard.n_tx, EVSE_GUARD_MAX_TX);
	msg_to_frame(l, zero, 1, &f);
	out_queue_clear(&out);
	assert_true(evse_guard_frame(&guard, &f, &out));
	assert_int_equal(out.item[0].bus, 0);
	evse_guard_allow(&guard, l, 1, 3); /* again, on a bus of its own */
	assert_int_equal(guard.n_tx, EVSE_GUARD_MAX_TX);
	assert_true(evse_guard_frame(&guard, &f, &out));
	assert_int_equal(out.item[1].bus, 3);
}

static void test_guard_lets_only_own_messages_out(void **state)
{
	static const enum evse_msg foreign[] = {EVSE_DC_POWER_CONTROL, EVSE_ADVANTICS_CONTROLLER_STATUS,
						EVSE_EMERGENCY_STOP};
	uint8_t zero[64] = {0};
	struct can_frame f;
	unsigned i;

	(void)state;
	msg_to_frame(&evse_layouts[EVSE_V3_6][EVSE_POWER_MODULES_STATUS], zero, 1, &f);
	assert_true(evse_guard_frame(&guard, &f, &out));
	f.can_dlc = 7;
	assert_false(evse_guard_frame(&guard, &f, &out));
	msg_to_frame(&evse_layouts[EVSE_V3_6][EVSE_POWER_MODULES_STATUS], zero, 2, &f); /* other pistol */
	assert_false(evse_guard_frame(&guard, &f, &out));
	for (i = 0; i < 3; i++) {
		msg_to_frame(&evse_layouts[EVSE_V3_6][foreign[i]], zero, 1, &f);
		assert_false(evse_guard_frame(&guard, &f, &out));
	}
	assert_int_equal(guard.n_frames_withheld, 5);
	assert_int_equal(out.n, 1);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_guard_good_transfer_passes_unchanged),
		T(test_guard_power_needs_fresh_module_readings_no_emergency_no_fault),
		T(test_guard_every_power_mode_needs_a_fresh_module),
		T(test_guard_mode_must_fit_the_state),
		T(test_guard_contactors_stay_closed_while_current_flows),
		T(test_guard_opening_may_be_forced_or_needs_a_fresh_reading),
		T(test_guard_closing_is_refused_where_not_permitted),
		T(test_guard_power_needs_closed_contactors),
		T(test_guard_bleeding_only_in_standby_without_current),
		T(test_guard_clips_to_limits_and_counts),
		T(test_guard_grant_bounds_current_times_voltage),
		T(test_guard_grant_bounds_test_and_precharge_at_their_set_point),
		T(test_guard_grant_is_a_limit_of_the_power_modules_too),
		T(test_guard_grant_bounds_feeding_back_by_itself),
		T(test_guard_lets_a_message_out_after_it_was_allowed),
		T(test_guard_lets_only_own_messages_out),
	};

	return cmocka_run_group_tests_name("evse_guard", tests, NULL, NULL);
}
