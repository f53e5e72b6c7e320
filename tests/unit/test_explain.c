/* SPDX-License-Identifier: MIT */
/* Every situation of the explanation is reached by a case of its own; whatever is on the bus, one fits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/explain.h"
#include "tests/lib/mon_script.h"

#include <evse_msgs.h>
#include <pev_msgs.h>

struct situation_case {
	const char *code;
	const char *words;
	const char *waiting; /* expected sentences; NULL: not compared */
	const char *otherwise;
};

/* --- the charger's side -------------------------------------------------------------------------------- */

#define STATE(n)   "Advantics.State=" #n " "
#define PMS	   "Power_Modules "
#define ENABLED	   "Power_Modules.System=1 Power_Modules.Insulation=200000 "
#define OUTPUT(mV) "Power_Modules.Present_V=" #mV " "
#define FLOW(mA)   "Power_Modules.Present_C=" #mA " "
#define POWER(function, mV, max, min, mode)                                                          \
	"DC_Power_C.Power=" #function " DC_Power_C.Target=" #mV " DC_Power_C.Current_Range_Ma=" #max \
	" DC_Power_C.Current_Range_Mi=" #min " DC_Power_C.Setp=" #mode " "
#define CLOSED		  "DC_Power_C.Output=1 "
#define LOWERING	  "DC_Power_C.Lower=1 "
#define TEST		  POWER(2, 500000, 0, 0, 0) CLOSED
#define TARGET(mA)	  POWER(8, 450000, mA, mA, 0) CLOSED STATE(7) ENABLED OUTPUT(400000)
#define RANGE(max, min)	  POWER(8, 450000, max, min, 1) CLOSED STATE(7) ENABLED OUTPUT(400000)
#define EMERGENCY(origin) "Emergency.Origin=" #origin " "

