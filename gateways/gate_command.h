/* SPDX-License-Identifier: MIT */
/*
 * Commands of operators, each followed to its end. Pure.
 *
 *     requested -> delivered -> executed -> confirmed        or on the way: expired, refused, unsupported
 *
 * requested: understood and kept; delivered: its first request went to the point's controller; executed: the
 * controller said yes to the last one; confirmed: what the controller or the bus has shown since then says
 * that it is so. A command that does not come that far in its time is expired. The id makes it idempotent:
 * the same command again is answered from memory, another one under a used id is refused. The memory is
 * bounded; what is finished longest is forgotten first.
 *
 * Each step is a record in a gate_queue, so that nobody misses one because a broker was away.
 */
#ifndef GATEWAYS_GATE_COMMAND_H
#define GATEWAYS_GATE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateways/gate_queue.h"
#include "gateways/gate_state.h"
#include "gateways/gate_url.h"

#define GATE_COMMANDS	    64
#define GATE_REASON_MAX	    128
#define GATE_LINE_MAX	    96
#define GATE_MAX_CURRENT_mA 6553500

enum gate_verb {
	GATE_START,
	GATE_STOP,
	GATE_LOCK,
	GATE_UNLOCK,
	GATE_RESET,
	GATE_SET_CURRENT,
	GATE_GET_ALL,
	GATE_N_VERBS,
};

enum gate_step {
	GATE_REQUESTED,
	GATE_DELIVERED,
	GATE_EXECUTED,
	GATE_CONFIRMED,
	GATE_EXPIRED,
	GATE_REFUSED,
	GATE_UNSUPPORTED,
	GATE_N_STEPS,
};

/* What was asked. */
struct gate_request {
	char id[GATE_ID_MAX];
	enum gate_verb verb;
	uint32_t point;	    /* index */
	int32_t current_mA; /* of set-current */
	int32_t expires_ms; /* until executed; 0: the ledger's default */
	/* Wall clock, ms since 1970: later it is void, wherever it waited; 0: at any time. */
	int64_t not_after_ms;
};

struct gate_command {
	struct gate_request request;
	bool is_used;
	enum gate_step step;
	unsigned n_lines; /* requests that the controller has accepted */
	int64_t requested_us, changed_us;
	int64_t execute_by_us, confirm_by_us;
	char reason[GATE_REASON_MAX];
	uint32_t n_repeats; /* asked again */
};

/* A step on its way to the operator. */
struct gate_answer {
	struct gate_request request;
	enum gate_step step;
	int64_t wall_us;
	uint32_t slot; /* of the ledger */
	bool is_repeat;
	char reason[GATE_REASON_MAX];
};

struct gate_ledger {
	struct gate_command command[GATE_COMMANDS];
	int64_t execute_us, confirm_us; /* default limits */
	struct gate_queue *answers;	/* takes struct gate_answer */
	int64_t wall_offset_us;
	uint32_t n_taken, n_repeated, n_refused;
	uint32_t n_ended[GATE_N_STEPS];
};

const char *gate_verb_name(enum gate_verb verb); /* "set-current" */
/* Or GATE_N_VERBS. */
enum gate_verb gate_verb_find(const char *name);
const char *gate_step_name(enum gate_step step);
bool gate_step_is_end(enum gate_step step);

void gate_ledger_init(struct gate_ledger *l, struct gate_queue *answers, int64_t execute_us,
		      int64_t confirm_us);
/* Slot, new or known, or -1: refused, or too late; the answer is queued in each case. */
int gate_ledger_request(struct gate_ledger *l, int64_t now_us, const struct gate_request *r);
/* The point has nothing that could do it. */
void gate_ledger_unsupported(struct gate_ledger *l, int64_t now_us, int slot, const char *why);
/* A command that could not be understood, under an id that could. Not remembered. */
void gate_ledger_refuse(struct gate_ledger *l, int64_t now_us, const struct gate_request *r, const char *why);

/* The oldest command of the points in the mask that has something to send to the controller; -1: none. */
int gate_ledger_next(const struct gate_ledger *l, uint32_t point_mask);
/* Its request for the control socket, for the pistol with that number; no line end. */
void gate_command_line(const struct gate_command *c, unsigned number, char line[GATE_LINE_MAX]);
/* That line has gone. */
void gate_ledger_delivered(struct gate_ledger *l, int64_t now_us, int slot);
/* It was answered: accepted, or refused with that text. */
void gate_ledger_answered(struct gate_ledger *l, int64_t now_us, int slot, bool is_ok, const char *text);
/* What a controller says of itself, asked for at asked_us. */
void gate_ledger_observe(struct gate_ledger *l, int64_t now_us, int64_t asked_us, uint32_t point,
			 const struct gate_facts *f);
/* Is there a command of that point that waits to be confirmed? */
bool gate_ledger_is_waiting(const struct gate_ledger *l, uint32_t point);
void gate_ledger_tick(struct gate_ledger *l, int64_t now_us);
int64_t gate_ledger_next_us(const struct gate_ledger *l);

#endif
