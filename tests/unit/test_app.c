/* SPDX-License-Identifier: MIT */
/*
 * The common main up to the point where something would be opened: what counts of file, command line and
 * sections, errors with place and exit status, --help, --dump-config; and one whole run that stops at once.
 */
#include "lib/linux/app.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/run_rig.h"

struct settings {
	int32_t count;
	int32_t is_on;
};

struct pistol {
	int32_t current_mA;
	int32_t mode;
	int32_t is_free;
};

#define AT(type, member) offsetof(struct type, member), sizeof(((struct type *)0)->member)
#define N_PISTOLS	 4

static const struct opt_name modes[] = {{0, "target"}, {1, "range"}, {0, NULL}};

static const struct opt table[] = {
	{"count", 'n', OPT_INT, 0, "", 0, 10, "3", AT(settings, count), NULL, "how many"},
	{"is_on", 0, OPT_BOOL, 0, "", 0, 0, "yes", AT(settings, is_on), NULL, "switch"},
};

static const struct opt pistol_table[] = {
	{"maximum_current", 0, OPT_MILLI, OPT_LIVE, "A", 0, 200000, "120", AT(pistol, current_mA), NULL,
	 "current"},
	{"mode", 'm', OPT_ENUM, 0, "", 0, 0, "range", AT(pistol, mode), modes, "set point mode"},
	{"is_free", 'f', OPT_BOOL, 0, "", 0, 0, "no", AT(pistol, is_free), NULL, "no payment"},
};

static int32_t driver_init(void *self, const struct forecourt_host *host, const struct forecourt_kv *kv,
			   uint32_t n_kv, int64_t now_us, char *err, uint32_t err_size)
{
	(void)self;
	(void)host;
	(void)kv;
	(void)n_kv;
	(void)now_us;
	(void)err;
	(void)err_size;
	return 0;
}

static void driver_fini(void *self)
{
	(void)self;
}

static void driver_caps(void *self, struct pm_caps *c)
{
	(void)self;
	(void)c;
}

static void driver_set(void *self, int64_t now_us, const struct pm_setpoint *sp)
{
	(void)self;
	(void)now_us;
	(void)sp;
}

static void driver_status(void *self, int64_t now_us, struct pm_status *st)
{
	(void)self;
	(void)now_us;
	(void)st;
}

static const struct power_module_ops driver_ops = {.init = driver_init,
						   .fini = driver_fini,
						   .caps = driver_caps,
						   .set = driver_set,
						   .status = driver_status};

static const struct forecourt_option sim_options[] = {
	{"dead_time", "s", "1", "wait"},
	{"has_bleeder", "", "yes", "bleeder"},
	{"maximum_current", "A", "100", "known to the program, too"},
};

static const struct forecourt_option rack_options[] = {{"modules", "", "6", "how many"}};

#define RECORD(driver, list)                                                                             \
	{                                                                                                \
		.magic = FORECOURT_PLUGIN_MAGIC, .abi_major = FORECOURT_ABI_MAJOR, .name = driver,       \
		.version = "1", .record_size = sizeof(struct forecourt_plugin),                          \
		.kind = FORECOURT_KIND_POWER_MODULE, .ops = &driver_ops, .ops_size = sizeof(driver_ops), \
		.state_size = 8, .options = list, .n_options = sizeof(list) / sizeof((list)[0]),         \
		.option_stride = sizeof((list)[0]),                                                      \
	}

static const struct forecourt_plugin sim = RECORD("sim", sim_options);
static const struct forecourt_plugin rack = RECORD("rack", rack_options);
static const struct forecourt_plugin *const builtin[] = {&sim, &rack, NULL};

struct fixture {
	struct app *app;
	struct settings settings;
	struct pistol pistol[N_PISTOLS];
	struct app_spec spec;
	char path[64];
	char err[1024];
	struct run_rig_machine machine;
	unsigned n_built, n_finished;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fd;

	if (!f)
		return -1;
	f->app = calloc(1, sizeof(*f->app));
	f->spec = (struct app_spec){
		.program = "tiny-ctrl",
		.purpose = "a program for tests",
		.table = table,
		.n_table = 2,
		.settings = &f->settings,
		.unit_table = pistol_table,
		.n_unit_table = 3,
		.unit_settings = f->pistol,
		.unit_size = sizeof(f->pistol[0]),
		.n_units_max = N_PISTOLS,
		.driver_kind = FORECOURT_KIND_POWER_MODULE,
		.driver_default = "sim",
		.builtin = builtin,
		.ctx = f,
	};
	snprintf(f->path, sizeof(f->path), "/tmp/forecourt-appXXXXXX");
	fd = mkstemp(f->path);
	if (!f->app || fd < 0)
		return -1;
	close(fd);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	free(f->app);
	free(f);
	return 0;
}

