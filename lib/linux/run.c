/* SPDX-License-Identifier: MIT */
/* Runs one machine on its buses. */
#include "lib/linux/run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include <forecourt/units.h>

#include "lib/core/ctl.h"

/* Frames taken from a bus before the tick has its turn: 0.1 s of a full 1 Mbit/s bus. */
#define RX_BUDGET 1024
/* The queue is performed early when a burst of frames has filled it so far. */
#define OUT_EARLY (OUT_QUEUE_LEN / 2)

void run_init(struct run *r, const struct machine *machine, const struct log_sink *sink)
{
	memset(r, 0, sizeof(*r));
	r->machine = machine;
	log_init(&r->log, sink, "run");
	r->stop_by_us = FC_NEVER;
	out_queue_init(&r->out);
}

int run_add_bus(struct run *r, struct can_bus *bus, const char *name, run_rx_fn rx, void *ctx)
{
	struct run_bus *b = &r->bus[r->n_buses];

	if (r->n_buses == RUN_MAX_BUSES)
		return -ENOSPC;
	b->bus = bus;
	b->name = name;
	b->rx = rx;
	b->ctx = ctx;
	b->run = r;
	b->number = r->n_buses;
	b->is_readable = true;
	b->service_us = FC_NEVER;
	b->was_up = true;
	return (int)r->n_buses++;
}

int run_add_fd(struct run *r, int fd, run_io_fn io, void *ctx)
{
	struct run_fd *f = &r->fd[r->n_fds];

	if (r->n_fds == RUN_MAX_FDS)
		return -ENOSPC;
	f->fd = fd;
	f->io = io;
	f->ctx = ctx;
	f->run = r;
	r->n_fds++;
	return 0;
}

int run_set_filters(struct run *r)
{
	struct can_filter filter[MACHINE_MAX_FILTERS];
	size_t n = r->machine->ops->filters(r->machine->self, filter, MACHINE_MAX_FILTERS);

	return can_bus_set_filters(r->bus[0].bus, filter, n);
}

/* Frames queued for one bus leave in one call. */
static void send_frames(struct run *r, struct run_bus *b, int64_t now_us)
{
	uint32_t i;
	size_t n = 0;

	for (i = 0; i < r->out.n; i++)
		if (r->out.item[i].kind == OUT_FRAME && r->out.item[i].bus == b->number)
			r->tx[n++] = r->out.item[i].u.frame;
	if (n == 0)
		return;
	/* What could not be sent is counted by the bus; it answers with an error frame when it is down. */
	can_bus_send_many(b->bus, r->tx, n);
	if (r->trace)
		for (i = 0; i < n; i++)
			trace_frame(r->trace, now_us, b->name, &r->tx[i], true);
}

static void perform(struct run *r, int64_t now_us)
{
	uint32_t i;

	if (r->out.n == 0)
		return;
	for (i = 0; i < r->out.n; i++) { /* grows while we are at it when perform() queues frames */
		const struct out_item *item = &r->out.item[i];

		if (item->kind == OUT_FRAME) {
			if (item->bus >= r->n_buses)
				r->n_lost_items++;
		} else if (r->perform) {
			r->perform(r->perform_ctx, now_us, item, &r->out);
		} else {
			r->n_lost_items++;
		}
	}
	for (i = 0; i < r->n_buses; i++)
		send_frames(r, &r->bus[i], now_us);
	out_queue_clear(&r->out);
}

static void take_frame(struct run *r, struct run_bus *b, int64_t now_us, const struct can_frame *f)
{
	if (b->rx)
		b->rx(b->ctx, now_us, b->number, f, &r->out);
	else if (b->number == 0)
		r->machine->ops->rx(r->machine->self, now_us, f, &r->out);
	if (r->out.n >= OUT_EARLY)
		perform(r, now_us);
}

static void receive(struct run *r, struct run_bus *b, int64_t now_us)
{
	struct can_rx_info info;
	struct can_frame f;
	unsigned budget = RX_BUDGET;
	int got;

	b->is_readable = false;
	while ((got = can_bus_recv(b->bus, &f, &info)) == 1) {
		if (r->trace)
			trace_frame(r->trace, info.time_us, b->name, &f, false);
		take_frame(r, b, now_us, &f);
		if (--budget == 0) {
			b->is_readable = true; /* the bus may hold frames that poll does not tell of */
			return;
		}
	}
	if (got < 0 && got != b->rx_error) /* the same one in every wake-up is one line */
		log_f(&r->log, LOG_WARN, "bus %s: receive: %s", b->name, strerror(-got));
	b->rx_error = got;
}

static void tick(struct run *r, int64_t now_us)
{
	const struct machine *m = r->machine;
	int64_t due_us = m->ops->next_us(m->self);

	if (now_us < due_us)
		return;
	if (now_us - due_us > r->late_max_us && r->n_ticks > 0)
		r->late_max_us = now_us - due_us;
	m->ops->tick(m->self, now_us, &r->out);
	r->n_ticks++;
}

