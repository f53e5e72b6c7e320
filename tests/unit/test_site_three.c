/* SPDX-License-Identifier: MIT */
/*
 * Three evse-ctrl processes under one site, on real UDP buses: one for the modules, one for the site. We
 * are the modules and the site. What is waited for comes within seconds; the limits are for a host that
 * stands still.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "site_msgs.h"
#include "lib/core/lease_hold.h"
#include "tests/lib/proc_child.h"
#include "tests/lib/proc_module.h"

#define S	 INT64_C(1000000)
#define HANG_US	 (20 * S)
#define N_POINTS 3
#define UNITS	 2 /* of a lease: 4 s */
/* 4 A and 20 A of a 400 V supply with 95 %, at the output's 350 V: 7.5 A and 37.6 A. */
#define SAFE_MOST_mA   7600
#define GRANT_mA       20000
#define GRANT_LEAST_mA 30000
#define GRANT_MOST_mA  37700

struct point {
	struct proc_child child;
	uint32_t grant_mA; /* answer to every report; UINT32_MAX: none */
	struct site_point_report report;
	uint32_t n_reports;
};

static struct rig {
	struct proc_module module;
	struct can_bus *site;
	char module_url[64], site_url[64];
	struct point point[N_POINTS + 1];
} rig;

static void answer(struct rig *r, unsigned index)
{
	struct point *p = &r->point[index];
	struct site_grant g = {
		.number = p->report.number, .duration = UNITS, .charge_current_mA = (int32_t)p->grant_mA};
	struct can_frame f;

	if (p->grant_mA == UINT32_MAX)
		return;
	msg_to_frame(&site_layouts[SITE_V1][SITE_GRANT], &g, index, &f);
	can_bus_send(r->site, &f);
}

/* The site: takes what has come and answers it. */
static void serve(struct rig *r)
{
	struct can_rx_info info;
	struct can_frame f;

	while (can_bus_recv(r->site, &f, &info) == 1) {
		unsigned index = msg_index(f.can_id);

		if (index < 1 || index > N_POINTS ||
		    site_find(SITE_V1, msg_base_id(f.can_id)) != SITE_POINT_REPORT)
			continue;
		site_layouts[SITE_V1][SITE_POINT_REPORT].unpack(&r->point[index].report, f.data);
		r->point[index].n_reports++;
		answer(r, index);
	}
	can_bus_service(r->site, proc_now_us());
}

static void launch(struct rig *r, unsigned index)
{
	char path[PROC_PATH_MAX], pistol[32], site[96];
	const char *argv[] = {
		path,	      "--can", r->module_url,		"--control",	   "none", pistol,
		"--site=bus", site,    "--site-safe-current=4", PROC_FAST_OPTIONS, NULL};

	assert_true(proc_find_program("evse-ctrl", path));
	snprintf(pistol, sizeof(pistol), "--pistol-index=%u", index);
	snprintf(site, sizeof(site), "--site-can=%s", r->site_url);
	r->point[index].n_reports = 0;
	assert_int_equal(proc_start(&r->point[index].child, argv, NULL), 0);
}

static int set_up(void **state)
{
	struct can_filter filter[N_POINTS];
	char err[160];
	unsigned i;

	memset(&rig, 0, sizeof(rig));
	*state = &rig;
	for (i = 1; i <= N_POINTS; i++) {
		rig.point[i].child.pid_fd = rig.point[i].child.output_fd = -1;
		rig.point[i].grant_mA = UINT32_MAX;
	}
	if (!proc_pick_bus(rig.module_url, sizeof(rig.module_url)) ||
	    proc_module_open(&rig.module, rig.module_url, 1, N_POINTS, err, sizeof(err)) ||
	    !proc_pick_bus(rig.site_url, sizeof(rig.site_url)) ||
	    can_bus_open(rig.site_url, &rig.site, err, sizeof(err)))
		return -1;
	for (i = 1; i <= N_POINTS; i++)
		filter[i - 1] = can_filter_exact(site_layouts[SITE_V1][SITE_POINT_REPORT].id |
						 (canid_t)i << MSG_INDEX_SHIFT);
	can_bus_set_filters(rig.site, filter, N_POINTS);
	for (i = 1; i <= N_POINTS; i++)
		launch(&rig, i);
	return 0;
}

static int tear_down(void **state)
{
	unsigned i;

	(void)state;
	for (i = 1; i <= N_POINTS; i++)
		proc_end(&rig.point[i].child);
	if (rig.site)
		can_bus_close(rig.site);
	proc_module_close(&rig.module);
	return 0;
}

