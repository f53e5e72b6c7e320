/* SPDX-License-Identifier: MIT */
/* What a monitor writes. */
#include "monitor/mon_app_out.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <forecourt/units.h>

static int write_text(void *ctx, const char *text, size_t n)
{
	struct mon_out *o = ctx;
	size_t at = 0;
	ssize_t done;

	while (at < n) {
		done = write(o->fd, text + at, n - at);
		if (done >= 0) {
			at += (size_t)done;
		} else if (errno == EAGAIN) { /* a pipe that somebody made nonblocking */
			struct pollfd p = {.fd = o->fd, .events = POLLOUT};

			poll(&p, 1, -1);
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

static void on_change(void *ctx, const struct mon_change *c)
{
	struct mon_out *o = ctx;

	if (!o->is_muted)
		mon_text_change(&o->text, c);
}

static void on_event(void *ctx, const struct mon_event *e)
{
	struct mon_out *o = ctx;

	if (!o->is_muted)
		mon_text_event(&o->text, e);
}

static void record(struct mon_out *o, unsigned point, const struct mon_session *s)
{
	if (!o->journal.db || s->end_us <= o->recorded_us)
		return;
	o->recorded_us = s->end_us;
	mon_journal_add(&o->journal, point, s, o->wall_offset_us, o->journal_err, sizeof(o->journal_err));
}

static void on_session_end(void *ctx, unsigned point, const struct mon_session *s)
{
	struct mon_out *o = ctx;

	if (o->is_muted)
		return;
	record(o, point, s);
	if (o->sink.change) /* text as it happens */
		mon_text_session_end(&o->text, point, s);
}

static bool has_text(const struct mon_out *o)
{
	return o->opts->output != MON_OUTPUT_SCREEN;
}

int mon_out_open(struct mon_out *o, const struct mon_opts *opts, const struct mon_model *model, int fd,
		 char *err, size_t err_size)
{
	o->opts = opts;
	o->model = model;
	o->fd = fd;
	o->is_muted = false;
	o->next_us = FC_NEVER;
	o->retry_us = FC_NEVER;
	o->recorded_us = INT64_MIN;
	o->journal_err[0] = '\0';
	o->sink = (struct mon_sink){.ctx = o};
	if (has_text(o))
		mon_text_init(&o->text, model,
			      opts->output == MON_OUTPUT_JSON ? MON_TEXT_JSON : MON_TEXT_LINES, write_text,
			      o);
	if (has_text(o) && !opts->is_once && !opts->every_us) {
		/* Each change costs a decoding: only those who ask for them pay. */
		o->sink.change = on_change;
		o->sink.event = on_event;
	}
	if (o->sink.change || opts->journal)
		o->sink.session_end = on_session_end;
	if (!opts->journal)
		return 0;
	return mon_journal_open(&o->journal, opts->journal, opts->model.side, opts->model.version, err,
				err_size);
}

static void close_journal(struct mon_out *o, const char *program, FILE *out)
{
	struct mon_journal *j = &o->journal;

	if (!j->db)
		return;
	if (!o->opts->replay)
		mon_journal_stop(j, o->model, o->wall_offset_us, o->journal_err, sizeof(o->journal_err));
	if (j->n_waiting > 0)
		mon_journal_retry(j, o->journal_err, sizeof(o->journal_err));
	if (j->n_waiting + j->n_lost > 0)
		fprintf(out, "%s: journal: %llu sessions are not recorded: %s\n", program,
			(unsigned long long)(j->n_waiting + j->n_lost), o->journal_err);
	mon_journal_close(j);
}

void mon_out_close(struct mon_out *o, const char *program, FILE *out)
{
	if (!o->opts)
		return; /* never opened */
	if (has_text(o))
		mon_text_flush(&o->text);
	close_journal(o, program, out);
}

void mon_out_begin(struct mon_out *o, int64_t begin_us, int64_t wall_offset_us)
{
	o->wall_offset_us = wall_offset_us;
	o->text.wall_offset_us = wall_offset_us;
	if (o->opts->every_us)
		o->next_us = begin_us + o->opts->start_us + o->opts->every_us;
}

const struct mon_sink *mon_out_sink(const struct mon_out *o)
{
	return &o->sink;
}

void mon_out_mute(struct mon_out *o, bool is_muted)
{
	o->is_muted = is_muted;
}

int64_t mon_out_next_us(const struct mon_out *o)
{
	return o->next_us;
}

/* A journal that is locked or full: once a second. */
static void retry_journal(struct mon_out *o, int64_t now_us, int64_t *next_us)
{
	if (o->journal.n_waiting == 0) {
		o->retry_us = FC_NEVER;
		return;
	}
	if (now_us >= o->retry_us)
		mon_journal_retry(&o->journal, o->journal_err, sizeof(o->journal_err));
	if (now_us >= o->retry_us || o->retry_us == FC_NEVER)
		o->retry_us = now_us + FC_US_PER_S;
	*next_us = fc_min_i64(*next_us, o->retry_us);
}

int mon_out_run(struct mon_out *o, int64_t now_us, int64_t *next_us)
{
	retry_journal(o, now_us, next_us);
	if (!has_text(o))
		return 0;
	if (o->model->now_us >= o->next_us) {
		/* A time that could not be kept is left out, not made up for. */
		o->next_us += (o->model->now_us - o->next_us) / o->opts->every_us * o->opts->every_us +
			      o->opts->every_us;
		if (!o->is_muted)
			mon_text_snapshot(&o->text);
	}
	return mon_text_flush(&o->text);
}

int mon_out_snapshot(struct mon_out *o)
{
	return mon_text_snapshot(&o->text);
}
