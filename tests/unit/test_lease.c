/* SPDX-License-Identifier: MIT */
/* The ledger of leases: what counts for how long, what a report changes and what it does not, what may be granted. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <forecourt/units.h>

#include "site-ctrl/lease.h"

#define S	 INT64_C(1000000)
#define SAFE	 6000
#define START	 (7 * S)
#define QUIET	 (35 * S * 1025 / 1000) /* longest lease and reaction, for any two clocks */
#define READY	 (START + QUIET)
#define LIFE	 (15 * S * 1025 / 1000) /* of a grant of 10 s from the receiving of its report */
#define REACTION (5 * S * 1025 / 1000)

static struct lease_point points[3];
static struct lease_ledger l;
static struct lease_sent sent;

static int setup(void **state)
{
	(void)state;
	lease_init(&l, points, 3, 10 * S, 5 * S, START);
	for (uint32_t i = 0; i < 3; i++)
		lease_set_safe(&l, i, SAFE);
	return 0;
}

static bool report(int64_t now_us, uint32_t number)
{
	return lease_report(&l, 1, &(struct lease_report){number, LEASE_NO_ACK, 0, SAFE}, now_us);
}

static bool report_ack(int64_t now_us, uint32_t number, uint32_t acked, uint8_t revision, int32_t may_draw_mA)
{
	uint8_t age = (uint8_t)((number - acked) & LEASE_NUMBER_MASK);

	return lease_report(&l, 1, &(struct lease_report){number, age, revision, may_draw_mA}, now_us);
}

static int grant(int64_t now_us, int32_t charge_mA)
{
	return lease_grant(&l, 1, charge_mA, 0, now_us, &sent);
}

static int32_t may(int64_t now_us)
{
	return lease_may_draw_mA(&l, 1, now_us);
}

/* --- start ------------------------------------------------------------------------------------------------------- */

static void test_lease_starts_with_the_safe_currents_of_all(void **state)
{
	(void)state;
	lease_set_safe(&l, 2, 0);
	assert_int_equal(lease_may_draw_mA(&l, 0, START), SAFE);
	assert_int_equal(lease_may_draw_mA(&l, 2, START), 0);
	assert_int_equal(lease_may_discharge_mA(&l, 0, START), 0);
	assert_int_equal(lease_will_draw_mA(&l, 0, START), SAFE);
	assert_int_equal(lease_will_discharge_mA(&l, 0, START), 0);
	assert_true(l.start_us == START);
	assert_true(l.n_points == 3);
}

static void test_lease_duration_is_whole_units_within_the_wire(void **state)
{
	(void)state;
	assert_true(l.duration_us == 10 * S);
	lease_init(&l, points, 3, 11 * S + 999999, 5 * S, 0);
	assert_true(l.duration_us == 10 * S);
	lease_init(&l, points, 3, 12 * S, 5 * S, 0);
	assert_true(l.duration_us == 12 * S);
	lease_init(&l, points, 3, 0, 5 * S, 0);
	assert_true(l.duration_us == 2 * S);
	lease_init(&l, points, 3, 3600 * S, 5 * S, 0);
	assert_true(l.duration_us == 30 * S);
}

static void test_lease_gives_nothing_for_the_longest_lease_after_its_start(void **state)
{
	(void)state;
	assert_true(report(READY - S, 100));
	assert_int_equal(grant(READY - 1, 10000), -EBUSY);
	assert_int_equal(may(READY - 1), SAFE);
	assert_true(lease_next_us(&l, START) == READY);
	assert_int_equal(grant(READY, 10000), 0);
	assert_int_equal(may(READY), 10000);
}

static void test_lease_shorter_longest_lease_shortens_the_quiet_time(void **state)
{
	(void)state;
	lease_set_longest(&l, 20 * S);
	assert_true(l.quiet_until_us == START + 25 * S * 1025 / 1000);
	lease_set_longest(&l, 2 * S); /* our own are longer */
	assert_true(l.quiet_until_us == START + LIFE);
	assert_true(report(START + LIFE - S, 100));
	assert_int_equal(grant(START + LIFE - 1, 10000), -EBUSY);
	assert_int_equal(grant(START + LIFE, 10000), 0);
	/* So a point that was silent that long may begin anywhere. */
	assert_false(report(START + 2 * LIFE - S - 1, 10));
	assert_true(report(START + 2 * LIFE - S, 10));
}

