/* SPDX-License-Identifier: MIT */
/* The point's half of a lease: numbers, verdicts, what may be drawn, what is acknowledged and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <forecourt/units.h>

#include "lib/core/lease_hold.h"

#define S     INT64_C(1000000)
#define SAFE  6000
#define LEASE (10 * S)
#define FIRST 1000u

static struct lease_hold h;
static uint8_t age, revision;

static int setup(void **state)
{
	(void)state;
	lease_hold_init(&h, SAFE, FIRST);
	return 0;
}

static uint32_t report(int64_t now_us)
{
	return lease_hold_report(&h, now_us, &age, &revision);
}

static enum lease_hold_verdict grant(int64_t now_us, uint32_t number, uint8_t rev, int32_t charge_mA)
{
	return lease_hold_grant(&h, now_us, number, rev, LEASE, charge_mA, charge_mA / 2);
}

/* --- numbers ---------------------------------------------------------------------------------------------------- */

static void test_hold_without_grant_keeps_to_safe_current(void **state)
{
	(void)state;
	assert_int_equal(lease_hold_charge_mA(&h, 0), SAFE);
	assert_int_equal(lease_hold_discharge_mA(&h, 0), 0);
	assert_int_equal(lease_hold_may_draw_mA(&h, 0), SAFE);
	assert_true(lease_hold_next_us(&h) == FC_NEVER);
	assert_false(lease_hold_tick(&h, S));
	assert_int_equal(h.n_expired, 0);
}

static void test_hold_numbers_begin_where_told_and_wrap(void **state)
{
	(void)state;
	assert_int_equal(report(S), FIRST);
	assert_int_equal(report(2 * S), FIRST + 1);
	lease_hold_init(&h, SAFE, 0);
	assert_int_equal(report(S), 0);
	lease_hold_init(&h, SAFE, 0xffffff);
	assert_int_equal(report(S), 0xffffff);
	assert_int_equal(report(2 * S), 0);
	/* A grant for the number before the wrap, then one for that after it. */
	assert_int_equal(grant(3 * S, 0xffffff, 0, 20000), LEASE_TAKEN);
	assert_int_equal(grant(3 * S, 0, 0, 21000), LEASE_TAKEN);
	assert_int_equal(grant(3 * S, 0xffffff, 1, 22000), LEASE_OVERTAKEN);
	assert_int_equal(lease_hold_charge_mA(&h, 3 * S), 21000);
}

static void test_hold_first_number_goes_on_over_restarts_of_a_boot(void **state)
{
	(void)state;
	assert_int_equal(lease_hold_first_number(0, 0), 0);
	assert_int_equal(lease_hold_first_number(5, 249999), 5);
	assert_int_equal(lease_hold_first_number(5, 250000), 6);
	assert_int_equal(lease_hold_first_number(0xffffff, 250000), 0);
	assert_int_equal(lease_hold_first_number(0xffffffff, 500000), 1);
}

static void test_hold_grant_for_number_never_sent_is_refused(void **state)
{
	(void)state;
	assert_int_equal(grant(S, FIRST - 1, 0, 20000), LEASE_UNKNOWN_NUMBER);
	assert_int_equal(report(S), FIRST);
	assert_int_equal(grant(S, FIRST + 1, 0, 20000), LEASE_UNKNOWN_NUMBER);
	assert_int_equal(grant(S, FIRST - 1, 0, 20000), LEASE_UNKNOWN_NUMBER);
	assert_int_equal(lease_hold_charge_mA(&h, S), SAFE);
	assert_int_equal(h.n_verdicts[LEASE_UNKNOWN_NUMBER], 3);
	assert_int_equal(h.n_verdicts[LEASE_TAKEN], 0);
}

static void test_hold_remembers_as_many_reports_as_it_says(void **state)
{
	(void)state;
	for (int i = 0; i < LEASE_HOLD_MEMORY; i++)
		report(S + i);
	assert_int_equal(h.n_known, LEASE_HOLD_MEMORY);
	assert_int_equal(grant(2 * S, FIRST, 0, 20000), LEASE_TAKEN);
	assert_true(h.until_us == S + LEASE);
	report(2 * S);
	assert_int_equal(h.n_known, LEASE_HOLD_MEMORY);
	assert_int_equal(grant(2 * S, FIRST, 1, 20000), LEASE_UNKNOWN_NUMBER);
	assert_int_equal(grant(2 * S, FIRST + 1, 0, 20000), LEASE_TAKEN);
	assert_true(h.until_us == S + 1 + LEASE);
}