static const struct situation_case evse_cases[] = {
	{"E010", STATE(1) "+100 down +100", NULL, NULL},
	{"E011", "", NULL, NULL},
	{"E012", PMS "+3000", NULL, "without a module no session begins; it should be heard in 12 s"},
	{"E013", PMS STATE(7) "+500 -Advantics +300", "the module's status is missing for 0.3 s", NULL},
	{"E020", ENABLED STATE(7) "+300 -Power_Modules +700 " EMERGENCY(1),
	 "emergency stop by the charger: its controller is silent for 0.7 s", NULL},
	{"E021", ENABLED STATE(7) OUTPUT(400000) "Power_Modules.Insulation=20000 " EMERGENCY(1), NULL, NULL},
	{"E022", PMS STATE(7) EMERGENCY(1), NULL, NULL},
	{"E023", ENABLED STATE(7) EMERGENCY(1), NULL, NULL},
	{"E024", ENABLED STATE(7) EMERGENCY(3), NULL, NULL},
	{"E025", ENABLED STATE(7) EMERGENCY(2), NULL, NULL},
	{"E030", ENABLED STATE(7) "+300 -Power_Modules +300",
	 "the controller's Power_Modules_Status is missing for 0.3 s",
	 "the module makes an emergency stop in 0.2 s"},
	{"E031", STATE(4) "+10000", NULL, "the module closes the session without any power in 30 s"},
	{"E032", STATE(1), NULL, NULL},
	{"E100", PMS STATE(0) "+5000", NULL,
	 "it should be ready in 10 s; if it stays here it has a fault of its own"},
	{"E110", PMS STATE(12), NULL, NULL},
	{"E111", PMS STATE(12) "+1000 Sequence.Start=1 +100", NULL,
	 "expected in 0.1 s; if it stays, the module is busy or blocked by an emergency"},
	{"E120", PMS STATE(1), NULL, NULL},
	{"E200", PMS STATE(1) "+500 " STATE(2) "+8000", NULL,
	 "the vehicle gives up in 12 s if no session is set up"},
	{"E201", PMS STATE(1) "+500 " STATE(2) "+25000", NULL, NULL},
	{"E210", PMS STATE(11) "+20000", NULL,
	 "the module waits for ever, but most vehicles give up in 40 s"},
	{"E211", PMS STATE(11) "Sequence.CCS_Authorisation_D=1 Sequence.CCS_Authorisation_V=1", NULL, NULL},
	{"E212", PMS STATE(11) "Sequence.CCS_Authorisation_D=1", NULL, NULL},
	{"E220", PMS STATE(3), NULL, NULL},
	{"E221", PMS STATE(3) "Sequence.Charge_P=1", NULL, NULL},
	{"E222", PMS STATE(3) "Sequence.Charge_P=1 DC_Power_P.Maximum_C=100000", NULL, NULL},
	{"E300", PMS STATE(4) POWER(1, 0, 0, 0, 0), NULL, NULL},
	{"E301", PMS STATE(4) "+39500", NULL, "the module closes the session without any power in 0.5 s"},
	{"E302", ENABLED STATE(4) TEST OUTPUT(449900) "+18000",
	 "insulation test: waiting for the output, 449.9 V of 500.0 V, 90 % needed",
	 "the module ends the session in 12 s and reports a malfunction"},
	{"E303", ENABLED STATE(4) TEST OUTPUT(450000) "Power_Modules.Insulation=0", NULL, NULL},
	{"E304", ENABLED STATE(4) TEST OUTPUT(500000) "Power_Modules.Insulation=48000",
	 "insulation test: 48 kOhm is below 100 Ohm/V at 500.0 V", NULL},
	{"E305", ENABLED STATE(4) TEST OUTPUT(500000) "Power_Modules.Insulation=98000",
	 "insulation test: waiting for 100 kOhm, measured 98 kOhm", NULL},
	{"E305", ENABLED STATE(4) TEST OUTPUT(500000) "New.Plug=4 Power_Modules.Insulation=110000",
	 "insulation test: waiting for 125 kOhm, measured 110 kOhm", NULL},
	{"E306", ENABLED STATE(4) TEST OUTPUT(500000) "Power_Modules.Insulation=100000", NULL, NULL},
	{"E307", ENABLED STATE(4) POWER(1, 0, 0, 0, 0) CLOSED LOWERING OUTPUT(20100), NULL, NULL},
	{"E308", ENABLED STATE(4) POWER(1, 0, 0, 0, 0) CLOSED LOWERING OUTPUT(20000), NULL, NULL},
	{"E309", ENABLED STATE(4), NULL, NULL},
	{"E309", ENABLED STATE(4) POWER(1, 0, 0, 0, 0), NULL, NULL},
	{"E400",
	 ENABLED STATE(7) POWER(8, 450000, 100000, 100000, 0) OUTPUT(400000) "Power_Modules.Insulation=38000",
	 NULL, NULL},
	{"E410", ENABLED STATE(5) POWER(4, 330000, 2000, 0, 1) OUTPUT(309900) "+2000",
	 "precharge: waiting for 330.0 V within 20 V, output is 309.9 V",
	 "the vehicle gives up the precharge in 5.0 s"},
	{"E411", ENABLED STATE(5) POWER(4, 330000, 2000, 0, 1) OUTPUT(310000), NULL, NULL},
	{"E412", ENABLED STATE(5) POWER(1, 0, 0, 0, 0) OUTPUT(330000), NULL, NULL},
	{"E413", ENABLED STATE(5), NULL, NULL},
	{"E420", ENABLED STATE(6) POWER(1, 0, 0, 0, 0) "Charge_Status.Vehicle=0", NULL, NULL},
	{"E421", ENABLED STATE(6) POWER(1, 0, 0, 0, 0) "Charge_Status.Vehicle=1", NULL, NULL},
	{"E500", PMS STATE(7) POWER(8, 450000, 100000, 100000, 0), NULL, NULL},
	{"E501", TARGET(100000) FLOW(100000) "+1000 -DC_Power_C +50000",
	 "no new command of the module for 50 s: the last set point holds",
	 "the controller goes to Standby in 10 s"},
	{"E502", TARGET(100000) OUTPUT(20000), NULL, NULL},
	{"E503", TARGET(100000) FLOW(100000) "Sequence.User=1", NULL, NULL},
	{"E510", ENABLED STATE(7) OUTPUT(400000) POWER(1, 0, 0, 0, 0) CLOSED, NULL, NULL},
	{"E511", TARGET(0) FLOW(50000), NULL, NULL},
	{"E512", TARGET(0) FLOW(900), NULL, NULL},
	{"E520", TARGET(100000) FLOW(80000), "charging: 80.0 A of 100.0 A at 400.0 V", NULL},
	{"E520", TARGET(100000) FLOW(110000), NULL, NULL},
	{"E520", TARGET(2000) FLOW(1000), NULL, NULL}, /* what the charger owes is 1 A */
	{"E521", TARGET(-50000) FLOW(-48000), "discharging: -48.0 A of -50.0 A at 400.0 V", NULL},
	{"E522", TARGET(100000) OUTPUT(445500) FLOW(30000), NULL, NULL},
	{"E523", TARGET(100000) FLOW(79900), NULL, NULL},
	{"E523", TARGET(-50000) FLOW(10000), NULL, NULL},
	{"E524", TARGET(100000) FLOW(60000) "DC_Power_P.Maximum_C=60000",
	 "asked for 100.0 A, but the charger offers 60.0 A: 60.0 A flow", NULL},
	{"E525", TARGET(100000) FLOW(110100), NULL, NULL},
	{"E525", TARGET(-50000) FLOW(-60000), NULL, NULL},
	{"E530", RANGE(100000, -50000) FLOW(110000), NULL, NULL},
	{"E531", RANGE(100000, -50000) FLOW(-60000), NULL, NULL},
	{"E532", RANGE(100000, -50000) FLOW(30000),
	 "charging: 30.0 A at 400.0 V, chosen from -50.0 A to 100.0 A", NULL},
	{"E533", RANGE(100000, -50000) FLOW(-50000), NULL, NULL},
	{"E534", RANGE(100000, -50000) FLOW(-900), NULL, NULL},
	{"E600", ENABLED STATE(8) OUTPUT(400000) FLOW(1000) POWER(1, 0, 0, 0, 0) CLOSED "+500", NULL,
	 "expected in 1.5 s; only an emergency opens them before"},
	{"E601", ENABLED STATE(8) OUTPUT(400000) FLOW(900) POWER(1, 0, 0, 0, 0) CLOSED, NULL, NULL},
	{"E602", ENABLED STATE(8) OUTPUT(400000) POWER(1, 0, 0, 0, 0) LOWERING, NULL, NULL},
	{"E603", ENABLED STATE(8) OUTPUT(400000) POWER(1, 0, 0, 0, 0), NULL, NULL},
	{"E604", ENABLED STATE(8) OUTPUT(20000) POWER(1, 0, 0, 0, 0), NULL, NULL},
	{"E700", ENABLED STATE(9) OUTPUT(20100), NULL, NULL},
	{"E701", ENABLED STATE(9) OUTPUT(20000), NULL, NULL},
	{"E800", ENABLED STATE(10) OUTPUT(400000), NULL, NULL},
	{"E801", ENABLED STATE(10) "Charge_Session_F.State=1 +1000", NULL,
	 "the module is ready again in 2.0 s"},
	{"E802", ENABLED STATE(10) "Charge_Session_F.State=0", NULL, NULL},
	{"E803", ENABLED STATE(10), NULL, NULL},
	{"E850", ENABLED STATE(13), NULL, NULL},
	{"E851", ENABLED STATE(13) FLOW(5000), NULL, NULL},
	{"E900", ENABLED STATE(14), "the module is in state 14, which this protocol version does not know",
	 "power still follows DC_Power_Control only (no function)"},
	{"E910", ENABLED STATE(4) POWER(3, 0, 0, 0, 0),
	 "Insulation_Test with function 3: not foreseen by the interface", NULL},
	{"E910", ENABLED STATE(7) OUTPUT(400000), "Charging with no function: not foreseen by the interface",
	 NULL},
};

