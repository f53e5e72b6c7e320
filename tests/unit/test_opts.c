/* SPDX-License-Identifier: MIT */
/* Option tables: every type, its range, its text form, and what must be refused. */
#include "lib/core/opts.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct settings {
	int32_t is_on;
	int32_t count;
	int64_t energy_Wh;
	int32_t voltage_mV;
	int32_t mode;
	char name[8];
	int32_t free;
};

static const struct opt_name modes[] = {{1, "target"}, {4, "range"}, {0, NULL}};

#define AT(member) offsetof(struct settings, member), sizeof(((struct settings *)0)->member)

static const struct opt table[] = {
	{"is_on", 0, OPT_BOOL, 0, "", 0, 0, "yes", AT(is_on), NULL, "switch"},
	{"count", 'n', OPT_INT, 0, "", -5, 10, "3", AT(count), NULL, "how many"},
	{"energy", 0, OPT_LONG, 0, "Wh", 0, INT64_C(9000000000), "8000000000", AT(energy_Wh), NULL, "energy"},
	{"voltage", 0, OPT_MILLI, 0, "V", -1000, 500000, "400.5", AT(voltage_mV), NULL, "voltage"},
	{"mode", 0, OPT_ENUM, 0, "", 0, 0, "range", AT(mode), modes, "set point mode"},
	{"name", 0, OPT_TEXT, 0, "", 0, 0, "abc", AT(name), NULL, "name"},
	{"free_number", 0, OPT_INT, 0, "", 0, 0, "-2147483648", AT(free), NULL, "no range"},
};

enum { ON, COUNT, ENERGY, VOLTAGE, MODE, NAME, FREE, N };

static void assert_round_trip(int i, const char *text, const char *expected)
{
	struct settings s;
	char err[128] = "", back[64];

	opts_defaults(table, N, &s);
	assert_int_equal(opts_set(&table[i], &s, text, err, sizeof(err)), 0);
	opts_get(&table[i], &s, back, sizeof(back));
	assert_string_equal(back, expected);
}

static void test_opts_defaults_are_stored_in_their_units(void **state)
{
	struct settings s;

	(void)state;
	memset(&s, 0x5A, sizeof(s));
	opts_defaults(table, N, &s);
	assert_int_equal(s.is_on, 1);
	assert_int_equal(s.count, 3);
	assert_true(s.energy_Wh == INT64_C(8000000000));
	assert_int_equal(s.voltage_mV, 400500);
	assert_int_equal(s.mode, 4);
	assert_string_equal(s.name, "abc");
	assert_int_equal(s.free, INT32_MIN);
}

static void test_opts_values_read_back_as_written(void **state)
{
	(void)state;
	assert_round_trip(ON, "off", "no");
	assert_round_trip(ON, "true", "yes");
	assert_round_trip(COUNT, "-5", "-5");
	assert_round_trip(COUNT, "+10", "10");
	assert_round_trip(ENERGY, "9000000000", "9000000000");
	assert_round_trip(VOLTAGE, "-1", "-1");
	assert_round_trip(VOLTAGE, "0.001", "0.001");
	assert_round_trip(VOLTAGE, "-.25", "-0.25");
	assert_round_trip(VOLTAGE, "12.500", "12.5");
	assert_round_trip(VOLTAGE, "200", "200");
	assert_round_trip(MODE, "target", "target");
	assert_round_trip(NAME, "", "");
	assert_round_trip(NAME, "1234567", "1234567");
	assert_round_trip(FREE, "2147483647", "2147483647");
}

