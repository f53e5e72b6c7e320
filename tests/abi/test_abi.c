/* SPDX-License-Identifier: MIT */
/*
 * The loader on plug-ins that were built outside (run.sh): the examples are loaded and exercised, the frozen
 * one of ABI 1.0 loads, and the bad ones are refused. Argument: their directory.
 */
#include "lib/linux/plug_load.h"
#include "tests/lib/alloc_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include <forecourt/units.h>

struct bench { /* what the plug-in's services write to, and the plug-in */
	const char *dir;
	struct plug plug;
	struct forecourt_host host;
	void *self;
	struct can_frame sent;
	uint32_t n_sent, n_logged;
	char err[512];
};

static void put_log(void *ctx, int32_t level, const char *text)
{
	(void)level;
	assert_true(strlen(text) > 0 && !strchr(text, '\n'));
	((struct bench *)ctx)->n_logged++;
}

static int32_t put_frame(void *ctx, uint32_t bus, const struct can_frame *frame)
{
	struct bench *b = ctx;

	assert_int_equal(bus, 0);
	b->sent = *frame;
	b->n_sent++;
	return 0;
}

static int load_kind(struct bench *b, const char *name, int32_t kind)
{
	const struct plug_source source = {.dir = b->dir};

	b->err[0] = '\0';
	return plug_load(&b->plug, name, kind, &source, b->err, sizeof(b->err));
}

static void instance(struct bench *b)
{
	b->host = (struct forecourt_host){
		.size = sizeof(b->host), .index = 1, .ctx = b, .log = put_log, .send = put_frame};
	b->n_sent = b->n_logged = 0;
	free(b->self);
	b->self = calloc(1, b->plug.record->state_size);
	assert_non_null(b->self);
}

static void assert_refused(struct bench *b, const char *name, int error, const char *part)
{
	unsetenv("FORECOURT_ABI_BAD_RAN");
	assert_int_equal(load_kind(b, name, FORECOURT_KIND_POWER_MODULE), error);
	assert_non_null(strstr(b->err, part));
}

static void test_abi_bad_plugins_are_refused_with_the_reason(void **state)
{
	struct bench *b = *state;

	assert_refused(b, "bad_magic", -EPROTO, "magic");
	assert_refused(b, "bad_major", -EPROTO, "interface version 2.");
	assert_refused(b, "bad_kind", -EINVAL, "wanted is a power module driver");
	assert_refused(b, "bad_record", -EPROTO, "record of 8 bytes");
	assert_refused(b, "bad_ops", -EPROTO, "lacks the operation init");
	assert_refused(b, "bad_ops_size", -EPROTO, "lacks the operation init");
	assert_refused(b, "bad_symbol", -EPROTO, "no symbol forecourt_plugin");
	assert_refused(b, "bad_elf", -EPROTO, "bad_elf.so");
	assert_refused(b, "contactor_box", -EINVAL, "is a vehicle hardware driver");
	assert_refused(b, "absent", -ENOENT, "no driver 'absent'");
	assert_refused(b, "../bad_elf", -EINVAL, "absolute path");
}

/* Every mode that lets others write, of the file and then of its directory, before any of its code has run. */
static void test_abi_file_or_directory_writable_by_others_runs_nothing(void **state)
{
	static const mode_t modes[] = {0664, 0646, 0666, 0777};
	struct bench *b = *state;
	char path[512];
	size_t i;

	snprintf(path, sizeof(path), "%s/bad_mode.so", b->dir);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		assert_refused(b, "bad_mode", -EPERM, "may be written");
		assert_refused(b, path, -EPERM, "may be written");
		assert_null(getenv("FORECOURT_ABI_BAD_RAN"));
	}
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(chmod(b->dir, 0775), 0);
	assert_refused(b, path, -EPERM, "may be written");
	assert_null(getenv("FORECOURT_ABI_BAD_RAN"));
	assert_int_equal(chmod(b->dir, 0755), 0);
	assert_refused(b, path, -EPROTO, "magic");
	assert_non_null(getenv("FORECOURT_ABI_BAD_RAN")); /* the mark works */
}

