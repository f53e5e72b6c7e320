/* SPDX-License-Identifier: MIT */
/*
 * Compares what our controller sends with what the controller of a log sent. Pure.
 *
 * Per message both are a sequence of contents, each valid until the next one. A frame of the log at time T agrees
 * when we sent the same content so that it was valid somewhere in T - tolerance .. T + tolerance; all signals of it
 * at once, voltages and currents within their tolerances, everything else exactly. Contents have to be met in
 * order: one that agreed for a later frame of the log cannot agree for an earlier one of ours. A content of ours
 * that was valid for longer than the tolerance and that no frame of the log met is a difference too. The content of
 * a cyclic message is valid for one period and the tolerance after it was sent last.
 */
#ifndef SIM_SIM_RUN_REPLAY_CMP_H
#define SIM_SIM_RUN_REPLAY_CMP_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/sim_run_replay_log.h"

struct replay_tolerance {
	int64_t time_us;
	int32_t voltage_mV, current_mA;
};

enum replay_kind {
	REPLAY_VALUE,	   /* other signals */
	REPLAY_ORDER,	   /* the same content was there, but earlier than one already met */
	REPLAY_NOT_SENT,   /* nothing valid of ours about then */
	REPLAY_UNEXPECTED, /* ours, met by no frame of the log */
};

/* One content of ours. */
struct replay_version {
	int64_t from_us, last_us; /* sent first and last */
	struct can_frame frame;
	bool is_met; /* by a frame of the log, or already told */
};

struct replay_difference {
	enum replay_kind kind;
	int msg;
	int64_t time_us;		   /* of the frame of the log, or from when ours was valid */
	uint64_t line;			   /* 0: UNEXPECTED */
	const struct can_frame *expected;  /* UNEXPECTED: newest of the log, or NULL */
	const struct replay_version *ours; /* the one that differs least; NULL: NOT_SENT */
	uint32_t fields;		   /* bits of the layout's fields that differ; VALUE and UNEXPECTED */
};

struct replay_count {
	uint64_t n_log, n_ours;
	uint64_t n_compared, n_different; /* frames of the log, and contents of ours in n_different */
};

#define REPLAY_MAX_VERSIONS 128
#define REPLAY_MAX_PENDING  128

struct replay_pair {					    /* one message on both sides */
	struct replay_version version[REPLAY_MAX_VERSIONS]; /* ring by number */
	uint64_t n_versions, floor;			    /* numbers below `floor` are used up */
	uint64_t n_judged;				 /* and below this one were looked at as UNEXPECTED */
	struct replay_entry pending[REPLAY_MAX_PENDING]; /* ring: frames of the log not compared yet */
	unsigned head, n_pending;
	bool is_told;		   /* that ours is there and the log's is not */
	uint32_t ignored;	   /* bits of fields; all: the message */
	struct can_frame last_log; /* newest one, with n_log */
	struct replay_count count;
};

struct replay_cmp {
	const struct replay_side *side;
	struct replay_tolerance tolerance;
	struct replay_pair pair[REPLAY_MAX_MSGS];
	int64_t first_log_us, last_log_us; /* of the controller's half; FC_NEVER: none yet */
	void (*on_difference)(void *ctx, const struct replay_difference *d);
	void *ctx;
};

void replay_cmp_init(struct replay_cmp *c, const struct replay_side *side, const struct replay_tolerance *t);
/* "Message" or "Message.Signal" is left out of the comparison; false: no such thing in this version. */
bool replay_cmp_ignore(struct replay_cmp *c, const char *name);
/* A frame of the log's controller; a frame of ours. Times must not decrease over both. */
void replay_cmp_expect(struct replay_cmp *c, const struct replay_entry *e);
void replay_cmp_ours(struct replay_cmp *c, int64_t now_us, const struct can_frame *f);
/* Compares what is old enough to be judged; at the end everything. */
void replay_cmp_settle(struct replay_cmp *c, int64_t now_us);
void replay_cmp_finish(struct replay_cmp *c);
/* Sum over all messages. */
struct replay_count replay_cmp_total(const struct replay_cmp *c);

#endif