/* --- the vehicle's side -------------------------------------------------------------------------------- */

#define STAGE(n)	"EVSE_I.Communication=" #n " "
#define PINS(n)		"EVSE_I.Pins=" #n " "
#define CONTROL(n)	"DC_C.Close=" #n " "
#define CAR		"EV_Information AC_Status DC_Status1 DC_Status2.Battery=330000 "
#define INLET(mV)	"DC_Status2.Inlet=" #mV " "
#define FEEDBACK(n)	"DC_Status2.Contactors=" #n " "
#define ASKED(mA)	"DC_Status1.Max_C=" #mA " "
#define PRESENT(mA)	"DC_Status1.Present=" #mA " "
#define OFFER(mA)	"EVSE_I.Max=" #mA " "
#define FAULT(bit)	"EVCC_MEVC_D." #bit "=1 "
#define CODE(signal, n) "EVCC_MEVC_D." #signal "=" #n " "
#define LOCK(n)		"CCS_E.Inlet=" #n " "
#define PRECHARGE	STAGE(5) PINS(5) CONTROL(0) CAR
#define LIVE		STAGE(7) PINS(5) CONTROL(1) CAR FEEDBACK(1) INLET(330000) "EV_Information.State=500 "
#define AC		PINS(3) CONTROL(0) CAR "AC_C "
#define FAULTY		STAGE(4) PINS(5) CONTROL(0) CAR