static void test_abi_plugin_of_1_0_loads_and_its_missing_operations_are_null(void **state)
{
	struct bench *b = *state;
	struct pm_setpoint sp = {.size = sizeof(sp), .seq = 7};
	struct pm_status st = {.size = sizeof(st)};

	assert_int_equal(load_kind(b, "abi_v1_min", FORECOURT_KIND_POWER_MODULE), 0);
	assert_true(b->plug.record->ops_size < sizeof(struct power_module_ops));
	assert_null(b->plug.ops.pm.rx);
	assert_null(b->plug.ops.pm.tick);
	assert_null(b->plug.ops.pm.next_us);
	assert_null(b->plug.ops.pm.io);
	instance(b);
	assert_int_equal(b->plug.ops.pm.init(b->self, &b->host, NULL, 0, 0, b->err, sizeof(b->err)), 0);
	b->plug.ops.pm.set(b->self, 5, &sp);
	b->plug.ops.pm.status(b->self, 5, &st);
	assert_int_equal(st.seq_done, 7);
	assert_int_equal(st.size, sizeof(st));
}

static void supply_frame(struct bench *b, int64_t now_us, int v_dV, int i_dA, int flags)
{
	struct can_frame f = {.can_id = 0x301, .can_dlc = 6};

	f.data[0] = (uint8_t)v_dV;
	f.data[1] = (uint8_t)(v_dV >> 8);
	f.data[2] = (uint8_t)i_dA;
	f.data[4] = (uint8_t)flags;
	f.data[5] = 65;
	b->plug.ops.pm.rx(b->self, now_us, 0, &f);
}

static struct pm_status supply_status(struct bench *b, int64_t now_us)
{
	struct pm_status st = {.size = sizeof(st)};

	b->plug.ops.pm.status(b->self, now_us, &st);
	return st;
}

static void start_supply(struct bench *b, const char *name)
{
	const struct forecourt_kv kv[] = {{"voltage", "48"}, {"current_max", "10"}};

	assert_int_equal(load_kind(b, name, FORECOURT_KIND_POWER_MODULE), 0);
	instance(b);
	assert_int_equal(plug_check_options(&b->plug, kv, 2, b->err, sizeof(b->err)), 0);
	assert_int_equal(b->plug.ops.pm.init(b->self, &b->host, kv, 2, 0, b->err, sizeof(b->err)), 0);
}

static void exercise_supply(struct bench *b, const char *name)
{
	struct pm_setpoint sp = {.size = sizeof(sp),
				 .mode = PM_PRECHARGE,
				 .v_mV = 48000,
				 .i_max_mA = 2000,
				 .valid_until_us = 400000};
	struct pm_caps caps = {.size = sizeof(caps)};
	struct can_filter filter[4];

	start_supply(b, name);
	b->plug.ops.pm.caps(b->self, &caps);
	assert_int_equal(caps.v_max_mV, 48000);
	assert_int_equal(caps.p_max_W, 480);
	assert_int_equal(b->plug.ops.pm.filters(b->self, 0, filter, 4), 1);
	assert_int_equal(supply_status(b, 0).state, PM_ST_ABSENT);
	assert_int_equal(supply_status(b, 0).faults, 0); /* it has time to say something */
	assert_false(supply_status(b, 0).is_ready || supply_status(b, 0).is_off_confirmed);
	assert_int_equal(supply_status(b, 1000000).faults_stop, PM_FAULT_COMM_LOST);

	supply_frame(b, 1000, 0, 0, 0);
	assert_true(supply_status(b, 1000).is_off_confirmed);
	b->plug.ops.pm.set(b->self, 2000, &sp);
	b->plug.ops.pm.tick(b->self, 100000);
	assert_int_equal(b->sent.can_id, 0x300);
	assert_int_equal(b->sent.data[0], 1);
	assert_int_equal(b->sent.data[1], 20); /* 2.0 A */
	supply_frame(b, 101000, 480, 15, 1);
	assert_int_equal(supply_status(b, 101000).state, PM_ST_ON);
	assert_int_equal(supply_status(b, 101000).i_mA, 1500);
	assert_int_equal(supply_status(b, 101000).temp_hot_mdegC, 25000);
	assert_true(supply_status(b, 101000).is_v_reached);

	/* Nobody renews the set point: off at its end, by itself. */
	assert_true(b->plug.ops.pm.next_us(b->self) <= 400000);
	b->plug.ops.pm.tick(b->self, 400000);
	assert_int_equal(b->sent.data[0], 0);
	assert_false(supply_status(b, 400000).is_off_confirmed); /* until the supply has said so */
	supply_frame(b, 401000, 0, 0, 0);
	assert_true(supply_status(b, 401000).is_off_confirmed);

	/* Silence is a fault, and never a zero. */
	assert_int_equal(supply_status(b, 1401000).faults_stop, PM_FAULT_COMM_LOST);
	assert_false(supply_status(b, 1401000).is_off_confirmed);
}

