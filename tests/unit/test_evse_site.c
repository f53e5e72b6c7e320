/* SPDX-License-Identifier: MIT */
/* A charge point under a site: what it reports, how grants bind it, what it does without one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/evse_rig.h"

static struct rig rig;

#define SESSION (&rig.point.session)

static int setup(void **state)
{
	rig_defaults(&rig);
	rig.conf.site = EVSE_SITE_BUS;
	*state = &rig;
	return 0;
}

static void answer(struct rig *r, int32_t grant_mA)
{
	r->site.is_answering = true;
	r->site.grant_mA = grant_mA;
}

/* Transfer under a grant. */
static struct rig *charge(int32_t grant_mA)
{
	struct rig *r = &rig;

	answer(r, grant_mA);
	rig_start_to(r, EVSE_ST_TRANSFER);
	rig_run_ms(r, 15000);
	return r;
}

/* --- off ---------------------------------------------------------------------------------------------- */

static void test_site_off_sends_nothing_and_listens_to_nothing(void **state)
{
	struct can_filter with[64], without[64];
	struct rig *r = *state;
	size_t n_with;

	rig_start(r);
	n_with = evse_point_filters(&r->point, with, 64);
	setup(state);
	r->conf.site = EVSE_SITE_OFF;
	rig_start_to(r, EVSE_ST_TRANSFER);
	assert_int_equal(evse_point_filters(&r->point, without, 64), n_with - 2);
	assert_int_equal(r->site.n_report, 0);
	rig_grant(r, 1000, 5);
	rig_run_ms(r, 500);
	assert_int_equal(r->driver.sp.i_max_mA, 100000);
	assert_int_equal(r->driver.sp.p_max_W, 0);
	assert_int_equal(SESSION->binds, EVSE_LIMIT_REQUEST);
}

/* --- reports ------------------------------------------------------------------------------------------ */

static void test_site_idle_point_reports_once_a_second(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_IDLE);
	rig_run_ms(r, 10000);
	assert_in_range(r->site.n_report, 10, 12);
	assert_int_equal(r->site.n_session, 0);
	assert_int_equal(r->site.report.state, SITE_POINT_REPORT_STATE_IDLE);
	assert_int_equal(r->site.report.may_draw_mA, 0);
	assert_int_equal(r->site.demand.requested_mA, 0);
	assert_true(r->site.gap_min_us >= LEASE_HOLD_MIN_GAP_US);
}

static void test_site_reports_share_the_wake_ups_of_the_cycle(void **state)
{
	struct rig *r = *state;

	answer(r, 32000);
	rig_start_to(r, EVSE_ST_IDLE);
	rig_run_ms(r, 3000);
	assert_int_equal(r->site.report_us % 100000, r->tx_us[EVSE_POWER_MODULES_STATUS] % 100000);
}

static void test_site_silent_module_is_unavailable_fault_is_fault(void **state)
{
	struct rig *r = charge(32000);

	(void)state;
	assert_int_equal(r->site.report.state, SITE_POINT_REPORT_STATE_CHARGING);
	r->module_alive = false;
	rig_run_ms(r, 600);
	assert_int_equal(r->site.report.state, SITE_POINT_REPORT_STATE_UNAVAILABLE);
	r->driver.faults_stop = PM_FAULT_HARDWARE;
	rig_run_ms(r, 600);
	assert_int_equal(r->site.report.state, SITE_POINT_REPORT_STATE_FAULT);
	assert_int_equal(r->site.demand.requested_mA, 0);
}

static void test_site_demand_is_the_own_maximum_converted_to_the_supply(void **state)
{
	struct rig *r = charge(32000);

	(void)state;
	/*
	 * 120 A x 400 V / (400 V x sqrt 3 x 0.95) = 72.93 A; the vehicle asks what was announced, so it
	 * would take it.
	 */
	assert_int_equal(r->site.demand.maximum_mA, 72900);
	assert_int_equal(r->site.demand.requested_mA, 72900);
	assert_int_equal(r->site.demand.minimum_mA, 2000);
	assert_in_range(r->site.demand.present_mA, 31500, 32000);
	assert_int_equal(r->site.meter.output_voltage_mV, 400000);
	assert_int_equal(r->site.meter.discharge_maximum_mA, 0);
}

