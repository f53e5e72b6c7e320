/* SPDX-License-Identifier: MIT */
/* The handful of facts of both sides: ladder, silence, limits and the one that binds, derating, diagnostics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "evse_msgs.h"
#include "monitor/mon_facts.h"
#include "pev_msgs.h"
#include "tests/lib/mon_script.h"

static struct mon_script s;
static struct mon_facts f;

static void more(const char *words)
{
	mon_script_run(&s, words);
	mon_facts(&s.model, s.point, &f);
}

static void evse(const char *words)
{
	mon_script_init(&s, MON_EVSE, EVSE_V3_6, NULL);
	more(words);
}

static void pev(const char *words)
{
	mon_script_init(&s, MON_PEV, PEV_V2_5, NULL);
	more(words);
}

static int32_t limit(const char *name)
{
	for (unsigned i = 0; i < f.n_limits; i++)
		if (strcmp(f.limit[i].name, name) == 0)
			return f.limit[i].mA;
	fail_msg("no limit %s", name);
	return 0;
}

static const char *binding(void)
{
	return f.binding < 0 ? "none" : f.limit[f.binding].name;
}

static const struct mon_diagnostic *diagnostic(const char *name)
{
	for (unsigned i = 0; i < f.n_diagnostics; i++)
		if (strcmp(f.diagnostic[i].name, name) == 0)
			return &f.diagnostic[i];
	return NULL;
}

static void need(const char *name, enum mon_severity severity)
{
	if (!diagnostic(name)) {
		for (unsigned i = 0; i < f.n_diagnostics; i++)
			print_message("%s\n", f.diagnostic[i].name);
		fail_msg("no diagnostic \"%s\"", name);
	}
	assert_int_equal(diagnostic(name)->severity, severity);
}

#define CHARGING                                                                                          \
	"Advantics.State=2 Power_Modules.System=1 Power_Modules.Present_V=400000 +200 New_Charge.Comm=2 " \
	"New_Charge.Plug=1 +100 -New_Charge Advantics.State=7 DC_Power_P.Maximum_Charge=120000 "          \
	"EV_Information_C.EV_Maximum_Charge_C=500000 DC_Power_Control.Power=8 DC_Power_Control.Output=1 " \
	"DC_Power_Control.Target=450000 DC_Power_Control.Current_Range_Max=100000 "                       \
	"DC_Power_Control.Current_Range_Min=100000 Power_Modules.Present_C=100000 +200 "
#define VEHICLE                                                                                        \
	"EVSE_Info.Comm=7 EVSE_Info.Max=120000 EVSE_Info.Proto=3 EVSE_Info.Pins=5 DC_Control.Close=1 " \
	"EV_Info.State=400 EV_Info.Energy=80000 DC_Status1.Max_C=100000 DC_Status1.Present=100000 "    \
	"DC_Status2.Cont=1 DC_Status2.Batt=400000 DC_Status2.Inlet=401000 +500 "

/* --- where the session is ---------------------------------------------------------------------------------------- */

static void test_facts_of_a_point_that_nobody_heard_are_unknown(void **state)
{
	(void)state;
	evse("");
	assert_false(f.is_heard);
	assert_int_equal(f.phase, MON_PHASE_NONE);
	assert_int_equal(f.state, -1);
	assert_string_equal(f.state_name, "");
	assert_int_equal(f.module_age_us, -1);
	assert_int_equal(f.present_mV, MON_UNKNOWN);
	assert_int_equal(f.binding, -1);
	mon_facts(&s.model, 99, &f);
	assert_false(f.is_heard);
	evse("Power_Modules +100");
	assert_true(f.is_heard);
	assert_int_equal(f.phase, MON_PHASE_NONE);
	assert_int_equal(f.state, -1);
	assert_false(f.is_module_silent);
}