static const struct situation_case pev_cases[] = {
	{"V010", STAGE(1) CAR "+100 down", NULL, NULL},
	{"V011", "", NULL, NULL},
	{"V012", CAR, NULL, NULL},
	{"V013", STAGE(7) CONTROL(1) CAR "+500 -EVSE_I -DC_C +700", NULL,
	 "1 s after the last DC_Control the vehicle opens its contactors in 0.3 s"},
	{"V014", STAGE(7) CONTROL(1) CAR "+500 -DC_C +400", "DC_Control is missing for 0.4 s",
	 "the vehicle opens its contactors in 0.6 s and reports an emergency"},
	{"V020", LIVE "DC_Status2.Emergency=1", NULL, NULL},
	{"V021", LIVE CODE(EVSE_Status, 6), NULL, NULL},
	{"V022", LIVE CODE(EVSE_Status, 7), NULL, NULL},
	{"V023", LIVE CODE(EVSE_Status, 4), NULL, NULL},
	{"V030", LIVE "+500 -DC_Status1 +300", "the vehicle's DC_Status1 or DC_Status2 is missing for 0.3 s",
	 "the module stops and opens the contactors in 0.2 s"},
	{"V031", STAGE(1) CONTROL(0), NULL, NULL},
	{"V040", STAGE(3) CONTROL(0) CAR FEEDBACK(1) "+1200", NULL, NULL},
	{"V040", LIVE "+500 " CONTROL(0) "+1200", NULL, NULL},
	{"V041", LIVE "ADM_CS_EVCC_I.DC_Contactor_P=1", NULL, NULL},
	{"V050", FAULTY FAULT(LockF), "fault: connector lock failed", NULL},
	{"V051", FAULTY FAULT(UnlockD) INLET(75000),
	 "fault: unlocking refused, inlet energised (75.0 V, 0.0 A)", NULL},
	{"V052", FAULTY FAULT(HighT), NULL, NULL},
	{"V053", FAULTY FAULT(ContactorF), NULL, NULL},
	{"V054", FAULTY FAULT(VoltageD), NULL, NULL},
	{"V055", FAULTY FAULT(CurrentD), NULL, NULL},
	{"V056", FAULTY FAULT(PrechargeT), NULL, NULL},
	{"V057", FAULTY FAULT(Proximity), NULL, NULL},
	{"V058", FAULTY FAULT(ChargeEnableF), "fault: charge enable line fault", NULL},
	{"V059", FAULTY FAULT(ControlPilotD), NULL, NULL},
	{"V060", FAULTY FAULT(SDP), NULL, NULL},
	{"V061", FAULTY FAULT(V2GTPTLS), "fault: TLS error", NULL},
	{"V062", FAULTY FAULT(V2GTPSequenceT), NULL, NULL},
	{"V063", FAULTY CODE(HLC, 35), "the charger answered FAILED_SequenceError", NULL},
	{"V064", FAULTY CODE(EVSE_Iso, 4), NULL, NULL},
	{"V100", STAGE(0) CONTROL(0) CAR, NULL, NULL},
	{"V110", STAGE(1) CONTROL(0) CAR, NULL, NULL},
	{"V111", STAGE(1) CONTROL(0) CAR LOCK(1), NULL, NULL},
	{"V200", STAGE(2) CONTROL(0) CAR "+5000", NULL,
	 "the module gives up in 15 s if no session is set up"},
	{"V201", STAGE(2) CONTROL(0) CAR "+30000", NULL, NULL},
	{"V202", STAGE(2) CONTROL(0) CAR CODE(HLC, 7),
	 "negotiation: the charger answered WARNING_CertificateExpired", NULL},
	{"V210", STAGE(3) CONTROL(0) CAR "EV_Status.HV=1 +10000", NULL,
	 "the module ends the session in 30 s"},
	{"V211", STAGE(3) CONTROL(0) CAR LOCK(2), NULL, NULL},
	{"V212", STAGE(3) CONTROL(0) CAR LOCK(0), NULL, NULL},
	{"V213", STAGE(3) CONTROL(0) CAR LOCK(1), NULL, NULL},
	{"V220", STAGE(3) AC LOCK(1), NULL, NULL},
	{"V221", STAGE(3) AC LOCK(1) "AC_C.Ready=1", NULL, NULL},
	{"V222", STAGE(3) AC LOCK(1) "AC_C.Ready=1 AC_S.Ready=1", NULL, NULL},
	{"V300", FAULTY CODE(EVSE_Iso, 3), NULL, NULL},
	{"V301", FAULTY INLET(500000) CODE(EVSE_Iso, 1), NULL, NULL},
	{"V302", FAULTY INLET(20100) CODE(EVSE_Iso, 2), NULL, NULL},
	{"V303", FAULTY INLET(20000) CODE(EVSE_Iso, 2), NULL, NULL},
	{"V400", PRECHARGE "DC_Status2.Battery=20000", NULL, NULL},
	{"V401", PRECHARGE INLET(309900) "+3000",
	 "precharge: inlet 309.9 V, battery 330.0 V: waiting for less than 20 V difference",
	 "the module gives up the precharge in 4.0 s and ends the session"},
	{"V402", PRECHARGE INLET(330000) "+500 " CONTROL(1) "+1100 " INLET(300000),
	 "inlet and battery differ by 30.0 V before the contactors closed", NULL},
	{"V403", PRECHARGE INLET(330000) "+500 " CONTROL(1) "+800", NULL, NULL},
	{"V404", PRECHARGE INLET(330000) CONTROL(1) FEEDBACK(1), NULL, NULL},
	{"V405", PRECHARGE INLET(330000) "+500 " CONTROL(1) "+1200", NULL, NULL},
	{"V406", PRECHARGE INLET(310000), NULL, NULL},
	{"V410", STAGE(6) PINS(5) CONTROL(1) CAR FEEDBACK(1) INLET(330000), NULL, NULL},
	{"V500", LIVE "DC_Status2.Normal=1", NULL, NULL},
	{"V501", LIVE "ADM_CS_EVCC_I.Stop=1", NULL, NULL},
	{"V502", LIVE "EV_Status.Charge_P=1", NULL, NULL},
	{"V503", LIVE FEEDBACK(0), NULL, NULL},
	{"V504", LIVE INLET(300000), NULL, NULL},
	{"V505", LIVE CODE(EVSE_Status, 3), NULL, NULL},
	{"V506", LIVE "EV_Information.State=990", NULL, NULL},
	{"V510", LIVE ASKED(0), NULL, NULL},
	{"V511", LIVE ASKED(0) PRESENT(20000), NULL, NULL},
	{"V512", LIVE ASKED(100000), NULL, NULL},
	{"V513", LIVE ASKED(100000) OFFER(80000), NULL, NULL},
	{"V514", LIVE ASKED(100000) OFFER(80000) PRESENT(80000), NULL, NULL},
	{"V515", LIVE ASKED(100000) OFFER(150000) PRESENT(111000), NULL, NULL},
	{"V516", LIVE ASKED(100000) PRESENT(-40000), NULL, NULL},
	{"V517", LIVE ASKED(100000) OFFER(150000) PRESENT(79000), NULL, NULL},
	{"V518", LIVE ASKED(100000) OFFER(150000) PRESENT(100000), "charging: 100.0 A of 100.0 A at 330.0 V",
	 NULL},
	{"V520", STAGE(7) AC "AC_C.Ready=1 AC_S.Ready=1 +500 AC_C.Ready=0 +1100", NULL,
	 "it has to be at zero and not ready in 1.9 s"},
	{"V521", STAGE(7) AC "AC_C.Ready=1", NULL, NULL},
	{"V522", STAGE(7) AC "AC_C.Ready=1 AC_S.Ready=1 " OFFER(16000), "AC charging: up to 16.0 A", NULL},
	{"V600", LIVE STAGE(8) PRESENT(2000), NULL, NULL},
	{"V601", LIVE STAGE(8) PRESENT(1000), NULL, NULL},
	{"V602", STAGE(8) AC "AC_S.Ready=1", NULL, NULL},
	{"V603", STAGE(8) AC, NULL, NULL},
	{"V700", LIVE STAGE(9) PRESENT(2000), NULL, NULL},
	{"V701", LIVE STAGE(9), NULL, NULL},
	{"V702", LIVE STAGE(9) "+500 " CONTROL(0) "+300", NULL, NULL},
	{"V703", LIVE STAGE(9) "+500 " CONTROL(0) FEEDBACK(0) INLET(60100), NULL, NULL},
	{"V704", LIVE STAGE(9) "+500 " CONTROL(0) FEEDBACK(0) INLET(60000), NULL, NULL},
	{"V800", STAGE(10) PINS(5) CONTROL(0) CAR INLET(60100), NULL, NULL},
	{"V801", STAGE(10) PINS(5) CONTROL(0) CAR "EV_Status.Charge_R=1", NULL, NULL},
	{"V802", STAGE(10) PINS(5) CONTROL(0) CAR LOCK(1), NULL, NULL},
	{"V803", STAGE(10) PINS(5) CONTROL(0) CAR LOCK(0), NULL, NULL},
	{"V850", STAGE(11) PINS(5) CONTROL(0) CAR, NULL, NULL},
	{"V851", STAGE(11) PINS(5) CONTROL(0) CAR PRESENT(5000), NULL, NULL},
	{"V852", STAGE(11) PINS(5) CONTROL(0) CAR "EV_Status.Charge_R=1", NULL, NULL},
	{"V900", STAGE(12) PINS(5) CONTROL(0) CAR,
	 "the module is in stage 12, which this protocol version does not know", NULL},
};

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void run_case(const struct situation_case *c, enum mon_side side, unsigned version, struct explain *x)
{
	static struct mon_script s;

	mon_script_init(&s, side, version, NULL);
	mon_script_run(&s, c->words);
	explain_point(&s.model, s.point, x);
}

