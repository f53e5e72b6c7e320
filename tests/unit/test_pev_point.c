/* SPDX-License-Identifier: MIT */
/* pev-ctrl as one machine: the driver's side of it, and the requests of the control socket. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/car.h"

static struct car car;
static char answer[16384];

static int new_car(void **state)
{
	(void)state;
	car_init(&car, PEV_V2_5);
	return 0;
}

static int check_car(void **state)
{
	(void)state;
	car_check(&car);
	return 0;
}

static int ask(const char *line)
{
	return car_command_answer(&car, line, answer, sizeof(answer));
}

static void expect_line(const char *line)
{
	char wanted[256];

	snprintf(wanted, sizeof(wanted), "%s\n", line);
	if (!strstr(answer, wanted))
		fail_msg("no line %s in:\n%s", line, answer);
}

/* ------------------------------------------------------------------------------------------------- driver */

static void test_driver_frames_pass_but_not_with_our_identifiers(void **state)
{
	uint32_t i, n_own = 0;

	(void)state;
	car.vehicle.does_send_on_set = true;
	car_tick(&car);
	for (i = 0; i < car.n_frames; i++)
		n_own += car.frame[i].f.can_id == 0x123;
	assert_int_equal(n_own, car.vehicle.n_set);
	assert_int_equal(car_count(&car, 0x613, 0), 1);
	assert_int_equal(car.point.session.guard.n_frames_withheld, car.vehicle.n_set);
}

static void test_driver_may_send_only_during_a_call(void **state)
{
	const struct forecourt_host *host = car.vehicle.host;
	struct can_frame f = {.can_id = 0x123};

	(void)state;
	car_tick(&car);
	assert_int_equal(host->send(host->ctx, 1, &f), -EAGAIN);
	assert_int_equal(host->size, sizeof(*host));
}

static void test_driver_gets_the_frames_of_its_filters(void **state)
{
	struct can_frame f = {.can_id = 0x321, .can_dlc = 2};

	(void)state;
	car.point.driver_filter[0].can_id = 0x321;
	car.point.driver_filter[0].can_mask = CAN_SFF_MASK | CAN_EFF_FLAG;
	car.point.n_driver_filters = 1;
	car_send(&car, &f);
	assert_int_equal(car.vehicle.n_rx, 1);
	assert_int_equal(car.point.session.wire.count.n_foreign, 0);
	f.can_id = 0x322;
	car_send(&car, &f);
	f.can_id = 0x321 | CAN_ERR_FLAG;
	car_send(&car, &f);
	assert_int_equal(car.vehicle.n_rx, 1);
	assert_int_equal(car.point.session.wire.count.n_foreign, 1);
}

static void test_driver_of_its_own_bus_and_descriptor(void **state)
{
	struct can_frame f = {.can_id = 0x602, .can_dlc = 1, .data = {1}};
	struct vehicle_hw_ops bare = car_ops;

	(void)state;
	pev_point_driver_rx(&car.point, car.now_us, 1, &f, &car.out);
	assert_int_equal(car.vehicle.n_rx, 1);
	assert_int_equal(car.point.session.wire.count.n_accepted, 0);
	pev_point_driver_io(&car.point, car.now_us, &car.out);
	assert_int_equal(car.vehicle.n_io, 1);
	bare.rx = NULL;
	bare.io = NULL;
	car.point.ops = &bare;
	pev_point_driver_rx(&car.point, car.now_us, 1, &f, &car.out);
	pev_point_driver_io(&car.point, car.now_us, &car.out);
	assert_int_equal(car.vehicle.n_rx, 1);
	assert_int_equal(car.vehicle.n_io, 1);
	car.point.ops = &car_ops;
}

static void test_driver_with_the_least_operations_works(void **state)
{
	struct vehicle_hw_ops bare = {
		.init = car_ops.init, .caps = car_ops.caps, .set = car_ops.set, .status = car_ops.status};
	struct pev_point_setup setup = {.ops = &bare};
	struct can_filter f[32];
	char err[100];

	(void)state;
	setup.conf = &car.conf;
	setup.driver_state = &car.vehicle;
	assert_int_equal(pev_point_init(&car.point, &setup, car.now_us, err, sizeof(err)), 0);
	car.m = pev_point_machine(&car.point);
	car_to_stage(&car, 7);
	assert_true(car.vehicle.cmd.is_closed);
	assert_int_equal(car.m.ops->filters(car.m.self, f, 32), 14);
	assert_int_equal(ask("get depth"), -ENOENT);
	assert_int_equal(ask("get"), 0);
	pev_point_fini(&car.point);
}

static void test_driver_that_fails_to_start_is_an_error(void **state)
{
	struct pev_point_setup setup = {.conf = &car.conf, .driver = &car_plugin, .ops = &car_ops};
	struct pev_point p;
	char err[100];

	(void)state;
	car.vehicle.does_fail_init = true;
	setup.driver_state = &car.vehicle;
	assert_int_equal(pev_point_init(&p, &setup, 0, err, sizeof(err)), -ENODEV);
	assert_string_equal(err, "no hardware");
	pev_point_fini(&p);
}

