/* SPDX-License-Identifier: MIT */
/* Configuration files: what is read, and everything that must be an error with its place. */
#include "lib/linux/conf_ini.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	struct conf_ini conf;
	char dir[32];
	char path[64];
	char err[256];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	snprintf(f->dir, sizeof(f->dir), "/tmp/forecourt-testXXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/a.conf", f->dir);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	rmdir(f->dir);
	free(f);
	return 0;
}

static int load_bytes(struct fixture *f, const char *text, size_t n)
{
	FILE *file = fopen(f->path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, n, file), n);
	assert_int_equal(fclose(file), 0);
	f->err[0] = '\0';
	return conf_ini_load(&f->conf, f->path, f->err, sizeof(f->err));
}

static int load(struct fixture *f, const char *text)
{
	return load_bytes(f, text, strlen(text));
}

/* The load fails, and the sentence is PATH:LINE: with `part` in it. */
static void assert_refused(struct fixture *f, const char *text, unsigned line, const char *part)
{
	char place[96];

	snprintf(place, sizeof(place), "%s:%u: ", f->path, line);
	assert_true(load(f, text) < 0);
	assert_ptr_equal(strstr(f->err, place), f->err);
	assert_non_null(strstr(f->err, part));
}

static void test_ini_sections_keys_and_lines_are_kept(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(load(f, "# comment\n"
				 "can = udp:239.0.0.1:4000\n"
				 "\n"
				 "[evse-ctrl]\n"
				 "maximum-voltage=500 ; behind the value\n"
				 "name =\n"
				 "[pistol.2]\n"
				 "maximum_voltage = 400\n"),
			 0);
	assert_int_equal(f->conf.n_sections, 3);
	assert_int_equal(f->conf.n_items, 4);
	assert_string_equal(conf_ini_find(&f->conf, "", "can"), "udp:239.0.0.1:4000");
	assert_string_equal(conf_ini_find(&f->conf, "evse-ctrl", "maximum_voltage"), "500");
	assert_string_equal(conf_ini_find(&f->conf, "evse-ctrl", "name"), "");
	assert_string_equal(conf_ini_find(&f->conf, "pistol.2", "maximum_voltage"), "400");
	assert_null(conf_ini_find(&f->conf, "pistol.3", "maximum_voltage"));
	assert_int_equal(f->conf.item[3].line, 8);
	assert_int_equal(f->conf.section[2].line, 7);
}

static void test_ini_mark_of_utf8_and_dos_line_ends_are_no_matter(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(load(f, "\xEF\xBB\xBF[a]\r\nkey = 1\r\n"), 0);
	assert_string_equal(conf_ini_find(&f->conf, "a", "key"), "1");
}

static void test_ini_long_line_is_an_error_not_cut(void **state)
{
	struct fixture *f = *state;
	char text[512];

	memset(text, 'x', sizeof(text));
	memcpy(text, "a = 1\nb = ", 10);
	memcpy(text + 6 + CONF_LINE_LEN_MAX, "\n", 2);
	assert_int_equal(load(f, text), 0);
	assert_int_equal(strlen(conf_ini_find(&f->conf, "", "b")), CONF_LINE_LEN_MAX - 4);
	memset(text + 10, 'x', 300);
	memcpy(text + 6 + CONF_LINE_LEN_MAX + 1, "\n", 2);
	assert_refused(f, text, 2, "too long");
}

static void test_ini_long_comment_is_an_error_too(void **state)
{
	struct fixture *f = *state;
	char text[512];

	/* inih would take the second part for a line of its own. */
	memset(text, ' ', sizeof(text));
	text[0] = '#';
	strcpy(text + 250, "maximum_current = 999\n");
	assert_refused(f, text, 1, "too long");
}

static void test_ini_what_appears_twice_is_an_error(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, "a = 1\nb = 2\na = 3\n", 3, "key appears twice: a");
	assert_refused(f, "a-b = 1\na_b = 2\n", 2, "key appears twice: a_b");
	assert_refused(f, "[x]\na = 1\n[y]\n[x]\nb = 1\n", 4, "section appears twice");
	assert_int_equal(load(f, "[x]\na = 1\n[y]\na = 1\n"), 0);
}

static void test_ini_lines_of_no_kind_are_errors(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, "a = 1\njust words\nb = 2\n", 2, "neither");
	assert_refused(f, "[x\na = 1\n", 1, "]");
	assert_refused(f, "[x] a = 1\n", 1, "behind");
	assert_refused(f, "[]\n", 1, "without a name");
	assert_refused(f, "= 5\n", 1, "without a key");
	assert_refused(f, "a = 1\n  2\n", 2, "indented");
	assert_refused(f, "a = 1\n\tb = 2\n", 2, "indented");
}

static void test_ini_first_error_is_the_one_reported(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, "a = 1\na = 2\nwords\n[x\n", 2, "twice");
	assert_refused(f, "words\na = 1\na = 2\n", 1, "neither");
}

static void test_ini_file_not_written_to_its_end_is_an_error(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, "a = 1\nmaximum_current = 12", 2, "no end");
	assert_true(load(f, "") < 0);
	assert_non_null(strstr(f->err, "is empty"));
}

static void test_ini_binary_file_is_an_error(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(load_bytes(f, "a = 1\nb\0 = 2\n", 13), -EINVAL);
	assert_non_null(strstr(f->err, ":2: zero byte"));
}

static void test_ini_unreadable_files_are_errors_with_their_name(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(conf_ini_load(&f->conf, "/nonexistent/a.conf", f->err, sizeof(f->err)), -ENOENT);
	assert_ptr_equal(strstr(f->err, "/nonexistent/a.conf: "), f->err);
	assert_int_equal(conf_ini_load(&f->conf, f->dir, f->err, sizeof(f->err)), -EISDIR);
}

static void test_ini_too_big_a_file_is_an_error(void **state)
{
	struct fixture *f = *state;
	size_t n = CONF_TEXT_MAX + 1;
	char *text = malloc(n + 1);

	assert_non_null(text);
	memset(text, '\n', n);
	text[n] = '\0';
	assert_int_equal(load(f, text), -EFBIG);
	free(text);
}

static void test_ini_too_many_keys_are_an_error(void **state)
{
	struct fixture *f = *state;
	char *text = malloc((CONF_ITEMS_MAX + 1) * 16);
	size_t n = 0;
	int i;

	assert_non_null(text);
	for (i = 0; i <= CONF_ITEMS_MAX; i++)
		n += (size_t)sprintf(text + n, "k%d = 1\n", i);
	assert_refused(f, text, CONF_ITEMS_MAX + 1, "too many keys");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ini_sections_keys_and_lines_are_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ini_mark_of_utf8_and_dos_line_ends_are_no_matter, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_ini_long_line_is_an_error_not_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ini_long_comment_is_an_error_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ini_what_appears_twice_is_an_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ini_lines_of_no_kind_are_errors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ini_first_error_is_the_one_reported, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ini_file_not_written_to_its_end_is_an_error, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_ini_binary_file_is_an_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ini_unreadable_files_are_errors_with_their_name, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_ini_too_big_a_file_is_an_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ini_too_many_keys_are_an_error, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("conf_ini", tests, NULL, NULL);
}