static void test_lease_in_quiet_time_counts_what_points_say(void **state)
{
	int32_t mA = 0;
	int64_t until_us = 0;

	(void)state;
	assert_true(report_ack(START + S, 100, 99, 3, 32000));
	assert_int_equal(may(START + S), 32000);
	assert_int_equal(lease_may_discharge_mA(&l, 1, START + S), 0);
	assert_true(report_ack(START + 2 * S, 101, 99, 3, 20000));
	assert_int_equal(may(START + 2 * S), 20000);
	assert_true(lease_in_force(&l, 1, START + 2 * S, &mA, &until_us));
	assert_int_equal(mA, 20000);
	/* One that has nothing in force says nothing. */
	assert_true(report(START + 3 * S, 102));
	assert_int_equal(may(READY - 1), 20000);
	assert_int_equal(may(READY), SAFE);
	assert_int_equal(lease_may_draw_mA(&l, 0, START + 2 * S), SAFE);
	/* Afterwards the ledger knows better. */
	assert_true(report_ack(READY, 110, 99, 3, 32000));
	assert_int_equal(may(READY), SAFE);
}

/* --- grants ------------------------------------------------------------------------------------------------------ */

static void test_lease_without_report_nothing_is_granted(void **state)
{
	(void)state;
	assert_int_equal(grant(READY, 10000), -EAGAIN);
	assert_int_equal(may(READY), SAFE);
	assert_true(lease_next_us(&l, READY) == FC_NEVER);
}

static void test_lease_grant_answers_the_newest_report_with_counted_revisions(void **state)
{
	(void)state;
	assert_true(report(READY, 100));
	for (int k = 0; k < LEASE_REVISIONS; k++) {
		assert_int_equal(grant(READY, 10000 + k * 100), 0);
		assert_int_equal(sent.number, 100);
		assert_int_equal(sent.revision, k);
		assert_int_equal(sent.charge_mA, 10000 + k * 100);
		assert_true(sent.over_us == READY + LIFE);
	}
	assert_int_equal(grant(READY, 10000), -EAGAIN);
	assert_false(lease_can_grant(&l, 1, READY));
	assert_true(report(READY + S, 101));
	assert_true(lease_can_grant(&l, 1, READY + S));
	assert_int_equal(grant(READY + 2 * S, 10000), 0);
	assert_int_equal(sent.number, 101);
	assert_int_equal(sent.revision, 0);
	assert_true(sent.over_us == READY + S + LIFE);
}

static void test_lease_grant_for_a_report_older_than_the_lease_is_not_given(void **state)
{
	(void)state;
	assert_true(report(READY, 100));
	assert_int_equal(grant(READY + 10 * S - 1, 10000), 0);
	assert_int_equal(grant(READY + 10 * S, 10000), -EAGAIN);
}

static void test_lease_grant_is_rounded_down_to_what_the_wire_can_say(void **state)
{
	(void)state;
	assert_true(report(READY, 100));
	assert_int_equal(lease_grant(&l, 1, 10099, 199, READY, &sent), 0);
	assert_int_equal(sent.charge_mA, 10000);
	assert_int_equal(sent.discharge_mA, 100);
	assert_int_equal(may(READY), 10000);
	assert_int_equal(lease_grant(&l, 1, INT32_MAX, INT32_MIN, READY, &sent), 0);
	assert_int_equal(sent.charge_mA, 6553500);
	assert_int_equal(sent.discharge_mA, 0);
}

static void test_lease_every_grant_counts_until_it_is_over_by_any_clock(void **state)
{
	(void)state;
	assert_true(report(READY, 100));
	assert_int_equal(grant(READY, 32000), 0);
	assert_true(report(READY + S, 101));
	assert_int_equal(grant(READY + S, 10000), 0);
	/* Not known to have come: the larger one. */
	assert_int_equal(may(READY + LIFE - 1), 32000);
	assert_int_equal(may(READY + LIFE), 10000);
	assert_int_equal(may(READY + S + LIFE - 1), 10000);
	assert_int_equal(may(READY + S + LIFE), SAFE);
	assert_true(lease_next_us(&l, READY) == READY + LIFE);
	assert_true(lease_next_us(&l, READY + LIFE - 1) == READY + LIFE);
	assert_true(lease_next_us(&l, READY + LIFE) == READY + S + LIFE);
	assert_true(lease_next_us(&l, READY + S + LIFE) == FC_NEVER);
}

