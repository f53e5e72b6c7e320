/* SPDX-License-Identifier: MIT */
/* The small parts of pev-ctrl: caps of the request, contactor machine, request bits, settings, tables. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <forecourt/units.h>

#include "pev-ctrl/pev_contactors.h"
#include "pev-ctrl/pev_limits.h"
#include "pev-ctrl/pev_pulse.h"
#include "pev-ctrl/pev_states.h"
#include "pev_msgs.h"

static struct pev_conf conf;

static int setup(void **state)
{
	(void)state;
	memset(&conf, 0, sizeof(conf));
	opts_defaults(pev_conf_table, pev_conf_n, &conf);
	return 0;
}

/* ------------------------------------------------------------------------------------------------- limits */

static struct pev_limit_input plain(void)
{
	struct pev_limit_input in = {
		.veto = PEV_LIMIT_BMS,
		.bms_mA = 150000,
		.pack_mA = 200000,
		.soc_permille = 300,
		.battery_mV = 330000,
		.max_battery_mV = 400000,
		.temp_mdegC = 25000,
		.step_mA = 1000,
		.raw_max_mA = 32767000,
	};

	return in;
}

static void expect(const struct pev_limit_input *in, int32_t current_mA, enum pev_limit by)
{
	struct pev_limit_result r = pev_limits_charge(&conf, in);

	assert_int_equal(r.by, by);
	assert_int_equal(r.current_mA, current_mA);
}

static void test_limits_each_cap_binds_and_is_named(void **state)
{
	struct pev_limit_input in = plain();

	(void)state;
	expect(&in, 150000, PEV_LIMIT_BMS);
	conf.requested_current_mA = 149999;
	expect(&in, 149000, PEV_LIMIT_USER);
	conf.max_charge_current_mA = 140000;
	expect(&in, 140000, PEV_LIMIT_PACK);
	in.pack_mA = 130000;
	expect(&in, 130000, PEV_LIMIT_PACK);
	conf.taper_start_soc_pct = 80;
	conf.taper_end_current_mA = 10000;
	in.soc_permille = 900;
	expect(&in, 70000, PEV_LIMIT_TAPER_SOC);
	conf.taper_start_voltage_mV = 300000;
	in.battery_mV = 390000;
	expect(&in, 13000, PEV_LIMIT_TAPER_VOLTAGE);
	in.temp_mdegC = 55000;
	expect(&in, 6000, PEV_LIMIT_DERATING);
	in.charger_mA = 5000;
	expect(&in, 5000, PEV_LIMIT_CHARGER);
	in.raw_max_mA = 4000;
	expect(&in, 4000, PEV_LIMIT_RAW);
	in.veto = PEV_LIMIT_BMS_STALE;
	expect(&in, 0, PEV_LIMIT_BMS_STALE);
}

static void test_limits_edges_of_taper_and_derating(void **state)
{
	struct pev_limit_input in = plain();

	(void)state;
	conf.taper_start_soc_pct = 80;
	in.soc_permille = 800;
	expect(&in, 150000, PEV_LIMIT_BMS);
	in.soc_permille = 1000;
	expect(&in, 0, PEV_LIMIT_TAPER_SOC);
	in = plain();
	in.temp_mdegC = 50000;
	expect(&in, 150000, PEV_LIMIT_BMS);
	in.temp_mdegC = 60000;
	expect(&in, 0, PEV_LIMIT_DERATING);
	in.temp_mdegC = INT32_MAX;
	expect(&in, 0, PEV_LIMIT_DERATING);
	in.temp_mdegC = INT32_MIN; /* not known */
	expect(&in, 150000, PEV_LIMIT_BMS);
	conf.taper_start_voltage_mV = 400000; /* not below the maximum: off */
	in.battery_mV = 500000;
	expect(&in, 150000, PEV_LIMIT_BMS);
}

static void test_limits_negative_wishes_are_zero_and_unknown_maximum_is_no_cap(void **state)
{
	struct pev_limit_input in = plain();

	(void)state;
	in.charger_mA = 0;
	expect(&in, 150000, PEV_LIMIT_BMS);
	in.charger_mA = -1000;
	expect(&in, 150000, PEV_LIMIT_BMS);
	in.bms_mA = -5000;
	expect(&in, 0, PEV_LIMIT_BMS);
	in = plain();
	in.pack_mA = -1;
	expect(&in, 0, PEV_LIMIT_PACK);
}

static void test_limits_every_name_is_there(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < PEV_N_LIMITS; i++)
		assert_non_null(pev_limit_name((enum pev_limit)i));
}