static void test_bad_settings_are_an_error_and_the_driver_is_ended(void **state)
{
	struct pev_point_setup setup = {.conf = &car.conf, .driver = &car_plugin, .ops = &car_ops};
	struct pev_point p;
	char err[200];

	(void)state;
	car.conf.derating_end_mdegC = -40000;
	setup.driver_state = &car.vehicle;
	assert_int_equal(pev_point_init(&p, &setup, 0, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "derating_end_mdegC"));
	pev_point_fini(&p);
	assert_null(car.vehicle.host);
	pev_point_fini(&p);
}

static void test_command_is_refreshed_every_cycle_and_expires_after_500_ms(void **state)
{
	uint32_t n;

	(void)state;
	car_to_stage(&car, 7);
	n = car.vehicle.n_set;
	car_run_ms(&car, 1000);
	assert_int_equal(car.vehicle.n_set - n, 10);
	assert_int_equal(car.vehicle.cmd.valid_until_us - car.vehicle.cmd_us, CAR_MS(500));
}

/* ------------------------------------------------------------------------------------------------ session */

static void test_close_that_the_guard_refuses_opens_and_is_a_fault(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	car.point.session.guard.hold_us = 0; /* stricter than the contactor machine */
	car_close(&car, false);
	assert_true(car.vehicle.cmd.is_closed);
	car_run_ms(&car, 100); /* the next refresh of the command */
	assert_false(car.vehicle.cmd.is_closed);
	assert_true(car.vehicle.cmd.is_urgent);
	assert_true(car_has_fault(&car, PEV_FAULT_GUARD));
	car.vehicle.st.current_mA = 0;
	car_run_ms(&car, 1000);
	assert_int_equal(car_state(&car), PEV_ST_BLOCKED);
}

static void test_session_without_readings_sends_safe_values_and_never_closes(void **state)
{
	const struct vh_caps caps = {.size = sizeof(caps), .i_charge_max_mA = 200000};
	struct can_frame open = {.can_id = 0x602, .can_dlc = 1},
			 close = {.can_id = 0x602, .can_dlc = 1, .data = {1}};
	struct can_frame info = {.can_id = 0x600, .can_dlc = 6, .data = {5, 3, 5, 120}};
	struct pev_session s;
	struct out_queue out;
	char err[200];
	uint32_t i;

	(void)state;
	out_queue_init(&out);
	assert_int_equal(pev_session_init(&s, &car.conf, &caps, NULL, 0, err, sizeof(err)), 0);
	pev_session_rx(&s, 1, &open, &out);
	pev_session_rx(&s, 2, &info, &out);
	pev_session_rx(&s, 3, &close, &out);
	pev_session_tick(&s, 4, &out);
	pev_session_tick(&s, 4, &out);
	for (i = 0; i < out.n; i++) {
		if (out.item[i].kind == OUT_COMMAND)
			assert_int_equal(out.item[i].u.command.is_closed, 0);
		else if (out.item[i].u.frame.can_id == 0x612)
			assert_memory_equal(out.item[i].u.frame.data, "\0\0\xFF\x7F\0\0\0\0", 8);
		else if (out.item[i].u.frame.can_id == 0x613)
			assert_memory_equal(out.item[i].u.frame.data + 1, "\0\0\xFF\xFF", 4);
	}
	out_queue_clear(&out);
	pev_session_rx(&s, 5, &(struct can_frame){.can_id = 0x600, .can_dlc = 6, .data = {1}}, &out);
	assert_int_equal(s.state, PEV_ST_SHUTDOWN); /* feedback of the contactors is awaited */
	pev_session_tick(&s, 5000000, &out);
	assert_int_equal(s.state, PEV_ST_OFFLINE);
}

/* ------------------------------------------------------------------------------------------------ control */

static void test_status_tells_module_vehicle_and_faults(void **state)
{
	(void)state;
	assert_int_equal(ask("status"), 0);
	expect_line("protocol=2.5");
	expect_line("state=Offline");
	expect_line("stage=none");
	expect_line("dc_control_age_ms=never");
	car.info.protocol = 3;
	car.info.pins = 5;
	car.info.max_current_mA = 120000;
	car_to_stage(&car, 7);
	assert_int_equal(ask("status"), 0);
	expect_line("state=Charging");
	expect_line("stage=7 Charging");
	expect_line("charging_protocol=3 CCS_ISO_15118_2013_v2");
	expect_line("pins=5 CCS_DC_Extended");
	expect_line("contactors=Closed");
	expect_line("request_mA=120000");
	expect_line("limited_by=charger");
	expect_line("faults_latched=none");
	expect_line("sessions=1");
	ask("emergency");
	car.vehicle.st.faults_stop = VH_FAULT_OVER_TEMP;
	car_run_ms(&car, 200);
	assert_int_equal(ask("status"), 0);
	expect_line("faults_present=hardware");
	expect_line("faults_latched=opened_under_load,hardware,emergency");
	expect_line("blocked_by=hardware,emergency");
	expect_line("needs_new_session=1");
	assert_int_equal(ask("faults"), 0);
	expect_line("hardware=13 present blocks");
	expect_line("emergency=16 blocks");
	expect_line("opened_under_load=10");
}