static unsigned run_cases(const struct situation_case *cases, size_t n, enum mon_side side, unsigned version)
{
	unsigned n_bad = 0;

	for (size_t i = 0; i < n; i++) {
		const struct situation_case *c = &cases[i];
		struct explain x;

		run_case(c, side, version, &x);
		if (strcmp(c->code, x.situation->code) == 0 &&
		    (!c->waiting || !strcmp(c->waiting, x.waiting)) &&
		    (!c->otherwise || !strcmp(c->otherwise, x.otherwise)))
			continue;
		print_message("%s from \"%s\"\n  is %s: %s\n  else %s\n", c->code, c->words,
			      x.situation->code, x.waiting, x.otherwise);
		n_bad++;
	}
	return n_bad;
}

static void test_explain_each_case_gives_its_situation(void **state)
{
	(void)state;
	assert_int_equal(run_cases(evse_cases, N(evse_cases), MON_EVSE, EVSE_V3_6), 0);
	assert_int_equal(run_cases(pev_cases, N(pev_cases), MON_PEV, PEV_V2_5), 0);
}

static bool is_reached(const char *code)
{
	for (size_t i = 0; i < N(evse_cases); i++)
		if (strcmp(evse_cases[i].code, code) == 0)
			return true;
	for (size_t i = 0; i < N(pev_cases); i++)
		if (strcmp(pev_cases[i].code, code) == 0)
			return true;
	return false;
}