static void test_energy_order_holds_for_any_input(void **state)
{
	static const int64_t v[] = {INT64_MIN, -1, 0, 10, 50, 60, 100, INT64_MAX};
	size_t i;

	(void)state;
	for (i = 0; i < 8 * 8 * 8 * 8 * 8; i++) {
		struct pev_energy e = {v[i % 8], v[i / 8 % 8], v[i / 64 % 8], v[i / 512 % 8], v[i / 4096]};

		pev_limits_fix_energy(&e, 60);
		assert_true(0 <= e.min_Wh && e.min_Wh <= e.target_Wh && e.target_Wh <= e.max_Wh &&
			    e.max_Wh <= 60);
		assert_true(e.min_Wh <= e.v2x_min_Wh && e.v2x_min_Wh <= e.v2x_max_Wh &&
			    e.v2x_max_Wh <= e.max_Wh);
	}
}

static void test_energy_without_known_capacity_is_not_capped(void **state)
{
	struct pev_energy e = {50, 60, 10, 20, 40};

	(void)state;
	pev_limits_fix_energy(&e, 0);
	assert_int_equal(e.max_Wh, 60);
	assert_int_equal(e.target_Wh, 50);
}

/* --------------------------------------------------------------------------------------------- contactors */

static uint32_t step(struct pev_contactors *k, int64_t now_us, enum pev_contactor_want want, int32_t feedback,
		     bool is_current_low)
{
	struct pev_contactor_input in = {want, feedback, is_current_low};

	return pev_contactors_step(k, now_us, &in);
}

static void closed(struct pev_contactors *k)
{
	pev_contactors_init(k, 0, 1000, 500);
	step(k, 1, PEV_WANT_OPEN, 0, true);
	assert_int_equal(k->state, PEV_K_OPEN);
	step(k, 2, PEV_WANT_CLOSED, 0, true);
	assert_int_equal(k->state, PEV_K_CLOSING);
	step(k, 3, PEV_WANT_CLOSED, 1, true);
	assert_int_equal(k->state, PEV_K_CLOSED);
}

static void test_contactors_start_open_and_wait_for_feedback(void **state)
{
	struct pev_contactors k;

	(void)state;
	pev_contactors_init(&k, 0, 1000, 500);
	assert_false(k.is_closed);
	assert_false(k.is_urgent);
	assert_int_equal(step(&k, 1, PEV_WANT_CLOSED, -1, true), 0);
	assert_int_equal(k.state, PEV_K_OPENING);
	assert_int_equal(step(&k, 1000, PEV_WANT_CLOSED, -1, true), 0);
	assert_int_equal(k.state, PEV_K_OPEN);
	/* Not known is not open. */
	step(&k, 1001, PEV_WANT_CLOSED, -1, true);
	assert_false(k.is_closed);
}

static void test_contactors_closing_gives_up_by_time_or_word(void **state)
{
	struct pev_contactors k;

	(void)state;
	pev_contactors_init(&k, 0, 1000, 500);
	step(&k, 1, PEV_WANT_OPEN, 0, true);
	step(&k, 2, PEV_WANT_CLOSED, 0, true);
	assert_int_equal(step(&k, 1001, PEV_WANT_CLOSED, 0, true), 0);
	assert_int_equal(step(&k, 1002, PEV_WANT_CLOSED, 0, true), PEV_K_EV_NOT_CLOSING);
	assert_int_equal(k.state, PEV_K_OPENING);
	assert_false(k.is_urgent);
	step(&k, 1003, PEV_WANT_OPEN, 0, true);
	step(&k, 1004, PEV_WANT_CLOSED, 0, true);
	assert_int_equal(step(&k, 1005, PEV_WANT_HOLD, 0, true), 0);
	assert_false(k.is_closed);
	step(&k, 1006, PEV_WANT_OPEN, 0, true);
	step(&k, 1007, PEV_WANT_CLOSED, 0, true);
	step(&k, 1008, PEV_WANT_OPEN_NOW, 0, true);
	assert_true(k.is_urgent);
}

static void test_contactors_closed_in_the_moment_of_the_open_word(void **state)
{
	struct pev_contactors k;

	(void)state;
	pev_contactors_init(&k, 0, 1000, 500);
	step(&k, 1, PEV_WANT_OPEN, 0, true);
	step(&k, 2, PEV_WANT_CLOSED, 0, true);
	step(&k, 3, PEV_WANT_OPEN, 1, false);
	assert_int_equal(k.state, PEV_K_SHEDDING);
}

