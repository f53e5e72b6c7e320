/* SPDX-License-Identifier: MIT */
/*
 * Whole sessions of a charge point under a site, in virtual time: both controllers, both modules, plug and
 * physics, and a site of one point that grants what the test says. After every event the measured draw at
 * the supply is held against what the point has told that it may draw.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "site_msgs.h"
#include "tests/lib/point_rig.h"

#define S_US	  ((int64_t)FC_US_PER_S)
#define LEASE_US  (10 * S_US)
#define UNITS	  5
#define SITE_NODE SIM_N_MACHINES

/* Answers every report of point 1; and keeps the books that the point's honesty is judged by. */
struct little_site {
	int32_t grant_mA; /* below 0: silent */
	bool has_report;
	struct site_point_report report;
	struct site_point_demand demand;
	struct site_point_session session;
	uint32_t n_reports;
	/* Most that may be drawn: as reported last, and as granted since. */
	int32_t granted_mA;
	int64_t granted_until_us;
	int32_t worst_over_mA; /* largest excess of the draw over that */
};

static struct point_rig *rig;
static struct little_site site;
static void (*rig_after_event)(void *ctx, struct world *w, unsigned node);

/* --- the little site ---------------------------------------------------------------------------------- */

static void site_rx(void *self, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	struct little_site *s = self;
	struct site_grant g = {.duration = UNITS};
	struct can_frame answer;

	switch (site_find(SITE_V1, msg_base_id(f->can_id))) {
	case SITE_POINT_REPORT:
		site_layouts[SITE_V1][SITE_POINT_REPORT].unpack(&s->report, f->data);
		s->n_reports++;
		s->has_report = true;
		break;
	case SITE_POINT_DEMAND:
		site_layouts[SITE_V1][SITE_POINT_DEMAND].unpack(&s->demand, f->data);
		break;
	case SITE_POINT_SESSION:
		site_layouts[SITE_V1][SITE_POINT_SESSION].unpack(&s->session, f->data);
		break;
	default:
		return;
	}
	if (s->grant_mA < 0 || !s->has_report)
		return;
	s->has_report = false;
	g.number = s->report.number;
	g.charge_current_mA = s->grant_mA;
	if (s->grant_mA >= s->granted_mA || now_us >= s->granted_until_us)
		s->granted_mA = s->grant_mA;
	s->granted_until_us = now_us + LEASE_US;
	msg_to_frame(&site_layouts[SITE_V1][SITE_GRANT], &g, 1, &answer);
	out_queue_frame(out, 0, &answer);
}

static void site_tick(void *self, int64_t now_us, struct out_queue *out)
{
	(void)self, (void)now_us, (void)out;
}

static int64_t site_next_us(const void *self)
{
	(void)self;
	return FC_NEVER;
}

static size_t site_filters(const void *self, struct can_filter *f, size_t n)
{
	(void)self;
	if (n > 0)
		f[0] = (struct can_filter){.can_id = CAN_EFF_FLAG | 0x010a8000,
					   .can_mask = CAN_EFF_FLAG | 0x1fffff00};
	return 1;
}

static void site_stop(void *self, int64_t now_us, struct out_queue *out)
{
	(void)self, (void)now_us, (void)out;
}

static bool site_is_stopped(const void *self)
{
	(void)self;
	return true;
}

static int site_command(void *self, int64_t now_us, const char *line, char *answer, size_t size,
			struct out_queue *out)
{
	(void)self, (void)now_us, (void)line, (void)answer, (void)size, (void)out;
	return -1;
}

static const struct machine_ops site_ops = {
	.rx = site_rx,
	.tick = site_tick,
	.next_us = site_next_us,
	.filters = site_filters,
	.stop = site_stop,
	.is_stopped = site_is_stopped,
	.command = site_command,
};

/* --- bench -------------------------------------------------------------------------------------------- */

static int32_t drawn_mA(const struct point_rig *r)
{
	return evse_site_drawn_mA(&r->point.evse.session);
}

/*
 * The vehicle asks for whole amperes, and the voltage may rise a little: up to 1 A of 1.2 kW and 2 % stay
 * unused.
 */
static void assert_within(int32_t mA, int32_t granted_mA)
{
	assert_in_range(mA, granted_mA - 600 - granted_mA / 50, granted_mA);
}

static void after_event(void *ctx, struct world *w, unsigned node)
{
	const struct evse_session *s = &rig->point.evse.session;
	int32_t may_mA =
		fc_max_i32(site.report.may_draw_mA, evse_grant_allowed_mA(&s->site.grant, w->now_us));
	int32_t over_mA;

	rig_after_event(ctx, w, node);
	over_mA = drawn_mA(rig) - may_mA - may_mA / 100 - 200;
	if (w->node[SIM_EVSE].is_alive && over_mA > site.worst_over_mA)
		site.worst_over_mA = over_mA;
	assert_int_equal(s->guard.n_clipped, 0);
}