static void test_facts_ladder_of_both_sides(void **state)
{
	static const enum mon_phase of_evse[] = {
		MON_PHASE_LINK,	      MON_PHASE_LINK,	     MON_PHASE_PLUG,	  MON_PHASE_NEGOTIATION,
		MON_PHASE_INSULATION, MON_PHASE_PRECHARGE,   MON_PHASE_PRECHARGE, MON_PHASE_CHARGING,
		MON_PHASE_ENDING,     MON_PHASE_ENDING,	     MON_PHASE_ENDING,	  MON_PHASE_PLUG,
		MON_PHASE_LINK,	      MON_PHASE_NEGOTIATION, MON_PHASE_LINK};
	char words[64];

	(void)state;
	for (unsigned i = 0; i < sizeof(of_evse) / sizeof(of_evse[0]); i++) {
		snprintf(words, sizeof(words), "Advantics.State=%u +100", i);
		evse(words);
		assert_int_equal(f.phase, of_evse[i]);
		assert_int_equal(f.state, i);
	}
	assert_string_equal(f.state_name, "unknown");
	for (unsigned i = 0; i <= 11; i++) {
		snprintf(words, sizeof(words), "EVSE_Info.Comm=%u +100", i);
		pev(words);
		assert_int_equal(f.phase, i == 11 ? MON_PHASE_NEGOTIATION : of_evse[i]);
	}
	assert_string_equal(f.state_name, "Charge_Pause");
}

static void test_facts_state_protocol_and_time(void **state)
{
	(void)state;
	evse(CHARGING "+2000");
	assert_string_equal(f.state_name, "Charging");
	assert_string_equal(f.protocol, "CCS_ISO_15118_2013_v2");
	assert_string_equal(f.pins, "CCS_DC_Extended");
	assert_int_equal(f.state_for_us, 2200000);
	pev(VEHICLE);
	assert_string_equal(f.protocol, "CCS_ISO_15118_2013_v2");
	assert_string_equal(f.pins, "CCS_DC_Extended");
}

static void test_facts_silence_has_the_limits_of_the_rules(void **state)
{
	(void)state;
	evse(CHARGING "-Advantics -DC_Power_C +200");
	assert_false(f.is_module_silent);
	more("+1");
	assert_true(f.is_module_silent); /* E-12 */
	need("module silent", MON_FAULT);
	assert_int_equal(f.module_age_us, 1000); /* EV_Information goes on in this script */
	evse(CHARGING "-Power_Modules -DC_Power_P +500");
	assert_false(f.is_controller_silent);
	more("+1");
	assert_true(f.is_controller_silent); /* E-15 */
	assert_int_equal(f.controller_age_us, 501000);
	pev(VEHICLE "-DC_Control +1000");
	assert_false(f.is_module_silent);
	more("+1");
	assert_true(f.is_module_silent); /* P-11 */
	pev(VEHICLE "-DC_Status2 +500");
	assert_false(f.is_controller_silent);
	more("+1");
	assert_true(f.is_controller_silent); /* P-13 */
	more("-EVSE_Info -DC_Control -EV_Info -DC_Status1 +6000");
	assert_int_equal(f.phase, MON_PHASE_NONE);
}

/* --- what is wanted and what flows --------------------------------------------------------------------------------- */

static void test_facts_numbers_of_the_charger(void **state)
{
	(void)state;
	evse(CHARGING "EV_Information_B.Batt=76000 EV_Information_B.Present=300 EV_Information_B.Target=800 "
		      "EV_Information_V.EV_Present=398000 Power_Modules.Insul=200000 "
		      "Power_Modules.Power_M=55000 Power_Modules.Encl=40000 +200");
	assert_int_equal(f.target_mV, 450000);
	assert_int_equal(f.target_mA, 100000);
	assert_int_equal(f.present_mV, 400000);
	assert_int_equal(f.present_mA, 100000);
	assert_int_equal(f.power_W, 40000);
	assert_int_equal(f.battery_mV, 398000);
	assert_int_equal(f.soc_permille, 300);
	assert_int_equal(f.target_soc_permille, 800);
	assert_int_equal(f.capacity_Wh, 76000);
	assert_int_equal(f.insulation_ohm, 200000);
	assert_int_equal(f.hottest_mdegC, 55000);
	assert_string_equal(f.hottest, "power modules");
	assert_true(f.is_contactor_known && f.are_contactors_closed);
}

static void test_facts_zero_of_the_vehicle_is_not_given(void **state)
{
	(void)state;
	evse(CHARGING "EV_Information_B EV_Information_V -EV_Information_C +200");
	assert_int_equal(f.soc_permille, MON_UNKNOWN);
	assert_int_equal(f.target_soc_permille, MON_UNKNOWN);
	assert_int_equal(f.battery_mV, MON_UNKNOWN);
	assert_int_equal(f.capacity_Wh, 0);
	assert_int_equal(f.hottest_mdegC, 0); /* the script's power modules say 0 degrees */
	assert_int_equal(limit("vehicle power"), MON_UNKNOWN);
}