static void test_site_request_below_the_announced_is_told_as_it_is(void **state)
{
	struct rig *r = charge(32000);

	(void)state;
	rig_power(r, EVSE_FN_POWER_TRANSFER, 400000, 20000, true, false);
	rig_run_ms(r, 2000);
	/* 20 A x 400 V at the supply: 12.155 A */
	assert_int_equal(r->site.demand.requested_mA, 12200);
	assert_int_equal(r->site.report.state, SITE_POINT_REPORT_STATE_CHARGING);
	rig_power(r, EVSE_FN_POWER_TRANSFER, 400000, 0, true, false);
	rig_run_ms(r, 2000);
	assert_int_equal(r->site.report.state, SITE_POINT_REPORT_STATE_FINISHED);
	assert_int_equal(r->site.demand.requested_mA, 0);
}

static void test_site_request_right_after_a_raise_is_not_taken_for_the_wish(void **state)
{
	struct rig *r = charge(10000);
	int32_t announced_mA = r->parameters.maximum_charge_current_mA;

	(void)state;
	rig_power(r, EVSE_FN_POWER_TRANSFER, 400000, announced_mA, true, false);
	rig_run_ms(r, 12000);
	assert_int_equal(r->site.demand.requested_mA, 72900);
	r->site.grant_mA = 40000; /* the request stays where it was for a while */
	rig_run_ms(r, 8000);
	assert_true(r->parameters.maximum_charge_current_mA > 3 * announced_mA);
	assert_int_equal(r->site.demand.requested_mA, 72900);
	rig_run_ms(r, 5000);
	assert_in_range(r->site.demand.requested_mA, 9000, 10100);
}

static void test_site_knows_energy_from_the_vehicle_or_from_the_driver(void **state)
{
	struct evse_ev_information_battery battery = {.battery_capacity_Wh = 60000,
						      .present_state_of_charge_permille = 400,
						      .target_state_of_charge_permille = 800};
	struct rig *r = charge(32000);

	(void)state;
	assert_int_equal(r->site.session.energy_wanted, 65535);
	assert_int_equal(r->site.session.state_of_charge, 255);
	rig_send(r, EVSE_EV_INFORMATION_BATTERY, &battery);
	rig_run_ms(r, 1000);
	assert_int_equal(r->site.session.energy_wanted, 253); /* 24 kWh / 0.95 */
	assert_int_equal(r->site.session.state_of_charge, 40);
	assert_int_equal(evse_session_need(SESSION, 5000, r->now_us + 90 * 60000000LL, 3), 0);
	rig_run_ms(r, 1000);
	assert_int_equal(r->site.session.energy_wanted, 53); /* what the driver wants is less */
	assert_int_equal(r->site.session.departure, 90);
	assert_int_equal(r->site.session.priority, 3);
	rig_run_ms(r, 120000); /* 21 kW for 2 min: 0.7 kWh */
	assert_in_range(r->site.session.energy_wanted, 44, 46);
	assert_int_equal(r->site.session.departure, 88);
	assert_in_range(r->site.meter.energy_session, 75, 90); /* in 10 Wh, since the plug-in */
}

static void test_site_forgets_the_need_when_the_vehicle_has_gone(void **state)
{
	struct rig *r = *state;

	answer(r, 32000);
	rig_start_to(r, EVSE_ST_IDLE);
	evse_session_need(SESSION, 20000, EVSE_GRANT_UNKNOWN, 5); /* said before plugging in */
	rig_to(r, EVSE_ST_TRANSFER);
	rig_run_ms(r, 1000);
	assert_in_range(r->site.session.energy_wanted, 209, 211);
	assert_int_equal(r->site.session.priority, 5);
	rig_finish(r);
	rig_module_state(r, EVSE_MS_CLOSING);
	r->sends_power = false;
	rig_run_ms(r, 500);
	assert_int_equal(r->site.report.state, SITE_POINT_REPORT_STATE_FINISHED);
	rig_module_state(r, EVSE_MS_WAITING_FOR_PEV);
	rig_run_ms(r, 500);
	assert_int_equal(r->site.report.state, SITE_POINT_REPORT_STATE_IDLE);
	rig_module_state(r, EVSE_MS_NEGOTIATING);
	rig_run_ms(r, 1200);
	assert_int_equal(r->site.session.energy_wanted, 65535);
	assert_int_equal(r->site.session.priority, 0);
	assert_int_equal(r->site.session.plugged_for, 0);
	assert_int_equal(r->site.meter.energy_session, 0);
}