static void test_lease_grant_below_the_safe_current_leaves_the_safe_current_counted(void **state)
{
	(void)state;
	assert_true(report(READY, 100));
	assert_int_equal(grant(READY, 2000), 0);
	assert_int_equal(may(READY), SAFE);
	assert_int_equal(lease_will_draw_mA(&l, 1, READY), SAFE);
}

static void test_lease_would_and_will_tell_what_a_grant_changes(void **state)
{
	(void)state;
	assert_true(report(READY, 100));
	assert_int_equal(lease_grant(&l, 1, 32000, 8000, READY, &sent), 0);
	assert_int_equal(lease_grant(&l, 1, 10000, 2000, READY, &sent), 0);
	assert_int_equal(lease_would_draw_mA(&l, 1, 31900, READY), 32000);
	assert_int_equal(lease_would_draw_mA(&l, 1, 32100, READY), 32100);
	assert_int_equal(lease_would_discharge_mA(&l, 1, 7900, READY), 8000);
	assert_int_equal(lease_would_discharge_mA(&l, 1, 8100, READY), 8100);
	assert_int_equal(lease_will_draw_mA(&l, 1, READY), 10000);
	assert_int_equal(lease_will_discharge_mA(&l, 1, READY), 2000);
	assert_int_equal(lease_will_draw_mA(&l, 1, READY + LIFE - 1), 10000);
	assert_int_equal(lease_will_draw_mA(&l, 1, READY + LIFE), SAFE);
	assert_int_equal(lease_will_discharge_mA(&l, 1, READY + LIFE), 0);
	/* Of this point alone. */
	assert_int_equal(lease_will_draw_mA(&l, 0, READY), SAFE);
	assert_int_equal(lease_may_draw_mA(&l, 2, READY), SAFE);
}

static void test_lease_more_grants_than_can_be_remembered_count_together(void **state)
{
	(void)state;
	assert_true(report(READY, 100));
	assert_int_equal(lease_grant(&l, 1, 32000, 9000, READY, &sent), 0);
	for (uint32_t k = 1; k < LEASE_MAX_GRANTS; k++) {
		assert_true(report(READY + k * 100000, 100 + k));
		assert_int_equal(grant(READY + k * 100000, 10000), 0);
	}
	assert_int_equal(l.point[1].n_grants, LEASE_MAX_GRANTS);
	assert_true(lease_next_us(&l, READY) == READY + LIFE);
	assert_int_equal(grant(READY + 24 * 100000, 11000), 0);
	assert_int_equal(l.point[1].n_grants, LEASE_MAX_GRANTS);
	/* The first and the second became one that counts as long as the second. */
	assert_int_equal(may(READY + LIFE + 100000 - 1), 32000);
	assert_int_equal(lease_may_discharge_mA(&l, 1, READY + LIFE + 100000 - 1), 9000);
	assert_int_equal(may(READY + LIFE + 100000), 11000);
	assert_int_equal(lease_will_draw_mA(&l, 1, READY + 25 * 100000), 11000);
	/* The one in force may be among them: then nothing is known to be in force, and all is counted. */
	assert_true(report_ack(READY + 25 * 100000, 130, 101, 0, 32000));
	assert_int_equal(may(READY + 25 * 100000), 32000);
}

static void test_lease_merging_the_one_in_force_counts_it_still(void **state)
{
	int32_t mA;
	int64_t until_us;

	(void)state;
	assert_true(report(READY, 100));
	assert_int_equal(grant(READY, 32000), 0);
	assert_true(report_ack(READY + S, 101, 100, 0, 32000));
	for (uint32_t k = 1; k <= LEASE_MAX_GRANTS; k++) {
		assert_true(lease_in_force(&l, 1, READY + S, &mA, &until_us));
		if (k % LEASE_REVISIONS == 0)
			assert_true(report(READY + S + k, 101 + k));
		assert_int_equal(grant(READY + S + k, 10000), 0);
	}
	assert_false(lease_in_force(&l, 1, READY + S, &mA, &until_us));
	assert_int_equal(may(READY + 2 * S), 32000);
}

/* --- reports ----------------------------------------------------------------------------------------------------- */

