/* SPDX-License-Identifier: MIT */
/*
 * bus-log replay: sends a log on a bus. In time: every frame has its moment on the monotonic clock, counted from the
 * first one, so errors do not add up; what is due at the same moment goes in one call. The kernel is asked for wake-ups
 * to the nanosecond. At full speed: batches, as fast as the bus takes them.
 *
 * The bus holds back what the kernel does not take, and of each identifier only the newest; a replay must lose
 * nothing, so a batch has no identifier twice, and the next one waits until all of it went.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "lib/can/can_bus.h"
#include "monitor/bus_log_args.h"
#include "monitor/bus_log_cmd.h"
#include "monitor/bus_log_half.h"

#define BATCH_MAX	  64
#define PROGRESS_FIRST_NS INT64_C(2000000000)
#define PROGRESS_NS	  INT64_C(500000000)
#define HELD_NAP_NS	  INT64_C(500000)
#define LOOP_GAP_MIN_US	  1000		   /* between the last frame and the first one of the next round */
#define STEP_BACK_US	  INT64_C(1000000) /* up to this times are out of order; beyond, another log begins */
#define NEVER_NS	  (INT64_MAX / 2)

enum { HALF_BOTH, HALF_MODULE, HALF_CONTROLLER };
enum { SIDE_BOTH, SIDE_EVSE, SIDE_PEV };

static volatile sig_atomic_t is_stopping;

static void on_signal(int number)
{
	(void)number;
	is_stopping = 1;
}

struct settings {
	char can[128], speed[32], from[64], to[64], channel[32];
	struct arg_list only, exclude;
	int32_t n_loops, half, side, max_gap_ms, is_quiet;
};

#define AT(member)   offsetof(struct settings, member)
#define SIZE(member) sizeof(((struct settings *)0)->member)

static const struct opt_name halves[] = {
	{HALF_BOTH, "both"}, {HALF_MODULE, "module"}, {HALF_CONTROLLER, "controller"}, {0, NULL}};
static const struct opt_name sides[] = {
	{SIDE_BOTH, "both"}, {SIDE_EVSE, "evse"}, {SIDE_PEV, "pev"}, {0, NULL}};

static const struct opt table[] = {
	{"can", 'i', OPT_TEXT, 0, "URL", 0, 0, "can0", AT(can), SIZE(can), NULL,
	 "can0, vcan0, udp, udp:GROUP:PORT (default can0)"},
	{"speed", 's', OPT_TEXT, 0, "N", 0, 0, "1", AT(speed), SIZE(speed), NULL,
	 "0.001 to 1000 times as fast; max: without waiting"},
	{"loop", 'l', OPT_INT, 0, "N", 0, 1000000000, "1", AT(n_loops), 0, NULL,
	 "so many times; 0: for ever"},
	{"max-gap", 0, OPT_MILLI, 0, "S", 0, 2000000000, "0", AT(max_gap_ms), 0, NULL,
	 "longer silences are cut to S seconds"},
	{"from", 0, OPT_TEXT, 0, "TIME", 0, 0, "", AT(from), SIZE(from), NULL,
	 "seconds from the first frame, since 1970, or a date"},
	{"to", 0, OPT_TEXT, 0, "TIME", 0, 0, "", AT(to), SIZE(to), NULL, "the same"},
	{"only", 0, OPT_TEXT, ARG_LIST, "LIST", 0, 0, "", AT(only), 0, NULL,
	 "identifiers 123, 0106B000, 123:7F0 (mask), or messages"},
	{"exclude", 0, OPT_TEXT, ARG_LIST, "LIST", 0, 0, "", AT(exclude), 0, NULL, "all but these"},
	{"channel", 0, OPT_TEXT, 0, "NAME", 0, 0, "", AT(channel), SIZE(channel), NULL,
	 "only frames of this channel"},
	{"half", 0, OPT_ENUM, 0, "HALF", 0, 0, "both", AT(half), 0, halves,
	 "only what the module or the controller sends"},
	{"side", 0, OPT_ENUM, 0, "SIDE", 0, 0, "both", AT(side), 0, sides, "of evse or pev (default: both)"},
	{"quiet", 'q', OPT_BOOL, 0, "", 0, 0, "no", AT(is_quiet), 0, NULL, "no progress and no last line"},
};

static const struct arg_command command = {
	.name = "replay",
	.operands = "LOG",
	.purpose = "Sends the frames of a log on a bus, with their spacing. Error frames are left out.\n"
		   "--half module --side evse plays a charger module for a controller under test.\n",
	.notes = "",
	.table = table,
	.n_table = sizeof(table) / sizeof(table[0]),
	.min_operands = 1,
	.max_operands = 1,
};