static void test_site_vehicle_with_a_least_current_raises_the_minimum(void **state)
{
	struct evse_ev_information_charge_limits limits = {.ev_minimum_charge_current_mA = 10000,
							   .ev_maximum_charge_current_mA = 80000,
							   .ev_maximum_charge_power_W = 25000};
	struct rig *r = charge(32000);

	(void)state;
	rig_send(r, EVSE_EV_INFORMATION_CHARGE_LIMITS, &limits);
	rig_run_ms(r, 1000);
	assert_int_equal(r->site.demand.minimum_mA, 6100);  /* 10 A x 400 V */
	assert_int_equal(r->site.demand.maximum_mA, 37900); /* 25 kW */
}

/* --- grants bind -------------------------------------------------------------------------------------- */

static void test_grant_caps_the_set_point_and_what_is_announced(void **state)
{
	struct rig *r = charge(32000);

	(void)state;
	/* 21061 W at 400 V, less half a per cent for the voltage: 52.3 A */
	assert_in_range(r->driver.sp.i_max_mA, 52200, 52650);
	assert_int_equal(r->driver.sp.i_min_mA, r->driver.sp.i_max_mA);
	assert_int_equal(r->driver.sp.p_max_W, 21061);
	assert_int_equal(SESSION->binds, EVSE_LIMIT_GRANT);
	assert_in_range(r->parameters.maximum_charge_current_mA, 51500, r->driver.sp.i_max_mA);
	assert_int_equal(SESSION->guard.n_clipped, 0);
	assert_int_equal(r->site.report.ack_age, 1);
}

static void test_grant_larger_than_needed_changes_nothing(void **state)
{
	struct rig *r = charge(200000);

	(void)state;
	assert_int_equal(r->driver.sp.i_max_mA, 100000);
	assert_int_equal(SESSION->binds, EVSE_LIMIT_REQUEST);
	assert_int_equal(r->parameters.maximum_charge_current_mA, 120000);
	r->site.is_answering = false;
	rig_grant(r, 100000,
		  5); /* still more than enough, but the power modules are told its limit at once */
	assert_int_equal(r->driver.sp.i_max_mA, 100000);
	assert_int_equal(r->driver.sp.p_max_W, 65817);
}

static void test_grant_lowered_counts_in_the_same_wake_up_whatever_the_own_ramp(void **state)
{
	struct rig *r = *state;

	r->conf.ramp_down_mA_per_s = 1000;
	charge(32000);
	r->site.is_answering = false;
	rig_grant(r, 10000, 5);
	assert_in_range(r->driver.sp.i_max_mA, 16000, 16500);
	assert_int_equal(r->driver.sp.p_max_W, 6581);
	assert_int_equal(SESSION->binds, EVSE_LIMIT_GRANT);
}

static void test_grant_raised_rises_by_the_own_ramp(void **state)
{
	struct rig *r = *state;

	r->conf.ramp_up_mA_per_s = 1000;
	charge(10000);
	assert_in_range(r->driver.sp.i_max_mA, 15000, 16500);
	r->site.grant_mA = 60000;
	rig_run_ms(r, 2000);
	assert_in_range(r->driver.sp.i_max_mA, 17000, 19000);
	assert_int_equal(SESSION->binds, EVSE_LIMIT_RAMP);
}

