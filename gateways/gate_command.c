/* SPDX-License-Identifier: MIT */
/* Commands from request to end. Pure. */
#include "gateways/gate_command.h"

#include <stdio.h>
#include <string.h>

#include <forecourt/units.h>

static const char *const verbs[GATE_N_VERBS] = {
	[GATE_START] = "start",	    [GATE_STOP] = "stop",   [GATE_LOCK] = "lock",
	[GATE_UNLOCK] = "unlock",   [GATE_RESET] = "reset", [GATE_SET_CURRENT] = "set-current",
	[GATE_GET_ALL] = "get-all",
};

static const char *const steps[GATE_N_STEPS] = {
	[GATE_REQUESTED] = "requested",	    [GATE_DELIVERED] = "delivered", [GATE_EXECUTED] = "executed",
	[GATE_CONFIRMED] = "confirmed",	    [GATE_EXPIRED] = "expired",	    [GATE_REFUSED] = "refused",
	[GATE_UNSUPPORTED] = "unsupported",
};

/* Requests of each verb to a controller, in order; see evse-ctrl(1). */
static const char *const lines[GATE_N_VERBS][2] = {
	[GATE_START] = {"start allow", "authorise yes"},
	[GATE_STOP] = {"stop"},
	[GATE_LOCK] = {"start deny"},
	[GATE_UNLOCK] = {"start allow"},
	[GATE_RESET] = {"clear-fault"},
	[GATE_SET_CURRENT] = {"set maximum_charge_current"},
	[GATE_GET_ALL] = {"status", "get"},
};

#define MAX_LINES 2

const char *gate_verb_name(enum gate_verb verb)
{
	return verb < GATE_N_VERBS ? verbs[verb] : "unknown";
}

enum gate_verb gate_verb_find(const char *name)
{
	unsigned i;

	for (i = 0; i < GATE_N_VERBS; i++)
		if (strcmp(verbs[i], name) == 0)
			break;
	return (enum gate_verb)i;
}

const char *gate_step_name(enum gate_step step)
{
	return step < GATE_N_STEPS ? steps[step] : "unknown";
}

bool gate_step_is_end(enum gate_step step)
{
	return step >= GATE_CONFIRMED;
}

void gate_ledger_init(struct gate_ledger *l, struct gate_queue *answers, int64_t execute_us,
		      int64_t confirm_us)
{
	memset(l, 0, sizeof(*l));
	l->answers = answers;
	l->execute_us = execute_us;
	l->confirm_us = confirm_us;
}

/* --- answers -------------------------------------------------------------------------------------------- */

static void answer(struct gate_ledger *l, int64_t now_us, int slot, bool is_repeat)
{
	const struct gate_command *c = &l->command[slot];
	struct gate_answer a = {.request = c->request,
				.step = c->step,
				.wall_us = (is_repeat ? c->changed_us : now_us) + l->wall_offset_us,
				.slot = (uint32_t)slot,
				.is_repeat = is_repeat};

	snprintf(a.reason, sizeof(a.reason), "%s", c->reason);
	gate_queue_push(l->answers, &a);
}

static void enter(struct gate_ledger *l, int64_t now_us, int slot, enum gate_step step, const char *reason)
{
	struct gate_command *c = &l->command[slot];

	c->step = step;
	c->changed_us = now_us;
	snprintf(c->reason, sizeof(c->reason), "%.*s", (int)strcspn(reason, "\r\n"), reason);
	if (gate_step_is_end(step)) {
		c->execute_by_us = c->confirm_by_us = FC_NEVER;
		l->n_ended[step]++;
	}
	answer(l, now_us, slot, false);
}

/* An end without a beginning: not remembered. */
static void answer_at_once(struct gate_ledger *l, int64_t now_us, const struct gate_request *r,
			   enum gate_step step, const char *why)
{
	struct gate_answer a = {
		.request = *r, .step = step, .wall_us = now_us + l->wall_offset_us, .slot = GATE_COMMANDS};

