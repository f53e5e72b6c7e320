/* SPDX-License-Identifier: MIT */
/* Requests of the control socket: words, answers, get and set on a table. */
#include "lib/core/ctl.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct settings {
	int32_t current_mA;
	int32_t is_on;
	char url[16];
};

#define AT(member) offsetof(struct settings, member), sizeof(((struct settings *)0)->member)

static const struct opt table[] = {
	{"maximum_current", 0, OPT_MILLI, OPT_LIVE, "A", 0, 200000, "120", AT(current_mA), NULL, "current"},
	{"is_on", 0, OPT_BOOL, OPT_LIVE, "", 0, 0, "yes", AT(is_on), NULL, "switch"},
	{"url", 0, OPT_TEXT, 0, "", 0, 0, "can0", AT(url), NULL, "bus"},
};

#define N_TABLE (sizeof(table) / sizeof(table[0]))

struct fixture {
	struct settings s, scratch;
	struct ctl_words w;
	struct ctl_answer a;
	char text[256];
};

static void ask(struct fixture *f, const char *line)
{
	opts_defaults(table, N_TABLE, &f->s);
	assert_int_equal(ctl_split(line, &f->w), 0);
	ctl_answer_init(&f->a, f->text, sizeof(f->text));
}

static int set(struct fixture *f, const char *line)
{
	ask(f, line);
	return ctl_set(&f->w, 1, table, N_TABLE, &f->s, &f->scratch, sizeof(f->scratch), &f->a);
}

static int get(struct fixture *f, const char *line)
{
	ask(f, line);
	return ctl_get(&f->w, 1, table, N_TABLE, &f->s, &f->a);
}

static void test_split_blanks_of_all_kinds_separate(void **state)
{
	struct ctl_words w;

	(void)state;
	assert_int_equal(ctl_split("  set\ta  1 \r\n", &w), 0);
	assert_int_equal(w.n, 3);
	assert_true(ctl_word_is(&w, 0, "set") && ctl_word_is(&w, 1, "a") && ctl_word_is(&w, 2, "1"));
	assert_false(ctl_word_is(&w, 3, "1"));
	assert_int_equal(ctl_split("", &w), 0);
	assert_int_equal(w.n, 0);
}

static void test_split_too_much_is_refused(void **state)
{
	char line[CTL_TEXT_MAX + 1];
	struct ctl_words w;
	size_t i;

	(void)state;
	memset(line, 'a', sizeof(line));
	line[CTL_TEXT_MAX] = '\0';
	assert_int_equal(ctl_split(line, &w), -E2BIG);
	for (i = 0; i < 2 * (CTL_WORDS_MAX + 1); i += 2)
		memcpy(line + i, "a ", 2);
	line[i] = '\0';
	assert_int_equal(ctl_split(line, &w), -E2BIG);
}

static void test_get_without_keys_lists_all(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(get(&f, "get"), 0);
	assert_string_equal(f.text, "maximum_current=120\nis_on=yes\nurl=can0\n");
}

static void test_get_named_keys_in_their_order(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(get(&f, "get url maximum-current"), 0);
	assert_string_equal(f.text, "url=can0\nmaximum_current=120\n");
	assert_int_equal(get(&f, "get url nothing"), -ENOENT);
	assert_string_equal(f.text, "no such key: nothing");
}

static void test_get_answer_that_does_not_fit_is_an_error_not_a_part(void **state)
{
	struct fixture f;

	(void)state;
	ask(&f, "get");
	ctl_answer_init(&f.a, f.text, 30);
	assert_int_equal(ctl_get(&f.w, 1, table, N_TABLE, &f.s, &f.a), -EMSGSIZE);
	assert_true(strlen(f.text) < 30);
}

static void test_set_live_options_change(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(set(&f, "set maximum_current 16.5 is_on no"), 0);
	assert_int_equal(f.s.current_mA, 16500);
	assert_int_equal(f.s.is_on, 0);
}