static void test_opts_bad_values_are_refused_with_the_name_and_leave_the_settings_alone(void **state)
{
	static const struct {
		int i, error;
		const char *text;
	} bad[] = {
		{ON, -EINVAL, "maybe"},	       {ON, -EINVAL, ""},
		{COUNT, -EINVAL, ""},	       {COUNT, -EINVAL, "3.5"},
		{COUNT, -EINVAL, "3 "},	       {COUNT, -EINVAL, "0x3"},
		{COUNT, -EINVAL, "--3"},       {COUNT, -ERANGE, "11"},
		{COUNT, -ERANGE, "-6"},	       {COUNT, -ERANGE, "99999999999999999999999"},
		{ENERGY, -ERANGE, "-1"},       {VOLTAGE, -EINVAL, "1.0005"},
		{VOLTAGE, -EINVAL, "."},       {VOLTAGE, -EINVAL, "1e3"},
		{VOLTAGE, -ERANGE, "500.001"}, {VOLTAGE, -ERANGE, "9223372036854775807"},
		{VOLTAGE, -EINVAL, "nan"},     {MODE, -EINVAL, "Range"},
		{MODE, -EINVAL, ""},	       {NAME, -ERANGE, "12345678"},
		{NAME, -EINVAL, "a\nb"},       {FREE, -ERANGE, "2147483648"},
	};
	struct settings s, before;
	char err[128];
	size_t i;

	(void)state;
	memset(&before, 0, sizeof(before));
	opts_defaults(table, N, &before);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		s = before;
		err[0] = '\0';
		assert_int_equal(opts_set(&table[bad[i].i], &s, bad[i].text, err, sizeof(err)), bad[i].error);
		assert_memory_equal(&s, &before, sizeof(s));
		assert_ptr_equal(strstr(err, table[bad[i].i].name), err);
	}
}

static void test_opts_range_message_gives_range_unit_and_value(void **state)
{
	struct settings s;
	char err[128];

	(void)state;
	opts_set(&table[VOLTAGE], &s, "600", err, sizeof(err));
	assert_string_equal(err, "voltage must be -1 to 500 V, not 600");
	opts_set(&table[MODE], &s, "x", err, sizeof(err));
	assert_string_equal(err, "mode must be one of target, range, not 'x'");
}

static void test_opts_short_error_buffer_is_cut_not_overrun(void **state)
{
	struct settings s;
	char err[8];

	(void)state;
	assert_int_equal(opts_set(&table[VOLTAGE], &s, "600", err, sizeof(err)), -ERANGE);
	assert_true(strlen(err) < sizeof(err));
}

static void test_opts_find_accepts_dashes_and_refuses_prefixes(void **state)
{
	(void)state;
	assert_int_equal(opts_find(table, N, "free_number"), FREE);
	assert_int_equal(opts_find(table, N, "free-number"), FREE);
	assert_int_equal(opts_find(table, N, "free"), -1);
	assert_int_equal(opts_find(table, N, "free_number_2"), -1);
	assert_int_equal(opts_find(table, N, ""), -1);
}

static void test_parse_milli_limits_of_the_type(void **state)
{
	int64_t v = 7;

	(void)state;
	assert_int_equal(opts_parse_milli("9223372036854775.807", &v), 0);
	assert_true(v == INT64_MAX);
	assert_int_equal(opts_parse_milli("-9223372036854775.808", &v), 0);
	assert_true(v == INT64_MIN);
	assert_int_equal(opts_parse_milli("9223372036854775.808", &v), -ERANGE);
	assert_int_equal(opts_parse_milli("-9223372036854775.809", &v), -ERANGE);
	assert_int_equal(opts_parse_milli("1.2345", &v), -EINVAL);
	assert_true(v == INT64_MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opts_defaults_are_stored_in_their_units),
		cmocka_unit_test(test_opts_values_read_back_as_written),
		cmocka_unit_test(test_opts_bad_values_are_refused_with_the_name_and_leave_the_settings_alone),
		cmocka_unit_test(test_opts_range_message_gives_range_unit_and_value),
		cmocka_unit_test(test_opts_short_error_buffer_is_cut_not_overrun),
		cmocka_unit_test(test_opts_find_accepts_dashes_and_refuses_prefixes),
		cmocka_unit_test(test_parse_milli_limits_of_the_type),
	};

	return cmocka_run_group_tests_name("opts", tests, NULL, NULL);
}