static void test_hold_restarted_refuses_grants_of_the_process_before(void **state)
{
	uint32_t old;

	(void)state;
	old = report(S);
	lease_hold_init(&h, SAFE, FIRST + 100);
	report(2 * S);
	assert_int_equal(grant(2 * S, old, 0, 32000), LEASE_UNKNOWN_NUMBER);
	assert_int_equal(lease_hold_charge_mA(&h, 2 * S), SAFE);
}

/* --- verdicts --------------------------------------------------------------------------------------------------- */

static void test_hold_lease_counts_from_sending_of_the_report(void **state)
{
	uint32_t n = report(S);

	(void)state;
	assert_int_equal(grant(9 * S, n, 0, 20000), LEASE_TAKEN);
	assert_true(lease_hold_next_us(&h) == 11 * S);
	assert_int_equal(lease_hold_charge_mA(&h, 11 * S - 1), 20000);
	assert_int_equal(lease_hold_discharge_mA(&h, 11 * S - 1), 10000);
	/* By the clock, and not only when somebody looks. */
	assert_int_equal(lease_hold_charge_mA(&h, 11 * S), SAFE);
	assert_int_equal(lease_hold_discharge_mA(&h, 11 * S), 0);
	assert_false(lease_hold_tick(&h, 11 * S - 1));
	assert_true(lease_hold_tick(&h, 11 * S));
	assert_false(lease_hold_tick(&h, 12 * S));
	assert_int_equal(h.n_expired, 1);
	assert_true(lease_hold_next_us(&h) == FC_NEVER);
	assert_int_equal(lease_hold_charge_mA(&h, 12 * S), SAFE);
	assert_int_equal(lease_hold_discharge_mA(&h, 12 * S), 0);
}

static void test_hold_grant_that_comes_after_its_lease_is_void(void **state)
{
	uint32_t n = report(S);

	(void)state;
	assert_int_equal(grant(11 * S, n, 0, 20000), LEASE_TOO_LATE);
	assert_int_equal(grant(12 * S, n, 0, 20000), LEASE_TOO_LATE);
	assert_false(h.has_grant);
	assert_int_equal(grant(11 * S - 1, n, 0, 20000), LEASE_TAKEN);
}

static void test_hold_later_number_or_revision_overtakes_and_earlier_ones_are_void(void **state)
{
	uint32_t a = report(S), b = report(2 * S);

	(void)state;
	assert_int_equal(grant(3 * S, a, 1, 20000), LEASE_TAKEN);
	assert_int_equal(grant(3 * S, a, 1, 30000), LEASE_OVERTAKEN);
	assert_int_equal(grant(3 * S, a, 0, 30000), LEASE_OVERTAKEN);
	assert_int_equal(lease_hold_charge_mA(&h, 3 * S), 20000);
	assert_int_equal(grant(3 * S, a, 2, 21000), LEASE_TAKEN);
	assert_int_equal(grant(3 * S, b, 0, 22000), LEASE_TAKEN);
	assert_int_equal(grant(3 * S, a, 15, 30000), LEASE_OVERTAKEN);
	assert_int_equal(lease_hold_charge_mA(&h, 3 * S), 22000);
	assert_int_equal(h.n_verdicts[LEASE_OVERTAKEN], 3);
	assert_int_equal(h.n_verdicts[LEASE_TAKEN], 3);
}

static void test_hold_grant_stays_overtaken_after_the_later_one_has_ended(void **state)
{
	uint32_t a = report(S);

	(void)state;
	assert_int_equal(lease_hold_grant(&h, S, a, 1, 2 * S, 20000, 0), LEASE_TAKEN);
	assert_true(lease_hold_tick(&h, 3 * S));
	assert_int_equal(grant(3 * S, a, 0, 30000), LEASE_OVERTAKEN);
	assert_int_equal(lease_hold_charge_mA(&h, 3 * S), SAFE);
}

