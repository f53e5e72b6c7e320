/* SPDX-License-Identifier: MIT */
/* What the monitors' model tells: states, edges, silence, on both sides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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

/* --- states and edges ------------------------------------------------------------------------------------------- */

static void test_events_state_change_says_from_where_to_where_after_how_long(void **state)
{
	const struct mon_event *e;

	(void)state;
	evse("Advantics.State=5 +2400 Advantics.State=7 +100");
	e = mon_events_need(&told, "state Precharge -> Charging after 2.4 s");
	assert_int_equal(e->time_us, START + 2400 * MS);
	assert_int_equal(e->point, 1);
	assert_int_equal(e->severity, MON_INFO);
	mon_events_need(&told, "state Precharge");
	assert_int_equal(mon_point(&s.model, 1)->state_us, START + 2400 * MS);
	evse("Advantics.State=77 +100 Advantics.State=1 +1");
	mon_events_need(&told, "state 77 (unknown) -> Waiting_For_PEV after 100 ms");
}

static void test_events_first_sight_is_told_once_for_each_pistol(void **state)
{
	(void)state;
	evse(EVSE_IDLE);
	s.point = 3;
	mon_script_run(&s, "+200");
	assert_int_equal(mon_events_count(&told, "is heard"), 2);
	assert_int_equal(mon_events_need(&told, "pistol 3 is heard")->point, 3);
}

static void test_events_edges_of_enable_function_and_contactors(void **state)
{
	(void)state;
	evse(EVSE_CHARGING "DC_Power_Control.Power=1 DC_Power_Control.Output=0 Power_Modules.System=0 +300");
	assert_int_equal(mon_events_count(&told, "System_Enable allowed"), 1);
	assert_int_equal(mon_events_count(&told, "System_Enable not allowed"), 1);
	assert_int_equal(mon_events_count(&told, "power function Power_Transfer -> Standby"), 1);
	assert_int_equal(mon_events_count(&told, "output contactors open"), 1);
	pev(PEV_CHARGING "DC_Control.Close=0 +100 DC_Status2.Contact=0 +300");
	assert_int_equal(mon_events_count(&told, "module commands contactors closed"), 1);
	assert_int_equal(mon_events_count(&told, "contactors open"), 2); /* commanded, and so */
}

static void test_events_log_holds_the_newest(void **state)
{
	(void)state;
	evse("Advantics.State=1 +100");
	for (int i = 0; i < MON_N_EVENTS; i++)
		mon_script_run(&s, i % 2 ? "Advantics.State=1 +100" : "Advantics.State=12 +100");
	assert_true(s.model.n_events > MON_N_EVENTS);
	assert_int_equal(s.model.n_events, told.n_events);
	assert_string_equal(s.model.event[(s.model.n_events - 1) % MON_N_EVENTS].text,
			    told.event[told.n_events - 1].text);
}

static void test_events_of_permits_buttons_and_lines(void **state)
{
	(void)state;
	evse(EVSE_IDLE
	     "Sequence +100 Sequence.Start=1 +100 Sequence.CHAdeMO=1 +100 Sequence.CCS_Authorisation_V=1 "
	     "Sequence.CCS_Authorisation_D=1 Sequence.Charge=1 +100 Sequence.Start=0 OCPP.Dyn=-40500 +100");
	mon_events_need(&told, "start of a charge permitted");
	mon_events_need(&told, "start button pressed");
	mon_events_need(&told, "user authorisation valid");
	mon_events_need(&told, "charge parameters done");
	mon_events_need(&told, "start of a charge not permitted");
	assert_int_equal(mon_events_count(&told, "OCPP target -40.5 A"), 1);
	pev(PEV_IDLE
	    "AC_Control AC_Status EV_Status CCS_Extra.Inlet=0 +100 AC_Control.Ready=1 AC_Status.Ready=1 +100 "
	    "EV_Status.HV=1 +100 EV_Status.HV=0 EV_Status.Charge_P=1 CCS_Extra.Inlet=2 +100 "
	    "EV_Status.Charge_P=0 EV_Status.Charge_R=1 +100");
	mon_events_need(&told, "AC charger ready");
	mon_events_need(&told, "on-board charger ready");
	mon_events_need(&told, "vehicle holds the session off");
	mon_events_need(&told, "hold-off over");
	assert_int_equal(mon_events_count(&told, "vehicle asks for a pause"), 1);
	mon_events_need(&told, "vehicle asks to go on");
	assert_int_equal(mon_events_need(&told, "inlet lock: Fault")->severity, MON_FAULT);
}