static void test_contactors_open_in_order_or_by_force(void **state)
{
	struct pev_contactors k;

	(void)state;
	closed(&k);
	assert_int_equal(step(&k, 10, PEV_WANT_OPEN, 1, true), 0);
	assert_int_equal(k.state, PEV_K_OPENING);
	assert_false(k.is_urgent);
	closed(&k);
	assert_int_equal(step(&k, 10, PEV_WANT_OPEN_NOW, 1, true), 0);
	assert_true(k.is_urgent);
	closed(&k);
	assert_int_equal(step(&k, 10, PEV_WANT_OPEN_NOW, 1, false), PEV_K_EV_FORCED);
	closed(&k);
	step(&k, 10, PEV_WANT_OPEN, 1, false);
	assert_int_equal(k.state, PEV_K_SHEDDING);
	assert_int_equal(step(&k, 509, PEV_WANT_CLOSED, 1, false), 0);
	assert_int_equal(step(&k, 510, PEV_WANT_CLOSED, 1, false), PEV_K_EV_FORCED);
	assert_true(k.is_urgent);
	closed(&k);
	step(&k, 10, PEV_WANT_OPEN, 1, false);
	step(&k, 11, PEV_WANT_OPEN, 0, false);
	assert_int_equal(k.state, PEV_K_OPENING);
	assert_false(k.is_urgent);
}

static void test_contactors_found_welded_and_released(void **state)
{
	struct pev_contactors k;

	(void)state;
	closed(&k);
	step(&k, 10, PEV_WANT_OPEN, 1, true);
	assert_int_equal(step(&k, 1009, PEV_WANT_OPEN, 1, true), 0);
	assert_int_equal(step(&k, 1010, PEV_WANT_OPEN, 1, true), PEV_K_EV_WELDED);
	assert_true(k.is_welded);
	assert_true(k.is_urgent);
	assert_int_equal(step(&k, 1011, PEV_WANT_CLOSED, 1, true), PEV_K_EV_WELDED);
	assert_false(k.is_closed);
	assert_int_equal(step(&k, 1012, PEV_WANT_OPEN, 0, true), 0);
	assert_false(k.is_welded);
	assert_false(k.is_urgent);
}

static void test_contactors_opened_by_themselves(void **state)
{
	struct pev_contactors k;

	(void)state;
	closed(&k);
	assert_int_equal(step(&k, 10, PEV_WANT_CLOSED, 0, true), PEV_K_EV_OPENED_BY_ITSELF);
	assert_false(k.is_closed);
	assert_false(k.is_urgent);
}

static void test_contactors_refused_go_back_to_open(void **state)
{
	struct pev_contactors k;

	(void)state;
	closed(&k);
	pev_contactors_refused(&k, 10);
	assert_int_equal(k.state, PEV_K_OPENING);
	assert_true(k.is_urgent);
	step(&k, 11, PEV_WANT_OPEN, 0, true);
	pev_contactors_refused(&k, 12);
	assert_int_equal(k.state, PEV_K_OPEN);
}

/* ------------------------------------------------------------------------------------------------- pulses */

static void test_pulse_is_high_for_its_time_then_low_for_its_time(void **state)
{
	struct pev_pulse p;

	(void)state;
	pev_pulse_init(&p);
	assert_false(pev_pulse_bit(&p, 0, 600));
	pev_pulse_start(&p);
	assert_true(pev_pulse_is_busy(&p));
	assert_true(pev_pulse_bit(&p, 100, 600));
	pev_pulse_start(&p);
	assert_true(pev_pulse_bit(&p, 699, 600));
	assert_false(pev_pulse_bit(&p, 700, 600));
	assert_false(pev_pulse_bit(&p, 1299, 600));
	assert_true(pev_pulse_bit(&p, 1300, 600));
	assert_false(pev_pulse_bit(&p, 1900, 600));
	assert_false(pev_pulse_is_busy(&p));
}

static void test_pulse_cancelled_is_low_at_once_and_stays_low_for_its_time(void **state)
{
	struct pev_pulse p;

	(void)state;
	pev_pulse_init(&p);
	pev_pulse_cancel(&p, 0, 600);
	pev_pulse_start(&p);
	assert_true(pev_pulse_bit(&p, 0, 600));
	pev_pulse_cancel(&p, 100, 600);
	assert_false(pev_pulse_is_busy(&p));
	pev_pulse_start(&p);
	assert_false(pev_pulse_bit(&p, 699, 600));
	assert_true(pev_pulse_bit(&p, 700, 600));
}