/* Sends are done: retries, links that come and go. Their edges are frames to be received. */
static void service_bus(struct run *r, struct run_bus *b, int64_t now_us)
{
	b->service_us = can_bus_service(b->bus, now_us);
	if (b->bus->stats.is_up == b->was_up)
		return;
	b->was_up = b->bus->stats.is_up;
	log_f(&r->log, LOG_WARN, "bus %s: %s", b->name, b->was_up ? "up" : "down");
	receive(r, b, now_us);
	perform(r, now_us);
}

static void report_lost(struct run *r)
{
	uint32_t n = r->out.n_dropped + r->n_lost_items;

	if (n == r->n_lost_logged)
		return;
	log_f(&r->log, LOG_ERR_LEVEL, "queue: items lost n=%u", (unsigned)(n - r->n_lost_logged));
	r->n_lost_logged = n;
}

static void report_trace(struct run *r, int64_t now_us)
{
	trace_service(r->trace, now_us);
	if (r->trace->fd < 0) {
		log_f(&r->log, LOG_ERR_LEVEL, "trace: given up: %s", strerror(-r->trace->error));
		r->trace = NULL;
	}
}

static void check_end(struct run *r, int64_t now_us)
{
	if (r->state != RUN_STOPPING)
		return;
	if (r->machine->ops->is_stopped(r->machine->self)) {
		r->state = RUN_STOPPED;
	} else if (now_us >= r->stop_by_us) {
		log_f(&r->log, LOG_ERR_LEVEL, "stop: the machine has not stopped in %d s, giving up",
		      (int)(RUN_STOP_LIMIT_US / FC_US_PER_S));
		r->state = RUN_FAILED;
	}
}

static int64_t next_wakeup(struct run *r, int64_t now_us)
{
	int64_t machine_us = r->machine->ops->next_us(r->machine->self);
	int64_t at_us;
	uint32_t i;

	if (r->notify)
		notify_alive(r->notify, now_us, machine_us > now_us);
	if (machine_us <= now_us) {
		/* A machine that stays due would spin; with a pause the rest of the process still works. */
		r->n_late++;
		machine_us = now_us + FC_US_PER_MS;
	}
	at_us = fc_min_i64(machine_us, r->stop_by_us);
	if (r->notify)
		at_us = fc_min_i64(at_us, notify_next_us(r->notify, at_us));
	for (i = 0; i < r->n_buses; i++)
		at_us = fc_min_i64(at_us, r->bus[i].is_readable ? now_us : r->bus[i].service_us);
	return at_us;
}

int64_t run_step(struct run *r, int64_t now_us, bool is_all)
{
	uint32_t i;

	r->n_wakeups++;
	if (r->state == RUN_STARTING)
		r->start_us = now_us;
	for (i = 0; i < r->n_buses; i++)
		if (is_all || r->bus[i].is_readable)
			receive(r, &r->bus[i], now_us);
	tick(r, now_us);
	perform(r, now_us);
	for (i = 0; i < r->n_buses; i++)
		service_bus(r, &r->bus[i], now_us);
	report_lost(r);
	if (r->trace)
		report_trace(r, now_us);
	if (r->state == RUN_STARTING) {
		r->state = RUN_RUNNING;
		if (r->notify)
			notify_ready(r->notify);
	}
	check_end(r, now_us);
	return next_wakeup(r, now_us);
}

void run_stop(struct run *r, int64_t now_us)
{
	if (r->state == RUN_STOPPING) {
		log_f(&r->log, LOG_ERR_LEVEL, "stop: asked twice, giving up before the machine has stopped");
		r->state = RUN_FAILED;
		return;
	}
	if (run_is_over(r))
		return;
	log_f(&r->log, LOG_NOTE, "stop: asked for");
	if (r->notify)
		notify_stopping(r->notify);
	r->state = RUN_STOPPING;
	r->stop_by_us = now_us + RUN_STOP_LIMIT_US;
	r->machine->ops->stop(r->machine->self, now_us, &r->out);
}

bool run_is_over(const struct run *r)
{
	return r->state == RUN_STOPPED || r->state == RUN_FAILED;
}

static void put_bus(struct ctl_answer *a, const struct run_bus *b)
{
	const struct can_bus_stats *s = &b->bus->stats;
	const struct {
		const char *name;
		uint64_t n;
	} count[] = {
		{"n_rx", s->n_rx},
		{"n_tx", s->n_tx},
		{"n_rx_dropped", s->n_rx_dropped},
		{"n_rx_bad", s->n_rx_bad},
		{"n_tx_replaced", s->n_tx_replaced},
		{"n_tx_failed", s->n_tx_failed},
		{"n_err", s->n_err},
	};
	char key[64];
	size_t i;

	snprintf(key, sizeof(key), "bus%u.name", (unsigned)b->number);
	ctl_put(a, key, "%s", b->name);
	snprintf(key, sizeof(key), "bus%u.is_up", (unsigned)b->number);
	ctl_put(a, key, "%s", s->is_up ? "yes" : "no");
	for (i = 0; i < sizeof(count) / sizeof(count[0]); i++) {
		snprintf(key, sizeof(key), "bus%u.%s", (unsigned)b->number, count[i].name);
		ctl_put(a, key, "%llu", (unsigned long long)count[i].n);
	}
}