static void test_explain_table_every_situation_has_a_case(void **state)
{
	unsigned n_bad = 0;

	(void)state;
	assert_true(explain_count() >= 90);
	for (size_t i = 0; i < explain_count(); i++)
		if (!is_reached(explain_get(i)->code)) {
			print_message("%s is reached by no case\n", explain_get(i)->code);
			n_bad++;
		}
	assert_int_equal(n_bad, 0);
	assert_null(explain_get(explain_count()));
}

static void test_explain_table_is_well_formed(void **state)
{
	(void)state;
	for (size_t i = 0; i < explain_count(); i++) {
		const struct explain_situation *s = explain_get(i);

		assert_int_equal(strlen(s->code), 4);
		assert_true(s->code[0] == 'E' || s->code[0] == 'V');
		assert_int_equal(strspn(s->code + 1, "0123456789"), 3);
		assert_true(s->title[0] >= 'A' && s->title[0] <= 'Z');
		assert_true(strlen(s->waiting) > 5 && strlen(s->otherwise) > 5);
		/* Every {name} may grow to some 20 characters. */
		assert_true(strlen(s->waiting) < EXPLAIN_TEXT - 40 &&
			    strlen(s->otherwise) < EXPLAIN_TEXT - 40);
		/* A countdown and the words for it go together. */
		if (strstr(s->otherwise, "{in}"))
			assert_true(s->limit_ms > 0);
		if (s->limit_ms)
			assert_non_null(strstr(s->otherwise, "{in}"));
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(s->code, explain_get(k)->code);
			if (s->code[0] == explain_get(k)->code[0])
				assert_string_not_equal(s->title, explain_get(k)->title);
		}
	}
}