static void test_events_limits_that_change_in_a_charge(void **state)
{
	(void)state;
	evse("DC_Power_P.Maximum_Charge=120000 " EVSE_CHARGING "DC_Power_P.Maximum_Charge=80500 +300");
	assert_int_equal(mon_events_count(&told, "charger limit 120.0 A -> 80.5 A"), 1);
	pev(PEV_CHARGING "EVSE_Info.Max=90000 +300");
	assert_int_equal(mon_events_count(&told, "charger limit 200 A -> 90 A"), 1);
}

static void test_events_first_content_is_no_edge(void **state)
{
	(void)state;
	evse("Sequence.User=1 Sequence.Start=1 Power_Modules.System=1 DC_Power_Control.Power=8 "
	     "DC_Power_Control.Output=1 Advantics.State=7 +500");
	assert_int_equal(told.n_events, 3); /* heard, state, session */
	assert_string_equal(session()->reason, "");
}

/* --- silence ------------------------------------------------------------------------------------------------------ */

static void test_silence_of_one_message_is_told_when_its_half_goes_on(void **state)
{
	const struct mon_event *e;

	(void)state;
	evse(EVSE_IDLE "CCS_Extra +500 -CCS_Extra +2000");
	e = mon_events_need(&told, "CCS_Extra_Information lost");
	assert_int_equal(e->time_us, START + 1300 * MS); /* last at 1.0 s, stale after 0.3 s */
	assert_int_equal(mon_events_count(&told, " lost"), 1);
	assert_true(mon_point(&s.model, 1)->msg[EVSE_CCS_EXTRA_INFORMATION].is_lost);
	mon_script_run(&s, "CCS_Extra +500");
	mon_events_need(&told, "CCS_Extra_Information back after 2.0 s");
	assert_false(mon_point(&s.model, 1)->msg[EVSE_CCS_EXTRA_INFORMATION].is_lost);
	mon_events_need_none(&told, "silent");
}

static void test_silence_of_a_whole_half_is_one_event(void **state)
{
	(void)state;
	evse(EVSE_IDLE "CCS_Extra ADM_CS_SECC_I +1000 -CCS_Extra -ADM_CS_SECC_I -Advantics +4000");
	assert_int_equal(mon_events_count(&told, "silent"), 1);
	assert_int_equal(mon_events_need(&told, "module silent")->time_us, START + 1800 * MS);
	mon_events_need_none(&told, "lost");
	assert_true(mon_point(&s.model, 1)->msg[EVSE_ADVANTICS_CONTROLLER_STATUS].is_lost);
	mon_script_run(&s, "Advantics CCS_Extra ADM_CS_SECC_I +1000");
	assert_int_equal(mon_events_count(&told, "module speaks again after 4.0 s"), 1);
	mon_events_need_none(&told, "back after");
	assert_false(mon_point(&s.model, 1)->msg[EVSE_ADVANTICS_CONTROLLER_STATUS].is_lost);
}

static void test_silence_that_one_message_keeps_after_its_half_is_back_is_told(void **state)
{
	(void)state;
	evse(EVSE_IDLE "CCS_Extra +1000 -CCS_Extra -Advantics +2000 Advantics +2000");
	mon_events_need(&told, "module speaks again");
	assert_int_equal(mon_events_count(&told, "CCS_Extra_Information lost"), 1);
}

static void test_silence_gives_a_half_that_is_back_time_for_all_its_messages(void **state)
{
	(void)state;
	evse(EVSE_IDLE "CCS_Extra +1000 -CCS_Extra -Advantics +2000 Advantics +200 CCS_Extra +1000");
	mon_events_need(&told, "module speaks again");
	mon_events_need_none(&told, "lost");
	evse(EVSE_IDLE "CCS_Extra +1000 -CCS_Extra +1000 -Advantics +2000 Advantics +50");
	assert_true(mon_point(&s.model, 1)
			    ->msg[EVSE_CCS_EXTRA_INFORMATION]
			    .is_lost); /* since before, and still */
	mon_script_run(&s, "+1000");
	assert_int_equal(mon_events_count(&told, "CCS_Extra_Information lost"), 1);
}

