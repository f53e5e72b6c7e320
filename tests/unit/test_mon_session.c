/* SPDX-License-Identifier: MIT */
/* The records of sessions on both sides: why they ended, what went wrong, how much flowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "evse_msgs.h"
#include "pev_msgs.h"
#include "tests/lib/mon_events.h"
#include "tests/lib/mon_script.h"

#define START INT64_C(1000000000) /* of a script */
#define MS    INT64_C(1000)

static struct mon_script s;
static struct mon_events told;

static void evse(const char *words)
{
	struct mon_sink sink = mon_events_sink(&told);

	mon_script_init(&s, MON_EVSE, EVSE_V3_6, &sink);
	mon_script_run(&s, words);
}

static void pev(const char *words)
{
	struct mon_sink sink = mon_events_sink(&told);

	mon_script_init(&s, MON_PEV, PEV_V2_5, &sink);
	mon_script_run(&s, words);
}

static const struct mon_session *session(void)
{
	return &mon_point(&s.model, s.point)->session;
}

static bool has_fault(const struct mon_session *x, const char *text)
{
	for (unsigned i = 0; i < x->n_faults && i < MON_SESSION_FAULTS; i++)
		if (strcmp(x->fault[i], text) == 0)
			return true;
	return false;
}

/* --- sessions ----------------------------------------------------------------------------------------------------- */

static void test_session_of_the_charger_that_the_user_stops(void **state)
{
	static const uint8_t states[] = {2, 3, 4, 5, 6, 7, 8, 10};
	const struct mon_session *x = &told.session;

	(void)state;
	evse("Sequence.Start=1 " EVSE_CHARGING);
	assert_true(session()->is_running);
	assert_string_equal(session()->reason, "");
	mon_script_run(&s, "Sequence.User=1 +500 Sequence.User=0 +100");
	assert_string_equal(session()->reason, "user stop");
	mon_script_run(
		&s,
		"Advantics.State=8 +300 Advantics.State=10 once:Charge_Session +300 Advantics.State=1 +300");
	assert_int_equal(told.n_sessions, 1);
	assert_int_equal(told.session_point, 1);
	assert_string_equal(x->reason, "user stop");
	assert_true(x->is_clean);
	assert_false(x->is_running);
	assert_int_equal(x->start_us, START + 500 * MS);
	assert_string_equal(x->protocol_name, "CCS_ISO_15118_2013_v2");
	assert_int_equal(x->n_states, sizeof(states));
	assert_memory_equal(x->state, states, sizeof(states));
	assert_int_equal(x->peak_mA, 100000);
	assert_int_equal(x->peak_W, 40000);
	assert_int_equal(x->n_faults, 0);
	assert_int_equal(mon_point(&s.model, 1)->n_sessions, 1);
	mon_events_need(&told, "session ends: user stop");
	mon_events_need(&told, "module says: Clean_Stop");
}

static void test_session_of_the_charger_that_the_vehicle_ends(void **state)
{
	(void)state;
	evse(EVSE_CHARGING "Advantics.State=8 +300 Advantics.State=10 +300 Advantics.State=12 +300");
	assert_string_equal(told.session.reason, "vehicle finished");
	assert_true(told.session.is_clean);
}

static void test_session_emergency_is_rushed_and_names_its_origin(void **state)
{
	(void)state;
	evse(EVSE_CHARGING
	     "Emergency.Origin=3 +1000 Charge_Session.State=1 Advantics.State=10 +300 -Charge_Session "
	     "-Emergency +1000 Advantics.State=1 +100");
	assert_string_equal(told.session.reason, "emergency stop by PEV");
	assert_false(told.session.is_clean);
	assert_true(has_fault(&told.session, "emergency stop by PEV"));
	assert_int_equal(mon_events_count(&told, "emergency stop by PEV"), 2); /* and the summary */
	mon_events_need(&told, "emergency stop over after 1.6 s");
	evse(EVSE_CHARGING "Power_Modules.System=0 +200 Emergency.Origin=1 +100 Advantics.State=10 +100");
	assert_string_equal(session()->reason, "emergency stop by EVSE");
	assert_true(has_fault(session(), "System_Enable withdrawn"));
}