static void write_file(struct fixture *f, const char *text)
{
	FILE *file = fopen(f->path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Up to ten arguments; the file, where there is one, comes first. */
static int configure(struct fixture *f, const char *file, const char *const *args)
{
	char *argv[16];
	int argc = 0;

	argv[argc++] = (char *)"tiny-ctrl";
	if (file) {
		write_file(f, file);
		argv[argc++] = (char *)"-c";
		argv[argc++] = f->path;
	}
	for (; *args; args++)
		argv[argc++] = (char *)*args;
	argv[argc] = NULL;
	memset(f->app, 0, sizeof(*f->app));
	f->err[0] = '\0';
	return app_configure(f->app, &f->spec, argc, argv, f->err, sizeof(f->err));
}

#define CONFIGURE(f, file, ...) configure(f, file, (const char *const[]){__VA_ARGS__, NULL})
#define NO_ARGS(f, file)	configure(f, file, (const char *const[]){NULL})

static const char *driver_value(const struct app_unit *u, const char *key)
{
	uint32_t i;

	for (i = 0; i < u->n_kv; i++)
		if (strcmp(u->kv[i].key, key) == 0)
			return u->kv[i].value;
	return NULL;
}

static void test_app_without_anything_the_defaults_count(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(NO_ARGS(f, NULL), 0);
	assert_int_equal(f->app->n_units, 1);
	assert_int_equal(f->app->unit[0].index, 1);
	assert_ptr_equal(f->app->unit[0].driver.record, &sim);
	assert_int_equal(f->app->unit[0].n_kv, 0);
	assert_int_equal(f->settings.count, 3);
	assert_int_equal(f->pistol[0].current_mA, 120000);
	assert_string_equal(f->app->common.can, "can0");
	assert_false(app_is_set(f->app, 0, "count"));
	assert_false(app_is_set(f->app, 0, "maximum_current"));
}

static void test_app_all_forms_of_options_are_read(void **state)
{
	struct fixture *f = *state;

	const char *const args[] = {
		"--count=5", "--no-is-on",    "--maximum-current", "16.5", "-mtarget", "-vvfq",
		"-iudp",     "--dead_time=2", "--no-has-bleeder",  NULL};

	assert_int_equal(configure(f, NULL, args), 0);
	assert_int_equal(f->settings.count, 5);
	assert_int_equal(f->settings.is_on, 0);
	assert_int_equal(f->pistol[0].current_mA, 16500);
	assert_int_equal(f->pistol[0].mode, 0);
	assert_int_equal(f->pistol[0].is_free, 1);
	assert_string_equal(f->app->common.can, "udp");
	assert_int_equal(f->app->verbosity, 1);
	assert_string_equal(driver_value(&f->app->unit[0], "dead_time"), "2");
	assert_string_equal(driver_value(&f->app->unit[0], "has_bleeder"), "no");
}

static void test_app_key_that_program_and_driver_know_goes_to_both(void **state)
{
	struct fixture *f = *state;
	const char *const args[] = {"--maximum-current", "80", NULL};

	assert_int_equal(configure(f, NULL, args), 0);
	assert_int_equal(f->pistol[0].current_mA, 80000);
	assert_string_equal(driver_value(&f->app->unit[0], "maximum_current"), "80");
}

static void test_app_section_beats_command_line_beats_file(void **state)
{
	struct fixture *f = *state;
	const char *const args[] = {"--maximum-current", "70", "--dead-time", "7", NULL};

	assert_int_equal(configure(f,
				   "maximum_current = 60\n"
				   "[tiny-ctrl]\n"
				   "mode = target\n"
				   "dead_time = 6\n"
				   "[pistol.3]\n"
				   "maximum_current = 80\n"
				   "[pistol.2]\n"
				   "dead_time = 8\n",
				   args),
			 0);
	assert_int_equal(f->app->n_units, 2);
	assert_int_equal(f->app->unit[0].index, 2);
	assert_int_equal(f->app->unit[1].index, 3);
	assert_int_equal(f->pistol[0].current_mA, 70000);
	assert_int_equal(f->pistol[1].current_mA, 80000);
	assert_int_equal(f->pistol[0].mode, 0);
	assert_string_equal(driver_value(&f->app->unit[0], "dead_time"), "8");
	assert_string_equal(driver_value(&f->app->unit[1], "dead_time"), "7");
	assert_true(app_is_set(f->app, 0, "mode"));
	assert_true(app_is_set(f->app, 1, "dead_time"));
	assert_false(app_is_set(f->app, 1, "is_free"));
	assert_false(app_is_set(f->app, 1, "has_bleeder"));
}

static void test_app_each_pistol_has_the_driver_of_its_section(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(NO_ARGS(f, "dead_time = 4\n"
				    "[pistol.1]\n"
				    "[pistol.2]\n"
				    "driver = rack\n"
				    "modules = 8\n"),
			 0);
	assert_ptr_equal(f->app->unit[0].driver.record, &sim);
	assert_ptr_equal(f->app->unit[1].driver.record, &rack);
	assert_string_equal(driver_value(&f->app->unit[0], "dead_time"), "4");
	assert_null(driver_value(&f->app->unit[1], "dead_time"));
	assert_string_equal(driver_value(&f->app->unit[1], "modules"), "8");
}

static void test_app_program_without_pistols_has_one_unit_0(void **state)
{
	struct fixture *f = *state;

	f->spec.n_units_max = 0;
	f->spec.n_unit_table = 0;
	f->spec.unit_table = NULL;
	assert_int_equal(NO_ARGS(f, "driver = rack\nmodules = 2\n"), 0);
	assert_int_equal(f->app->n_units, 1);
	assert_int_equal(f->app->unit[0].index, 0);
	assert_string_equal(driver_value(&f->app->unit[0], "modules"), "2");
	assert_int_equal(NO_ARGS(f, "[pistol.1]\n"), 1);
	assert_int_equal(CONFIGURE(f, NULL, "--pistol-index", "2"), 2);
}

static void test_app_pistol_index_without_sections(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(CONFIGURE(f, NULL, "--pistol-index", "7"), 0);
	assert_int_equal(f->app->unit[0].index, 7);
	assert_int_equal(CONFIGURE(f, "[pistol.2]\n", "--pistol-index", "7"), 1);
	assert_non_null(strstr(f->err, "exclude each other"));
	assert_int_equal(CONFIGURE(f, NULL, "--pistol-index", "16"), 2);
}

static void assert_usage(struct fixture *f, const char *part, const char *a, const char *b)
{
	const char *const args[] = {a, b, NULL};

	assert_int_equal(configure(f, NULL, args), 2);
	assert_non_null(strstr(f->err, part));
}

static void test_app_wrong_use_is_2_and_names_the_option(void **state)
{
	struct fixture *f = *state;

	assert_usage(f, "unknown option --bogus", "--bogus", NULL);
	assert_usage(f, "unknown option --bogus", "--bogus=3", NULL);
	assert_usage(f, "unknown option -z", "-z", NULL);
	assert_usage(f, "unexpected argument 'words'", "words", NULL);
	assert_usage(f, "unexpected argument '--'", "--", NULL);
	assert_usage(f, "option --count needs a value", "--count", NULL);
	assert_usage(f, "option -n needs a value", "-n", NULL);
	assert_usage(f, "option --count must be 0 to 10, not 11", "--count", "11");
	assert_usage(f, "option --maximum-current must be 0 to 200 A, not 201", "--maximum-current", "201");
	assert_usage(f, "unknown option --no-count", "--no-count", NULL);
	assert_usage(f, "--no-is-on takes no value", "--no-is-on=yes", NULL);
	assert_usage(f, "option --verbose takes no value", "--verbose=2", NULL);
	assert_usage(f, "unknown option --maximum", "--maximum", "3"); /* no abbreviations */
	assert_usage(f, "no driver 'nobody': built in are sim, rack", "--driver", "nobody");
	assert_usage(f, "option --can: ", "--can", "no such bus!");
	assert_usage(f, "option --name: ", "--name", "../x");
	assert_usage(f, "option --modules", "--modules", "3"); /* of another driver */
	assert_usage(f, "knows only 'all'", "--help=some", NULL);
}

static void assert_bad_file(struct fixture *f, const char *text, unsigned line, const char *part)
{
	char place[96];

	assert_int_equal(NO_ARGS(f, text), 1);
	snprintf(place, sizeof(place), "%s:%u: ", f->path, line);
	assert_ptr_equal(strstr(f->err, place), f->err);
	assert_non_null(strstr(f->err, part));
}

static void test_app_bad_file_is_1_with_file_and_line(void **state)
{
	struct fixture *f = *state;

	assert_bad_file(f, "count = 1\nbogus = 2\n", 2, "unknown key bogus");
	assert_bad_file(f, "count = 11\n", 1, "count must be 0 to 10");
	assert_bad_file(f, "[secc-sim]\n", 1, "unknown section [secc-sim]");
	assert_bad_file(f, "[pistol.0]\n", 1, "unknown section");
	assert_bad_file(f, "[pistol.16]\n", 1, "unknown section");
	assert_bad_file(f, "[pistol.01]\n", 1, "unknown section");
	assert_bad_file(f, "[pistol.1x]\n", 1, "unknown section");
	assert_bad_file(f, "[pistol.1]\n\ncount = 1\n", 3, "whole program");
	assert_bad_file(f, "[pistol.1]\ncan = udp\n", 2, "whole program");
	assert_bad_file(f, "[pistol.1]\nmaximum_current = x\n", 2, "maximum_current must be");
	assert_bad_file(f, "[pistol.1]\n[pistol.2]\nmodules = 4\n", 3, "unknown key modules");
	assert_bad_file(f, "[pistol.1]\nmodules = 4\n[pistol.2]\ndriver = rack\n", 2, "no key of the driver");
	assert_bad_file(f, "[pistol.1]\ndriver = nobody\n", 2, "no driver 'nobody'");
	assert_bad_file(f, "\ndriver = nobody\n", 2, "no driver 'nobody'");
	assert_bad_file(f, "\ncan = no such bus!\n", 2, "can: ");
	assert_bad_file(f, "count = 1\n[tiny-ctrl]\ncount = 2\n", 3, "also set before");
	assert_bad_file(f, "[pistol.1]\n[pistol.2]\n[pistol.3]\n[pistol.4]\n[pistol.5]\n", 5,
			"too many pistols");
	assert_bad_file(f, "count = 1\ncount", 2, "no end");
}

static void test_app_file_may_be_named_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(CONFIGURE(f, "count = 1\n", "--config", "/dev/null"),
			 1);						 /* the last one is read... */
	assert_int_equal(CONFIGURE(f, "count = 1\n", "-c", f->path), 2); /* ...but two are refused */
}

static int refuse_even(struct app *app, char *err, size_t err_size)
{
	const struct fixture *f = app->spec->ctx;

	return f->settings.count % 2 ? 0 : app_error(-EINVAL, err, err_size, "count must be odd");
}

static void test_app_check_of_the_program_counts(void **state)
{
	struct fixture *f = *state;

	f->spec.check = refuse_even;
	assert_int_equal(NO_ARGS(f, NULL), 0);
	assert_int_equal(CONFIGURE(f, NULL, "--count", "4"), 1);
	assert_string_equal(f->err, "count must be odd");
}

/* Runs app_main with stdout in a file; returns the status and the text. */
static int main_of(struct fixture *f, char *text, size_t size, const char *const *args)
{
	char out[] = "/tmp/forecourt-outXXXXXX";
	char *argv[16] = {(char *)"tiny-ctrl"};
	int fd = mkstemp(out), saved = dup(1), argc = 1, status;
	ssize_t n;

	for (; *args; args++)
		argv[argc++] = (char *)*args;
	fflush(stdout);
	dup2(fd, 1);
	memset(f->app, 0, sizeof(*f->app));
	status = app_main(f->app, &f->spec, argc, argv);
	fflush(stdout);
	dup2(saved, 1);
	close(saved);
	n = pread(fd, text, size - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	close(fd);
	unlink(out);
	return status;
}

static void test_app_help_fits_a_terminal_and_all_is_complete(void **state)
{
	struct fixture *f = *state;
	char text[16384];
	const char *p;
	unsigned n = 0;

	assert_int_equal(main_of(f, text, sizeof(text), (const char *const[]){"--help", NULL}), 0);
	for (p = text; *p; n++) {
		assert_true(strcspn(p, "\n") < 80);
		p += strcspn(p, "\n") + 1;
	}
	assert_true(n <= 24);
	assert_non_null(strstr(text, "--config"));
	assert_int_equal(
		main_of(f, text, sizeof(text), (const char *const[]){"-h", "all", "--driver", "rack", NULL}),
		0);
	assert_non_null(strstr(text, "[120 A; 0 to 200; live]"));
	assert_non_null(strstr(text, "[range; target range]"));
	assert_non_null(strstr(text, "Options of the driver rack:"));
	assert_non_null(strstr(text, "--modules"));
}

static void test_app_help_comes_even_beside_mistakes(void **state)
{
	struct fixture *f = *state;
	char text[16384];

	assert_int_equal(main_of(f, text, sizeof(text),
				 (const char *const[]){"-c", "/nonexistent", "--bogus", "-h", NULL}),
			 0);
	assert_int_equal(main_of(f, text, sizeof(text), (const char *const[]){"-V", NULL}), 0);
	assert_string_equal(text, "tiny-ctrl " FORECOURT_VERSION "\n");
}

static void test_app_dump_loads_and_dumps_the_same(void **state)
{
	struct fixture *f = *state;
	char first[16384], second[16384];

	write_file(f, "can = udp\nmode = target\n[pistol.2]\ndead_time = 5\n[pistol.4]\ndriver = rack\n"
		      "maximum_current = 12.345\n");
	assert_int_equal(
		main_of(f, first, sizeof(first), (const char *const[]){"--dump-config", "-c", f->path, NULL}),
		0);
	assert_non_null(strstr(first, "\ncan = udp\n"));
	assert_non_null(strstr(first, "\n[pistol.2]\n"));
	assert_non_null(strstr(first, "\ndead_time = 5\n"));
	assert_non_null(strstr(first, "# current [A]\nmaximum_current = 12.345\n"));
	write_file(f, first);
	assert_int_equal(main_of(f, second, sizeof(second),
				 (const char *const[]){"--dump-config", "-c", f->path, NULL}),
			 0);
	assert_string_equal(first, second);
}

static void test_app_check_config_says_so_and_builds_nothing(void **state)
{
	struct fixture *f = *state;
	char text[1024];

	write_file(f, "count = 3\n");
	assert_int_equal(
		main_of(f, text, sizeof(text), (const char *const[]){"--check-config", "-c", f->path, NULL}),
		0);
	assert_non_null(strstr(text, "no errors"));
	assert_int_equal(f->n_built, 0);
	write_file(f, "count = 33\n");
	assert_int_equal(
		main_of(f, text, sizeof(text), (const char *const[]){"--check-config", "-c", f->path, NULL}),
		1);
}

/* SIGTERM is there before the loop begins: blocked here, taken by its descriptor. */
static int build(struct app *app, struct machine *machine, char *err, size_t err_size)
{
	struct fixture *f = app->spec->ctx;

	f->n_built++;
	if (f->settings.count == 9)
		return app_error(-EIO, err, err_size, "nine is too many");
	assert_non_null(app_memory(app, 100));
	*machine = (struct machine){.ops = &run_rig_machine_ops, .self = &f->machine, .name = "tiny"};
	kill(getpid(), SIGTERM);
	return 0;
}

static void finish(struct app *app)
{
	((struct fixture *)app->spec->ctx)->n_finished++;
}

static void run_whole(struct fixture *f, const char *count, int expected)
{
	char text[256], control[64];
	sigset_t stop, before;

	snprintf(control, sizeof(control), "/tmp/forecourt-app%d.sock", (int)getpid());
	grid_stop(&f->machine.grid);
	f->spec.build = build;
	f->spec.fini = finish;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, &before);
	assert_int_equal(main_of(f, text, sizeof(text),
				 (const char *const[]){"-i", "udp", "-qq", "--control", control, "--count",
						       count, NULL}),
			 expected);
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(access(control, F_OK), -1);
	assert_int_equal(f->n_built, 1);
	assert_int_equal(f->n_finished, 1);
}

static void test_app_run_ends_in_order_on_a_signal(void **state)
{
	struct fixture *f = *state;

	run_whole(f, "3", 0);
	assert_true(f->machine.is_stopping);
}

static void test_app_run_failed_build_is_1_and_leaves_nothing_behind(void **state)
{
	run_whole(*state, "9", 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_app_without_anything_the_defaults_count),
		T(test_app_all_forms_of_options_are_read),
		T(test_app_key_that_program_and_driver_know_goes_to_both),
		T(test_app_section_beats_command_line_beats_file),
		T(test_app_each_pistol_has_the_driver_of_its_section),
		T(test_app_program_without_pistols_has_one_unit_0),
		T(test_app_pistol_index_without_sections),
		T(test_app_wrong_use_is_2_and_names_the_option),
		T(test_app_bad_file_is_1_with_file_and_line),
		T(test_app_file_may_be_named_once),
		T(test_app_check_of_the_program_counts),
		T(test_app_help_fits_a_terminal_and_all_is_complete),
		T(test_app_help_comes_even_beside_mistakes),
		T(test_app_dump_loads_and_dumps_the_same),
		T(test_app_check_config_says_so_and_builds_nothing),
		T(test_app_run_ends_in_order_on_a_signal),
		T(test_app_run_failed_build_is_1_and_leaves_nothing_behind),
	};

	return cmocka_run_group_tests_name("app", tests, NULL, NULL);
}
