/* SPDX-License-Identifier: MIT */
/*
 * Ledger and hold against the judge, with everything that can go wrong between them: loss 20 %, delays up to 8 s,
 * doubled and swapped frames, restarts of either side, clocks wrong by up to 1 % each way, limits that fall and rise.
 *
 * LEASE_SEED=N runs that seed; LEASE_STEPS=N so many steps of each kind (a step is one event: a frame, a report, a
 * cycle, a restart, a limit). The seed of a failure is printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/lib/lease_alloc.h"
#include "tests/lib/lease_site.h"

#define S INT64_C(1000000)

static struct lease_world world;
static struct lease_alloc alloc;
static struct lease_site site;

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static uint64_t seed(void)
{
	return number_from("LEASE_SEED", 1);
}

static struct world_conf harsh(void)
{
	return (struct world_conf){.seed = seed(),
				   .n_points = 12,
				   .n_rows = 4,
				   .lease_us = 10 * S,
				   .report_us = S,
				   .loss_permille = 200,
				   .double_permille = 50,
				   .max_delay_us = 8 * S,
				   .drift_ppm = 10000,
				   .point_dies_us = 300 * S,
				   .site_dies_us = 900 * S,
				   .limit_us = 40 * S,
				   .max_down_us = 20 * S,
				   .has_draw = true};
}

static uint64_t steps(void)
{
	return number_from("LEASE_STEPS", 300000);
}

static void judge(void)
{
	print_message(
		"seed %llu: %llu steps, %.1f h, %llu reports, %llu grants delivered, %llu taken, %llu + %llu starts, "
		"%llu falls of limits\n",
		(unsigned long long)world.conf.seed, (unsigned long long)world.n_events,
		(double)world.now_us / 3.6e9, (unsigned long long)world.judge.n_reports,
		(unsigned long long)world.judge.n_grants, (unsigned long long)world.n_taken,
		(unsigned long long)world.n_point_starts, (unsigned long long)world.n_site_starts,
		(unsigned long long)world.n_limit_falls);
	if (world.n_draw_faults || world.judge.n_over)
		print_message("%s; judge: %llu times over, by %lld mA\n", world.fault,
			      (unsigned long long)world.judge.n_over, (long long)world.judge.worst_mA);
	assert_int_equal(world.judge.n_over, 0);
	assert_int_equal(world.judge.over_us, 0);
	assert_int_equal(world.n_draw_faults, 0);
	assert_int_equal(world.judge.n_overflows, 0);
	/* A site that grants nothing keeps every limit too. */
	assert_true(world.n_taken > world.n_events / 50);
}

static void run(const struct world_conf *conf)
{
	struct world_site ops;

	lease_alloc_init(&alloc, conf->lease_us, &ops);
	lease_world_init(&world, conf, &ops);
	lease_world_run(&world, INT64_MAX / 4, steps());
	judge();
	/* The ledger's own sums too, not only what came of them. */
	assert_int_equal(alloc.n_over, 0);
}

static void test_chaos_with_everything_wrong_keeps_every_limit(void **state)
{
	struct world_conf conf = harsh();

	(void)state;
	run(&conf);
}

/* Nothing is lost or late for long: the ledger raises quickly, and the edges of leases are hit by the clocks alone. */
static void test_chaos_on_a_good_network_keeps_every_limit(void **state)
{
	struct world_conf conf = harsh();

	(void)state;
	conf.loss_permille = 10;
	conf.max_delay_us = S / 20;
	run(&conf);
}

/* Short leases and few points with little supply: everything is at its end all the time. */
static void test_chaos_with_short_leases_keeps_every_limit(void **state)
{
	struct world_conf conf = harsh();

	(void)state;
	conf.n_points = 3;
	conf.n_rows = 1;
	conf.lease_us = 4 * S;
	conf.max_delay_us = 3 * S;
	conf.report_us = S / 2;
	conf.point_dies_us = 30 * S;
	run(&conf);
}

static void test_chaos_with_numbers_that_begin_anywhere_keeps_every_limit(void **state)
{
	struct world_conf conf = harsh();

	(void)state;
	conf.point_dies_us = 60 * S;
	conf.has_reboots = true;
	run(&conf);
	assert_true(world.n_reboots > 0);
}

/* The longest lease there is, and every report and grant several times over. */
static void test_chaos_with_long_leases_and_echoes_keeps_every_limit(void **state)
{
	struct world_conf conf = harsh();

	(void)state;
	conf.lease_us = 30 * S;
	conf.double_permille = 500;
	run(&conf);
}

/* Twenty seconds more: the judge must see it, with a seed that does not change. */
static void test_chaos_site_that_grants_longer_than_it_counts_is_found_out(void **state)
{
	struct world_conf conf = harsh();
	struct world_site ops;

	(void)state;
	lease_alloc_init(&alloc, conf.lease_us, &ops);
	conf.seed = 1;
	alloc.lie_units = 10;
	lease_world_init(&world, &conf, &ops);
	lease_world_run(&world, INT64_MAX / 4, 200000);
	assert_true(world.judge.n_over > 0);
	assert_true(world.judge.over_us > 0);
	assert_true(world.n_draw_faults > 0);
	assert_int_equal(alloc.n_over, 0);
}

static void test_chaos_with_the_real_site_keeps_every_limit(void **state)
{
	struct world_conf conf = harsh();
	struct world_site ops = lease_site_ops(&site);

	(void)state;
	conf.n_points = 40; /* on two buses */
	conf.n_rows = 5;
	conf.has_demand = true;
	lease_world_init(&world, &conf, &ops);
	if (!lease_site_build(&site, &world))
		fail_msg("%s", site.err);
	lease_world_run(&world, INT64_MAX / 4, steps());
	judge();
	lease_site_free(&site);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chaos_with_everything_wrong_keeps_every_limit),
		cmocka_unit_test(test_chaos_on_a_good_network_keeps_every_limit),
		cmocka_unit_test(test_chaos_with_short_leases_keeps_every_limit),
		cmocka_unit_test(test_chaos_with_numbers_that_begin_anywhere_keeps_every_limit),
		cmocka_unit_test(test_chaos_with_long_leases_and_echoes_keeps_every_limit),
		cmocka_unit_test(test_chaos_site_that_grants_longer_than_it_counts_is_found_out),
		cmocka_unit_test(test_chaos_with_the_real_site_keeps_every_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
