/* SPDX-License-Identifier: MIT */
/* A log against one of our controllers, in virtual time. */
#include "sim/sim_run_replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <forecourt/units.h>

#include "evse-ctrl/evse_station.h"
#include "evse_msgs.h"
#include "lib/core/opts.h"
#include "monitor/log_read.h"
#include "pev-ctrl/pev_point.h"
#include "pev_msgs.h"
#include "sim/sim_run_replay_hw.h"
#include "sim/sim_run_replay_text.h"

#define CYCLE_US (100 * (int64_t)FC_US_PER_MS)
/* How far the log is read ahead, for measurements that come a moment later. */
#define AHEAD_US (2 * (int64_t)FC_US_PER_S)
/* Logs may begin at 0; a machine's clock does not. */
#define EARLIEST_US (10 * (int64_t)FC_US_PER_S)

/* Of a gap in a log more is left out. */
#define LONGEST_US (3600 * (int64_t)FC_US_PER_S)

#define MAX_WORDS	 64
#define WORDS_OF_A_FRAME 3

struct job {
	const struct replay_options *o;
	struct log_reader reader;
	struct replay_side side;
	struct replay_log log;
	struct replay_cmp cmp;
	struct replay_story story;
	struct machine machine;
	struct can_filter filter[MACHINE_MAX_FILTERS];
	size_t n_filters;
	struct evse_point evse;
	struct evse_station station;
	struct replay_stack stack;
	struct pev_point pev;
	struct replay_vehicle vehicle;
	struct out_queue out;

	int64_t now_us;
	int64_t shift_us; /* virtual time minus that of the log */
	int64_t read_us;  /* newest entry that was read */
	bool is_read;	  /* to its end */
	int read_error;
	bool has_read;
	uint64_t n_module, n_other;
	struct {
		int64_t time_us;
		const char *line;
	} word[MAX_WORDS]; /* of the operator, still to be said */
	unsigned n_words;
	struct evse_sequence_control sequence; /* last that was read */
	struct pev_dc_status2 status2;
	struct pev_ev_status ev_status;
};

/* --- the operator's words ---------------------------------------------------------------------------------- */

static void hear(struct job *j, const struct replay_entry *e, enum replay_word word, bool is_said,
		 const char *line)
{
	/* evse-ctrl passes a word on at once, pev-ctrl with its next cycle. */
	int64_t lead_us = j->o->against == REPLAY_PEV ? CYCLE_US / 2 : 0;

	if (!is_said || !(j->o->words & word))
		return;
	j->word[j->n_words].time_us = e->time_us - lead_us;
	j->word[j->n_words++].line = line;
}

/* They show as flags that rise, and only there. */
static void hear_words(struct job *j, const struct replay_entry *e)
{
	uint64_t content[REPLAY_MAX_MSG_SIZE / sizeof(uint64_t)];

	replay_side_unpack(&j->side, e->msg, &e->frame, content);
	if (j->o->against == REPLAY_EVSE && e->msg == EVSE_SEQUENCE_CONTROL) {
		struct evse_sequence_control old = j->sequence, *now = &j->sequence;

		memcpy(now, content, sizeof(*now));
		hear(j, e, REPLAY_WORD_START,
		     now->start_charge_authorisation != old.start_charge_authorisation,
		     now->start_charge_authorisation ? "start allow" : "start deny");
		hear(j, e, REPLAY_WORD_AUTHORISE, now->ccs_authorisation_done && !old.ccs_authorisation_done,
		     now->ccs_authorisation_valid ? "authorise yes" : "authorise no");
		hear(j, e, REPLAY_WORD_STOP, now->user_stop_button && !old.user_stop_button, "stop");
	} else if (j->o->against == REPLAY_PEV && e->msg == PEV_DC_STATUS2) {
		struct pev_dc_status2 old = j->status2, *now = &j->status2;

		memcpy(now, content, sizeof(*now));
		hear(j, e, REPLAY_WORD_STOP, now->normal_end_of_charge && !old.normal_end_of_charge, "stop");
		hear(j, e, REPLAY_WORD_EMERGENCY, now->emergency_stop && !old.emergency_stop, "emergency");
	} else if (j->o->against == REPLAY_PEV && e->msg == PEV_EV_STATUS) {
		struct pev_ev_status old = j->ev_status, *now = &j->ev_status;

		memcpy(now, content, sizeof(*now));
		hear(j, e, REPLAY_WORD_PAUSE, now->charge_pause_request && !old.charge_pause_request,
		     "pause");
		hear(j, e, REPLAY_WORD_RESUME, now->charge_resume_request && !old.charge_resume_request,
		     "resume");
	}
}