static void test_session_after_an_emergency_is_clean_again(void **state)
{
	(void)state;
	evse(EVSE_CHARGING
	     "Emergency.Origin=1 +500 -Emergency Advantics.State=10 +500 " EVSE_CHARGING
	     "Advantics.State=8 +300 Advantics.State=10 Charge_Session +800 -Charge_Session Advantics.State=1 "
	     "+100");
	assert_int_equal(told.n_sessions, 2);
	assert_true(told.session.is_clean);
	assert_string_equal(told.session.reason, "vehicle finished");
	assert_int_equal(mon_events_count(&told, "module says: Clean_Stop"),
			 1); /* however often it says so */
}

static const struct {
	const char *words, *reason;
} early[] = {
	{EVSE_IDLE "Advantics.State=2 +300 Advantics.State=1 +100", "ended while negotiating"},
	{EVSE_IDLE "Sequence Advantics.State=2 +300 Advantics.State=11 Sequence.CCS_Authorisation_D=1 +300 "
		   "Advantics.State=10 +300 Advantics.State=1 +100",
	 "authorisation refused"},
	{EVSE_IDLE "Advantics.State=3 +300 Advantics.State=10 +300 Advantics.State=1 +100",
	 "ended before the insulation test"},
	{EVSE_IDLE "Advantics.State=4 +300 Advantics.State=10 +300 Advantics.State=1 +100",
	 "charger never ready"},
	{EVSE_IDLE
	 "Power_Modules.System=1 Advantics.State=4 +300 Advantics.State=10 +300 Advantics.State=1 +100",
	 "insulation test failed"},
	{EVSE_IDLE
	 "Power_Modules.System=1 Advantics.State=4 +300 Power_Modules.System=0 +100 Advantics.State=10 +300 "
	 "Advantics.State=1 +100",
	 "System_Enable withdrawn"},
	{EVSE_IDLE
	 "Power_Modules.System=1 Advantics.State=5 +300 Advantics.State=10 +300 Advantics.State=1 +100",
	 "precharge failed"},
	{EVSE_CHARGING "Advantics.State=10 +300 Advantics.State=1 +100", "broken off while charging"},
	{EVSE_CHARGING "Advantics.State=13 +300 Advantics.State=10 +300 Advantics.State=1 +100",
	 "ended in a pause"},
	{EVSE_CHARGING "Advantics.State=0 +300", "module restarted"},
};

static void test_session_that_ends_early_says_where(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(early) / sizeof(early[0]); i++) {
		evse(early[i].words);
		assert_int_equal(told.n_sessions, 1);
		assert_string_equal(told.session.reason, early[i].reason);
	}
	assert_false(told.session.is_clean); /* the restart */
}

static void test_session_of_a_module_that_falls_silent_ends_where_it_was_heard_last(void **state)
{
	int64_t last_us;

	(void)state;
	evse(EVSE_CHARGING);
	last_us = s.now_us;
	mon_script_run(&s, "-Advantics -DC_Power_Control +4900");
	assert_int_equal(told.n_sessions, 0);
	mon_script_run(&s, "+200");
	assert_int_equal(told.n_sessions, 1);
	assert_string_equal(told.session.reason, "module silent");
	assert_int_equal(told.session.end_us, last_us);
	assert_true(has_fault(&told.session, "module silent"));
	assert_false(told.session.is_clean);
	mon_script_run(&s, "once:CCS_Extra +50 Advantics +200"); /* the same state as before: a new record */
	assert_true(session()->is_running);
	mon_events_need(&told, "module speaks again");
}

static void test_session_begins_late_but_never_by_closing(void **state)
{
	(void)state;
	evse("Advantics.State=10 +500");
	assert_false(session()->is_known);
	evse("Advantics.State=7 +500");
	assert_true(session()->is_running);
	evse("Advantics.State=44 +500");
	assert_false(session()->is_known);
	pev("EVSE_Info.Comm=11 +500");
	assert_true(session()->is_running);
}