/* --- conditions --------------------------------------------------------------------------------------- */

static bool is_reporting(const struct proc_module *m, void *ctx)
{
	unsigned i;

	(void)m;
	serve(ctx);
	for (i = 1; i <= N_POINTS; i++)
		if (rig.point[i].n_reports < 2)
			return false;
	return true;
}

static bool is_each_between(const struct proc_module *m, int32_t low_mA, int32_t high_mA)
{
	unsigned i;

	for (i = 1; i <= N_POINTS; i++) {
		int32_t mA = m->point[i].status.present_current_mA;

		if (!m->point[i].is_resting && (mA < low_mA || mA > high_mA))
			return false;
	}
	return true;
}

static bool is_safe(const struct proc_module *m, void *ctx)
{
	serve(ctx);
	return is_each_between(m, 6000, SAFE_MOST_mA);
}

static bool is_granted(const struct proc_module *m, void *ctx)
{
	unsigned i;

	serve(ctx);
	for (i = 1; i <= N_POINTS; i++) /* and has said so */
		if (!m->point[i].is_resting && rig.point[i].report.ack_age == LEASE_HOLD_NO_ACK)
			return false;
	return is_each_between(m, GRANT_LEAST_mA, GRANT_MOST_mA);
}

static bool is_second_back(const struct proc_module *m, void *ctx)
{
	(void)m;
	serve(ctx);
	return rig.point[2].n_reports >= 2 && rig.point[2].report.state == SITE_POINT_REPORT_STATE_IDLE;
}

static void wait_for(proc_done_fn is_done, const char *what)
{
	char text[4096] = "";

	if (proc_module_wait(&rig.module, HANG_US, is_done, &rig))
		return;
	proc_output(&rig.point[2].child, text, sizeof(text));
	fail_msg("%s; the second process printed:\n%s", what, text);
}

static void grant_all(uint32_t mA)
{
	unsigned i;

	for (i = 1; i <= N_POINTS; i++)
		rig.point[i].grant_mA = mA;
}

/* --- tests -------------------------------------------------------------------------------------------- */

static void walk_to_transfer(void)
{
	const struct evse_dc_power_control transfer = proc_power_transfer();
	unsigned i;
	int at;

	wait_for(is_reporting, "no reports");
	if (!proc_module_walk(&rig.module, -1, PROC_FLOATING, &at))
		fail_msg("session stuck in %s", proc_step_name(at));
	for (i = 1; i <= N_POINTS; i++) { /* 100 A are asked for */
		proc_module_state(&rig.module, i, EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_CHARGING);
		proc_module_power(&rig.module, i, &transfer);
	}
}

static void test_three_processes_are_granted_expire_and_are_granted_again(void **state)
{
	(void)state;
	walk_to_transfer();
	wait_for(is_safe, "not at the safe current");
	grant_all(GRANT_mA);
	wait_for(is_granted, "not at the grant");
	grant_all(UINT32_MAX); /* the site is gone */
	wait_for(is_safe, "the lease did not end");
	grant_all(GRANT_mA);
	wait_for(is_granted, "not at the grant again");
	grant_all(4000);
	wait_for(is_safe, "a lowered grant is not followed");
}

static void test_three_processes_one_killed_leaves_the_others_and_comes_back_behind_its_numbers(void **state)
{
	uint32_t last;

	(void)state;
	grant_all(GRANT_mA);
	walk_to_transfer();
	wait_for(is_granted, "not at the grant");
	last = rig.point[2].report.number;
	kill(rig.point[2].child.pid, SIGKILL);
	assert_true(proc_wait(&rig.point[2].child, HANG_US / 1000));
	proc_end(&rig.point[2].child);
	rig.module.point[2].is_resting = true;
	rig.module.point[2].sends_power = false;
	proc_module_state(&rig.module, 2, EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_WAITING_FOR_PEV);
	launch(&rig, 2);
	wait_for(is_second_back, "the second process does not report again");
	/* Later than all before, and by little: it is the same boot. */
	assert_in_range((rig.point[2].report.number - last) & LEASE_HOLD_NUMBER_MASK, 1, 4 * 3600);
	assert_true(rig.point[2].report.is_restarted);
	wait_for(is_granted, "the others lost their grant");
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_three_processes_are_granted_expire_and_are_granted_again),
		T(test_three_processes_one_killed_leaves_the_others_and_comes_back_behind_its_numbers),
	};

	return cmocka_run_group_tests_name("site_three", tests, NULL, NULL);
}