/* --- reading ahead ----------------------------------------------------------------------------------------- */

static bool passes(const struct job *j, canid_t id)
{
	size_t i;

	if (id & CAN_ERR_FLAG)
		return true;
	for (i = 0; i < j->n_filters; i++)
		if ((id & j->filter[i].can_mask) == (j->filter[i].can_id & j->filter[i].can_mask))
			return true;
	return false;
}

/* False: belongs to neither half. */
static bool sort_frame(struct job *j, const struct log_entry *l, struct replay_entry *e)
{
	e->line = l->line;
	e->frame = l->frame;
	e->msg = replay_side_find(&j->side, &l->frame);
	e->is_controllers = e->msg >= 0 && replay_side_is_controllers(&j->side, e->msg);
	return e->is_controllers || passes(j, l->frame.can_id);
}

static void read_ahead(struct job *j)
{
	struct log_entry l;
	struct replay_entry e;
	int ret;

	while (!j->is_read && j->log.n < REPLAY_LOG_LEN &&
	       (!j->has_read || j->read_us <= j->now_us + AHEAD_US)) {
		ret = log_next(&j->reader, &l);
		if (ret <= 0) {
			j->is_read = true;
			j->read_error = ret;
			return;
		}
		if (!sort_frame(j, &l, &e)) {
			j->n_other++;
			continue;
		}
		if (!j->has_read) {
			j->shift_us = l.time_us < EARLIEST_US ? EARLIEST_US - l.time_us : 0;
			j->now_us = l.time_us + j->shift_us;
			j->read_us = j->now_us;
			j->has_read = true;
		}
		/* A clock that was set: time goes on from there, and nobody waits for years. */
		if (l.time_us + j->shift_us < j->read_us)
			j->shift_us = j->read_us - l.time_us;
		if (l.time_us + j->shift_us > j->read_us + LONGEST_US)
			j->shift_us = j->read_us + LONGEST_US - l.time_us;
		e.time_us = l.time_us + j->shift_us;
		j->read_us = e.time_us;
		replay_log_put(&j->log, &e);
		if (e.is_controllers)
			hear_words(j, &e);
	}
}

/*
 * Our controller's cycle begins so that it falls together with the log's, before the first frame of all. False: no
 * frame of a controller where it should be.
 */
static bool find_start(struct job *j, int64_t *start_us)
{
	unsigned i;

	for (i = 0; i < j->log.n; i++) {
		const struct replay_entry *e = &j->log.entry[(j->log.head + i) % REPLAY_LOG_LEN];

		if (!e->is_controllers)
			continue;
		*start_us = e->time_us - (e->time_us - j->now_us + CYCLE_US - 1) / CYCLE_US * CYCLE_US;
		return true;
	}
	return false;
}

/* --- our controller ---------------------------------------------------------------------------------------- */

static void choose_side(struct job *j)
{
	const struct replay_options *o = j->o;

	if (o->against == REPLAY_EVSE)
		j->side = replay_side_evse((unsigned)o->evse_conf.protocol, o->index);
	else
		j->side = replay_side_pev((unsigned)o->pev_conf.protocol);
}

static int make_evse(struct job *j, int64_t now_us, char *err, size_t err_size)
{
	struct evse_conf conf = j->o->evse_conf;
	struct evse_point_setup setup = {
		.conf = &conf,
		.index = j->o->index,
		.driver = &replay_stack_plugin,
		.ops = replay_stack_plugin.ops,
		.driver_state = &j->stack,
		.sink = j->o->sink,
	};
	int ret;

	if (j->o->words & REPLAY_WORD_AUTHORISE)
		conf.authorisation_ms = -1;
	if (j->o->words & REPLAY_WORD_STOP)
		conf.charge_duration_ms = 0;
	j->stack.log = &j->log;
	ret = evse_point_init(&j->evse, &setup, now_us, err, err_size);
	if (ret)
		return ret;
	evse_station_init(&j->station);
	evse_station_add(&j->station, &j->evse);
	j->machine = (struct machine){&evse_station_ops, &j->station, "evse-ctrl"};
	return 0;
}

static int make_pev(struct job *j, int64_t now_us, char *err, size_t err_size)
{
	struct pev_point_setup setup = {
		.conf = &j->o->pev_conf,
		.driver = &replay_vehicle_plugin,
		.ops = replay_vehicle_plugin.ops,
		.driver_state = &j->vehicle,
		.sink = j->o->sink,
	};
	int ret;

	j->vehicle.log = &j->log;
	ret = pev_point_init(&j->pev, &setup, now_us, err, err_size);
	if (ret == 0)
		j->machine = pev_point_machine(&j->pev);
	return ret;
}