	snprintf(a.reason, sizeof(a.reason), "%s", why);
	l->n_refused++;
	gate_queue_push(l->answers, &a);
}

void gate_ledger_refuse(struct gate_ledger *l, int64_t now_us, const struct gate_request *r, const char *why)
{
	answer_at_once(l, now_us, r, GATE_REFUSED, why);
}

/* --- request -------------------------------------------------------------------------------------------- */

static bool is_same(const struct gate_request *a, const struct gate_request *b)
{
	return a->verb == b->verb && a->point == b->point && a->current_mA == b->current_mA;
}

static int find(const struct gate_ledger *l, const struct gate_request *r)
{
	int i;

	for (i = 0; i < GATE_COMMANDS; i++)
		if (l->command[i].is_used && l->command[i].request.point == r->point &&
		    strcmp(l->command[i].request.id, r->id) == 0)
			return i;
	return -1;
}

/* A free place, or that of the command which is finished longest; -1: all are under way. */
static int find_room(const struct gate_ledger *l)
{
	int i, oldest = -1;

	for (i = 0; i < GATE_COMMANDS; i++) {
		const struct gate_command *c = &l->command[i];

		if (!c->is_used)
			return i;
		if (gate_step_is_end(c->step) &&
		    (oldest < 0 || c->changed_us < l->command[oldest].changed_us))
			oldest = i;
	}
	return oldest;
}

int gate_ledger_request(struct gate_ledger *l, int64_t now_us, const struct gate_request *r)
{
	int slot = find(l, r);
	struct gate_command *c;

	if (slot >= 0 && is_same(&l->command[slot].request, r)) {
		l->command[slot].n_repeats++;
		l->n_repeated++;
		answer(l, now_us, slot, true);
		return slot;
	}
	if (slot >= 0) {
		gate_ledger_refuse(l, now_us, r, "this id belongs to another command");
		return -1;
	}
	if (r->not_after_ms && (now_us + l->wall_offset_us) / FC_US_PER_MS > r->not_after_ms) {
		answer_at_once(l, now_us, r, GATE_EXPIRED, "it came after its time");
		return -1;
	}
	slot = find_room(l);
	if (slot < 0) {
		gate_ledger_refuse(l, now_us, r, "too many commands under way");
		return -1;
	}
	c = &l->command[slot];
	memset(c, 0, sizeof(*c));
	c->is_used = true;
	c->request = *r;
	c->requested_us = now_us;
	c->confirm_by_us = FC_NEVER;
	c->execute_by_us =
		now_us + (r->expires_ms > 0 ? (int64_t)r->expires_ms * FC_US_PER_MS : l->execute_us);
	l->n_taken++;
	enter(l, now_us, slot, GATE_REQUESTED, "");
	return slot;
}

void gate_ledger_unsupported(struct gate_ledger *l, int64_t now_us, int slot, const char *why)
{
	if (!gate_step_is_end(l->command[slot].step))
		enter(l, now_us, slot, GATE_UNSUPPORTED, why);
}

/* --- to the controller ---------------------------------------------------------------------------------- */

static bool has_line(const struct gate_command *c)
{
	return c->is_used && (c->step == GATE_REQUESTED || c->step == GATE_DELIVERED) &&
	       c->n_lines < MAX_LINES && lines[c->request.verb][c->n_lines];
}

int gate_ledger_next(const struct gate_ledger *l, uint32_t point_mask)
{
	int i, oldest = -1;

	for (i = 0; i < GATE_COMMANDS; i++) {
		const struct gate_command *c = &l->command[i];

		if (has_line(c) && point_mask & 1u << c->request.point &&
		    (oldest < 0 || c->requested_us < l->command[oldest].requested_us))
			oldest = i;
	}
	return oldest;
}

void gate_command_line(const struct gate_command *c, unsigned number, char line[GATE_LINE_MAX])
{
	const char *words = lines[c->request.verb][c->n_lines < MAX_LINES ? c->n_lines : 0];
	int32_t mA = c->request.current_mA;

	if (c->request.verb == GATE_SET_CURRENT)
		snprintf(line, GATE_LINE_MAX, "%u %s %d.%03d", number, words, mA / 1000, mA % 1000);
	else
		snprintf(line, GATE_LINE_MAX, "%u %s", number, words ? words : "");
}