/* Half the numbers later, "earlier" and "later" would have changed places. */
static void test_hold_takes_grants_again_however_long_ago_the_last_one_was(void **state)
{
	uint32_t n = report(S);

	(void)state;
	assert_int_equal(grant(S, n, 15, 20000), LEASE_TAKEN);
	for (uint32_t i = 0; i < 0x1000000 + 5; i++)
		n = report(S + (int64_t)i * S / 4);
	assert_int_equal(n, (FIRST + 5) & 0xffffff);
	assert_int_equal(lease_hold_grant(&h, S * 0x400001, n - 5, 15, LEASE, 21000, 0), LEASE_TAKEN);
}

static void test_hold_remembers_the_last_taken_as_long_as_its_number(void **state)
{
	uint32_t n = report(S);

	(void)state;
	assert_int_equal(grant(S, n, 0, 20000), LEASE_TAKEN);
	for (int i = 1; i < LEASE_HOLD_MEMORY; i++)
		report(S + i);
	assert_true(h.has_taken);
	assert_int_equal(grant(S + 99, n, 0, 20000), LEASE_OVERTAKEN);
	report(S + 99);
	assert_false(h.has_taken);
	assert_int_equal(grant(S + 99, n, 1, 20000), LEASE_UNKNOWN_NUMBER);
	/* Still in force. */
	assert_int_equal(lease_hold_charge_mA(&h, S + 99), 20000);
	assert_int_equal(grant(S + 99, n + 1, 0, 21000), LEASE_TAKEN);
}

static void test_hold_impossible_grants_are_refused(void **state)
{
	uint32_t n = report(S);

	(void)state;
	assert_int_equal(lease_hold_grant(&h, S, n, 0, 0, 20000, 0), LEASE_BAD);
	assert_int_equal(lease_hold_grant(&h, S, n, 0, -1, 20000, 0), LEASE_BAD);
	assert_int_equal(lease_hold_grant(&h, S, n, 0, LEASE_HOLD_LONGEST_US + 1, 20000, 0), LEASE_BAD);
	assert_int_equal(lease_hold_grant(&h, S, n, 0, LEASE, -1, 0), LEASE_BAD);
	assert_int_equal(lease_hold_grant(&h, S, n, 0, LEASE, 0, -1), LEASE_BAD);
	assert_int_equal(h.n_verdicts[LEASE_BAD], 5);
	assert_int_equal(lease_hold_grant(&h, S, n, 0, 1, 0, 0), LEASE_TAKEN);
	assert_int_equal(lease_hold_grant(&h, S, n, 1, LEASE_HOLD_LONGEST_US, 0, 0), LEASE_TAKEN);
	assert_int_equal(lease_hold_charge_mA(&h, S), 0);
}

/* --- what may be drawn ------------------------------------------------------------------------------------------ */

static void test_hold_may_draw_stays_up_for_the_reaction_time_after_a_lowering(void **state)
{
	uint32_t n = report(S);

	(void)state;
	grant(2 * S, n, 0, 32000);
	assert_int_equal(lease_hold_may_draw_mA(&h, 2 * S), 32000);
	grant(3 * S, n, 1, 10000);
	assert_int_equal(lease_hold_charge_mA(&h, 3 * S), 10000);
	assert_int_equal(lease_hold_may_draw_mA(&h, 3 * S), 32000);
	assert_int_equal(lease_hold_may_draw_mA(&h, 3 * S + LEASE_HOLD_REACTION_US - 1), 32000);
	assert_int_equal(lease_hold_may_draw_mA(&h, 3 * S + LEASE_HOLD_REACTION_US), 10000);
}

