/* SPDX-License-Identifier: MIT */
/* Words of site-ctrl's control socket. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/site_rig.h"

static void start(struct site_rig *r)
{
	uint32_t feeder = site_rig_node(r, "feeder", 0, 40000), i;

	r->node[feeder].has_meter = true;
	r->node[feeder].meter_max_age_ms = 60000;
	for (i = 0; i < 3; i++)
		site_rig_point(r, feeder, 0);
	site_rig_start(r);
	for (i = 0; i < 3; i++)
		site_rig_plug(r, i);
	site_rig_run_ms(r, 10000);
}

static void settle(struct site_rig *r)
{
	r->is_checked = false;
	site_rig_run_ms(r, 3000);
	r->is_checked = true;
	site_rig_run_ms(r, 3000);
}

static void test_status_tells_state_and_sums(void **state)
{
	struct site_rig *r = *state;

	start(r);
	assert_int_equal(site_rig_ask(r, "status"), 0);
	assert_non_null(strstr(r->text, "state=running\n"));
	assert_non_null(strstr(r->text, "charging=3\n"));
	assert_non_null(strstr(r->text, "granted_mA=40000\n"));
	assert_non_null(strstr(r->text, "alarm=meter_stale\n"));
}

static void test_points_rows_show_and_counters_answer(void **state)
{
	struct site_rig *r = *state;

	start(r);
	assert_int_equal(site_rig_ask(r, "points p1"), 0);
	assert_non_null(strstr(r->text, "p1=state waiting role asked"));
	assert_null(strstr(r->text, "p0="));
	assert_non_null(strstr(r->text, "reason limit row feeder L1"));
	assert_int_equal(site_rig_ask(r, "rows feeder"), 0);
	assert_non_null(strstr(r->text, "feeder L2=drawn_mA 40000 may_mA 40000 limit_mA 40000"));
	assert_null(strstr(r->text, "main"));
	assert_int_equal(site_rig_ask(r, "show"), 0);
	assert_non_null(strstr(r->text, "feeder"));
	assert_non_null(strstr(r->text, "p2"));
	assert_int_equal(site_rig_ask(r, "counters"), 0);
	assert_non_null(strstr(r->text, "grants="));
	assert_int_equal(site_rig_ask(r, "faults"), 0);
	assert_non_null(strstr(r->text, "policy.calls="));
}

static void test_limit_acts_at_once_and_lapses(void **state)
{
	struct site_rig *r = *state;

	start(r);
	r->is_checked = false;
	assert_int_equal(site_rig_ask(r, "limit feeder 24 30"), 0);
	assert_in_range(site_rig_granted_mA(r), 23700, 24000);
	settle(r);
	assert_in_range(site_rig_granted_mA(r), 23700, 24000);
	site_rig_run_ms(r, 30000);
	assert_int_equal(site_rig_granted_mA(r), 40000);
}

static void test_limit_of_one_phase_and_unlimit(void **state)
{
	struct site_rig *r = *state;

	start(r);
	r->is_checked = false;
	assert_int_equal(site_rig_ask(r, "limit main L2 18"), 0);
	settle(r);
	assert_int_equal(r->limits.limit_mA[0], 40000);
	assert_int_equal(site_rig_granted_mA(r), 18000);
	assert_int_equal(site_rig_ask(r, "unlimit main external"), 0);
	settle(r);
	assert_int_equal(site_rig_granted_mA(r), 18000);
	assert_int_equal(site_rig_ask(r, "unlimit main"), 0);
	settle(r);
	assert_int_equal(site_rig_granted_mA(r), 40000);
}

static void test_external_limit_is_apart_from_the_operators(void **state)
{
	struct site_rig *r = *state;

	start(r);
	r->is_checked = false;
	assert_int_equal(site_rig_ask(r, "external main 30"), 0);
	assert_int_equal(site_rig_ask(r, "limit main 20"), 0);
	settle(r);
	assert_int_equal(site_rig_granted_mA(r), 20000);
	assert_int_equal(site_rig_ask(r, "unlimit main"), 0);
	settle(r);
	assert_int_equal(site_rig_granted_mA(r), 30000);
}

static void test_meter_takes_other_loads_off(void **state)
{
	struct site_rig *r = *state;

	start(r);
	r->is_checked = false;
	assert_int_equal(site_rig_ask(r, "meter feeder 10 22 -4.5"), 0);
	settle(r);
	assert_int_equal(site_rig_granted_mA(r), 18000);
}

static void test_set_changes_live_numbers_alone(void **state)
{
	struct site_rig *r = *state;

	start(r);
	assert_int_equal(site_rig_ask(r, "set ramp_mA_per_s 500 min_on_ms 1000"), 0);
	assert_int_equal(r->site.conf.ramp_mA_per_s, 500);
	assert_int_equal(site_rig_ask(r, "get ramp_mA_per_s"), 0);
	assert_string_equal(r->text, "ramp_mA_per_s=500\n");
	assert_int_equal(site_rig_ask(r, "set lease_ms 20000"), -EPERM);
	assert_int_equal(site_rig_ask(r, "set report_timeout_ms 15000"), -EINVAL); /* not under the lease */
	assert_int_equal(r->site.conf.report_timeout_ms, 3500);
}