static void test_abi_example_supply_follows_expires_and_reports_silence(void **state)
{
	exercise_supply(*state, "bench_supply");
}

static void test_abi_example_supply_of_the_first_headers_does_the_same(void **state)
{
	exercise_supply(*state, "bench_supply_v1");
}

static void test_abi_example_supply_refuses_a_voltage_that_is_not_its_own(void **state)
{
	struct bench *b = *state;
	struct pm_setpoint sp = {
		.size = sizeof(sp), .mode = PM_PRECHARGE, .v_mV = 400000, .valid_until_us = 1000000};

	start_supply(b, "bench_supply");
	supply_frame(b, 1000, 0, 0, 0);
	b->plug.ops.pm.set(b->self, 2000, &sp);
	b->plug.ops.pm.tick(b->self, 100000);
	assert_int_equal(b->sent.data[0], 0);
	assert_int_equal(supply_status(b, 100000).faults, PM_FAULT_SETPOINT_REFUSED);
}

static void test_abi_example_options_are_checked_by_host_and_driver(void **state)
{
	struct bench *b = *state;
	struct forecourt_kv unknown = {"colour", "red"}, bad = {"voltage", "many"};

	assert_int_equal(load_kind(b, "bench_supply", FORECOURT_KIND_POWER_MODULE), 0);
	instance(b);
	assert_int_equal(plug_check_options(&b->plug, &unknown, 1, b->err, sizeof(b->err)), -EINVAL);
	assert_non_null(strstr(b->err, "no option 'colour'; known are voltage, current_max"));
	assert_int_equal(b->plug.ops.pm.init(b->self, &b->host, &bad, 1, 0, b->err, sizeof(b->err)), -EINVAL);
	assert_non_null(strstr(b->err, "voltage must be"));
}

static void box_frames(struct bench *b, int64_t now_us, int flags)
{
	struct can_frame box = {.can_id = 0x311, .can_dlc = 7, .data = {0xA0, 0x0F, 0x96, 0x0F, 0xCE, 0xFF}};
	struct can_frame bms = {
		.can_id = 0x312, .can_dlc = 8, .data = {160, 0xE8, 0x03, 0x64, 0, 0xA0, 0x0F, 70}};

	box.data[6] = (uint8_t)flags;
	b->plug.ops.vh.rx(b->self, now_us, 0, &box);
	b->plug.ops.vh.rx(b->self, now_us, 0, &bms);
}

static struct vh_status box_status(struct bench *b, int64_t now_us)
{
	struct vh_status st = {.size = sizeof(st)};

	b->plug.ops.vh.status(b->self, now_us, &st);
	return st;
}