static int make_controller(struct job *j, int64_t now_us)
{
	char err[200];
	int ret = j->o->against == REPLAY_EVSE ? make_evse(j, now_us, err, sizeof(err))
					       : make_pev(j, now_us, err, sizeof(err));

	if (ret)
		fprintf(stderr, "sim-run: %s\n", err);
	else
		j->n_filters = j->machine.ops->filters(j->machine.self, j->filter, MACHINE_MAX_FILTERS);
	return ret;
}

static void put_name(char *text, size_t size, const char *name)
{
	size_t n = strlen(text);

	snprintf(text + n, size - n, "%s%s", n ? "," : "", name);
}

static void describe(const struct job *j, char *text, size_t size)
{
	char faults[160] = "";
	unsigned i;

	if (j->o->against == REPLAY_EVSE) {
		for (i = 1; i < 32; i++)
			if (j->evse.session.faults.latched >> i & 1)
				put_name(faults, sizeof(faults), evse_fault_name((enum evse_fault)i));
		snprintf(text, size, "%s, faults %s, set point %d V %d A",
			 evse_state_row(j->evse.session.state)->name, faults[0] ? faults : "none",
			 j->evse.session.sp.v_mV / 1000, j->evse.session.sp.i_max_mA / 1000);
		return;
	}
	for (i = 1; i < PEV_N_FAULTS; i++)
		if (j->pev.session.faults.latched >> i & 1)
			put_name(faults, sizeof(faults), pev_fault_row((enum pev_fault)i)->name);
	snprintf(text, size, "%s, faults %s, contactors %s", pev_state_row(j->pev.session.state)->name,
		 faults[0] ? faults : "none", pev_contactors_name(j->pev.session.contactors.state));
}

/* --- events ------------------------------------------------------------------------------------------------ */

/* What the controller has just queued. */
static void perform(struct job *j)
{
	uint32_t i;

	for (i = 0; i < j->out.n; i++) {
		const struct out_item *item = &j->out.item[i];
		int msg;

		if (item->kind != OUT_FRAME || item->bus != 0)
			continue;
		replay_cmp_ours(&j->cmp, j->now_us, &item->u.frame);
		msg = replay_side_find(&j->side, &item->u.frame);
		if (msg >= 0)
			replay_story_note(&j->story, j->now_us, REPLAY_OURS, msg, &item->u.frame);
	}
	out_queue_clear(&j->out);
}

static void say_word(struct job *j)
{
	char answer[256];

	j->machine.ops->command(j->machine.self, j->now_us, j->word[0].line, answer, sizeof(answer), &j->out);
	memmove(&j->word[0], &j->word[1], --j->n_words * sizeof(j->word[0]));
	perform(j);
}

static void take_entry(struct job *j)
{
	struct replay_entry e = *replay_log_peek(&j->log);

	replay_log_take(&j->log);
	if (e.msg >= 0)
		replay_story_note(&j->story, j->now_us, e.is_controllers ? REPLAY_LOG : REPLAY_MODULE, e.msg,
				  &e.frame);
	if (e.is_controllers) {
		replay_cmp_expect(&j->cmp, &e);
		return;
	}
	j->n_module++;
	j->machine.ops->rx(j->machine.self, j->now_us, &e.frame, &j->out);
	perform(j);
}

/* Our cycle goes with the frames that the log's cycle sent, behind those of the module of the same instant. */
static bool is_entry_first(const struct replay_entry *e, int64_t tick_us)
{
	return e && (e->time_us < tick_us || (e->time_us == tick_us && !e->is_controllers));
}

static void run(struct job *j)
{
	for (;;) {
		const struct replay_entry *e;
		bool is_word, is_entry;
		int64_t due_us;

		read_ahead(j);
		e = replay_log_peek(&j->log);
		due_us = j->machine.ops->next_us(j->machine.self);
		if (!e && due_us > j->read_us + j->cmp.tolerance.time_us)
			return;
		is_entry = is_entry_first(e, due_us);
		if (is_entry)
			due_us = e->time_us;
		is_word = j->n_words && j->word[0].time_us <= due_us;
		if (is_word)
			due_us = j->word[0].time_us;
		if (due_us > j->now_us)
			j->now_us = due_us;
		if (j->o->now_us)
			*j->o->now_us = j->now_us - j->story.start_us;
		if (is_word) {
			say_word(j);
		} else if (is_entry) {
			take_entry(j);
		} else {
			j->machine.ops->tick(j->machine.self, j->now_us, &j->out);
			perform(j);
		}
		replay_cmp_settle(&j->cmp, j->now_us);
	}
}

/* --- result ------------------------------------------------------------------------------------------------ */