static void test_session_after_closing_without_unplugging_is_a_new_one(void **state)
{
	(void)state;
	pev(PEV_CHARGING "EVSE_Info.Comm=8 +200 EVSE_Info.Comm=10 +500 EVSE_Info.Comm=2 +200");
	assert_int_equal(told.n_sessions, 1);
	assert_true(told.session.is_clean);
	assert_true(session()->is_running);
	assert_int_equal(session()->n_states, 1);
}

static const struct {
	const char *words, *reason, *fault;
} ends[] = {
	{PEV_CHARGING "DC_Status2.Normal=1 +500 DC_Status2.Normal=0 ", "vehicle finished", NULL},
	{PEV_CHARGING "DC_Status2.Emergency=1 +500 DC_Status2.Emergency=0 ", "emergency stop by PEV",
	 "emergency stop by PEV"},
	{PEV_CHARGING "ADM_CS_EVCC_I +100 ADM_CS_EVCC_I.Stop=1 +100 ", "stop input", NULL},
	{PEV_CHARGING "EVCC_MEVC +100 EVCC_MEVC.EVSE_St=3 +100 ", "charger stopped", NULL},
	{PEV_CHARGING "EVCC_MEVC +100 EVCC_MEVC.EVSE_St=6 +100 ", "emergency stop by EVSE",
	 "emergency stop by EVSE"},
	{PEV_CHARGING "EVCC_MEVC +100 EVCC_MEVC.VoltageD=1 +100 ", "voltage deviation", "voltage deviation"},
	{PEV_CHARGING "EV_Info.State=990 +100 ", "vehicle full", NULL},
	{PEV_CHARGING "-DC_Status1 -DC_Status2 -EV_Info +1000 ", "stopped by charger or module",
	 "vehicle controller silent"},
	{PEV_CHARGING, "stopped by charger or module", NULL},
};

static void test_session_of_the_vehicle_says_why_it_ended(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		pev(ends[i].words);
		mon_script_run(&s, "EVSE_Info.Comm=8 +200 EVSE_Info.Comm=10 +500 EVSE_Info.Comm=1 +200");
		assert_int_equal(told.n_sessions, 1);
		assert_string_equal(told.session.reason, ends[i].reason);
		if (ends[i].fault)
			assert_true(has_fault(&told.session, ends[i].fault));
		else
			assert_int_equal(told.session.n_faults, 0);
	}
}

static void test_session_diagnostics_are_told_when_set_and_cleared(void **state)
{
	(void)state;
	pev(PEV_IDLE "EVCC_MEVC.LockF=1 EVCC_MEVC.SDPE=1 +300 EVCC_MEVC.LockF=0 EVCC_MEVC.HLC=24 +300");
	assert_int_equal(mon_events_need(&told, "connector lock failed")->severity, MON_FAULT);
	mon_events_need(&told, "charger discovery failed");
	mon_events_need(&told, "cleared: connector lock failed");
	mon_events_need_none(&told, "cleared: charger discovery failed");
	assert_int_equal(mon_events_need(&told, "response code 24: FAILED_ContactorError")->severity,
			 MON_FAULT);
}

static void test_session_insulation_below_100_ohm_per_volt_is_a_fault_once(void **state)
{
	(void)state;
	evse(EVSE_CHARGING "Power_Modules.Insul=40000 +500");
	mon_events_need_none(&told, "insulation too low");
	mon_script_run(&s, "Power_Modules.Insul=38000 +1000");
	assert_int_equal(mon_events_count(&told, "insulation too low"), 1);
	/* A module that measures by itself: the charger says 0 all the time. */
	evse("Advantics.State=7 DC_Power_Control.Power=8 Power_Modules.Present_V=400000 +1000");
	mon_events_need_none(&told, "insulation too low");
}

static void test_session_hears_of_the_bus(void **state)
{
	(void)state;
	evse(EVSE_CHARGING "down +100 up +300");
	assert_true(has_fault(session(), "bus down"));
}