static void test_lease_old_doubled_and_impossible_reports_change_nothing(void **state)
{
	struct lease_report r = {101, LEASE_NO_ACK, 0, SAFE};
	struct lease_point before;

	(void)state;
	assert_true(report(READY, 100));
	before = points[1];
	assert_false(report(READY + S, 100));
	assert_false(report(READY + S, 99));
	assert_false(report(READY + S, (100 + 0x800000) & 0xffffff));
	r.ack_age = 0;
	assert_false(lease_report(&l, 1, &r, READY + S));
	r.ack_age = LEASE_NO_ACK;
	r.may_draw_mA = -1;
	assert_false(lease_report(&l, 1, &r, READY + S));
	r.may_draw_mA = 0;
	r.number = LEASE_NUMBER_MASK + 1;
	assert_false(lease_report(&l, 1, &r, READY + S));
	assert_memory_equal(&before, &points[1], sizeof(before));
	r.number = 101;
	assert_true(lease_report(&l, 1, &r, READY + S));
}

static void test_lease_numbers_wrap_and_jump_ahead(void **state)
{
	(void)state;
	assert_true(report(READY, 0xfffffe));
	assert_true(report(READY, 0xffffff));
	assert_true(report(READY, 0));
	assert_false(report(READY, 0xffffff));
	assert_int_equal(grant(READY, 32000), 0);
	assert_true(report_ack(READY + S, 5, 0, 0, 32000));
	assert_true(report(READY + S, 5 + 0x7fffff));
	assert_int_equal(lease_grant(&l, 1, 10000, 0, READY + S, &sent), 0);
	assert_int_equal(sent.number, 5 + 0x7fffff);
}

static void test_lease_acknowledged_across_the_wrap_is_found(void **state)
{
	(void)state;
	assert_true(report(READY, 0xffffff));
	assert_int_equal(grant(READY, 32000), 0);
	assert_int_equal(grant(READY, 10000), 0);
	assert_true(report_ack(READY + S, 1, 0xffffff, 1, 10000));
	assert_int_equal(may(READY + S), 10000);
}

/* A point whose numbers went back is heard again when nothing that it was granted can be left. */
static void test_lease_silent_point_may_begin_anywhere_after_the_quiet_time(void **state)
{
	(void)state;
	assert_true(report(READY, 1000));
	assert_int_equal(grant(READY + 10 * S - 1, 32000), 0);
	assert_false(report(READY + QUIET - 1, 10));
	assert_true(report(READY + QUIET, 10));
	assert_int_equal(may(READY + QUIET), SAFE);
	assert_int_equal(points[1].n_grants, 0);
	/* What comes late of its former self is newer now, and voids nothing. */
	assert_int_equal(grant(READY + QUIET, 20000), 0);
	assert_true(report_ack(READY + QUIET + S, 1001, 1000, 0, 32000));
	assert_int_equal(may(READY + QUIET + S), 20000);
}

static void test_lease_report_that_acknowledges_nothing_voids_nothing(void **state)
{
	(void)state;
	assert_true(report(READY, 100));
	assert_int_equal(lease_grant(&l, 1, 32000, 5000, READY, &sent), 0);
	assert_true(report(READY + S, 101));
	assert_true(report_ack(READY + 2 * S, 102, 100, 0, 32000));
	assert_true(report(READY + 3 * S, 50000)); /* restarted */
	assert_int_equal(may(READY + LIFE - 1), 32000);
	assert_int_equal(lease_may_discharge_mA(&l, 1, READY + LIFE - 1), 5000);
	assert_int_equal(may(READY + LIFE), SAFE);
}

static void test_lease_report_that_acknowledges_what_was_never_sent_voids_nothing(void **state)
{
	(void)state;
	assert_true(report(READY, 100));
	assert_int_equal(grant(READY, 32000), 0);
	assert_true(report_ack(READY + S, 101, 100, 1, 10000)); /* no such revision */
	assert_int_equal(may(READY + S), 32000);
	assert_true(report_ack(READY + S, 103, 102, 0, 10000)); /* no such number */
	assert_int_equal(may(READY + S), 32000);
	assert_true(report_ack(READY + S, 104, 100, 0, 100000)); /* and what it says raises nothing */
	assert_int_equal(may(READY + S), 32000);
}