static int chosen(void *ctx, const char *name, const char *options, bool is_shadow, char *err,
		  size_t err_size)
{
	snprintf(ctx, 128, "%s|%s|%d", name, options, is_shadow);
	snprintf(err, err_size, "no policy %s", name);
	return strcmp(name, "bad") == 0 ? -ENOENT : 0;
}

static void test_policy_and_shadow_are_chosen_by_the_program(void **state)
{
	struct site_rig *r = *state;
	char text[128] = "";

	start(r);
	assert_int_equal(site_rig_ask(r, "policy edf"), -EPERM);
	r->site.choose = chosen;
	r->site.choose_ctx = text;
	assert_int_equal(site_rig_ask(r, "policy edf a=1 b=2"), 0);
	assert_string_equal(text, "edf|a=1 b=2 |0");
	assert_int_equal(site_rig_ask(r, "shadow fair"), 0);
	assert_string_equal(text, "fair||1");
	assert_int_equal(site_rig_ask(r, "policy bad"), -ENOENT);
	assert_string_equal(r->text, "no policy bad");
}

static void test_wrong_requests_are_refused_and_name_what_is_known(void **state)
{
	static const struct {
		const char *line, *part;
		int error;
	} wrong[] = {
		{"dance", "known: status points", -ENOENT},
		{"", "known:", -ENOENT},
		{"limit", "PLACE", -EINVAL},
		{"limit nowhere 10", "no place nowhere", -ENOENT},
		{"limit main", "PLACE", -EINVAL},
		{"limit main ten", "no number", -EINVAL},
		{"limit main L4 10", "phases are L1 L2 L3", -EINVAL},
		{"limit main -5", "a limit is", -ERANGE},
		{"limit main 10 0", "seconds", -EINVAL},
		{"limit main 10 5 7", "PLACE", -EINVAL},
		{"limit main power 10", "no power limit", -ENOENT},
		{"unlimit main x", "external", -EINVAL},
		{"meter feeder 1 2", "three currents", -EINVAL},
		{"meter main 1 2 3", "no meter", -EINVAL},
		{"meter x 1 2 3", "no node x", -ENOENT},
		{"meter feeder 1 2 x", "no current", -EINVAL},
		{"priority p9 1", "no point p9", -ENOENT},
		{"priority p1 high", "class", -EINVAL},
		{"priority p1", "POINT CLASS", -EINVAL},
		{"points p7", "no point p7", -ENOENT},
		{"rows x", "no place x", -ENOENT},
		{"get nothing", "nothing", -ENOENT},
		{"set x 1", "x", -ENOENT},
		{"policy", "NAME", -EINVAL},
	};
	struct site_rig *r = *state;
	size_t k;

	start(r);
	for (k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++) {
		int ret = site_rig_ask(r, wrong[k].line);

		if (ret != wrong[k].error || !strstr(r->text, wrong[k].part))
			fail_msg("\"%s\": %d, %s", wrong[k].line, ret, r->text);
	}
	assert_int_equal(site_rig_granted_mA(r), 40000);
}

static void test_limit_below_the_safe_currents_is_refused(void **state)
{
	struct site_rig *r = *state;

	r->is_checked = false;
	site_rig_points(r, 3);
	r->point[0].safe_mA = r->point[1].safe_mA = r->point[2].safe_mA = 6000;
	site_rig_start(r);
	assert_int_equal(site_rig_ask(r, "limit main 10"), -ERANGE);
	assert_non_null(strstr(r->text, "18"));
	assert_int_equal(site_rig_ask(r, "limit main 18"), 0);
}

static void test_answer_that_does_not_fit_says_so(void **state)
{
	struct site_rig *r = *state;
	char text[200];

	start(r);
	assert_int_equal(site_ops.command(&r->site, r->now_us, "points", text, sizeof(text), &r->out),
			 -EMSGSIZE);
	assert_int_equal(site_ops.command(&r->site, r->now_us, "show", text, sizeof(text), &r->out),
			 -EMSGSIZE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_rig_set_up, site_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_status_tells_state_and_sums),
		TEST(test_points_rows_show_and_counters_answer),
		TEST(test_limit_acts_at_once_and_lapses),
		TEST(test_limit_of_one_phase_and_unlimit),
		TEST(test_external_limit_is_apart_from_the_operators),
		TEST(test_meter_takes_other_loads_off),
		TEST(test_set_changes_live_numbers_alone),
		TEST(test_policy_and_shadow_are_chosen_by_the_program),
		TEST(test_wrong_requests_are_refused_and_name_what_is_known),
		TEST(test_limit_below_the_safe_currents_is_refused),
		TEST(test_answer_that_does_not_fit_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