static void test_hold_renewals_do_not_make_a_fall_longer_and_raises_do_not_end_it(void **state)
{
	uint32_t n = report(S);

	(void)state;
	grant(2 * S, n, 0, 32000);
	grant(3 * S, n, 1, 10000);
	grant(5 * S, n, 2, 10000);
	grant(5 * S, n, 3, 12000);
	assert_int_equal(lease_hold_may_draw_mA(&h, 8 * S), 32000);
	assert_int_equal(lease_hold_may_draw_mA(&h, 3 * S + LEASE_HOLD_REACTION_US), 12000);
	/* Lowered while still falling: from where it may still be. */
	setup(NULL);
	n = report(S);
	grant(2 * S, n, 0, 32000);
	grant(3 * S, n, 1, 20000);
	grant(4 * S, n, 2, 10000);
	assert_int_equal(lease_hold_may_draw_mA(&h, 4 * S + LEASE_HOLD_REACTION_US - 1), 32000);
	/* And from the last one only when it was down already. */
	grant(9 * S, n, 3, 40000);
	assert_int_equal(lease_hold_may_draw_mA(&h, 4 * S + LEASE_HOLD_REACTION_US), 40000);
	grant(10 * S, n, 4, 8000);
	assert_int_equal(lease_hold_may_draw_mA(&h, 10 * S), 40000);
}

static void test_hold_end_of_lease_falls_from_its_end_however_late_it_is_seen(void **state)
{
	uint32_t n = report(S);

	(void)state;
	grant(2 * S, n, 0, 32000);
	assert_int_equal(lease_hold_may_draw_mA(&h, 11 * S + LEASE_HOLD_REACTION_US - 1), 32000);
	assert_int_equal(lease_hold_may_draw_mA(&h, 11 * S + LEASE_HOLD_REACTION_US), SAFE);
	/* Below the safe current there is nothing to fall from: it rises. */
	setup(NULL);
	n = report(S);
	grant(2 * S, n, 0, 2000);
	assert_int_equal(lease_hold_charge_mA(&h, 2 * S), 2000);
	assert_int_equal(lease_hold_may_draw_mA(&h, 2 * S), SAFE);
	assert_int_equal(lease_hold_may_draw_mA(&h, 9 * S), 2000);
	assert_int_equal(lease_hold_may_draw_mA(&h, 11 * S), SAFE);
}

static void test_hold_draw_that_has_followed_ends_the_fall(void **state)
{
	uint32_t n = report(S);

	(void)state;
	grant(2 * S, n, 0, 32000);
	grant(3 * S, n, 1, 10000);
	lease_hold_followed(&h, 3 * S + 1);
	assert_int_equal(lease_hold_may_draw_mA(&h, 3 * S + 1), 10000);
	/* A fall that comes later is its own. */
	grant(4 * S, n, 2, 9000);
	assert_int_equal(lease_hold_may_draw_mA(&h, 4 * S), 10000);
	/* Nobody has looked since the lease ended. */
	lease_hold_followed(&h, 12 * S);
	assert_int_equal(lease_hold_may_draw_mA(&h, 12 * S), SAFE);
	assert_int_equal(h.n_expired, 1);
}

static void test_hold_may_draw_is_rounded_up_to_what_the_wire_can_say(void **state)
{
	uint32_t n;

	(void)state;
	lease_hold_init(&h, 6001, FIRST);
	assert_int_equal(lease_hold_may_draw_mA(&h, 0), 6100);
	n = report(S);
	grant(S, n, 0, 6100);
	assert_int_equal(lease_hold_may_draw_mA(&h, S), 6100);
	grant(S, n, 1, 6199);
	assert_int_equal(lease_hold_may_draw_mA(&h, S), 6200);
	grant(S, n, 2, INT32_MAX);
	assert_int_equal(lease_hold_may_draw_mA(&h, S), INT32_MAX);
	lease_hold_init(&h, 0, FIRST);
	assert_int_equal(lease_hold_may_draw_mA(&h, 0), 0);
}

/* --- acknowledging ------------------------------------------------------------------------------------------------ */

static void test_hold_acknowledges_the_grant_in_force(void **state)
{
	uint32_t n = report(S);

	(void)state;
	lease_hold_followed(&h, S);
	assert_int_equal(age, LEASE_HOLD_NO_ACK);
	grant(S, n, 3, 20000);
	report(2 * S);
	assert_int_equal(age, 1);
	assert_int_equal(revision, 3);
	report(3 * S);
	assert_int_equal(age, 2);
	report(11 * S - 1);
	assert_int_equal(age, 3);
	report(11 * S);
	assert_int_equal(age, LEASE_HOLD_NO_ACK);
	assert_int_equal(revision, 0);
	assert_int_equal(h.n_expired, 1);
}

