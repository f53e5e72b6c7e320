/* SPDX-License-Identifier: MIT */
/* The monitors' command line, and the log as a source: on a clock that the test turns. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <forecourt/units.h>

#include "evse_msgs.h"
#include "monitor/mon_app_feed.h"
#include "monitor/mon_app_opts.h"
#include "monitor/mon_app_replay.h"
#include "pev_msgs.h"

#define S FC_US_PER_S

/* --- options ------------------------------------------------------------------------------------------------ */

#define MAX_ARGS 12

static struct mon_opts opts;
static char err[256];

/* Words separated by blanks. */
static int parse(enum mon_side side, const char *line)
{
	static char text[256];
	char *argv[MAX_ARGS + 1], *word;
	int argc = 1;

	argv[0] = (char *)(uintptr_t) "monitor";
	snprintf(text, sizeof(text), "%s", line);
	for (word = strtok(text, " "); word && argc < MAX_ARGS; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	err[0] = '\0';
	return mon_opts_parse(&opts, side, argc, argv, err, sizeof(err));
}

static void test_opts_defaults_are_newest_version_all_points_real_time(void **state)
{
	(void)state;
	assert_int_equal(parse(MON_EVSE, ""), 0);
	assert_null(opts.can);
	assert_int_equal(opts.model.side, MON_EVSE);
	assert_int_equal(opts.model.version, EVSE_V3_6);
	assert_int_equal(opts.model.points_mask, 0);
	assert_int_equal(opts.output, MON_OUTPUT_AUTO);
	assert_int_equal(opts.speed_permille, 1000);
	assert_int_equal(opts.timeout_us, S);
	assert_false(opts.is_once || opts.is_paused || opts.has_metrics || opts.is_ascii);
	assert_int_equal(parse(MON_PEV, ""), 0);
	assert_int_equal(opts.model.version, PEV_N_VERSIONS - 1);
}

static void test_opts_values_are_taken(void **state)
{
	(void)state;
	assert_int_equal(parse(MON_EVSE,
			       "-i vcan0 --pistol-index 1,3,15 --protocol 3.2 --bitrate 250000 --json "
			       "--every 250"),
			 0);
	assert_string_equal(opts.can, "vcan0");
	assert_int_equal(opts.model.points_mask, 1 << 1 | 1 << 3 | 1 << 15);
	assert_int_equal(opts.model.version, EVSE_V3_2);
	assert_int_equal(opts.model.bitrate, 250000);
	assert_int_equal(opts.output, MON_OUTPUT_JSON);
	assert_int_equal(opts.every_us, 250000);
	assert_int_equal(
		parse(MON_PEV, "--protocol 2.0-ex --replay x.log --speed 0.5 --start-at 12.5 --paused"), 0);
	assert_int_equal(opts.model.version, PEV_V2_0_EX);
	assert_int_equal(opts.speed_permille, 500);
	assert_int_equal(opts.start_us, 12500000);
	assert_true(opts.is_paused);
	assert_int_equal(parse(MON_PEV, "--replay x.log -i can3 --speed max --journal s.db --metrics 9100"),
			 0);
	assert_int_equal(opts.speed_permille, MON_SPEED_MAX);
	assert_int_equal(opts.metrics.port, 9100);
	assert_string_equal(opts.can, "can3"); /* a channel, not a URL */
}

static void test_opts_wrong_use_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *line, *word;
	} cases[] = {
		{"--nonesuch", "--nonesuch"},
		{"--can", "--can"},
		{"surplus", "surplus"},
		{"-i can0/1", "can0/1"},
		{"--pistol-index 0", "--pistol-index"},
		{"--pistol-index 16", "--pistol-index"},
		{"--pistol-index 1,", "--pistol-index"},
		{"--pistol-index ,1", "--pistol-index"},
		{"--pistol-index 1x", "--pistol-index"},
		{"--pistol-index -1", "--pistol-index"},
		{"--protocol 9.9", "3.6"},
		{"--bitrate 0", "--bitrate"},
		{"--bitrate 2000000", "--bitrate"},
		{"--text --json", "--json"},
		{"--json --every 0", "--every"},
		{"--json --every x", "--every"},
		{"--json --every 99999999999999999999", "--every"},
		{"--once --every 100", "--once"},
		{"--timeout -1", "--timeout"},
		{"--speed 2", "--replay"},
		{"--start-at 2", "--replay"},
		{"--paused", "--replay"},
		{"--replay x --speed 0", "--speed"},
		{"--replay x --speed 65", "--speed"},
		{"--replay x --speed fast", "--speed"},
		{"--replay x --start-at -1", "--start-at"},
		{"--replay x --paused --text", "--paused"},
		{"--replay x --paused --once", "--paused"},
		{"--once --metrics 9100", "--once"},
		{"--once --journal x", "--once"},
		{"--metrics", "--metrics"},
		{"--metrics nowhere", "nowhere"},
		{"--metrics 0.0.0.0:9100", "--metrics-any"},
		{"--metrics [::]:9100", "--metrics-any"},
		{"--metrics-any", "--metrics"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (parse(MON_EVSE, cases[i].line) != -EINVAL || !strstr(err, cases[i].word))
			fail_msg("'%s' gave: %s", cases[i].line, err);
	assert_int_equal(parse(MON_PEV, "--pistol-index 1"), -EINVAL);
	assert_int_equal(parse(MON_EVSE, "--metrics 0.0.0.0:9100 --metrics-any"), 0);
}

static void test_opts_help_comes_before_version_and_what_is_wrong(void **state)
{
	(void)state;
	assert_int_equal(parse(MON_EVSE, "-V -h surplus"), 0);
	assert_int_equal(opts.task, MON_TASK_HELP);
	assert_int_equal(parse(MON_EVSE, "-V"), 0);
	assert_int_equal(opts.task, MON_TASK_VERSION);
}

/* --- replay ------------------------------------------------------------------------------------------------- */

/* Ten seconds: a status of pistol 1 every 100 ms, with a voltage that counts them, and a foreign frame behind each. */
#define N_STATUS 100
#define STEP_US	 100000
#define BEGIN_US INT64_C(1700000000000000)

struct rig {
	struct mon_replay replay;
	struct mon_model_feed feed;
	struct mon_model model;
	struct mon_cfg cfg;
	char path[64];
	int64_t now_us, next_us;
};

static void write_log(struct rig *r, const char *text)
{
	FILE *f = fopen(r->path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static const char *long_log(void)
{
	static char text[N_STATUS * 128];
	struct can_frame f;
	size_t n = 0;
	int i;

	for (i = 0; i < N_STATUS; i++) {
		struct evse_power_modules_status m = {.present_voltage_mV = i * 1000};
		int64_t t_us = BEGIN_US + (int64_t)i * STEP_US;

		msg_to_frame(&evse_layouts[EVSE_V3_6][EVSE_POWER_MODULES_STATUS], &m, 1, &f);
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "(%lld.%06lld) can0 %08X#%02X%02X%02X%02X%02X%02X%02X%02X\n"
				      "(%lld.%06lld) can1 7FF#00\n",
				      (long long)(t_us / S), (long long)(t_us % S), f.can_id & CAN_EFF_MASK,
				      f.data[0], f.data[1], f.data[2], f.data[3], f.data[4], f.data[5],
				      f.data[6], f.data[7], (long long)(t_us / S), (long long)(t_us % S + 1));
	}
	return text;
}

static void start_replay(struct rig *r, int64_t now_us)
{
	struct mon_feed feed;

	r->feed = (struct mon_model_feed){&r->model, &r->cfg, NULL};
	feed = mon_model_feed(&r->feed);
	mon_replay_start(&r->replay, &feed, now_us);
}

static void start(struct rig *r, const char *text, const char *channel)
{
	write_log(r, text);
	r->now_us = 5 * S;
	assert_int_equal(mon_replay_open(&r->replay, r->path, channel, err, sizeof(err)), 0);
	start_replay(r, r->now_us);
}

static int setup(void **state)
{
	static struct rig r;
	int fd;

	memset(&r, 0, sizeof(r));
	r.cfg.side = MON_EVSE;
	r.cfg.version = EVSE_V3_6;
	snprintf(r.path, sizeof(r.path), "/tmp/forecourt-replay-XXXXXX");
	fd = mkstemp(r.path);
	close(fd);
	*state = &r;
	return fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	mon_replay_close(&r->replay);
	unlink(r->path);
	return 0;
}

/* Lets it run at this time until it has nothing more to do at once. */
static void run(struct rig *r)
{
	do {
		r->next_us = FC_NEVER;
		mon_replay_run(&r->replay, r->now_us, &r->next_us);
	} while (r->next_us <= r->now_us);
}

static void run_until(struct rig *r, int64_t now_us)
{
	for (; r->now_us < now_us; r->now_us += 20000)
		run(r);
	r->now_us = now_us;
	run(r);
}

static int64_t voltage_mV(const struct rig *r)
{
	struct evse_power_modules_status m;

	return mon_get(&r->model, 1, EVSE_POWER_MODULES_STATUS, &m) < 0 ? -1 : m.present_voltage_mV;
}

static void test_replay_runs_with_the_clock(void **state)
{
	struct rig *r = *state;

	start(r, long_log(), NULL);
	run(r);
	assert_int_equal(voltage_mV(r), 0); /* the first frame is there at once, the second is not */
	assert_int_equal(r->model.bus.n_ours, 1);
	run_until(r, 5 * S + 1049999);
	assert_int_equal(voltage_mV(r), 10000);
	assert_int_equal(r->model.now_us, BEGIN_US + 1049999);
	assert_true(r->next_us > r->now_us && r->next_us <= r->now_us + 100000);
}

static void test_replay_speed_changes_from_where_it_is(void **state)
{
	struct rig *r = *state;

	start(r, long_log(), NULL);
	run_until(r, 6 * S);
	mon_replay_set_speed(&r->replay, 2000, r->now_us);
	run_until(r, 7 * S);
	assert_int_equal(r->replay.at_us, BEGIN_US + 3 * S);
	mon_replay_set_speed(&r->replay, 500, r->now_us);
	run_until(r, 9 * S);
	assert_int_equal(r->replay.at_us, BEGIN_US + 4 * S);
	mon_replay_set_speed(&r->replay, MON_SPEED_MAX, r->now_us);
	run(r);
	assert_true(r->replay.is_at_end);
}

static void test_replay_pause_stands_still_and_goes_on_without_a_jump(void **state)
{
	struct rig *r = *state;

	start(r, long_log(), NULL);
	run_until(r, 6 * S);
	mon_replay_pause(&r->replay, true, r->now_us);
	run_until(r, 60 * S);
	assert_int_equal(r->replay.at_us, BEGIN_US + S);
	assert_int_equal(r->next_us, FC_NEVER); /* it does not even wake us */
	mon_replay_pause(&r->replay, false, r->now_us);
	run_until(r, 61 * S);
	assert_int_equal(r->replay.at_us, BEGIN_US + 2 * S);
}

static void test_replay_step_goes_to_the_next_frame_of_the_interface(void **state)
{
	struct rig *r = *state;
	int i;

	start(r, long_log(), NULL);
	for (i = 0; i < 5; i++) {
		mon_replay_step(&r->replay);
		run(r);
		assert_int_equal(voltage_mV(r), 1000 * i);
		assert_int_equal(r->model.bus.n_ours, i + 1);
		assert_true(r->replay.is_paused);
	}
	assert_int_equal(r->replay.at_us, BEGIN_US + 4 * STEP_US);
}

/* What the model knows, as the text of a snapshot would tell it. */
static void assert_same_models(const struct mon_model *a, const struct mon_model *b)
{
	uint64_t i;

	assert_int_equal(a->now_us, b->now_us);
	assert_int_equal(a->n_events, b->n_events);
	assert_int_equal(a->bus.n_frames, b->bus.n_frames);
	assert_int_equal(a->bus.load_permille, b->bus.load_permille);
	assert_memory_equal(a->point[1].msg, b->point[1].msg, sizeof(a->point[1].msg));
	for (i = 0; i < a->n_events && i < MON_N_EVENTS; i++) {
		assert_int_equal(a->event[i].time_us, b->event[i].time_us);
		assert_string_equal(a->event[i].text, b->event[i].text);
	}
}

static void test_replay_same_place_shows_the_same_however_reached(void **state)
{
	static struct mon_model first;
	struct rig *r = *state;

	start(r, long_log(), NULL);
	mon_replay_pause(&r->replay, true, r->now_us);
	assert_int_equal(mon_replay_seek(&r->replay, 5 * S + 50000, r->now_us), 0);
	run(r);
	first = r->model;
	assert_int_equal(voltage_mV(r), 50000);
	/* From the end back. */
	mon_replay_seek(&r->replay, 100 * S, r->now_us);
	run(r);
	assert_true(r->replay.is_at_end);
	mon_replay_seek(&r->replay, BEGIN_US + 5 * S + 50000 - r->replay.at_us, r->now_us);
	run(r);
	assert_false(r->replay.is_at_end);
	assert_same_models(&first, &r->model);
	/* From the start in real time. */
	mon_replay_seek(&r->replay, -100 * S, r->now_us);
	run(r);
	assert_int_equal(r->replay.at_us, BEGIN_US);
	mon_replay_pause(&r->replay, false, r->now_us);
	run_until(r, r->now_us + 5 * S + 50000);
	assert_same_models(&first, &r->model);
}

static void test_replay_seek_forward_on_a_pause_stays_paused(void **state)
{
	struct rig *r = *state;

	start(r, long_log(), NULL);
	mon_replay_pause(&r->replay, true, r->now_us);
	mon_replay_seek(&r->replay, 3 * S, r->now_us);
	assert_true(mon_replay_is_seeking(&r->replay));
	run(r);
	assert_false(mon_replay_is_seeking(&r->replay));
	assert_int_equal(r->replay.at_us, BEGIN_US + 3 * S);
	run_until(r, 100 * S);
	assert_int_equal(r->replay.at_us, BEGIN_US + 3 * S);
}

static void test_replay_knows_its_end_before_it_is_there(void **state)
{
	struct rig *r = *state;

	start(r, long_log(), NULL);
	assert_int_equal(r->replay.begin_us, BEGIN_US);
	assert_int_equal(r->replay.end_us, BEGIN_US + (N_STATUS - 1) * STEP_US + 1);
	run_until(r, 16 * S);
	assert_true(r->replay.is_at_end);
	assert_int_equal(r->replay.at_us, r->replay.end_us);
	assert_int_equal(r->next_us, FC_NEVER);
	assert_int_equal(voltage_mV(r), (N_STATUS - 1) * 1000);
}

static void test_replay_stops_where_it_is_wanted(void **state)
{
	struct rig *r = *state;
	int64_t next_us = FC_NEVER;

	start(r, long_log(), NULL);
	mon_replay_set_speed(&r->replay, MON_SPEED_MAX, r->now_us);
	r->replay.stop_us = BEGIN_US + 2500000;
	mon_replay_run(&r->replay, r->now_us, &next_us);
	assert_int_equal(r->model.now_us, BEGIN_US + 2500000);
	assert_int_equal(voltage_mV(r), 25000);
	assert_int_equal(next_us, r->now_us); /* and there is more */
}

static void test_replay_of_one_channel_hears_nothing_of_the_others(void **state)
{
	struct rig *r = *state;

	start(r, long_log(), "can1");
	mon_replay_set_speed(&r->replay, MON_SPEED_MAX, r->now_us);
	run(r);
	assert_int_equal(r->model.bus.n_frames, N_STATUS);
	assert_int_equal(r->model.bus.n_ours, 0);
}

static void test_replay_without_frames_is_an_error(void **state)
{
	struct rig *r = *state;

	write_log(r, "# nothing\n");
	assert_int_equal(mon_replay_open(&r->replay, r->path, NULL, err, sizeof(err)), -ENODATA);
	assert_non_null(strstr(err, "no frames"));
	mon_replay_close(&r->replay);
	write_log(r, long_log());
	assert_int_equal(mon_replay_open(&r->replay, r->path, "can7", err, sizeof(err)), -ENODATA);
	assert_non_null(strstr(err, "can7"));
	mon_replay_close(&r->replay);
	assert_true(mon_replay_open(&r->replay, "/nonexistent", NULL, err, sizeof(err)) < 0);
}

static void test_replay_broken_lines_are_counted_and_the_rest_is_fed(void **state)
{
	struct rig *r = *state;

	start(r,
	      "(1700000000.000000) can0 123#00\nbroken\n(1700000000.1) can0 123#0G\n(1700000001.000000) can0 123#01\n",
	      NULL);
	mon_replay_set_speed(&r->replay, MON_SPEED_MAX, r->now_us);
	run(r);
	assert_int_equal(r->model.bus.n_frames, 2);
	assert_int_equal(r->replay.log.stats.n_bad, 2);
	assert_int_equal(r->replay.log.stats.bad_line[0], 2);
}

static void test_replay_time_that_goes_back_stands_still(void **state)
{
	struct rig *r = *state;

	start(r,
	      "(1700000005.000000) can0 123#00\n(1700000001.000000) can0 123#00\n(1700000006.000000) can0 123#00\n",
	      NULL);
	run(r);
	assert_int_equal(r->model.bus.n_frames, 2);
	assert_int_equal(r->replay.at_us, BEGIN_US + 5 * S);
	run_until(r, r->now_us + S);
	assert_int_equal(r->model.bus.n_frames, 3);
}

/* A recorder whose clock was not set yet: fifty years between two lines are no fifty years of ticks. */
static void test_replay_gap_of_years_is_skipped(void **state)
{
	struct rig *r = *state;

	start(r, "(0000000001.000000) can0 0106B000#07\n(1700000001.000000) can0 0106B000#07\n", NULL);
	mon_replay_set_speed(&r->replay, MON_SPEED_MAX, r->now_us);
	run(r);
	assert_true(r->replay.is_at_end);
	assert_int_equal(r->model.bus.n_ours, 2);
}

static void test_replay_pipe_goes_forward_only(void **state)
{
	struct rig *r = *state;
	const char *text = long_log();
	char path[64];
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], text, strlen(text)), strlen(text)); /* fits into the pipe */
	close(fd[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd[0]);
	assert_int_equal(mon_replay_open(&r->replay, path, NULL, err, sizeof(err)), 0);
	start_replay(r, 0);
	close(fd[0]);
	assert_int_equal(r->replay.end_us, 0); /* nobody knows */
	mon_replay_seek(&r->replay, 5 * S, 0);
	run(r);
	assert_int_equal(voltage_mV(r), 50000);
	assert_int_equal(mon_replay_seek(&r->replay, -S, 0), -ESPIPE);
	assert_int_equal(voltage_mV(r), 50000); /* and it goes on from there */
	mon_replay_set_speed(&r->replay, MON_SPEED_MAX, 0);
	run(r);
	assert_int_equal(voltage_mV(r), (N_STATUS - 1) * 1000);
}