static void test_facts_of_the_last_vehicle_do_not_outlive_its_session(void **state)
{
	(void)state;
	evse(CHARGING "EV_Information_B.Present=300 EV_Information_V.EV_P=398000 +200 -EV_Information_B "
		      "-EV_Information_V -EV_Information_C Advantics.State=10 +200 Advantics.State=1 +200");
	assert_string_equal(f.protocol, "");
	assert_int_equal(f.soc_permille, MON_UNKNOWN);
	assert_int_equal(f.battery_mV, MON_UNKNOWN);
	assert_int_equal(limit("vehicle limit"), MON_UNKNOWN);
	more("Advantics.State=2 +200");
	assert_int_equal(f.soc_permille, MON_UNKNOWN);
	assert_string_equal(f.protocol, "");
}

static void test_facts_numbers_of_the_vehicle(void **state)
{
	(void)state;
	pev(VEHICLE
	    "DC_Status1.Target=420000 EV_Energy.Target=64000 ADM_CS_EVCC_I.PTC0=45000 ADM_CS_EVCC_I.PTC1=-40000 "
	    "+100");
	assert_int_equal(f.target_mV, 420000);
	assert_int_equal(f.target_mA, 100000);
	assert_int_equal(f.present_mV, 401000);
	assert_int_equal(f.battery_mV, 400000);
	assert_int_equal(f.power_W, 40000);
	assert_int_equal(f.soc_permille, 400);
	assert_int_equal(f.target_soc_permille, 800);
	assert_int_equal(f.capacity_Wh, 80000);
	assert_int_equal(f.hottest_mdegC, 45000);
	assert_string_equal(f.hottest, "inlet PTC 0");
	assert_true(f.is_contactor_known && f.are_contactors_closed);
	assert_int_equal(f.insulation_ohm, MON_UNKNOWN);
}

/* --- limits -------------------------------------------------------------------------------------------------------- */

static void test_facts_binding_limit_is_the_lowest(void **state)
{
	(void)state;
	evse(CHARGING);
	assert_string_equal(binding(),
			    "request"); /* 100 A of 120 and 500: the vehicle, or a cap that only it knows */
	assert_int_equal(limit("charger limit"), 120000);
	assert_int_equal(limit("vehicle limit"), 500000);
	more("DC_Power_P.Maximum_Charge=100000 +200"); /* the request follows the charger's limit */
	assert_string_equal(binding(), "charger limit");
	more("DC_Power_P.Maximum_Charge=0 +200"); /* 0: the module's own default, which nobody hears of */
	assert_int_equal(limit("charger limit"), MON_UNKNOWN);
	assert_string_equal(binding(), "request");
	more("EV_Information_C.EV_Maximum_Charge_C=100000 +200");
	assert_string_equal(binding(), "vehicle limit");
	more("EV_Information_C.EV_Maximum_Charge_P=40000 EV_Information_C.EV_Maximum_Charge_C=0 +200"); /* 40 kW at 400 V */
	assert_int_equal(limit("vehicle power"), 100000);
	assert_string_equal(binding(), "vehicle power");
}

static void test_facts_nothing_binds_while_nothing_is_wanted(void **state)
{
	(void)state;
	evse(CHARGING "DC_Power_Control.Power=1 +200");
	assert_string_equal(binding(), "none");
	assert_int_equal(limit("request"), MON_UNKNOWN);
	evse(CHARGING "DC_Power_Control.Current_Range_Max=0 DC_Power_Control.Current_Range_Min=0 "
		      "Power_Modules.Present_C=0 +200");
	assert_string_equal(binding(), "none");
	evse(CHARGING "Advantics.State=8 +200");
	assert_string_equal(binding(), "none");
	pev(VEHICLE "DC_Status1.Max_C=0 DC_Status1.Present=0 +100");
	assert_string_equal(binding(), "none");
}

static void test_facts_range_mode_works_at_the_point_of_ocpp(void **state)
{
	(void)state;
	evse(CHARGING "DC_Power_Control.Setpoints=1 DC_Power_Control.Current_Range_Min=-80000 +200");
	assert_int_equal(f.target_mA, 100000);
	assert_string_equal(binding(), "range");
	more("OCPP.Dyn=40000 +200");
	assert_int_equal(f.target_mA, 40000);
	assert_string_equal(binding(), "OCPP target");
	more("OCPP.Dyn=300000 +200");
	assert_int_equal(f.target_mA, 100000);
	assert_string_equal(binding(), "range");
	more("OCPP.Dyn=-40000 +200"); /* still charging: on the way through zero */
	assert_int_equal(f.target_mA, -40000);
	assert_string_equal(binding(), "range");
}