/* ----------------------------------------------------------------------------------- settings and tables */

static void expect_bad(const char *word)
{
	char err[200] = "";

	assert_int_equal(pev_conf_check(&conf, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, word));
	setup(NULL);
}

static void test_conf_rules_between_keys(void **state)
{
	char err[200];

	(void)state;
	assert_int_equal(pev_conf_check(&conf, err, sizeof(err)), 0);
	conf.protocol = 77;
	expect_bad("protocol");
	conf.energy_order = PEV_ORDER_TARGET_MIN_MAX;
	expect_bad("energy_order");
	conf.derating_end_mdegC = conf.derating_start_mdegC;
	expect_bad("derating_end_mdegC");
	conf.max_battery_voltage_mV = 400000;
	conf.taper_start_voltage_mV = 400000;
	expect_bad("taper_start_voltage_mV");
	conf.energy_order = PEV_ORDER_TARGET_MIN_MAX;
	conf.protocol = PEV_V2_0_EX;
	assert_int_equal(pev_conf_check(&conf, err, sizeof(err)), 0);
}

static void test_conf_every_key_reads_back_what_it_writes(void **state)
{
	struct pev_conf before;
	char text[256], err[256];
	size_t i;

	(void)state;
	before = conf;
	for (i = 0; i < pev_conf_n; i++) {
		opts_get(&pev_conf_table[i], &conf, text, sizeof(text));
		assert_int_equal(opts_set(&pev_conf_table[i], &conf, text, err, sizeof(err)), 0);
		assert_int_equal(opts_find(pev_conf_table, pev_conf_n, pev_conf_table[i].name), (int)i);
	}
	assert_memory_equal(&before, &conf, sizeof(conf));
}

static void test_tables_are_complete(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < PEV_N_STATES; i++)
		assert_non_null(pev_state_row((enum pev_state)i)->name);
	for (i = 0; i < PEV_N_FAULTS; i++)
		assert_non_null(pev_fault_row((enum pev_fault)i)->name);
	for (i = 0; i <= PEV_K_OPENING; i++)
		assert_non_null(pev_contactors_name((enum pev_contactor_state)i));
	/* The numbers of faults are promised to users: they never change. */
	assert_int_equal(PEV_FAULT_DC_CONTROL_LOST, 1);
	assert_int_equal(PEV_FAULT_WELDED, 8);
	assert_int_equal(PEV_FAULT_EMERGENCY, 16);
	assert_int_equal(PEV_FAULT_GUARD, 18);
}

static void test_tables_no_state_of_stages_0_to_4_permits_closed_contactors(void **state)
{
	int stage;

	(void)state;
	for (stage = 0; stage <= 4; stage++)
		assert_int_equal(pev_state_row(pev_state_of_stage((uint8_t)stage))->permit,
				 PEV_PERMIT_OPEN_NOW);
	for (stage = 8; stage <= 11; stage++)
		assert_int_not_equal(pev_state_row(pev_state_of_stage((uint8_t)stage))->permit,
				     PEV_PERMIT_CLOSE);
	for (stage = 12; stage <= 255; stage++)
		assert_int_equal(pev_state_of_stage((uint8_t)stage), PEV_ST_UNKNOWN);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_limits_each_cap_binds_and_is_named),
		TEST(test_limits_edges_of_taper_and_derating),
		TEST(test_limits_negative_wishes_are_zero_and_unknown_maximum_is_no_cap),
		TEST(test_limits_every_name_is_there),
		TEST(test_energy_order_holds_for_any_input),
		TEST(test_energy_without_known_capacity_is_not_capped),
		TEST(test_contactors_start_open_and_wait_for_feedback),
		TEST(test_contactors_closing_gives_up_by_time_or_word),
		TEST(test_contactors_closed_in_the_moment_of_the_open_word),
		TEST(test_contactors_open_in_order_or_by_force),
		TEST(test_contactors_found_welded_and_released),
		TEST(test_contactors_opened_by_themselves),
		TEST(test_contactors_refused_go_back_to_open),
		TEST(test_pulse_is_high_for_its_time_then_low_for_its_time),
		TEST(test_pulse_cancelled_is_low_at_once_and_stays_low_for_its_time),
		TEST(test_conf_rules_between_keys),
		TEST(test_conf_every_key_reads_back_what_it_writes),
		TEST(test_tables_are_complete),
		TEST(test_tables_no_state_of_stages_0_to_4_permits_closed_contactors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