static void test_session_of_each_pistol_is_its_own(void **state)
{
	(void)state;
	evse(EVSE_IDLE);
	s.point = 2;
	mon_script_run(
		&s, EVSE_IDLE
		"Advantics.State=7 Power_Modules.Present_V=400000 Power_Modules.Present_C=50000 +2000");
	assert_false(mon_point(&s.model, 1)->session.is_known);
	assert_true(session()->is_running);
	assert_true(session()->energy_Wus > 0);
	assert_int_equal(mon_point(&s.model, 1)->msg[EVSE_POWER_MODULES_STATUS].data[0], 0);
}

static void test_session_lasts_hours(void **state)
{
	(void)state;
	evse("Advantics.State=7 +500");
	for (int i = 0; i < 4; i++)
		mon_script_run(&s, "+1800000");
	mon_script_run(&s, "Advantics.State=10 +300 Advantics.State=1 +100");
	mon_events_need(&told, "state Charging -> Closing_Communication after 2 h 00 min");
	mon_events_need(&told, "0 Wh in 2 h 00 min");
}

/* --- energy ------------------------------------------------------------------------------------------------------- */

static void test_energy_is_the_integral_of_power(void **state)
{
	int64_t before_Wus, before_mAus;

	(void)state;
	evse(EVSE_CHARGING);
	before_Wus = session()->energy_Wus;
	before_mAus = session()->charge_mAus;
	mon_script_run(&s, "+36000"); /* 40 kW unchanged for 36 s */
	assert_in_range(session()->energy_Wus - before_Wus, 40000 * INT64_C(35900000),
			40000 * INT64_C(36100000));
	assert_in_range(session()->charge_mAus - before_mAus, 100000 * INT64_C(35900000),
			100000 * INT64_C(36100000));
	before_Wus = session()->energy_Wus;
	mon_script_run(&s, "Power_Modules.Present_C=-50000 +36000");
	assert_in_range(before_Wus - session()->energy_Wus, 20000 * INT64_C(35800000),
			20000 * INT64_C(36000000));
}

static void pms(int64_t us, int32_t current_mA)
{
	struct evse_power_modules_status p = {.present_voltage_mV = 400000, .present_current_mA = current_mA};
	struct can_frame f;

	msg_to_frame(&s.model.layouts[EVSE_POWER_MODULES_STATUS], &p, 1, &f);
	mon_model_rx(&s.model, s.now_us + us, &f);
}

static void test_energy_of_frames_that_did_not_change_is_all_counted(void **state)
{
	int64_t before_Wus;

	(void)state;
	evse(EVSE_CHARGING);
	pms(0, 50000);
	before_Wus = session()->energy_Wus;
	for (int64_t us = 20000; us <= 80000; us += 20000)
		pms(us, 50000);
	pms(90000, 0); /* 20 kW for 80 ms, then down to nothing within 10 ms */
	assert_int_equal(session()->energy_Wus - before_Wus, 20000 * INT64_C(85000));
}

static void test_energy_follows_the_voltage_at_once(void **state)
{
	struct pev_dc_status2 volts = {
		.contactors_closed = 1, .battery_voltage_mV = 420000, .inlet_voltage_mV = 400000};
	const struct mon_history *h;
	struct can_frame f;

	(void)state;
	pev(PEV_CHARGING);
	h = &mon_point(&s.model, 0)->history;
	msg_to_frame(&s.model.layouts[PEV_DC_STATUS2], &volts, 0, &f);
	mon_model_rx(&s.model, s.now_us + 10000, &f);
	msg_to_frame(&s.model.layouts[PEV_DC_STATUS1], s.content[PEV_DC_STATUS1], 0, &f);
	mon_model_rx(&s.model, s.now_us + 20000, &f);
	assert_int_equal(
		mon_history_step(h, MON_SPAN_SESSION, MON_SERIES_W, h->track[MON_SPAN_SESSION].n - 1).last,
		42000);
}