static void test_facts_power_limit_needs_a_voltage(void **state)
{
	(void)state;
	evse(CHARGING "EV_Information_C.EV_Maximum_Charge_P=45000 Power_Modules.Present_V=5000 +200");
	assert_int_equal(limit("vehicle power"), 100000); /* of the 450 V that are wanted */
	more("DC_Power_Control.Target=0 +200");
	assert_int_equal(limit("vehicle power"), MON_UNKNOWN);
}

static void test_facts_limits_are_those_of_the_direction(void **state)
{
	(void)state;
	evse(CHARGING
	     "DC_Power_Control.Setpoints=1 DC_Power_Control.Current_Range_Min=-80000 OCPP.Dyn=-90000 "
	     "DC_Power_P.Maximum_Dis=60000 EV_Information_D.EV_Maximum_Discharge_C=70000 "
	     "Power_Modules.Present_C=-60000 +200");
	assert_int_equal(f.target_mA, -80000);
	assert_int_equal(f.power_W, -24000);
	assert_int_equal(limit("range"), 80000);
	assert_int_equal(limit("charger limit"), 60000);
	assert_int_equal(limit("vehicle limit"), 70000);
	assert_string_equal(binding(), "charger limit");
	pev(VEHICLE "DC_Status1.Present=-30000 DC_Status1.Max_D=50000 +100");
	assert_int_equal(limit("request"), MON_UNKNOWN);
	assert_int_equal(limit("discharge limit"), 50000);
	assert_string_equal(binding(), "discharge limit");
}

static void test_facts_vehicle_is_bound_by_request_or_charger(void **state)
{
	(void)state;
	pev(VEHICLE);
	assert_string_equal(binding(), "request");
	more("EVSE_Info.Max=100000 +100");
	assert_string_equal(binding(), "charger limit");
	more("EVSE_Info.Max=0 +100");
	assert_int_equal(limit("charger limit"), MON_UNKNOWN);
	assert_string_equal(binding(), "request");
}

/* --- derating ------------------------------------------------------------------------------------------------------ */

static void test_facts_lowered_charger_limit_is_derating(void **state)
{
	(void)state;
	evse(CHARGING);
	assert_false(f.is_derated);
	assert_string_equal(f.derating, "");
	more("DC_Power_P.Maximum_Charge=80000 +200");
	assert_true(f.is_derated);
	assert_string_equal(f.derating, "charger lowered its limit");
	more("Power_Modules.Power_M=80000 +200");
	assert_string_equal(f.derating, "charger lowered its limit: hot");
	more("DC_Power_P.Maximum_Charge=120000 +200");
	assert_false(f.is_derated);
	pev(VEHICLE "EVSE_Info.Max=70000 +100");
	assert_true(f.is_derated);
	assert_string_equal(f.derating, "charger lowered its limit");
}

static void test_facts_less_than_asked_for_a_while_is_derating(void **state)
{
	(void)state;
	evse(CHARGING "Power_Modules.Present_C=60000 +4900");
	assert_false(f.is_derated);
	more("+100");
	assert_true(f.is_derated);
	assert_string_equal(f.derating, "charger gives less than asked");
	more("Power_Modules.Present_V=449000 +100");
	assert_string_equal(f.derating, "target voltage reached");
	more("Power_Modules.Present_C=99000 +100");
	assert_false(f.is_derated);
	pev(VEHICLE "DC_Status1.Present=60000 +6000");
	assert_string_equal(f.derating, "charger gives less than asked");
}

static void test_facts_ramp_is_no_derating(void **state)
{
	char words[64];

	(void)state;
	evse(CHARGING);
	for (int i = 0; i < 90; i++) { /* 1 A a step of 100 ms */
		snprintf(words, sizeof(words), "Power_Modules.Present_C=%d +100", 1000 * i);
		more(words);
		assert_false(f.is_derated);
	}
}

/* --- diagnostics --------------------------------------------------------------------------------------------------- */