/* Only what comes once a second is left of the module: it is silent, speaks again, and lacks one message. */
static void test_silence_of_all_but_a_slow_message_is_told_once(void **state)
{
	(void)state;
	evse(EVSE_IDLE "ADM_CS_SECC_I +1000 -ADM_CS_SECC_I -Advantics +1000 ");
	for (int i = 0; i < 8; i++)
		mon_script_run(&s, "once:ADM_CS_SECC_I +1000");
	assert_int_equal(mon_events_count(&told, "module silent"), 1);
	assert_int_equal(mon_events_count(&told, "speaks again"), 1);
	assert_int_equal(mon_events_count(&told, "Advantics_Controller_Status lost"), 1);
	assert_true(mon_point(&s.model, 1)->msg[EVSE_ADVANTICS_CONTROLLER_STATUS].is_lost);
	mon_script_run(&s, "Advantics +300");
	mon_events_need(&told, "Advantics_Controller_Status back");
	mon_script_run(&s, "-Advantics +1000"); /* the rule's limit counts again */
	assert_int_equal(mon_events_count(&told, "module silent"), 2);
}

static void test_silence_shorter_than_the_half_may_tells_of_the_message_that_stays_away(void **state)
{
	(void)state;
	pev(PEV_IDLE
	    "-DC_Control -EVSE_Info +600 EVSE_Info +1000"); /* the module may be silent for a second */
	mon_events_need_none(&told, "silent");
	assert_int_equal(mon_events_count(&told, "DC_Control lost"), 1);
	mon_events_need_none(&told, "EVSE_Information lost");
}

static void test_silence_of_messages_of_a_phase_means_nothing(void **state)
{
	(void)state;
	evse(EVSE_CHARGING "OCPP +100 EV_Information_B +100 -OCPP -EV_Info -DC_Power_Control +20000");
	mon_events_need_none(&told, "lost");
	mon_events_need_none(&told, "silent");
}

static void test_silence_is_found_without_ticks(void **state)
{
	struct can_frame foreign = {.can_id = 0x123};

	(void)state;
	evse(EVSE_IDLE);
	mon_model_rx(&s.model, s.now_us + 7000 * MS, &foreign);
	assert_int_equal(mon_events_need(&told, "module silent")->time_us, s.now_us + 300 * MS);
	assert_int_equal(mon_events_need(&told, "charger controller silent")->time_us, s.now_us + 500 * MS);
}

static void test_silence_that_is_found_late_does_not_overtake(void **state)
{
	int64_t last_us = 0;

	(void)state;
	evse(EVSE_CHARGING "-Advantics -DC_Power_Control +20 Power_Modules.System=0 +7000 Advantics +300");
	for (unsigned i = 0; i < told.n_events; i++) {
		assert_true(told.event[i].time_us >= last_us);
		last_us = told.event[i].time_us;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events_state_change_says_from_where_to_where_after_how_long),
		cmocka_unit_test(test_events_first_sight_is_told_once_for_each_pistol),
		cmocka_unit_test(test_events_edges_of_enable_function_and_contactors),
		cmocka_unit_test(test_events_log_holds_the_newest),
		cmocka_unit_test(test_silence_of_one_message_is_told_when_its_half_goes_on),
		cmocka_unit_test(test_silence_of_a_whole_half_is_one_event),
		cmocka_unit_test(test_silence_that_one_message_keeps_after_its_half_is_back_is_told),
		cmocka_unit_test(test_silence_gives_a_half_that_is_back_time_for_all_its_messages),
		cmocka_unit_test(test_silence_of_all_but_a_slow_message_is_told_once),
		cmocka_unit_test(test_silence_shorter_than_the_half_may_tells_of_the_message_that_stays_away),
		cmocka_unit_test(test_silence_of_messages_of_a_phase_means_nothing),
		cmocka_unit_test(test_silence_is_found_without_ticks),
		cmocka_unit_test(test_events_of_permits_buttons_and_lines),
		cmocka_unit_test(test_events_limits_that_change_in_a_charge),
		cmocka_unit_test(test_events_first_content_is_no_edge),
		cmocka_unit_test(test_silence_that_is_found_late_does_not_overtake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