static int setup(void **state)
{
	point_rig_defaults(rig);
	memset(&site, 0, sizeof(site));
	point_rig_set(rig, "evse.site=bus");
	point_rig_set(rig, "evse.charge_duration=0");
	*state = rig;
	return 0;
}

static void start(struct point_rig *r, int32_t grant_mA)
{
	struct machine m = {.ops = &site_ops, .self = &site, .name = "site"};

	site.grant_mA = grant_mA;
	point_rig_start(r);
	assert_int_equal(world_add(&r->point.world, &m), SITE_NODE);
	rig_after_event = r->point.world.after_event;
	r->point.world.after_event = after_event;
}

static void assert_clean(struct point_rig *r)
{
	const struct evse_session *s = &r->point.evse.session;

	assert_true(sim_point_is_session_over(&r->point));
	assert_int_equal(s->record.finished, 0); /* Clean_Stop */
	assert_int_equal(s->faults.latched, 0);
	assert_int_equal(s->guard.n_withheld, 0);
	assert_int_equal(r->point.world.n_lost, 0);
	assert_true(site.worst_over_mA <= 0);
}

/* --- tests -------------------------------------------------------------------------------------------- */

static void test_site_whole_session_stays_within_the_grant_and_uses_it(void **state)
{
	struct point_rig *r = *state;

	point_rig_set(r, "pev.stop_soc_pct=40");
	start(r, 32000);
	point_rig_run_to(r, SECC_CHARGING);
	point_rig_run_s(r, 60);
	assert_within(drawn_mA(r), 32000);
	assert_int_equal(site.report.state, SITE_POINT_REPORT_STATE_CHARGING);
	assert_true(site.demand.requested_mA > 45000);	 /* it would take more */
	assert_true(site.session.energy_wanted < 65535); /* the vehicle has told its battery */
	point_rig_run_session(r);
	assert_clean(r);
	assert_true(r->max_soc >= 0.395);
	assert_int_equal(r->point.evse.session.record.cause, EVSE_CAUSE_VEHICLE);
}

static void test_site_every_profile_is_bound_the_same(void **state)
{
	static const char *const evse[] = {"3.0", "3.1", "3.2", "3.3", "3.5", "3.6"};
	struct point_rig *r = *state;
	unsigned i;

	for (i = 0; i < 6; i++) {
		setup(state);
		point_rig_set2(r, "evse.protocol", evse[i]);
		point_rig_set2(r, "secc.protocol", evse[i]);
		start(r, 20000);
		point_rig_run_to(r, SECC_CHARGING);
		point_rig_run_s(r, 30);
		assert_within(drawn_mA(r), 20000);
		point_rig_command(r, SIM_EVSE, "stop");
		point_rig_run_session(r);
		assert_clean(r);
	}
}

static void test_site_steps_of_the_grant_are_followed_within_five_seconds(void **state)
{
	static const int32_t grant_mA[] = {45000, 10000, 40000, 0, 3000, 45000, 0, 30000};
	struct point_rig *r = *state;
	unsigned i;

	start(r, 32000);
	point_rig_run_to(r, SECC_CHARGING);
	point_rig_run_s(r, 10);
	for (i = 0; i < sizeof(grant_mA) / sizeof(grant_mA[0]); i++) {
		site.grant_mA = grant_mA[i];
		point_rig_run_s(r, 6);
		assert_true(drawn_mA(r) <= grant_mA[i]);
		assert_true(site.report.may_draw_mA <= grant_mA[i]);
		point_rig_run_s(r, 14);
		if (grant_mA[i] > 0)
			assert_within(drawn_mA(r), grant_mA[i]);
	}
	point_rig_command(r, SIM_EVSE, "stop");
	point_rig_run_session(r);
	assert_clean(r);
}

static void test_site_gone_means_the_safe_current_and_back_again(void **state)
{
	struct point_rig *r = *state;

	point_rig_set(r, "evse.site_safe_current=6");
	start(r, 40000);
	point_rig_run_to(r, SECC_CHARGING);
	point_rig_run_s(r, 20);
	assert_within(drawn_mA(r), 40000);
	world_kill(&r->point.world, SITE_NODE);
	point_rig_run_s(r, 9);
	assert_within(drawn_mA(r), 40000);
	point_rig_run_s(r,
			6); /* at most 10 s of lease and 5 s of reaction, whatever the power modules' ramp */
	assert_within(drawn_mA(r), 6000);
	point_rig_run_s(r, 60);
	assert_int_equal(r->point.secc.state, SECC_CHARGING);
	{
		struct machine m = {.ops = &site_ops, .self = &site, .name = "site"};

		world_restart(&r->point.world, SITE_NODE, &m);
	}
	point_rig_run_s(r, 10);
	assert_within(drawn_mA(r), 40000);
	point_rig_command(r, SIM_EVSE, "stop");
	point_rig_run_session(r);
	assert_clean(r);
}