static void test_explain_countdown_ends_at_zero(void **state)
{
	static struct mon_script s;
	struct explain x;

	(void)state;
	mon_script_init(&s, MON_EVSE, EVSE_V3_6, NULL);
	mon_script_run(&s, PMS STATE(4) "+100");
	explain_point(&s.model, 1, &x);
	assert_int_equal(x.left_us, 39900000);
	mon_script_run(&s, "+39850");
	explain_point(&s.model, 1, &x);
	assert_int_equal(x.left_us, 50000);
	assert_string_equal(x.otherwise, "the module closes the session without any power in 0.1 s");
	mon_script_run(&s, "+100000");
	explain_point(&s.model, 1, &x);
	assert_int_equal(x.left_us, 0);
	assert_string_equal(x.otherwise, "the module closes the session without any power at any moment");
}

/* What an old version does not name is unknown in it, and what it calls otherwise is understood. */
static void test_explain_old_versions_are_judged_by_their_own_names(void **state)
{
	static const struct situation_case evse_3_2[] = {{"E900", ENABLED STATE(13), NULL, NULL}};
	static const struct situation_case evse_3_0[] = {
		{"E307", ENABLED STATE(4) OUTPUT(400000) POWER(1, 0, 0, 0, 0) "DC_Power_C.Output_B=1", NULL,
		 NULL},
		{"E600", ENABLED STATE(8) OUTPUT(400000) FLOW(5000) POWER(1, 0, 0, 0, 0), NULL, NULL},
	};
	static const struct situation_case pev_2_2[] = {{"V900", STAGE(11) CONTROL(0) CAR, NULL, NULL}};

	(void)state;
	assert_int_equal(run_cases(evse_3_2, 1, MON_EVSE, EVSE_V3_2), 0);
	assert_int_equal(run_cases(evse_3_0, 2, MON_EVSE, EVSE_V3_0), 0);
	assert_int_equal(run_cases(pev_2_2, 1, MON_PEV, PEV_V2_2), 0);
}