static void exercise_box(struct bench *b, const char *name)
{
	struct vh_command cmd = {.size = sizeof(cmd), .is_closed = 1, .valid_until_us = 2000000};
	struct can_filter filter[4];

	assert_int_equal(load_kind(b, name, FORECOURT_KIND_VEHICLE_HW), 0);
	instance(b);
	assert_int_equal(b->plug.ops.vh.init(b->self, &b->host, NULL, 0, 0, b->err, sizeof(b->err)), 0);
	assert_int_equal(b->plug.ops.vh.filters(b->self, 0, filter, 4), 2);
	assert_int_equal(box_status(b, 0).is_closed, -1); /* a command is no feedback */
	assert_int_equal(box_status(b, 0).faults, 0);	  /* it has time to say something */
	assert_true(box_status(b, 3000000).faults & VH_FAULT_BMS_LOST);

	box_frames(b, 1000, 2);
	assert_int_equal(box_status(b, 1000).battery_mV, 400000);
	assert_int_equal(box_status(b, 1000).current_mA, -5000);
	assert_int_equal(box_status(b, 1000).soc_permille, 800);
	assert_int_equal(box_status(b, 1000).temp_mdegC, 30000);
	assert_int_equal(box_status(b, 1000).faults, 0);

	b->plug.ops.vh.set(b->self, 2000, &cmd);
	assert_int_equal(b->sent.can_id, 0x310);
	assert_int_equal(b->sent.data[0], 1);
	box_frames(b, 1003000, 2);
	assert_int_equal(box_status(b, 1003000).faults, VH_FAULT_CONTACTOR_NOT_CLOSING);
	box_frames(b, 1100000, 3);
	assert_int_equal(box_status(b, 1100000).faults, 0);
	assert_int_equal(box_status(b, 1100000).is_closed, 1);

	/* Nobody renews the command: open at its end; a contactor that stays closed is welded. */
	b->plug.ops.vh.tick(b->self, 2000000);
	assert_int_equal(b->sent.data[0], 0);
	box_frames(b, 3000000, 3);
	assert_int_equal(box_status(b, 3000000).faults_stop, VH_FAULT_CONTACTOR_WELDED);
}

static void test_abi_example_box_closes_expires_and_reports_welding(void **state)
{
	exercise_box(*state, "contactor_box");
}

static void test_abi_example_box_of_the_first_headers_does_the_same(void **state)
{
	exercise_box(*state, "contactor_box_v1");
}

/* A host of the first minor number gives shorter structs to a plug-in that was built later. */
static void test_abi_example_fills_no_more_than_the_host_has(void **state)
{
	struct bench *b = *state;
	struct {
		struct pm_status st;
		uint8_t guard[16];
	} small;

	start_supply(b, "bench_supply");
	memset(&small, 0x5A, sizeof(small));
	small.st.size = offsetof(struct pm_status, rx_age_us);
	b->plug.ops.pm.status(b->self, 1, &small.st);
	assert_int_equal(small.st.size, offsetof(struct pm_status, rx_age_us));
	assert_true(small.st.rx_age_us == INT64_C(0x5A5A5A5A5A5A5A5A));
}

/* --- policies ---------------------------------------------------------------------------------------------- */

/* Three points under 30 A. */
static void make_site(struct alloc_rig *g)
{
	memset(g, 0, sizeof(*g));
	rig_begin(g, 3, 1, 3);
	rig_add_row(g, 30000, NULL, 1);
	for (uint32_t i = 0; i < 3; i++)
		rig_add_member(g, 0, i, ALLOC_Q16, 0);
	rig_end(g);
	for (uint32_t i = 0; i < 3; i++)
		rig_want(g, i, 6000, 16000);
}

static void assert_shares(struct bench *b, struct alloc_rig *g, int32_t first, int32_t second, int32_t third)
{
	assert_int_equal(alloc_run_cycle(&g->run, &b->plug.ops.policy, b->self, &g->call), ALLOC_OK);
	assert_int_equal(rig_mA(g, 0), first);
	assert_int_equal(rig_mA(g, 1), second);
	assert_int_equal(rig_mA(g, 2), third);
}