static void test_facts_every_diagnostic_bit_of_the_vehicle_has_words(void **state)
{
	const struct msg_layout *l = &pev_layouts[PEV_V2_5][PEV_EVCC_MEVC_DIAGNOSTIC_STATUS];
	char words[512];

	(void)state;
	for (unsigned i = 0; i < l->n_fields; i++) {
		if (l->fields[i].length != 1)
			continue;
		snprintf(words, sizeof(words), VEHICLE "EVCC_MEVC.%s=1 +100", l->fields[i].signal);
		pev(words);
		assert_int_equal(f.n_diagnostics, 1);
		assert_int_equal(f.diagnostic[0].severity, MON_FAULT);
		assert_null(strstr(f.diagnostic[0].name, "unknown"));
	}
	pev(VEHICLE "EVCC_MEVC.LockF=1 +100");
	need("connector lock failed", MON_FAULT);
	pev(VEHICLE "EVCC_MEVC.SDPE=1 +100");
	need("charger discovery failed", MON_FAULT);
}

static void test_facts_response_codes_have_their_number_and_kind(void **state)
{
	const struct msg_layout *l = &pev_layouts[PEV_V2_5][PEV_EVCC_MEVC_DIAGNOSTIC_STATUS];
	char words[128], name[96];

	(void)state;
	for (unsigned code = 0; code <= 54; code++) {
		struct msg_value v;

		mon_script_init(&s, MON_PEV, PEV_V2_5, NULL);
		snprintf(words, sizeof(words), "EVCC_MEVC.HLC=%u +100", code);
		more(words);
		assert_int_equal(f.n_diagnostics, code >= 6);
		if (code < 6 || code > 53)
			continue;
		v.name = msg_value_name(&l->fields[mon_field_find(&s.model, PEV_EVCC_MEVC_DIAGNOSTIC_STATUS,
								  "HLC_ResponseCode")],
					code);
		snprintf(name, sizeof(name), "response code %u: %s", code, v.name);
		need(name, code < 22 ? MON_WARNING : MON_FAULT);
	}
	need("response code unknown", MON_WARNING);
}

static void test_facts_charger_codes_and_isolation_level(void **state)
{
	(void)state;
	pev(VEHICLE "EVCC_MEVC.EVSE_St=2 EVCC_MEVC.EVSE_Iso=2 +100");
	assert_int_equal(f.n_diagnostics, 0);
	more("EVCC_MEVC.EVSE_St=6 +100");
	need("charger status 6: EVSE_EmergencyShutdown", MON_FAULT);
	assert_true(f.is_emergency);
	assert_string_equal(f.emergency_origin, "EVSE");
	more("EVCC_MEVC.EVSE_St=7 EVCC_MEVC.EVSE_Iso=4 +100");
	need("charger status 7: EVSE_Malfunction", MON_FAULT);
	need("isolation level: Fault", MON_FAULT);
	more("EVCC_MEVC.EVSE_St=3 EVCC_MEVC.EVSE_Iso=1 +100");
	need("isolation level: Invalid", MON_WARNING);
	more("EVSE_Info.Comm=4 +100");
	assert_null(diagnostic("isolation level: Invalid")); /* the test is running */
}

static void test_facts_faults_of_the_charger_are_ordered_by_severity(void **state)
{
	(void)state;
	evse(CHARGING
	     "Power_Modules.Insul=200000 +200 Power_Modules.Insul=30000 ADM_CS_SECC_I.Pistol_PTC1=65000 "
	     "ADM_CS_SECC_I.Pistol_PTC2=95000 ADM_CS_SECC_I.CPU=-40000 +200 Emergency.Origin=1 "
	     "Charge_Session.State=1 +200");
	need("insulation below 100 ohm per volt", MON_FAULT);
	need("pistol PTC 1 hot", MON_WARNING);
	need("pistol PTC 2 too hot", MON_FAULT);
	need("emergency stop by EVSE", MON_FAULT);
	assert_true(f.is_emergency);
	assert_string_equal(f.emergency_origin, "EVSE");
	assert_string_equal(f.hottest, "pistol PTC 2");
	for (unsigned i = 1; i < f.n_diagnostics; i++)
		assert_true(f.diagnostic[i - 1].severity >= f.diagnostic[i].severity);
	more("-Emergency -Charge_Session Advantics.State=10 +500 Advantics.State=1 +100");
	assert_false(f.is_emergency);
	need("last session: rushed stop", MON_NOTICE);
	more("down");
	need("bus down", MON_FAULT);
}

static void test_facts_function_that_no_version_knows_is_said(void **state)
{
	(void)state;
	evse(CHARGING "DC_Power_Control.Power=3 +200");
	need("power function unknown: no power", MON_WARNING);
	assert_string_equal(binding(), "none");
}