/* A new session does not look at the commands and the end of the one before. */
static void test_explain_second_session_starts_afresh(void **state)
{
	static struct mon_script s;
	struct explain x;

	(void)state;
	mon_script_init(&s, MON_EVSE, EVSE_V3_6, NULL);
	mon_script_run(&s, ENABLED STATE(1) "+500 " TARGET(100000) FLOW(100000) "+2000 " STATE(10) OUTPUT(0)
				   FLOW(0) "-DC_Power_C once:Charge_Session_F +3000");
	explain_point(&s.model, 1, &x);
	assert_string_equal(x.situation->code, "E802");
	mon_script_run(&s, STATE(1) "+10000 " STATE(2) "+3000 " STATE(4) "+500");
	explain_point(&s.model, 1, &x);
	assert_string_equal(x.situation->code, "E309");
	mon_script_run(&s, STATE(10) "+500");
	explain_point(&s.model, 1, &x);
	assert_string_equal(x.situation->code, "E803");
}

/* Any content: one situation, sentences that end. */
static void test_explain_random_frames_always_have_a_situation(void **state)
{
	static struct mon_model m;
	uint32_t seed = 12345;

	(void)state;
	for (unsigned side = 0; side < 2; side++) {
		const struct mon_cfg cfg = {.side = side ? MON_PEV : MON_EVSE,
					    .version = side ? PEV_V2_5 : EVSE_V3_6};

		mon_model_init(&m, &cfg, NULL, 0);
		for (unsigned i = 0; i < 200000; i++) {
			struct can_frame f;
			struct explain x;
			const struct msg_layout *l;

			seed = seed * 1664525u + 1013904223u;
			l = &m.layouts[(seed >> 16) % m.n_msgs];
			memset(&f, 0, sizeof(f));
			f.can_id = l->id | (side ? 0 : 1u << MSG_INDEX_SHIFT);
			f.can_dlc = l->dlc;
			for (unsigned k = 0; k < 8; k++) {
				seed = seed * 1664525u + 1013904223u;
				f.data[k] = (uint8_t)(seed >> 24);
			}
			if (seed % 3)
				f.data[0] %= 14;
			mon_model_rx(&m, (int64_t)i * 7000, &f);
			explain_point(&m, side ? 0 : 1, &x);
			assert_non_null(x.situation);
			assert_true(strlen(x.waiting) > 0 && strlen(x.waiting) < EXPLAIN_TEXT - 1);
			assert_true(strlen(x.otherwise) < EXPLAIN_TEXT - 1);
			assert_null(strpbrk(x.waiting, "{}"));
			assert_true(x.left_us >= -1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_explain_each_case_gives_its_situation),
		cmocka_unit_test(test_explain_table_every_situation_has_a_case),
		cmocka_unit_test(test_explain_table_is_well_formed),
		cmocka_unit_test(test_explain_countdown_ends_at_zero),
		cmocka_unit_test(test_explain_old_versions_are_judged_by_their_own_names),
		cmocka_unit_test(test_explain_second_session_starts_afresh),
		cmocka_unit_test(test_explain_random_frames_always_have_a_situation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