static void exercise_thrifty(struct bench *b, const char *name)
{
	const struct alloc_outlook outlook[] = {{0, 20, 1000}, {5000, 40, 1000}, {9000, 35, 1000}};
	const struct forecourt_kv kv = {"price_max", "35"}, bad = {"price_max", "cheap"};
	struct alloc_rig g;

	assert_int_equal(load_kind(b, name, FORECOURT_KIND_ALLOC_POLICY), 0);
	instance(b);
	assert_int_equal(plug_check_options(&b->plug, &bad, 1, b->err, sizeof(b->err)), 0);
	assert_int_equal(b->plug.ops.policy.init(b->self, &b->host, &bad, 1), -EINVAL);
	assert_int_equal(b->n_logged, 1);
	assert_int_equal(b->plug.ops.policy.init(b->self, &b->host, &kv, 1), 0);
	assert_null(b->plug.ops.policy.fini);

	make_site(&g);
	assert_true(b->plug.ops.policy.arena_size(b->self, &g.site) <= g.arena_size);
	g.call.outlook = outlook;
	g.call.n_outlook = 3;
	g.call.now_us = 1000;
	assert_shares(b, &g, 10000, 10000, 10000);
	assert_int_equal(g.call.again_us, 5000);
	g.call.now_us = 5000;
	assert_shares(b, &g, 6000, 6000, 6000);
	assert_int_equal(g.grant[0].reason, ALLOC_REASON_POLICY);
	assert_int_equal(g.call.again_us, 9000);
	g.call.now_us = 9000;
	assert_shares(b, &g, 10000, 10000, 10000);
	assert_true(g.call.again_us == FC_NEVER);
	rig_free(&g);
}

static void test_abi_example_policy_keeps_to_minima_while_it_is_dear(void **state)
{
	exercise_thrifty(*state, "thrifty");
}

static void test_abi_example_policy_of_the_first_headers_does_the_same(void **state)
{
	exercise_thrifty(*state, "thrifty_v1_1");
}

static void test_abi_smallest_policy_loads_and_works(void **state)
{
	struct bench *b = *state;
	struct alloc_rig g;

	assert_int_equal(load_kind(b, "policy_v1_1_min", FORECOURT_KIND_ALLOC_POLICY), 0);
	assert_null(b->plug.ops.policy.arena_size);
	assert_null(b->plug.ops.policy.fini);
	instance(b);
	assert_int_equal(b->plug.ops.policy.init(b->self, &b->host, NULL, 0), 0);
	make_site(&g);
	assert_shares(b, &g, 16000, 8000, 6000);
	rig_free(&g);
}

static void test_abi_policy_is_no_driver_and_a_driver_no_policy(void **state)
{
	struct bench *b = *state;

	assert_int_equal(load_kind(b, "thrifty", FORECOURT_KIND_POWER_MODULE), -EINVAL);
	assert_non_null(strstr(b->err, "is an allocation policy"));
	assert_int_equal(load_kind(b, "bench_supply", FORECOURT_KIND_ALLOC_POLICY), -EINVAL);
	assert_non_null(strstr(b->err, "wanted is an allocation policy"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_abi_bad_plugins_are_refused_with_the_reason),
		cmocka_unit_test(test_abi_file_or_directory_writable_by_others_runs_nothing),
		cmocka_unit_test(test_abi_plugin_of_1_0_loads_and_its_missing_operations_are_null),
		cmocka_unit_test(test_abi_example_supply_follows_expires_and_reports_silence),
		cmocka_unit_test(test_abi_example_supply_of_the_first_headers_does_the_same),
		cmocka_unit_test(test_abi_example_supply_refuses_a_voltage_that_is_not_its_own),
		cmocka_unit_test(test_abi_example_options_are_checked_by_host_and_driver),
		cmocka_unit_test(test_abi_example_box_closes_expires_and_reports_welding),
		cmocka_unit_test(test_abi_example_box_of_the_first_headers_does_the_same),
		cmocka_unit_test(test_abi_example_fills_no_more_than_the_host_has),
		cmocka_unit_test(test_abi_example_policy_keeps_to_minima_while_it_is_dear),
		cmocka_unit_test(test_abi_example_policy_of_the_first_headers_does_the_same),
		cmocka_unit_test(test_abi_smallest_policy_loads_and_works),
		cmocka_unit_test(test_abi_policy_is_no_driver_and_a_driver_no_policy),
	};
	struct bench bench = {.dir = argc > 1 ? argv[1] : NULL};
	size_t i;
	int failed;

	if (!bench.dir)
		return 2;
	struct CMUnitTest with_state[sizeof(tests) / sizeof(tests[0])];
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		with_state[i] = tests[i];
		with_state[i].initial_state = &bench;
	}
	failed = cmocka_run_group_tests_name("abi", with_state, NULL, NULL);
	free(bench.self);
	return failed;
}