static void test_set_one_bad_value_changes_nothing(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(set(&f, "set maximum_current 16.5 is_on perhaps"), -EINVAL);
	assert_int_equal(f.s.current_mA, 120000);
	assert_int_equal(set(&f, "set maximum_current 201"), -ERANGE);
	assert_string_equal(f.text, "maximum_current must be 0 to 200 A, not 201");
	assert_int_equal(set(&f, "set maximum_current 16 url can1"), -EPERM);
	assert_string_equal(f.text, "url cannot be changed while running");
	assert_int_equal(f.s.current_mA, 120000);
	assert_int_equal(set(&f, "set maximum_current 16 nothing 1"), -ENOENT);
	assert_int_equal(f.s.current_mA, 120000);
}

static void test_set_without_pairs_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(set(&f, "set"), -EINVAL);
	assert_int_equal(set(&f, "set is_on"), -EINVAL);
	assert_int_equal(set(&f, "set is_on no url"), -EINVAL);
	assert_int_equal(f.s.is_on, 1);
}

static void test_put_line_ends_in_a_value_cannot_forge_a_line(void **state)
{
	struct fixture f;

	(void)state;
	ask(&f, "");
	ctl_put(&f.a, "id", "%s", "a\nok");
	assert_string_equal(f.text, "id=a ok\n");
}

static void test_put_a_line_that_does_not_fit_is_left_out_whole(void **state)
{
	struct ctl_answer a;
	char text[12];

	(void)state;
	ctl_answer_init(&a, text, sizeof(text));
	ctl_put(&a, "a", "%d", 1);
	ctl_put(&a, "b", "%d", 1234567);
	assert_string_equal(text, "a=1\n");
	assert_true(a.is_cut);
}

/* A driver with one live value. */
static int32_t live_value(void *self, int64_t now_us, const char *key, const char *value, char *answer,
			  uint32_t answer_size)
{
	int *stored = self;

	(void)now_us;
	if (strcmp(key, "slope") != 0)
		return -ENOENT;
	if (value && value[0] == '-') {
		snprintf(answer, answer_size, "must not be negative");
		return -EINVAL;
	}
	if (value)
		*stored = value[0] - '0';
	snprintf(answer, answer_size, "%d", *stored);
	return 0;
}

static void test_ctl_live_reads_sets_and_refuses(void **state)
{
	static const struct {
		const char *line;
		int ret;
		const char *answer;
	} row[] = {
		{"hw slope", 0, "slope=3\n"},
		{"hw slope 7", 0, "slope=7\n"},
		{"hw slope", 0, "slope=7\n"},
		{"hw slope -1", -EINVAL, "must not be negative"},
		{"hw colour", -ENOENT, "no such live option"},
		{"hw", -EINVAL, "hw takes KEY [VALUE]"},
		{"hw slope 1 2", -EINVAL, "hw takes KEY [VALUE]"},
	};
	char text[128];
	int stored = 3;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct ctl_answer a;
		struct ctl_words w;

		ctl_answer_init(&a, text, sizeof(text));
		assert_int_equal(ctl_split(row[i].line, &w), 0);
		assert_int_equal(ctl_live(&w, 1, live_value, &stored, 0, &a), row[i].ret);
		assert_string_equal(text, row[i].answer);
		ctl_answer_init(&a, text, sizeof(text));
		assert_int_equal(ctl_live(&w, 1, NULL, &stored, 0, &a), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split_blanks_of_all_kinds_separate),
		cmocka_unit_test(test_split_too_much_is_refused),
		cmocka_unit_test(test_get_without_keys_lists_all),
		cmocka_unit_test(test_get_named_keys_in_their_order),
		cmocka_unit_test(test_get_answer_that_does_not_fit_is_an_error_not_a_part),
		cmocka_unit_test(test_set_live_options_change),
		cmocka_unit_test(test_set_one_bad_value_changes_nothing),
		cmocka_unit_test(test_set_without_pairs_is_refused),
		cmocka_unit_test(test_put_line_ends_in_a_value_cannot_forge_a_line),
		cmocka_unit_test(test_put_a_line_that_does_not_fit_is_left_out_whole),
		cmocka_unit_test(test_ctl_live_reads_sets_and_refuses),
	};

	return cmocka_run_group_tests_name("ctl", tests, NULL, NULL);
}