static void test_lease_acknowledgement_voids_everything_before(void **state)
{
	int32_t mA = 0;
	int64_t until_us = 0;

	(void)state;
	assert_true(report(READY, 100));
	assert_int_equal(grant(READY, 32000), 0);
	assert_int_equal(grant(READY, 20000), 0);
	assert_true(report(READY + S, 101));
	assert_int_equal(grant(READY + S, 10000), 0);
	assert_int_equal(grant(READY + S, 12000), 0);
	assert_false(lease_in_force(&l, 1, READY + S, &mA, &until_us));
	assert_true(report_ack(READY + 2 * S, 102, 101, 0, 10000));
	/* The one sent later may still come. */
	assert_int_equal(may(READY + 2 * S), 12000);
	assert_int_equal(points[1].n_grants, 2);
	assert_int_equal(points[1].n_acked, 1);
	assert_true(lease_in_force(&l, 1, READY + 2 * S, &mA, &until_us));
	assert_int_equal(mA, 10000);
	assert_true(until_us == READY + S + LIFE - REACTION);
	assert_true(lease_in_force(&l, 1, until_us - 1, &mA, &until_us));
	assert_false(lease_in_force(&l, 1, until_us, &mA, &until_us));
	assert_true(report_ack(READY + 3 * S, 103, 101, 1, 12000));
	assert_int_equal(points[1].n_grants, 1);
	assert_int_equal(may(READY + S + LIFE - 1), 12000);
	assert_int_equal(may(READY + S + LIFE), SAFE);
	assert_int_equal(lease_will_draw_mA(&l, 1, READY + 3 * S), 12000);
}

static void test_lease_lowered_draw_counts_until_it_has_followed(void **state)
{
	(void)state;
	assert_true(report(READY, 100));
	assert_int_equal(grant(READY, 32000), 0);
	assert_int_equal(grant(READY, 10000), 0);
	assert_true(report_ack(READY + S, 101, 100, 1, 32000));
	assert_int_equal(may(READY + S), 32000);
	assert_int_equal(points[1].n_acked, 2);
	assert_int_equal(lease_will_draw_mA(&l, 1, READY + S), 10000);
	/* Down halfway, then back up in words only, then down. */
	assert_true(report_ack(READY + 2 * S, 102, 100, 1, 20000));
	assert_int_equal(may(READY + 2 * S), 20000);
	assert_true(report_ack(READY + 2 * S, 103, 100, 1, 32000));
	assert_int_equal(may(READY + 2 * S), 20000);
	assert_int_equal(may(READY + S + REACTION - 1), 20000);
	assert_int_equal(may(READY + S + REACTION), 10000);
	assert_true(report_ack(READY + 3 * S, 104, 100, 1, 10000));
	assert_int_equal(may(READY + 3 * S), 10000);
	assert_int_equal(points[1].n_grants, 1);
	/* A word below the grant itself is no promise. */
	assert_true(report_ack(READY + 4 * S, 105, 100, 1, 0));
	assert_int_equal(may(READY + 4 * S), 10000);
}

static void test_lease_lowered_draw_counts_no_longer_than_the_grant_it_came_from(void **state)
{
	int64_t late_us = READY + LIFE - S;

	(void)state;
	assert_true(report(READY, 100));
	assert_int_equal(grant(READY, 32000), 0);
	assert_true(report(READY + 6 * S, 106));
	assert_int_equal(grant(READY + 6 * S, 10000), 0);
	assert_true(report_ack(late_us, 110, 106, 0, 32000));
	assert_int_equal(may(READY + LIFE - 1), 32000);
	assert_int_equal(may(READY + LIFE), 10000);
}

static void test_lease_lowered_discharge_counts_for_the_reaction_time(void **state)
{
	(void)state;
	assert_true(report(READY, 100));
	assert_int_equal(lease_grant(&l, 1, 10000, 8000, READY, &sent), 0);
	assert_int_equal(lease_grant(&l, 1, 10000, 0, READY, &sent), 0);
	assert_int_equal(lease_may_discharge_mA(&l, 1, READY), 8000);
	assert_true(report_ack(READY + S, 101, 100, 1, 10000));
	assert_int_equal(lease_may_discharge_mA(&l, 1, READY + S + REACTION - 1), 8000);
	assert_int_equal(lease_may_discharge_mA(&l, 1, READY + S + REACTION), 0);
	/* Said again, it does not count anew. */
	assert_true(report_ack(READY + 3 * S, 102, 100, 1, 10000));
	assert_int_equal(lease_may_discharge_mA(&l, 1, READY + S + REACTION), 0);
	assert_int_equal(may(READY + 3 * S), 10000);
}