static void test_grant_lowered_is_confirmed_when_the_draw_has_followed(void **state)
{
	struct rig *r = *state;

	r->driver.fall_mA_per_s = 20000; /* 36 A less: 1.8 s */
	charge(32000);
	r->site.grant_mA = 10000;
	rig_run_ms(r, 1300);
	assert_int_equal(evse_grant_allowed_mA(&SESSION->site.grant, r->now_us), 10000);
	assert_in_range(r->site.report.may_draw_mA, 31900, 32400);
	rig_run_ms(r, 3000);
	assert_int_equal(r->site.report.may_draw_mA, 10000);
	assert_true(r->site.gap_min_us >= LEASE_HOLD_MIN_GAP_US);
}

static void test_grant_of_nothing_while_charging_keeps_the_session(void **state)
{
	struct rig *r = charge(32000);

	(void)state;
	r->site.grant_mA = 0;
	rig_run_ms(r, 30000);
	assert_int_equal(rig_state(r), EVSE_ST_TRANSFER);
	assert_int_equal(r->driver.sp.i_max_mA, 0);
	assert_int_equal(r->driver.sp.is_closed, 1);
	assert_int_equal(r->driver.sp.p_max_W, 1);
	assert_int_equal(r->status.system_enable, 1);
	assert_int_equal(r->parameters.maximum_charge_current_mA, 100); /* 0 would mean "your own maximum" */
	assert_int_equal(r->site.report.state, SITE_POINT_REPORT_STATE_WAITING);
	assert_int_equal(r->site.report.may_draw_mA, 0);
	assert_int_equal(r->site.demand.requested_mA, 72900);
	r->site.grant_mA = 20000;
	rig_run_ms(r, 1500);
	assert_in_range(r->driver.sp.i_max_mA, 32000, 33000);
	assert_int_equal(r->site.report.state, SITE_POINT_REPORT_STATE_CHARGING);
}

static void test_lease_over_falls_to_the_safe_current_at_that_moment(void **state)
{
	struct rig *r = *state;
	int64_t end_us;

	r->conf.site_safe_mA = 6000;
	charge(32000);
	r->site.is_answering = false;
	rig_run_ms(
		r,
		437); /* away from the cycle: the change is told at once, and the answer counts from there */
	rig_grant(r, 31000, 5);
	rig_grant(r, 32000, 5);
	end_us = lease_hold_next_us(&SESSION->site.grant.hold);
	assert_int_equal(end_us, r->now_us + 10000000);
	rig_run_ms(r, (end_us - r->now_us) / 1000 - 1);
	assert_in_range(r->driver.sp.i_max_mA, 52200, 52650);
	r->now_us = end_us - 1;
	assert_int_equal(evse_point_next_us(&r->point), end_us);
	rig_run_ms(r, 0);
	assert_in_range(r->driver.sp.i_max_mA, 52200, 52650);
	r->now_us = end_us;
	rig_run_ms(r, 0);
	assert_in_range(r->driver.sp.i_max_mA, 9500, 9872); /* 6 A: 3949 W */
	rig_run_ms(r, 1000);
	assert_int_equal(r->site.report.ack_age, 255);
	assert_int_equal(r->site.report.may_draw_mA, 6000);
	assert_int_equal(SESSION->site.grant.hold.n_expired, 1);
}

static void test_lease_over_is_met_in_time_by_power_modules_with_a_slow_ramp(void **state)
{
	struct rig *r = *state;
	int64_t end_us;

	r->driver.fall_mA_per_s = 8000; /* 100 A take 12.5 s */
	charge(200000);
	assert_in_range(r->driver.sp.i_max_mA, 99900, 100000);
	r->site.is_answering = false;
	end_us = lease_hold_next_us(&SESSION->site.grant.hold);
	rig_run_ms(r, (end_us - r->now_us) / 1000 - 100);
	assert_in_range(r->driver.sp.i_max_mA, 34000, 37000);
	rig_run_ms(r, 5000);
	assert_int_equal(SESSION->in.status.i_mA, 0);
	assert_int_equal(rig_state(r), EVSE_ST_TRANSFER); /* no fault on the way */
}

