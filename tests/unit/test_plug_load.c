/* SPDX-License-Identifier: MIT */
/*
 * Records of plug-ins: what counts as one, which operations exist, options and their stride. Loading from files
 * is tests/abi.
 */
#include "lib/linux/plug_load.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

static int32_t init(void *self, const struct forecourt_host *host, const struct forecourt_kv *kv,
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

static void fini(void *self)
{
	(void)self;
}

static void caps(void *self, struct pm_caps *c)
{
	(void)self;
	(void)c;
}

static void set(void *self, int64_t now_us, const struct pm_setpoint *sp)
{
	(void)self;
	(void)now_us;
	(void)sp;
}

static void status(void *self, int64_t now_us, struct pm_status *st)
{
	(void)self;
	(void)now_us;
	(void)st;
}

static void tick(void *self, int64_t now_us)
{
	(void)self;
	(void)now_us;
}

static const struct power_module_ops full_ops = {
	.init = init, .fini = fini, .caps = caps, .set = set, .status = status, .tick = tick};

/* As a later minor version might have it: options with a member more. */
struct wide_option {
	struct forecourt_option option;
	const char *category;
};

static const struct wide_option wide[] = {
	{{"ramp_up", "A/s", "20", "rise"}, "ramps"},
	{{"is_quiet", "", "no", "fan"}, "comfort"},
	{{"mode", "", "1", "a number, no switch"}, "comfort"},
};

static struct forecourt_plugin good(void)
{
	return (struct forecourt_plugin){
		.magic = FORECOURT_PLUGIN_MAGIC,
		.abi_major = FORECOURT_ABI_MAJOR,
		.abi_minor = 99,
		.record_size = sizeof(struct forecourt_plugin) + 64, /* a later one, longer */
		.kind = FORECOURT_KIND_POWER_MODULE,
		.name = "good",
		.version = "1",
		.ops = &full_ops,
		.ops_size = sizeof(full_ops),
		.state_size = 16,
		.options = &wide[0].option,
		.n_options = 3,
		.option_stride = sizeof(wide[0]),
	};
}

static void assert_refused(const struct forecourt_plugin *record, int error, const char *part)
{
	struct plug plug = {0}, before = plug;
	char err[256] = "";

	assert_int_equal(plug_check(&plug, record, FORECOURT_KIND_POWER_MODULE, err, sizeof(err)), error);
	assert_non_null(strstr(err, part));
	assert_memory_equal(&plug, &before, sizeof(plug));
}

static void test_plug_later_minor_version_is_accepted(void **state)
{
	struct forecourt_plugin record = good();
	struct plug plug;
	char err[256];

	(void)state;
	assert_int_equal(plug_check(&plug, &record, FORECOURT_KIND_POWER_MODULE, err, sizeof(err)), 0);
	assert_ptr_equal(plug.record, &record);
	assert_ptr_equal(plug.ops.pm.tick, tick);
	assert_null(plug.ops.pm.rx);
}

static void test_plug_bad_records_are_refused_with_the_reason(void **state)
{
	struct forecourt_plugin r;

	(void)state;
	r = good();
	r.magic++;
	assert_refused(&r, -EPROTO, "magic");
	r = good();
	r.abi_major++;
	assert_refused(&r, -EPROTO, "version");
	r = good();
	r.record_size = 8;
	assert_refused(&r, -EPROTO, "record of 8 bytes");
	r = good();
	r.kind = FORECOURT_KIND_VEHICLE_HW;
	assert_refused(&r, -EINVAL, "vehicle hardware driver");
	r = good();
	r.kind = 77;
	assert_refused(&r, -EINVAL, "unknown kind");
	r = good();
	r.name = NULL;
	assert_refused(&r, -EPROTO, "incomplete record");
	r = good();
	r.ops = NULL;
	assert_refused(&r, -EPROTO, "incomplete record");
	r = good();
	r.ops_size -= 3;
	assert_refused(&r, -EPROTO, "incomplete record");
	r = good();
	r.state_size = UINT32_MAX;
	assert_refused(&r, -EPROTO, "incomplete record");
}

static void test_plug_operation_beyond_the_plugins_size_does_not_exist(void **state)
{
	struct forecourt_plugin r = good();
	struct plug plug;
	char err[256];

	(void)state;
	r.ops_size = offsetof(struct power_module_ops, tick); /* what follows in memory is something else */
	assert_int_equal(plug_check(&plug, &r, FORECOURT_KIND_POWER_MODULE, err, sizeof(err)), 0);
	assert_null(plug.ops.pm.tick);
	r.ops_size = offsetof(struct power_module_ops, status);
	assert_refused(&r, -EPROTO, "lacks the operation status");
}

static void test_plug_needed_operation_that_is_null_is_refused(void **state)
{
	struct forecourt_plugin r = good();
	struct power_module_ops ops = full_ops;

	(void)state;
	ops.set = NULL;
	r.ops = &ops;
	assert_refused(&r, -EPROTO, "lacks the operation set");
}

static void test_plug_options_are_found_by_the_plugins_own_stride(void **state)
{
	struct forecourt_plugin r = good();
	struct plug plug;
	char err[256], list[64];

	(void)state;
	assert_int_equal(plug_check(&plug, &r, FORECOURT_KIND_POWER_MODULE, err, sizeof(err)), 0);
	assert_ptr_equal(plug_find_option(&plug, "is-quiet"), &wide[1].option);
	assert_ptr_equal(plug_option(&plug, 2), &wide[2].option);
	assert_null(plug_find_option(&plug, "is"));
	assert_true(plug_option_is_switch(plug_option(&plug, 1)));
	assert_false(plug_option_is_switch(plug_option(&plug, 2)));
	plug_list_options(&plug, list, sizeof(list));
	assert_string_equal(list, "ramp_up, is_quiet, mode");
	plug_list_options(&plug, list, 20);
	assert_true(strlen(list) < 20);
}

static void test_plug_bad_option_tables_are_refused(void **state)
{
	struct forecourt_option half = {"a", "", NULL, ""};
	struct forecourt_plugin r = good();

	(void)state;
	r.option_stride = 8;
	assert_refused(&r, -EPROTO, "table of options");
	r = good();
	r.options = NULL;
	assert_refused(&r, -EPROTO, "table of options");
	r = good();
	r.n_options = PLUG_MAX_OPTIONS + 1;
	assert_refused(&r, -EPROTO, "table of options");
	r = good();
	r.options = &half;
	r.n_options = 1;
	r.option_stride = sizeof(half);
	assert_refused(&r, -EPROTO, "incomplete option, number 0");
}

static void test_plug_unknown_option_is_refused_with_the_known_ones(void **state)
{
	struct forecourt_plugin r = good();
	struct forecourt_kv kv[] = {{"ramp_up", "5"}, {"ramp_sideways", "5"}};
	struct plug plug;
	char err[256];

	(void)state;
	assert_int_equal(plug_check(&plug, &r, FORECOURT_KIND_POWER_MODULE, err, sizeof(err)), 0);
	assert_int_equal(plug_check_options(&plug, kv, 1, err, sizeof(err)), 0);
	assert_int_equal(plug_check_options(&plug, kv, 2, err, sizeof(err)), -EINVAL);
	assert_string_equal(err,
			    "driver good has no option 'ramp_sideways'; known are ramp_up, is_quiet, mode");
}

static void test_plug_builtin_is_found_by_name_and_passes_the_same_checks(void **state)
{
	struct forecourt_plugin fine = good(), broken = good();
	const struct forecourt_plugin *const builtin[] = {&fine, &broken, NULL};
	const struct plug_source source = {.builtin = builtin};
	struct plug plug;
	char err[256];

	(void)state;
	broken.name = "broken";
	broken.magic = 0;
	assert_int_equal(plug_load(&plug, "good", FORECOURT_KIND_POWER_MODULE, &source, err, sizeof(err)), 0);
	assert_ptr_equal(plug.record, &fine);
	assert_int_equal(plug_load(&plug, "broken", FORECOURT_KIND_POWER_MODULE, &source, err, sizeof(err)),
			 -EPROTO);
	assert_int_equal(plug_load(&plug, "none", FORECOURT_KIND_POWER_MODULE, &source, err, sizeof(err)),
			 -ENOENT);
	assert_non_null(strstr(err, "built in are good, broken"));
}

static void test_plug_names_that_leave_the_directory_are_refused(void **state)
{
	static const char *const names[] = {"", "../good", "a/b", "a.so", "a b"};
	const struct plug_source source = {.dir = "/tmp"};
	struct plug plug;
	char err[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(
			plug_load(&plug, names[i], FORECOURT_KIND_POWER_MODULE, &source, err, sizeof(err)),
			-EINVAL);
	assert_int_equal(
		plug_load(&plug, "/nonexistent.so", FORECOURT_KIND_POWER_MODULE, &source, err, sizeof(err)),
		-ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plug_later_minor_version_is_accepted),
		cmocka_unit_test(test_plug_bad_records_are_refused_with_the_reason),
		cmocka_unit_test(test_plug_operation_beyond_the_plugins_size_does_not_exist),
		cmocka_unit_test(test_plug_needed_operation_that_is_null_is_refused),
		cmocka_unit_test(test_plug_options_are_found_by_the_plugins_own_stride),
		cmocka_unit_test(test_plug_bad_option_tables_are_refused),
		cmocka_unit_test(test_plug_unknown_option_is_refused_with_the_known_ones),
		cmocka_unit_test(test_plug_builtin_is_found_by_name_and_passes_the_same_checks),
		cmocka_unit_test(test_plug_names_that_leave_the_directory_are_refused),
	};

	return cmocka_run_group_tests_name("plug_load", tests, NULL, NULL);
}