static void test_facts_temperatures_of_every_hardware(void **state)
{
	(void)state;
	evse("Power_Modules.Power_M=-40000 Power_Modules.Encl=-40000 +100");
	assert_int_equal(f.hottest_mdegC, MON_UNKNOWN);
	assert_string_equal(f.hottest, "");
	more("ADM_CO_CUI1.Pistol_PTC2=61000 +100");
	assert_string_equal(f.hottest, "pistol PTC 2");
	more("ADM_CS_SPCC_I.PT1KS_D=91000 +100");
	assert_string_equal(f.hottest, "PT1000 D");
	need("PT1000 D too hot", MON_FAULT);
	need("pistol PTC 2 hot", MON_WARNING);
}

static void test_facts_of_version_3_0_come_with_the_session(void **state)
{
	(void)state;
	mon_script_init(&s, MON_EVSE, EVSE_V3_0, NULL);
	more("Advantics.State=7 +100 New_Charge.EV_Maximum_C=100000 New_Charge.Batt=50000 DC_Power_Control.Power=8 "
	     "DC_Power_Control.Current_Range_Max=100000 DC_Power_Control.State=420 +100");
	assert_int_equal(limit("vehicle limit"), 100000);
	assert_string_equal(binding(), "vehicle limit");
	assert_int_equal(f.soc_permille, 420);
	assert_int_equal(f.capacity_Wh, 50000);
	assert_false(f.is_contactor_known); /* no such bit yet */
}

static void test_facts_requests_and_lines_of_the_vehicle(void **state)
{
	(void)state;
	pev(VEHICLE
	    "DC_Status2.Emergency=1 EV_Status.HV=1 ADM_CS_EVCC_I.Stop=1 CCS_Extra.Inlet=2 EVSE_Info.RCD=1 "
	    "EVCC_MEVC.EVSE_St=8 EVCC_MEVC.EVSE_Iso=3 +100");
	assert_true(f.is_emergency);
	assert_string_equal(f.emergency_origin, "PEV");
	need("emergency stop by PEV", MON_FAULT);
	need("vehicle holds the session off", MON_NOTICE);
	need("stop input active", MON_NOTICE);
	need("inlet lock fault", MON_FAULT);
	need("residual current device of the charger: error", MON_FAULT);
	need("charger status 8: Invalid", MON_WARNING);
	need("isolation level: Warning", MON_WARNING);
	more("EVCC_MEVC.EVSE_St=4 EVCC_MEVC.EVSE_Iso=5 +100");
	need("charger status 4: EVSE_UtilityInterruptEvent", MON_WARNING);
	need("isolation level: No_IMD", MON_NOTICE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts_of_a_point_that_nobody_heard_are_unknown),
		cmocka_unit_test(test_facts_ladder_of_both_sides),
		cmocka_unit_test(test_facts_state_protocol_and_time),
		cmocka_unit_test(test_facts_silence_has_the_limits_of_the_rules),
		cmocka_unit_test(test_facts_numbers_of_the_charger),
		cmocka_unit_test(test_facts_zero_of_the_vehicle_is_not_given),
		cmocka_unit_test(test_facts_of_the_last_vehicle_do_not_outlive_its_session),
		cmocka_unit_test(test_facts_numbers_of_the_vehicle),
		cmocka_unit_test(test_facts_binding_limit_is_the_lowest),
		cmocka_unit_test(test_facts_nothing_binds_while_nothing_is_wanted),
		cmocka_unit_test(test_facts_range_mode_works_at_the_point_of_ocpp),
		cmocka_unit_test(test_facts_power_limit_needs_a_voltage),
		cmocka_unit_test(test_facts_limits_are_those_of_the_direction),
		cmocka_unit_test(test_facts_vehicle_is_bound_by_request_or_charger),
		cmocka_unit_test(test_facts_lowered_charger_limit_is_derating),
		cmocka_unit_test(test_facts_less_than_asked_for_a_while_is_derating),
		cmocka_unit_test(test_facts_ramp_is_no_derating),
		cmocka_unit_test(test_facts_every_diagnostic_bit_of_the_vehicle_has_words),
		cmocka_unit_test(test_facts_response_codes_have_their_number_and_kind),
		cmocka_unit_test(test_facts_charger_codes_and_isolation_level),
		cmocka_unit_test(test_facts_faults_of_the_charger_are_ordered_by_severity),
		cmocka_unit_test(test_facts_function_that_no_version_knows_is_said),
		cmocka_unit_test(test_facts_temperatures_of_every_hardware),
		cmocka_unit_test(test_facts_of_version_3_0_come_with_the_session),
		cmocka_unit_test(test_facts_requests_and_lines_of_the_vehicle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