static void test_energy_does_not_count_across_a_gap(void **state)
{
	int64_t before_Wus;

	(void)state;
	evse(EVSE_CHARGING);
	before_Wus = session()->energy_Wus;
	mon_script_run(&s, "-Power_Modules +10000 Power_Modules +0");
	mon_script_run(&s, "+100");
	assert_in_range(session()->energy_Wus - before_Wus, 0, 40000 * INT64_C(200000));
}

static void test_energy_of_a_ramp_is_that_of_trapezoids(void **state)
{
	int64_t before_Wus;

	(void)state;
	pev(PEV_CHARGING "DC_Status1.Present=0 +500");
	before_Wus = session()->energy_Wus;
	for (int i = 1; i <= 100; i++) { /* 0 to 100 A in 10 s at 400 V */
		char words[64];

		snprintf(words, sizeof(words), "DC_Status1.Present=%d +100", 1000 * i);
		mon_script_run(&s, words);
	}
	assert_in_range(session()->energy_Wus - before_Wus, 20000 * INT64_C(9900000),
			20000 * INT64_C(10100000));
}

static void test_energy_of_the_vehicle_is_that_of_its_battery(void **state)
{
	int64_t before_Wus;

	(void)state;
	pev(PEV_CHARGING "DC_Status2.Inlet=500000 +500");
	before_Wus = session()->energy_Wus;
	mon_script_run(&s, "+10000");
	assert_in_range(session()->energy_Wus - before_Wus, 40000 * INT64_C(9900000),
			40000 * INT64_C(10100000));
	before_Wus = session()->energy_Wus;
	mon_script_run(&s, "-DC_Status2 +10000"); /* a current without a voltage is no power */
	assert_in_range(session()->energy_Wus - before_Wus, 0, 40000 * INT64_C(1200000));
}

static void test_energy_second_session_starts_at_zero_with_its_own_charge(void **state)
{
	(void)state;
	evse(EVSE_CHARGING
	     "EV_Information_B.Present=500 +200 Power_Modules.Present_C=0 Advantics.State=8 +200 "
	     "Advantics.State=10 +200 Advantics.State=1 +200 Advantics.State=2 +200");
	assert_int_equal(told.session.soc_start_permille, 500);
	assert_int_equal(session()->energy_Wus, 0);
	assert_int_equal(session()->n_faults, 0);
	assert_int_equal(session()->soc_start_permille, 500); /* the message goes on in this script */
	assert_int_equal(mon_point(&s.model, 1)->n_sessions, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session_of_the_charger_that_the_user_stops),
		cmocka_unit_test(test_session_of_the_charger_that_the_vehicle_ends),
		cmocka_unit_test(test_session_emergency_is_rushed_and_names_its_origin),
		cmocka_unit_test(test_session_after_an_emergency_is_clean_again),
		cmocka_unit_test(test_session_that_ends_early_says_where),
		cmocka_unit_test(test_session_of_a_module_that_falls_silent_ends_where_it_was_heard_last),
		cmocka_unit_test(test_session_begins_late_but_never_by_closing),
		cmocka_unit_test(test_session_after_closing_without_unplugging_is_a_new_one),
		cmocka_unit_test(test_session_of_the_vehicle_says_why_it_ended),
		cmocka_unit_test(test_session_diagnostics_are_told_when_set_and_cleared),
		cmocka_unit_test(test_session_insulation_below_100_ohm_per_volt_is_a_fault_once),
		cmocka_unit_test(test_session_hears_of_the_bus),
		cmocka_unit_test(test_session_of_each_pistol_is_its_own),
		cmocka_unit_test(test_session_lasts_hours),
		cmocka_unit_test(test_energy_is_the_integral_of_power),
		cmocka_unit_test(test_energy_of_frames_that_did_not_change_is_all_counted),
		cmocka_unit_test(test_energy_follows_the_voltage_at_once),
		cmocka_unit_test(test_energy_does_not_count_across_a_gap),
		cmocka_unit_test(test_energy_of_a_ramp_is_that_of_trapezoids),
		cmocka_unit_test(test_energy_of_the_vehicle_is_that_of_its_battery),
		cmocka_unit_test(test_energy_second_session_starts_at_zero_with_its_own_charge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