static int put_stats(const struct run *r, int64_t now_us, struct ctl_answer *a)
{
	uint32_t i;

	ctl_put(a, "up_s", "%lld", (long long)((now_us - r->start_us) / FC_US_PER_S));
	ctl_put(a, "n_wakeups", "%llu", (unsigned long long)r->n_wakeups);
	ctl_put(a, "n_ticks", "%llu", (unsigned long long)r->n_ticks);
	ctl_put(a, "n_overdue", "%llu", (unsigned long long)r->n_late);
	ctl_put(a, "late_max_us", "%lld", (long long)r->late_max_us);
	ctl_put(a, "n_items_lost", "%u", (unsigned)(r->out.n_dropped + r->n_lost_items));
	for (i = 0; i < r->n_buses; i++)
		put_bus(a, &r->bus[i]);
	return 0;
}

static int set_log(struct run *r, const struct ctl_words *w, struct ctl_answer *a)
{
	static const struct {
		const char *name;
		enum log_level level;
	} levels[] = {{"error", LOG_ERR_LEVEL},
		      {"warning", LOG_WARN},
		      {"notice", LOG_NOTE},
		      {"info", LOG_INF},
		      {"debug", LOG_DBG}};
	size_t i;

	for (i = 0; r->sink && i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (w->n == 2 && ctl_word_is(w, 1, levels[i].name)) {
			r->sink->level = levels[i].level;
			return 0;
		}
	}
	return ctl_refuse(a, -EINVAL, "log needs one of error, warning, notice, info, debug");
}

int run_command(struct run *r, int64_t now_us, const char *line, char *answer, size_t size)
{
	struct ctl_answer a;
	struct ctl_words w;

	ctl_answer_init(&a, answer, size);
	if (ctl_split(line, &w))
		return ctl_refuse(&a, -E2BIG, "too many words");
	if (ctl_word_is(&w, 0, "stats"))
		return put_stats(r, now_us, &a);
	if (ctl_word_is(&w, 0, "log"))
		return set_log(r, &w, &a);
	if (ctl_word_is(&w, 0, "quit")) {
		run_stop(r, now_us);
		return 0;
	}
	return r->machine->ops->command(r->machine->self, now_us, line, answer, size, &r->out);
}

static void on_bus(void *ctx, int64_t now_us, uint32_t events)
{
	struct run_bus *b = ctx;

	(void)now_us;
	(void)events;
	b->is_readable = true;
}

static void on_fd(void *ctx, int64_t now_us, uint32_t events)
{
	struct run_fd *f = ctx;

	(void)events;
	f->io(f->ctx, now_us, &f->run->out);
}

static int on_request(void *ctx, int64_t now_us, const char *line, char *answer, size_t size)
{
	return run_command(ctx, now_us, line, answer, size);
}

static int open_loop(struct run *r)
{
	int result = loop_open(&r->loop);
	uint32_t i;

	if (result)
		return result;
	for (i = 0; !result && i < r->n_buses; i++)
		if (can_bus_fd(r->bus[i].bus) >= 0)
			result = loop_add(&r->loop, can_bus_fd(r->bus[i].bus), EPOLLIN, on_bus, &r->bus[i]);
	for (i = 0; !result && i < r->n_fds; i++)
		result = loop_add(&r->loop, r->fd[i].fd, EPOLLIN, on_fd, &r->fd[i]);
	if (!result && r->ctl)
		result = ctl_server_start(r->ctl, &r->loop, on_request, r);
	if (result)
		loop_close(&r->loop);
	return result;
}

int run_loop(struct run *r, char *err, size_t err_size)
{
	uint32_t n_signals = 0;
	int result = open_loop(r);

	if (result) {
		snprintf(err, err_size, "cannot set up the event loop: %s", strerror(-result));
		return result;
	}
	while (!result) {
		int64_t next_us;

		for (; n_signals < r->loop.n_signals && !run_is_over(r); n_signals++)
			run_stop(r, r->loop.now_us);
		if (run_is_over(r))
			break;
		next_us = run_step(r, r->loop.now_us, false);
		if (run_is_over(r))
			break;
		result = loop_arm(&r->loop, next_us);
		if (!result)
			result = loop_wait(&r->loop);
	}
	if (result)
		snprintf(err, err_size, "event loop: %s", strerror(-result));
	else if (r->state == RUN_FAILED) {
		snprintf(err, err_size, "gave up before the machine had stopped");
		result = -ETIMEDOUT;
	}
	if (r->ctl)
		ctl_server_close(r->ctl);
	loop_close(&r->loop);
	return result;
}