static void test_grant_binds_test_and_precharge_too(void **state)
{
	struct rig *r = *state;

	answer(r, 2000);
	rig_start_to(r, EVSE_ST_INSULATION);
	assert_int_equal(r->driver.sp.mode, PM_INSULATION_TEST);
	assert_int_equal(r->driver.sp.i_max_mA, 1000); /* 500 W of 1316 */
	rig_power(r, EVSE_FN_STANDBY, 0, 0, true, true);
	rig_run_ms(r, 300);
	rig_power(r, EVSE_FN_PRECHARGE, 500000, 5000, true, false);
	rig_run_ms(r, 300);
	assert_int_equal(r->driver.sp.i_max_mA, 2632); /* 1316 W at 500 V */
	r->site.grant_mA = 0;
	rig_run_ms(r, 1500);
	assert_int_equal(r->driver.sp.i_max_mA, 0);
	assert_int_equal(SESSION->guard.n_clipped, 0);
}

static void test_grant_without_a_known_voltage_reckons_with_the_highest(void **state)
{
	struct evse_grant_cap cap;
	struct rig *r = *state;

	answer(r, 10000);
	rig_start_to(r, EVSE_ST_IDLE);
	rig_run_ms(r, 1500);
	evse_site_cap(SESSION, r->now_us, &cap);
	assert_int_equal(cap.v_mV, 500000);
	assert_int_equal(cap.charge_W, 6581);
	assert_int_equal(r->parameters.maximum_charge_current_mA, 13100);
}

static void test_local_keeps_to_the_safe_current_and_says_so(void **state)
{
	struct rig *r = *state;

	r->conf.site_safe_mA = 6000;
	charge(32000);
	SESSION->conf.is_site_local = 1;
	rig_run_ms(r, 1100);
	assert_in_range(r->driver.sp.i_max_mA, 9500, 9872);
	assert_true(r->site.report.is_local);
	SESSION->conf.is_site_local = 0;
	rig_run_ms(r, 1100);
	assert_in_range(r->driver.sp.i_max_mA, 52200, 52650);
}

static void test_no_load_current_comes_out_of_the_grant(void **state)
{
	struct rig *r = *state;

	r->conf.no_load_mA = 1000;
	r->conf.site_safe_mA = 1000;
	r->conf.supply_phases = 1;
	r->conf.supply_voltage_mV = 230000;
	charge(33000);
	assert_int_equal(r->driver.sp.p_max_W, 6992); /* 32 A x 230 V x 0.95 */
	assert_in_range(r->site.demand.present_mA, 32500, 33000);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_site_off_sends_nothing_and_listens_to_nothing),
		T(test_site_idle_point_reports_once_a_second),
		T(test_site_reports_share_the_wake_ups_of_the_cycle),
		T(test_site_silent_module_is_unavailable_fault_is_fault),
		T(test_site_demand_is_the_own_maximum_converted_to_the_supply),
		T(test_site_request_below_the_announced_is_told_as_it_is),
		T(test_site_request_right_after_a_raise_is_not_taken_for_the_wish),
		T(test_site_knows_energy_from_the_vehicle_or_from_the_driver),
		T(test_site_forgets_the_need_when_the_vehicle_has_gone),
		T(test_site_vehicle_with_a_least_current_raises_the_minimum),
		T(test_grant_caps_the_set_point_and_what_is_announced),
		T(test_grant_larger_than_needed_changes_nothing),
		T(test_grant_lowered_counts_in_the_same_wake_up_whatever_the_own_ramp),
		T(test_grant_raised_rises_by_the_own_ramp),
		T(test_grant_lowered_is_confirmed_when_the_draw_has_followed),
		T(test_grant_of_nothing_while_charging_keeps_the_session),
		T(test_lease_over_falls_to_the_safe_current_at_that_moment),
		T(test_lease_over_is_met_in_time_by_power_modules_with_a_slow_ramp),
		T(test_grant_binds_test_and_precharge_too),
		T(test_grant_without_a_known_voltage_reckons_with_the_highest),
		T(test_local_keeps_to_the_safe_current_and_says_so),
		T(test_no_load_current_comes_out_of_the_grant),
	};

	return cmocka_run_group_tests_name("evse_site", tests, NULL, NULL);
}