struct replay {
	struct log_reader log;
	struct can_bus *bus;
	struct arg_span span;
	struct id_filter only, exclude;
	bool has_only; /* even an empty filter */
	const char *channel;
	int64_t speed_milli; /* 0: as fast as it goes */
	int64_t max_gap_us;  /* 0: any */
	bool has_progress;
	/* ---- the schedule */
	int64_t start_ns; /* moment of time zero_us of the log */
	int64_t zero_us, last_us;
	bool has_zero;
	int64_t next_progress_ns;
	uint64_t n_sent, n_round;
	int64_t round_us; /* log time of the first frame of this round */
	struct can_frame batch[BATCH_MAX];
	unsigned n_batch;
	int error; /* of sending */
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void sleep_until(int64_t ns)
{
	const struct timespec t = {ns / 1000000000, ns % 1000000000};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* Frames that the bus took but has not sent yet. */
static uint64_t held(const struct replay *r)
{
	const struct can_bus_stats *s = &r->bus->stats;

	return r->n_sent - s->n_tx - s->n_tx_failed - s->n_tx_replaced;
}

static void send_batch(struct replay *r)
{
	int rc;

	if (!r->n_batch)
		return;
	rc = can_bus_send_many(r->bus, r->batch, r->n_batch);
	r->n_sent += r->n_batch;
	r->n_batch = 0;
	if (rc)
		r->error = rc;
	while (held(r) && !is_stopping && !r->error) {
		sleep_until(now_ns() + HELD_NAP_NS);
		can_bus_service(r->bus, now_ns() / 1000);
	}
}

static void put_frame(struct replay *r, const struct can_frame *f)
{
	unsigned i;

	for (i = 0; i < r->n_batch && r->batch[i].can_id != f->can_id; i++)
		;
	if (i < r->n_batch || r->n_batch == BATCH_MAX)
		send_batch(r);
	r->batch[r->n_batch++] = *f;
}

static void show_progress(struct replay *r, int64_t time_us, int64_t at_ns)
{
	uint64_t size = log_size(&r->log);

	if (!r->has_progress || at_ns < r->next_progress_ns)
		return;
	r->next_progress_ns = at_ns + PROGRESS_NS;
	fprintf(stderr, "\r%.1f s, %" PRIu64 " frames", (double)(time_us - r->round_us) / 1e6,
		r->n_sent + r->n_batch);
	if (size)
		fprintf(stderr, ", %.0f %%", 100.0 * (double)log_position(&r->log) / (double)size);
	fputs("  ", stderr);
}

/* Moment of a time of the log. */
static int64_t due_ns(const struct replay *r, int64_t time_us)
{
	int64_t us = time_us - r->zero_us, speed = r->speed_milli;

	if (us / speed > (NEVER_NS - r->start_ns) / 1000000 - 1)
		return NEVER_NS;
	return r->start_ns + us / speed * 1000000 + us % speed * 1000000 / speed;
}

/* Waits for the moment of a frame; what is due before goes out first. */
static void wait_for(struct replay *r, int64_t time_us)
{
	int64_t at_ns, due;

	if (!r->has_zero) {
		r->has_zero = true;
		r->zero_us = time_us;
		r->start_ns = now_ns();
	} else if (time_us < r->last_us - STEP_BACK_US) {
		/* A log behind the log: its first frame follows at once. */
		r->start_ns = due_ns(r, r->last_us);
		r->zero_us = r->last_us = time_us;
	} else if (r->max_gap_us && time_us - r->last_us > r->max_gap_us) {
		/* As if it had come earlier. */
		r->zero_us += time_us - r->last_us - r->max_gap_us;
	}
	if (time_us > r->last_us)
		r->last_us = time_us;
	due = due_ns(r, time_us);
	at_ns = now_ns();
	if (due <= at_ns)
		return;
	send_batch(r);
	while (!is_stopping && !r->error && (at_ns = now_ns()) < due) {
		show_progress(r, time_us, at_ns);
		sleep_until(r->has_progress && r->next_progress_ns < due ? r->next_progress_ns : due);
	}
}

static bool is_meant(struct replay *r, const struct log_entry *e)
{
	canid_t id = e->frame.can_id & ~CAN_RTR_FLAG;

	if (id & CAN_ERR_FLAG)
		return false;
	if (r->channel && strcmp(log_channel(&r->log, e->channel), r->channel) != 0)
		return false;
	return !(r->has_only && !filter_fits(&r->only, id)) && !filter_fits(&r->exclude, id);
}

/* The log once; the result of log_next(). */
static int play(struct replay *r)
{
	struct log_entry e;
	int rc = 0;

	r->n_round = 0;
	while (!is_stopping && !r->error && (rc = log_next(&r->log, &e)) > 0) {
		if (args_span_place(&r->span, e.time_us) != 0 || !is_meant(r, &e))
			continue;
		if (r->n_round++ == 0)
			r->round_us = e.time_us;
		if (r->speed_milli)
			wait_for(r, e.time_us);
		else if (r->has_progress && r->n_sent % 1024 == 0)
			show_progress(r, e.time_us, now_ns());
		put_frame(r, &e.frame);
	}
	send_batch(r);
	return rc;
}

/* The first frame of the next round comes a mean distance behind the last one of this. */
static void begin_round(struct replay *r)
{
	int64_t gap_us = r->n_round > 1 ? (r->last_us - r->round_us) / (int64_t)(r->n_round - 1) : 0;

	if (gap_us < LOOP_GAP_MIN_US)
		gap_us = LOOP_GAP_MIN_US;
	if (r->has_zero && r->speed_milli) {
		r->start_ns = due_ns(r, r->last_us + gap_us);
		r->zero_us = r->round_us;
		r->last_us = r->round_us;
	}
}

static int play_all(struct replay *r, int32_t n_loops)
{
	int32_t round = 0;
	int rc;

	for (;;) {
		rc = play(r);
		if (rc < 0 || is_stopping || r->error || r->n_round == 0 || ++round == n_loops)
			return rc;
		begin_round(r);
		rc = log_rewind(&r->log);
		if (rc)
			return rc;
	}
}

/* --- start and end ---------------------------------------------------------------------------------------- */

static int take_half(struct replay *r, const struct settings *s)
{
	enum mon_half half = s->half == HALF_MODULE ? MON_MODULE : MON_CONTROLLER;
	int rc = 0;

	if (s->half == HALF_BOTH)
		return s->side == SIDE_BOTH ? -1 : args_refuse(&command, "--side goes with --half");
	if (s->only.n)
		return args_refuse(&command, "--only or --half, not both");
	r->has_only = true;
	if (s->side != SIDE_PEV)
		rc = half_filter(&r->only, MON_EVSE, half);
	if (s->side != SIDE_EVSE && rc == 0)
		rc = half_filter(&r->only, MON_PEV, half);
	return rc ? args_fail(command.name, "%s", strerror(-rc)) : -1;
}

/* -1, or the exit status. Opens nothing. */
static int configure(struct replay *r, const struct settings *s)
{
	char err[200];

	if (strcmp(s->speed, "max") != 0 &&
	    (opts_parse_milli(s->speed, &r->speed_milli) || r->speed_milli < 1 || r->speed_milli > 1000000))
		return args_refuse(&command, "--speed: \"%s\" is neither max nor a number from 0.001 to 1000",
				   s->speed);
	if (filter_take(&r->only, &s->only, err, sizeof(err)))
		return args_refuse(&command, "--only: %s", err);
	if (filter_take(&r->exclude, &s->exclude, err, sizeof(err)))
		return args_refuse(&command, "--exclude: %s", err);
	r->has_only = s->only.n > 0;
	r->max_gap_us = s->max_gap_ms * INT64_C(1000);
	r->channel = s->channel[0] ? s->channel : NULL;
	if (!args_span(&command, s->from, s->to, &r->span))
		return EXIT_USAGE;
	return take_half(r, s);
}

static int run(struct replay *r, const struct settings *s, const char *path)
{
	int64_t start_ns = now_ns();
	uint64_t n_failed;
	int rc = play_all(r, s->n_loops), status;

	if (r->has_progress && now_ns() - start_ns > PROGRESS_FIRST_NS)
		fputc('\n', stderr);
	n_failed = r->bus->stats.n_tx_failed + r->bus->stats.n_tx_replaced;
	if (!s->is_quiet)
		fprintf(stderr, "bus-log replay: %" PRIu64 " frames in %.3f s\n", r->n_sent - n_failed,
			(double)(now_ns() - start_ns) / 1e9);
	status = args_close_log(command.name, path, &r->log, rc);
	if (r->error)
		return args_fail(command.name, "%s: %s", s->can, strerror(-r->error));
	if (n_failed)
		return args_fail(command.name, "%" PRIu64 " frames could not be sent", n_failed);
	return status;
}

int bus_log_replay(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = on_signal};
	struct settings s = {0};
	struct replay r = {0};
	const char *path[2];
	char err[300];
	int status = args_take(&command, &s, argc, argv, path);

	if (status < 0)
		status = configure(&r, &s);
	if (status >= 0)
		return status;
	if (!args_open_log(command.name, path[0], &r.log))
		return EXIT_FAILED;
	if (s.n_loops != 1 && log_rewind(&r.log)) {
		log_close(&r.log);
		return args_fail(command.name, "a pipe cannot be played more than once");
	}
	if (can_bus_open(s.can, &r.bus, err, sizeof(err))) {
		log_close(&r.log);
		return args_fail(command.name, "%s", err);
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	prctl(PR_SET_TIMERSLACK, 1);
	r.has_progress = !s.is_quiet && isatty(STDERR_FILENO);
	r.next_progress_ns = now_ns() + PROGRESS_FIRST_NS;
	status = run(&r, &s, path[0]);
	can_bus_close(r.bus);
	return status;
}