/* The process before may have been allowed more, and the vehicle may be drawing it still. */
static void test_hold_acknowledges_nothing_for_one_reaction_time_after_its_first_report(void **state)
{
	int64_t from_us = S + LEASE_HOLD_REACTION_US;
	uint32_t n = report(S);

	(void)state;
	grant(S, n, 0, 20000);
	assert_int_equal(lease_hold_charge_mA(&h, S), 20000);
	report(2 * S);
	assert_int_equal(age, LEASE_HOLD_NO_ACK);
	report(from_us - 1);
	assert_int_equal(age, LEASE_HOLD_NO_ACK);
	report(from_us);
	assert_int_equal(age, 3);
}

static void test_hold_that_starts_with_the_output_off_acknowledges_at_once(void **state)
{
	uint32_t n;

	(void)state;
	lease_hold_followed(&h, 0);
	n = report(S);
	grant(S, n, 0, 20000);
	report(2 * S);
	assert_int_equal(age, 1);
}

/* Far more reports than allowed: the age must not come round. */
static void test_hold_age_beyond_the_wire_is_not_acknowledged(void **state)
{
	uint32_t n = report(S);

	(void)state;
	lease_hold_followed(&h, S);
	grant(S, n, 0, 20000);
	for (int i = 1; i < LEASE_HOLD_NO_ACK; i++)
		report(S + i);
	assert_int_equal(age, LEASE_HOLD_NO_ACK - 1);
	report(2 * S);
	assert_int_equal(age, LEASE_HOLD_NO_ACK);
	assert_int_equal(revision, 0);
	report(2 * S);
	assert_int_equal(age, LEASE_HOLD_NO_ACK);
	assert_int_equal(lease_hold_charge_mA(&h, 2 * S), 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_hold_without_grant_keeps_to_safe_current, setup),
		cmocka_unit_test_setup(test_hold_numbers_begin_where_told_and_wrap, setup),
		cmocka_unit_test_setup(test_hold_first_number_goes_on_over_restarts_of_a_boot, setup),
		cmocka_unit_test_setup(test_hold_grant_for_number_never_sent_is_refused, setup),
		cmocka_unit_test_setup(test_hold_remembers_as_many_reports_as_it_says, setup),
		cmocka_unit_test_setup(test_hold_restarted_refuses_grants_of_the_process_before, setup),
		cmocka_unit_test_setup(test_hold_lease_counts_from_sending_of_the_report, setup),
		cmocka_unit_test_setup(test_hold_grant_that_comes_after_its_lease_is_void, setup),
		cmocka_unit_test_setup(test_hold_later_number_or_revision_overtakes_and_earlier_ones_are_void,
				       setup),
		cmocka_unit_test_setup(test_hold_grant_stays_overtaken_after_the_later_one_has_ended, setup),
		cmocka_unit_test_setup(test_hold_takes_grants_again_however_long_ago_the_last_one_was, setup),
		cmocka_unit_test_setup(test_hold_remembers_the_last_taken_as_long_as_its_number, setup),
		cmocka_unit_test_setup(test_hold_impossible_grants_are_refused, setup),
		cmocka_unit_test_setup(test_hold_may_draw_stays_up_for_the_reaction_time_after_a_lowering,
				       setup),
		cmocka_unit_test_setup(test_hold_renewals_do_not_make_a_fall_longer_and_raises_do_not_end_it,
				       setup),
		cmocka_unit_test_setup(test_hold_end_of_lease_falls_from_its_end_however_late_it_is_seen,
				       setup),
		cmocka_unit_test_setup(test_hold_draw_that_has_followed_ends_the_fall, setup),
		cmocka_unit_test_setup(test_hold_may_draw_is_rounded_up_to_what_the_wire_can_say, setup),
		cmocka_unit_test_setup(test_hold_acknowledges_the_grant_in_force, setup),
		cmocka_unit_test_setup(
			test_hold_acknowledges_nothing_for_one_reaction_time_after_its_first_report, setup),
		cmocka_unit_test_setup(test_hold_that_starts_with_the_output_off_acknowledges_at_once, setup),
		cmocka_unit_test_setup(test_hold_age_beyond_the_wire_is_not_acknowledged, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