static void on_difference(void *ctx, const struct replay_difference *d)
{
	struct job *j = ctx;
	char state[256];

	if (j->o->is_quiet)
		return;
	if (replay_cmp_total(&j->cmp).n_different == 1) {
		describe(j, state, sizeof(state));
		replay_text_full(stdout, &j->story, d, j->cmp.tolerance.time_us, state);
	} else if (j->o->is_all) {
		replay_text_line(stdout, &j->story, d);
	}
}

static void print_result(const struct job *j, const struct replay_count *sum)
{
	const char *result = sum->n_different ? "different" : "same";
	char state[256];

	if (!j->o->is_quiet) {
		describe(j, state, sizeof(state));
		replay_text_sum(stdout, &j->cmp);
		printf("our end   %s\n", state);
		printf("result    %s: %s, %.1f s, %" PRIu64 " frames of the module, %" PRIu64
		       " of its controller, %" PRIu64 " differences\n",
		       result, j->machine.name, (double)(j->read_us - j->story.start_us) / 1e6, j->n_module,
		       sum->n_log, sum->n_different);
	}
	if (j->o->is_json)
		printf("{\"result\":\"%s\",\"module_frames\":%" PRIu64 ",\"controller_frames\":%" PRIu64
		       ",\"our_frames\":%" PRIu64 ",\"compared\":%" PRIu64 ",\"different\":%" PRIu64
		       ",\"other_frames\":%" PRIu64 ",\"bad_lines\":%" PRIu64 "}\n",
		       result, j->n_module, sum->n_log, sum->n_ours, sum->n_compared, sum->n_different,
		       j->n_other, j->reader.stats.n_bad);
}

static int ignore_all(struct job *j)
{
	unsigned i;

	for (i = 0; i < j->o->n_ignored; i++) {
		if (replay_cmp_ignore(&j->cmp, j->o->ignored[i]))
			continue;
		fprintf(stderr, "sim-run: --ignore %s: no such message or signal of this controller\n",
			j->o->ignored[i]);
		return 2;
	}
	return 0;
}

static int replay_log_file(struct job *j)
{
	struct replay_count sum;
	int64_t start_us = 0;

	out_queue_init(&j->out);
	choose_side(j);
	replay_log_init(&j->log, &j->side);
	replay_cmp_init(&j->cmp, &j->side, &j->o->tolerance);
	j->cmp.on_difference = on_difference;
	j->cmp.ctx = j;
	j->story.side = &j->side;
	j->sequence.start_charge_authorisation = j->o->evse_conf.is_start_allowed != 0;
	/* Once for its filters; its clock is known when the log was looked at. */
	if (ignore_all(j) || make_controller(j, EARLIEST_US))
		return 2;
	read_ahead(j);
	if (!find_start(j, &start_us)) {
		fprintf(stderr, "sim-run: %s: no frame of %s%s at its beginning\n", j->o->log,
			j->machine.name, j->o->against == REPLAY_EVSE ? " with this pistol index" : "");
		return 2;
	}
	j->story.start_us = j->now_us;
	j->now_us = start_us;
	if (make_controller(j, start_us))
		return 2;
	run(j);
	replay_cmp_finish(&j->cmp);
	if (j->read_error < 0) {
		fprintf(stderr, "sim-run: %s: %s\n", j->o->log, strerror(-j->read_error));
		return 2;
	}
	if (j->n_module == 0) {
		fprintf(stderr, "sim-run: %s: no frame for %s\n", j->o->log, j->machine.name);
		return 2;
	}
	sum = replay_cmp_total(&j->cmp);
	print_result(j, &sum);
	return sum.n_different ? 1 : 0;
}

int replay_run(const struct replay_options *o)
{
	struct job *j;
	char err[200];
	int ret;

	if (o->against == REPLAY_NOBODY) {
		fprintf(stderr, "sim-run: --replay needs --against evse-ctrl or pev-ctrl\n");
		return 2;
	}
	if (o->against == REPLAY_EVSE && (o->words & REPLAY_WORD_EMERGENCY)) {
		fprintf(stderr, "sim-run: --operator emergency: no frame of evse-ctrl says so\n");
		return 2;
	}
	j = calloc(1, sizeof(*j));
	if (!j) {
		fprintf(stderr, "sim-run: not enough memory\n");
		return 2;
	}
	j->o = o;
	if (log_open(&j->reader, o->log, err, sizeof(err))) {
		fprintf(stderr, "sim-run: %s\n", err);
		free(j);
		return 2;
	}
	ret = replay_log_file(j);
	log_tell_bad(&j->reader, "sim-run", stderr);
	log_close(&j->reader);
	free(j);
	return ret;
}
