/* SPDX-License-Identifier: MIT */
/* Numbers, times and names as the monitors' screens write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/mon_view_draw.h"

#include "evse_msgs.h"
#include "pev_msgs.h"

static void test_view_number_rounds_to_nearest_and_keeps_the_sign(void **state)
{
	static const struct {
		int64_t number, scale;
		int decimals;
		const char *text;
	} rows[] = {
		{398449, 1000, 1, "398.4"},
		{398450, 1000, 1, "398.5"},
		{-50, 1000, 1, "-0.1"},
		{-49, 1000, 1, "0.0"},
		{999950, 1000, 1, "1000.0"},
		{-1500, 1000, 0, "-2"},
		{7, 10, 0, "1"},
		{12345, 1000, 2, "12.35"},
		{MON_UNKNOWN, 1000, 1, "----"},
		{INT64_MAX, 1, 0, "9223372036854775807"},
		{INT64_MIN, 1000, 1, "-9223372036854775.8"},
	};
	char text[VIEW_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		view_number(text, rows[i].number, rows[i].scale, rows[i].decimals);
		assert_string_equal(text, rows[i].text);
	}
}

static void test_view_age_takes_three_columns_at_most(void **state)
{
	static const struct {
		int64_t us;
		const char *text;
	} rows[] = {
		{-1, ""},	    {999999, ""},	  {1000000, "1s"},
		{59999999, "59s"},  {60000000, "1m"},	  {3599999999, "59m"},
		{3600000000, "1h"}, {86399999999, "23h"}, {86400000000, "1d"},
		{INT64_MAX, "99d"},
	};
	char text[VIEW_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		view_age(text, rows[i].us);
		assert_string_equal(text, rows[i].text);
	}
}

static void test_view_clock_wraps_in_the_day_only(void **state)
{
	char text[VIEW_TEXT];

	(void)state;
	view_clock(text, INT64_C(90061002000), true, true);
	assert_string_equal(text, "01:01:01.002");
	view_clock(text, INT64_C(90061002000), false, false);
	assert_string_equal(text, "25:01:01");
	view_clock(text, -1000000, true, false);
	assert_string_equal(text, "23:59:59");
}

static void test_view_label_is_readable_and_never_too_long(void **state)
{
	char text[VIEW_TEXT], tiny[8];

	(void)state;
	view_label(text, sizeof(text), "Waiting_For_PEV");
	assert_string_equal(text, "Waiting for PEV");
	view_label(text, sizeof(text), "state A_To_B -> C");
	assert_string_equal(text, "state A to B → C");
	view_label(tiny, sizeof(tiny), "Waiting_For_PEV");
	assert_true(strlen(tiny) < sizeof(tiny));
}

static void test_view_wrap_breaks_between_words(void **state)
{
	(void)state;
	assert_int_equal(view_wrap("one two three", 8), 7);
	assert_int_equal(view_wrap("one two three", 7), 7);
	assert_int_equal(view_wrap("one two", 20), 7);
	assert_int_equal(view_wrap("unbreakable", 4), 4);
	assert_int_equal(view_wrap("ΩΩΩΩ", 2), 4);
	assert_int_equal(view_wrap("", 4), 0);
}

static const struct msg_field *field(const struct msg_layout *l, const char *signal)
{
	for (unsigned i = 0; i < l->n_fields; i++)
		if (strcmp(l->fields[i].signal, signal) == 0)
			return &l->fields[i];
	fail_msg("no signal %s", signal);
	return NULL;
}

/* As many digits as a step of the wire has, in the unit of the suffix. */
static void test_view_quantity_takes_unit_and_digits_from_the_field(void **state)
{
	static const struct {
		const struct msg_layout *layout;
		const char *signal;
		int64_t number;
		const char *text, *unit;
	} rows[] = {
		{&evse_layouts[EVSE_V3_6][EVSE_POWER_MODULES_STATUS], "Present_Voltage", 402300, "402.3",
		 "V"},
		{&evse_layouts[EVSE_V3_6][EVSE_POWER_MODULES_STATUS], "Present_Current", -55500, "-55.5",
		 "A"},
		{&evse_layouts[EVSE_V3_6][EVSE_POWER_MODULES_STATUS], "Insulation_Resistance", 100000, "100",
		 "kΩ"},
		{&evse_layouts[EVSE_V3_6][EVSE_POWER_MODULES_STATUS], "Enclosure_Temperature", 20000, "20",
		 "°C"},
		{&evse_layouts[EVSE_V3_6][EVSE_EV_INFORMATION_BATTERY], "Battery_Capacity", 76000, "76",
		 "kWh"},
		{&evse_layouts[EVSE_V3_6][EVSE_CCS_EXTRA_INFORMATION], "CP_Duty_Cycle", 53, "5.3", "%"},
		{&pev_layouts[PEV_V2_5][PEV_EV_INFORMATION], "State_of_Charge", 300, "30", "%"},
		{&pev_layouts[PEV_V2_5][PEV_CCS_EXTRA_INFORMATION], "PP_Resistance", 1500, "1500", "Ω"},
		{&pev_layouts[PEV_V2_5][PEV_EV_EXTRA_BPT_INFORMATION], "Departure_Time", 86400, "86400", "s"},
		{&pev_layouts[PEV_V2_5][PEV_DC_STATUS1], "Max_Charge_Current", 100000, "100", "A"},
		{&pev_layouts[PEV_V2_0_EX][PEV_EV_ENERGY_REQUEST], "Target_Energy_Request", 60420, "60.42",
		 "kWh"},
		{&evse_layouts[EVSE_V3_6][EVSE_ADM_CS_SECC_OUTPUTS], "Led1", 100, "100", ""},
	};
	char text[VIEW_TEXT];
	const char *unit;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		view_quantity(text, field(rows[i].layout, rows[i].signal), rows[i].number, &unit);
		assert_string_equal(text, rows[i].text);
		assert_string_equal(unit, rows[i].unit);
	}
}

static void test_view_span_is_in_two_units_at_most(void **state)
{
	static const struct {
		int64_t us;
		const char *text;
	} rows[] = {
		{-1, "----"},
		{0, "0 s"},
		{59999999, "59 s"},
		{INT64_C(725000000), "12 m 05 s"},
		{INT64_C(11220000000), "3 h 07 m"},
		{INT64_C(187200000000), "2 d 04 h"},
	};
	char text[VIEW_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		view_span(text, rows[i].us);
		assert_string_equal(text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_view_number_rounds_to_nearest_and_keeps_the_sign),
		cmocka_unit_test(test_view_age_takes_three_columns_at_most),
		cmocka_unit_test(test_view_clock_wraps_in_the_day_only),
		cmocka_unit_test(test_view_label_is_readable_and_never_too_long),
		cmocka_unit_test(test_view_wrap_breaks_between_words),
		cmocka_unit_test(test_view_quantity_takes_unit_and_digits_from_the_field),
		cmocka_unit_test(test_view_span_is_in_two_units_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
