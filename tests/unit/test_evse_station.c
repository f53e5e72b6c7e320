/* SPDX-License-Identifier: MIT */
/* Several charge points in one machine, and the words of the control socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/evse_rig.h"

static struct rig one, three;
static struct evse_station station;
static struct out_queue out;
static char answer[4096];

static int setup(void **state)
{
	(void)state;
	rig_defaults(&one);
	rig_defaults(&three);
	three.index = 3;
	rig_start(&one);
	rig_start(&three);
	evse_station_init(&station);
	evse_station_add(&station, &one.point);
	evse_station_add(&station, &three.point);
	out_queue_init(&out);
	return 0;
}

static void send(unsigned index, enum evse_msg msg, const void *m)
{
	struct can_frame f;

	msg_to_frame(&evse_layouts[EVSE_V3_6][msg], m, index, &f);
	evse_station_ops.rx(&station, one.now_us, &f, &out);
}

static int ask(const char *line)
{
	return evse_ctl_command(&station, one.now_us, line, answer, sizeof(answer), &out);
}

static bool has_line(const char *line)
{
	char text[128];

	snprintf(text, sizeof(text), "\n%s\n", line);
	return strstr(answer, text) || strncmp(answer, text + 1, strlen(text) - 1) == 0;
}

static void test_station_E10_pistols_are_independent(void **state)
{
	struct evse_advantics_controller_status st = {.state = EVSE_MS_WAITING_FOR_PEV};

	(void)state;
	send(3, EVSE_ADVANTICS_CONTROLLER_STATUS, &st);
	assert_int_equal(rig_state(&three), EVSE_ST_IDLE);
	assert_int_equal(rig_state(&one), EVSE_ST_NO_MODULE);
	assert_int_equal(one.point.session.wire.count.n_accepted, 0);
	send(2, EVSE_ADVANTICS_CONTROLLER_STATUS, &st); /* nobody's */
	assert_int_equal(rig_state(&one), EVSE_ST_NO_MODULE);
	send(1, EVSE_ADVANTICS_CONTROLLER_STATUS, &st);
	assert_int_equal(rig_state(&one), EVSE_ST_IDLE);
}

static void test_station_ticks_each_point_on_its_own_time(void **state)
{
	int64_t next;

	(void)state;
	out_queue_clear(&out);
	next = evse_station_ops.next_us(&station);
	assert_true(next > one.now_us);
	evse_station_ops.tick(&station, next, &out);
	assert_int_equal(out.n, 2); /* one status frame each */
	out_queue_clear(&out);
	evse_station_ops.tick(&station, next, &out);
	assert_int_equal(out.n, 0); /* a second tick with the same time emits nothing */
}

static void test_station_filters_cover_every_point_exactly(void **state)
{
	struct can_filter f[64];
	size_t n = evse_station_ops.filters(&station, f, 64), i, ones = 0;

	(void)state;
	for (i = 0; i < n; i++) {
		assert_true(f[i].can_mask & CAN_EFF_FLAG);
		assert_true(f[i].can_mask & CAN_RTR_FLAG);
		ones += (f[i].can_id >> 24 & 0x1F) == 1;
	}
	assert_int_equal(ones * 2, n);
}

static void test_station_bus_off_concerns_every_point(void **state)
{
	struct evse_advantics_controller_status st = {.state = EVSE_MS_WAITING_FOR_PEV};
	struct can_frame f = {.can_id = CAN_ERR_FLAG | 0x40u, .can_dlc = 8};

	(void)state;
	send(1, EVSE_ADVANTICS_CONTROLLER_STATUS, &st);
	send(3, EVSE_ADVANTICS_CONTROLLER_STATUS, &st);
	evse_station_ops.rx(&station, one.now_us, &f, &out);
	assert_int_equal(rig_state(&one), EVSE_ST_NO_MODULE);
	assert_int_equal(rig_state(&three), EVSE_ST_NO_MODULE);
}

static void test_station_stop_ends_all_points(void **state)
{
	(void)state;
	assert_false(evse_station_ops.is_stopped(&station));
	evse_station_ops.stop(&station, one.now_us, &out);
	assert_true(evse_station_ops.is_stopped(&station));
	assert_true(evse_station_ops.next_us(&station) == FC_NEVER);
}

static void test_control_status_names_each_pistol(void **state)
{
	(void)state;
	assert_int_equal(ask("status"), 0);
	assert_true(has_line("1.state=No_Module"));
	assert_true(has_line("3.state=No_Module"));
	assert_int_equal(ask("3 status"), 0);
	assert_true(has_line("3.module_state=255"));
	assert_null(strstr(answer, "1.state"));
	assert_int_equal(ask("2 status"), -2); /* no such pistol */
	assert_int_equal(ask("99 status"), -2);
}

static void test_control_set_checks_and_reaches_one_pistol(void **state)
{
	(void)state;
	assert_int_equal(ask("3 set maximum_charge_current 64.5"), 0);
	assert_int_equal(three.point.session.conf.max_charge_current_mA, 64500);
	assert_int_equal(one.point.session.conf.max_charge_current_mA, 120000);
	assert_int_equal(ask("1 get maximum_charge_current"), 0);
	assert_true(has_line("maximum_charge_current=120"));
	assert_int_not_equal(ask("set maximum_charge_current"), 0);
	assert_int_not_equal(ask("set maximum_charge_current abc"), 0);
	assert_int_not_equal(ask("set protocol 3.2"), 0); /* not while running */
	assert_int_not_equal(ask("set no_such_key 1"), 0);
	assert_int_not_equal(ask("get no_such_key"), 0);
}

static void test_control_words_reach_the_session(void **state)
{
	(void)state;
	assert_int_equal(ask("1 authorise yes"), 0);
	assert_true(one.point.session.flags & EVSE_FLAG_AUTH_VALID);
	assert_int_equal(ask("1 authorise no"), 0);
	assert_false(one.point.session.flags & EVSE_FLAG_AUTH_VALID);
	assert_int_equal(ask("1 start deny"), 0);
	assert_false(one.point.session.flags & EVSE_FLAG_START);
	assert_int_equal(ask("1 start allow"), 0);
	assert_true(one.point.session.flags & EVSE_FLAG_START);
	assert_int_equal(ask("1 stop"), 0);
	assert_true(one.point.session.flags & EVSE_FLAG_USER_STOP);
	assert_int_equal(ask("1 emergency"), 0);
	assert_int_equal(rig_state(&one), EVSE_ST_FAULT);
	assert_int_equal(ask("1 clear-fault"), 0);
	assert_int_equal(rig_state(&one), EVSE_ST_NO_MODULE);
	assert_int_not_equal(ask("1 authorise perhaps"), 0);
	assert_int_not_equal(ask("1 start"), 0);
	assert_int_not_equal(ask("dance"), 0);
	assert_int_not_equal(ask(""), 0);
	assert_int_equal(three.point.session.flags, EVSE_FLAG_START); /* untouched */
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_station_E10_pistols_are_independent),
		T(test_station_ticks_each_point_on_its_own_time),
		T(test_station_filters_cover_every_point_exactly),
		T(test_station_bus_off_concerns_every_point),
		T(test_station_stop_ends_all_points),
		T(test_control_status_names_each_pistol),
		T(test_control_set_checks_and_reaches_one_pistol),
		T(test_control_words_reach_the_session),
	};

	return cmocka_run_group_tests_name("evse_station", tests, NULL, NULL);
}