/* It has no business to: a point goes only forward. Then the later one stays what is known. */
static void test_lease_acknowledgement_of_something_void_is_not_believed(void **state)
{
	(void)state;
	assert_true(report(READY, 100));
	assert_int_equal(grant(READY, 32000), 0);
	assert_int_equal(grant(READY, 10000), 0);
	assert_true(report_ack(READY + S, 101, 100, 1, 32000));
	assert_true(report_ack(READY + S, 102, 100, 0, 20000));
	assert_int_equal(points[1].n_acked, 2);
	assert_int_equal(may(READY + S), 32000);
}

static void test_lease_what_is_over_is_forgotten_and_known_no_more(void **state)
{
	int32_t mA;
	int64_t until_us;

	(void)state;
	assert_true(report(READY, 100));
	assert_int_equal(grant(READY, 32000), 0);
	assert_true(report_ack(READY + S, 101, 100, 0, 32000));
	assert_int_equal(grant(READY + S, 20000), 0);
	assert_true(report(READY + LIFE - 1, 115));
	assert_int_equal(points[1].n_grants, 2);
	assert_true(report_ack(READY + LIFE, 116, 100, 0, 32000));
	assert_int_equal(points[1].n_grants, 1);
	assert_int_equal(points[1].n_acked, 0);
	assert_false(lease_in_force(&l, 1, READY + LIFE, &mA, &until_us));
	assert_int_equal(may(READY + LIFE), 20000);
	assert_int_equal(grant(READY + S + LIFE, 8000), 0);
	assert_int_equal(points[1].n_grants, 1);
	assert_true(report_ack(READY + S + LIFE, 117, 116, 0, 8000));
	assert_true(lease_in_force(&l, 1, READY + S + LIFE, &mA, &until_us));
	assert_int_equal(mA, 8000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_lease_starts_with_the_safe_currents_of_all, setup),
		cmocka_unit_test_setup(test_lease_duration_is_whole_units_within_the_wire, setup),
		cmocka_unit_test_setup(test_lease_gives_nothing_for_the_longest_lease_after_its_start, setup),
		cmocka_unit_test_setup(test_lease_shorter_longest_lease_shortens_the_quiet_time, setup),
		cmocka_unit_test_setup(test_lease_in_quiet_time_counts_what_points_say, setup),
		cmocka_unit_test_setup(test_lease_without_report_nothing_is_granted, setup),
		cmocka_unit_test_setup(test_lease_grant_answers_the_newest_report_with_counted_revisions,
				       setup),
		cmocka_unit_test_setup(test_lease_grant_for_a_report_older_than_the_lease_is_not_given,
				       setup),
		cmocka_unit_test_setup(test_lease_grant_is_rounded_down_to_what_the_wire_can_say, setup),
		cmocka_unit_test_setup(test_lease_every_grant_counts_until_it_is_over_by_any_clock, setup),
		cmocka_unit_test_setup(
			test_lease_grant_below_the_safe_current_leaves_the_safe_current_counted, setup),
		cmocka_unit_test_setup(test_lease_would_and_will_tell_what_a_grant_changes, setup),
		cmocka_unit_test_setup(test_lease_more_grants_than_can_be_remembered_count_together, setup),
		cmocka_unit_test_setup(test_lease_merging_the_one_in_force_counts_it_still, setup),
		cmocka_unit_test_setup(test_lease_old_doubled_and_impossible_reports_change_nothing, setup),
		cmocka_unit_test_setup(test_lease_numbers_wrap_and_jump_ahead, setup),
		cmocka_unit_test_setup(test_lease_acknowledged_across_the_wrap_is_found, setup),
		cmocka_unit_test_setup(test_lease_silent_point_may_begin_anywhere_after_the_quiet_time,
				       setup),
		cmocka_unit_test_setup(test_lease_report_that_acknowledges_nothing_voids_nothing, setup),
		cmocka_unit_test_setup(test_lease_report_that_acknowledges_what_was_never_sent_voids_nothing,
				       setup),
		cmocka_unit_test_setup(test_lease_acknowledgement_voids_everything_before, setup),
		cmocka_unit_test_setup(test_lease_lowered_draw_counts_until_it_has_followed, setup),
		cmocka_unit_test_setup(test_lease_lowered_draw_counts_no_longer_than_the_grant_it_came_from,
				       setup),
		cmocka_unit_test_setup(test_lease_lowered_discharge_counts_for_the_reaction_time, setup),
		cmocka_unit_test_setup(test_lease_acknowledgement_of_something_void_is_not_believed, setup),
		cmocka_unit_test_setup(test_lease_what_is_over_is_forgotten_and_known_no_more, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