static void test_get_reads_own_keys_and_the_drivers(void **state)
{
	(void)state;
	assert_int_equal(ask("get"), 0);
	expect_line("protocol=2.5");
	expect_line("depth=0");
	assert_int_equal(ask("get max-charge-current-mA depth"), 0);
	expect_line("max_charge_current_mA=500000");
	expect_line("depth=0");
	assert_int_equal(ask("get nonsense"), -ENOENT);
}

static void test_set_changes_live_keys_and_refuses_others(void **state)
{
	(void)state;
	assert_int_equal(ask("set stop_soc_pct 80 requested_current_mA 1000"), 0);
	assert_int_equal(car.point.session.conf.stop_soc_pct, 80);
	assert_int_equal(ask("set voltage_control true"), 0);
	assert_int_equal(car_ev_status(&car).iso15118_part20_scheduled_mode_control, 1);
	assert_int_equal(ask("set protocol 2.0"), -EPERM);
	assert_int_equal(ask("set stop_soc_pct 101"), -ERANGE);
	assert_int_equal(ask("set stop_soc_pct"), -EINVAL);
	assert_int_equal(ask("set"), -EINVAL);
	assert_int_equal(ask("set derating_end_mdegC 10000"), -EINVAL);
	assert_non_null(strstr(answer, "derating_end_mdegC"));
	assert_int_equal(car.point.session.conf.derating_end_mdegC, 60000);
	assert_int_equal(car.point.session.conf.stop_soc_pct, 80);
}

static void test_set_hands_the_drivers_keys_on(void **state)
{
	(void)state;
	assert_int_equal(ask("set depth 7"), 0);
	assert_int_equal(car.vehicle.live_value, 7);
	assert_int_equal(ask("set depth x"), -EINVAL);
	assert_int_equal(ask("set nonsense 1"), -ENOENT);
	assert_int_equal(ask("set depth 1 stop_soc_pct 50"), -EINVAL);
	assert_int_equal(car.vehicle.live_value, 7);
}

static void test_requests_that_are_wrong_are_refused(void **state)
{
	char tiny[1];

	(void)state;
	assert_int_equal(ask(""), -EINVAL);
	assert_int_equal(ask("dance"), -ENOENT);
	assert_int_equal(ask("stop now"), -EINVAL);
	assert_int_equal(ask("help"), 0);
	expect_line("stop=normal end of the session");
	assert_int_equal(ask("stop"), -EBUSY);
	assert_non_null(strstr(answer, "Offline"));
	assert_int_equal(car_command_answer(&car, "status", tiny, sizeof(tiny)), 0);
	assert_int_equal(tiny[0], '\0');
}

static void test_requests_after_the_end_do_no_harm(void **state)
{
	(void)state;
	car_stop(&car);
	car_run_ms(&car, 2000);
	assert_true(car.m.ops->is_stopped(car.m.self));
	assert_int_equal(ask("emergency"), -EBUSY);
	assert_int_equal(ask("set stop_soc_pct 50"), 0);
	assert_int_equal(ask("clear-fault"), 0);
	assert_int_equal(ask("status"), 0);
	expect_line("state=Stopped");
	assert_false(car.vehicle.cmd.is_closed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, new_car, check_car)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_driver_frames_pass_but_not_with_our_identifiers),
		TEST(test_driver_may_send_only_during_a_call),
		TEST(test_driver_gets_the_frames_of_its_filters),
		TEST(test_driver_of_its_own_bus_and_descriptor),
		TEST(test_driver_with_the_least_operations_works),
		TEST(test_driver_that_fails_to_start_is_an_error),
		TEST(test_bad_settings_are_an_error_and_the_driver_is_ended),
		TEST(test_command_is_refreshed_every_cycle_and_expires_after_500_ms),
		TEST(test_close_that_the_guard_refuses_opens_and_is_a_fault),
		TEST(test_session_without_readings_sends_safe_values_and_never_closes),
		TEST(test_status_tells_module_vehicle_and_faults),
		TEST(test_get_reads_own_keys_and_the_drivers),
		TEST(test_set_changes_live_keys_and_refuses_others),
		TEST(test_set_hands_the_drivers_keys_on),
		TEST(test_requests_that_are_wrong_are_refused),
		TEST(test_requests_after_the_end_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