static void test_site_pause_of_minutes_is_survived_by_the_session(void **state)
{
	struct point_rig *r = *state;

	start(r, 32000);
	point_rig_run_to(r, SECC_CHARGING);
	point_rig_run_s(r, 10);
	site.grant_mA = 0;
	point_rig_run_s(r, 600);
	assert_int_equal(r->point.secc.state, SECC_CHARGING);
	assert_int_equal(site.report.state, SITE_POINT_REPORT_STATE_WAITING);
	site.grant_mA = 32000;
	point_rig_run_s(r, 15);
	assert_within(drawn_mA(r), 32000);
	point_rig_command(r, SIM_EVSE, "stop");
	point_rig_run_session(r);
	assert_clean(r);
}

static void test_site_late_grant_starts_a_waiting_vehicle(void **state)
{
	struct point_rig *r = *state;

	start(r, 0);
	point_rig_run_s(r, 30);
	assert_int_equal(r->peak_power_mode, PM_OFF);
	assert_int_equal(site.report.state, SITE_POINT_REPORT_STATE_WAITING);
	site.grant_mA = 10000;
	point_rig_run_to(r, SECC_CHARGING);
	point_rig_run_s(r, 15);
	assert_within(drawn_mA(r), 10000);
	point_rig_command(r, SIM_EVSE, "stop");
	point_rig_run_session(r);
	assert_clean(r);
}

static void test_site_that_never_grants_ends_the_session_without_power(void **state)
{
	struct point_rig *r = *state;

	start(r, -1);
	point_rig_run_session(r);
	assert_int_equal(r->peak_power_mode, PM_OFF);
	assert_int_equal(r->point.evse.session.faults.latched, 0);
	assert_int_equal(r->point.evse.session.record.energy_mJ, 0);
}

static void test_site_may_take_its_time_where_somebody_authorises(void **state)
{
	struct point_rig *r = *state;

	r->point.secc_conf.free_service = 0;
	start(r, 0);
	point_rig_run_s(r, 500);
	assert_int_equal(r->point.secc.state, SECC_AUTHORISATION);
	site.grant_mA = 10000;
	point_rig_run_to(r, SECC_CHARGING);
	point_rig_command(r, SIM_EVSE, "stop");
	point_rig_run_session(r);
	assert_clean(r);
}

static void test_site_restarted_controller_takes_part_again(void **state)
{
	struct point_rig *r = *state;
	uint32_t last;
	char err[160];

	start(r, 32000);
	point_rig_run_to(r, SECC_CHARGING);
	point_rig_run_s(r, 20);
	last = site.report.number;
	world_kill(&r->point.world, SIM_EVSE);
	point_rig_run_s(r, 5);
	assert_int_equal(sim_point_restart(&r->point, SIM_EVSE, err, sizeof(err)), 0);
	point_rig_run_s(r, 10);
	assert_in_range((site.report.number - last) & 0xffffffu, 1, 1000); /* behind all earlier ones */
	assert_true(site.report.is_restarted);
	point_rig_replug(r);
	point_rig_run_to(r, SECC_CHARGING);
	point_rig_run_s(r, 20);
	assert_within(drawn_mA(r), 32000);
}

static void test_site_lossy_bus_breaks_no_promise(void **state)
{
	struct can_fault lose = {.kind = CAN_FAULT_LOSE, .probability_ppm = 10000};
	struct point_rig *r = *state;
	unsigned i;

	start(r, 32000);
	can_hub_add_fault(&r->point.world.hub, &lose);
	for (i = 0; i < 60; i++) {
		site.grant_mA = (int32_t)(i * 7919 % 60) * 1000;
		point_rig_run_s(r, 7);
		/* With every report lost for a while: what was granted, for its lease and the reaction. */
		assert_true(drawn_mA(r) <= fc_max_i32(site.granted_mA, 60000));
	}
	assert_true(site.n_reports > 300);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_site_whole_session_stays_within_the_grant_and_uses_it),
		T(test_site_every_profile_is_bound_the_same),
		T(test_site_steps_of_the_grant_are_followed_within_five_seconds),
		T(test_site_gone_means_the_safe_current_and_back_again),
		T(test_site_pause_of_minutes_is_survived_by_the_session),
		T(test_site_late_grant_starts_a_waiting_vehicle),
		T(test_site_that_never_grants_ends_the_session_without_power),
		T(test_site_may_take_its_time_where_somebody_authorises),
		T(test_site_restarted_controller_takes_part_again),
		T(test_site_lossy_bus_breaks_no_promise),
	};
	int ret;

	rig = calloc(1, sizeof(*rig));
	if (!rig)
		return 1;
	ret = cmocka_run_group_tests_name("session_site", tests, NULL, NULL);
	free(rig);
	return ret;
}