#define OF_LOG(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opts_defaults_are_newest_version_all_points_real_time),
		cmocka_unit_test(test_opts_values_are_taken),
		cmocka_unit_test(test_opts_wrong_use_is_refused_with_the_reason),
		cmocka_unit_test(test_opts_help_comes_before_version_and_what_is_wrong),
		OF_LOG(test_replay_runs_with_the_clock),
		OF_LOG(test_replay_speed_changes_from_where_it_is),
		OF_LOG(test_replay_pause_stands_still_and_goes_on_without_a_jump),
		OF_LOG(test_replay_step_goes_to_the_next_frame_of_the_interface),
		OF_LOG(test_replay_same_place_shows_the_same_however_reached),
		OF_LOG(test_replay_seek_forward_on_a_pause_stays_paused),
		OF_LOG(test_replay_knows_its_end_before_it_is_there),
		OF_LOG(test_replay_stops_where_it_is_wanted),
		OF_LOG(test_replay_of_one_channel_hears_nothing_of_the_others),
		OF_LOG(test_replay_without_frames_is_an_error),
		OF_LOG(test_replay_broken_lines_are_counted_and_the_rest_is_fed),
		OF_LOG(test_replay_time_that_goes_back_stands_still),
		OF_LOG(test_replay_gap_of_years_is_skipped),
		OF_LOG(test_replay_pipe_goes_forward_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