void gate_ledger_delivered(struct gate_ledger *l, int64_t now_us, int slot)
{
	if (l->command[slot].step == GATE_REQUESTED)
		enter(l, now_us, slot, GATE_DELIVERED, "");
}

void gate_ledger_answered(struct gate_ledger *l, int64_t now_us, int slot, bool is_ok, const char *text)
{
	struct gate_command *c = &l->command[slot];

	if (!c->is_used || c->step != GATE_DELIVERED)
		return; /* it has expired meanwhile */
	if (!is_ok) {
		bool is_unknown = strncmp(text, "unknown", 7) == 0; /* request, or key */

		enter(l, now_us, slot, is_unknown ? GATE_UNSUPPORTED : GATE_REFUSED, text);
		return;
	}
	c->n_lines++;
	if (has_line(c))
		return;
	c->execute_by_us = FC_NEVER;
	c->confirm_by_us = now_us + l->confirm_us;
	enter(l, now_us, slot, GATE_EXECUTED, "");
	if (c->request.verb == GATE_GET_ALL) /* the answer itself is what was wanted */
		enter(l, now_us, slot, GATE_CONFIRMED, "");
}

/* --- to its end ----------------------------------------------------------------------------------------- */

static bool is_done(const struct gate_request *r, const struct gate_facts *f)
{
	switch (r->verb) {
	case GATE_START:
		return f->is_session_open == 1;
	case GATE_STOP:
		return f->is_session_open == 0;
	case GATE_LOCK:
		return f->is_start_allowed == 0;
	case GATE_UNLOCK:
		return f->is_start_allowed == 1;
	case GATE_RESET:
		return f->has_faults && !f->faults[0];
	case GATE_SET_CURRENT:
		return f->max_charge_mA == r->current_mA;
	case GATE_GET_ALL:
	case GATE_N_VERBS:
		break;
	}
	return false;
}

void gate_ledger_observe(struct gate_ledger *l, int64_t now_us, int64_t asked_us, uint32_t point,
			 const struct gate_facts *f)
{
	int i;

	for (i = 0; i < GATE_COMMANDS; i++) {
		const struct gate_command *c = &l->command[i];

		if (c->is_used && c->step == GATE_EXECUTED && c->request.point == point &&
		    asked_us >= c->changed_us && is_done(&c->request, f))
			enter(l, now_us, i, GATE_CONFIRMED, "");
	}
}

bool gate_ledger_is_waiting(const struct gate_ledger *l, uint32_t point)
{
	int i;

	for (i = 0; i < GATE_COMMANDS; i++)
		if (l->command[i].is_used && l->command[i].step == GATE_EXECUTED &&
		    l->command[i].request.point == point)
			return true;
	return false;
}

void gate_ledger_tick(struct gate_ledger *l, int64_t now_us)
{
	int i;

	for (i = 0; i < GATE_COMMANDS; i++) {
		const struct gate_command *c = &l->command[i];

		if (!c->is_used || gate_step_is_end(c->step))
			continue;
		if (now_us >= c->execute_by_us)
			enter(l, now_us, i, GATE_EXPIRED,
			      c->step == GATE_REQUESTED ? "the controller could not be reached"
							: "the controller did not answer");
		else if (now_us >= c->confirm_by_us)
			enter(l, now_us, i, GATE_EXPIRED, "executed, but its effect did not show");
	}
}

int64_t gate_ledger_next_us(const struct gate_ledger *l)
{
	int64_t next_us = FC_NEVER;
	int i;

	for (i = 0; i < GATE_COMMANDS; i++)
		if (l->command[i].is_used && !gate_step_is_end(l->command[i].step))
			next_us = fc_min_i64(next_us, fc_min_i64(l->command[i].execute_by_us,
								 l->command[i].confirm_by_us));
	return next_us;
}
