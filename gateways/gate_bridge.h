/* SPDX-License-Identifier: MIT */
/*
 * Both ways over the gap between two buses. Pure.
 *
 * On the point's side reports go up from the bus and grants come down to it; on the site's side the other way
 * round. A lease survives any delay, loss and doubling (docs/leases.md), so the bridge adds no validity of
 * its own, and nothing needs to be kept: of each point only the newest report and the newest grant are worth
 * sending. What was overtaken by a newer one, and what is older than the longest lease, is dropped and
 * counted. Nothing is invented: the parts of a record are those that came; nothing is repeated or swapped:
 * what comes down has a later number than what came before. Only a number that is far from the last one is
 * taken whatever it is: then the numbering has begun again, and the lease is the judge.
 */
#ifndef GATEWAYS_GATE_BRIDGE_H
#define GATEWAYS_GATE_BRIDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "gateways/gate_queue.h"
#include "gateways/gate_record.h"
#include "gateways/gate_state.h"
#include "lib/core/out_queue.h"

#define GATE_MAX_POINTS 16
/* Frames of one record leave in one tick of the sender; those that follow within this belong to it. */
#define GATE_COLLECT_US 20000
/* Longest lease: 15 units of 2 s. A report that is older cannot be answered in time any more. */
#define GATE_VOID_US (30 * INT64_C(1000000))
/*
 * A number that much behind the last is not late: at most four reports a second, that is over a quarter of an
 * hour.
 */
#define GATE_LATE_NUMBERS 4096

enum gate_role { GATE_POINT, GATE_SITE };

struct gate_point {
	uint8_t number; /* on the bus: 1..15 on the point's side, 16..31 on the site's */
	/* From the bus: being collected, then the newest whole one. */
	struct gate_record open, up;
	bool is_open, has_up;
	int64_t open_until_us, up_us;
	/* To the bus: the newest, and the last one that went. */
	struct gate_record down;
	bool has_down, has_last;
	uint32_t last_number;
	uint8_t last_revision;
	/* Its state, on the point's side. */
	struct gate_state state;
	int64_t silent_at_us;
	uint64_t change_seq;
	int64_t change_wall_us;
};

struct gate_counts {
	uint64_t n_up, n_down;			   /* records that passed */
	uint64_t n_up_overtaken, n_down_overtaken; /* a newer one came before they could */
	uint64_t n_up_void;			   /* too old when they could */
	uint64_t n_down_late;			   /* older than one that has passed, or the same again */
	uint64_t n_frames_bad; /* on the bus: short or of a message that does not belong there */
	uint64_t n_changes;    /* of states */
};

struct gate_bridge {
	enum gate_role role;
	int64_t report_timeout_us;
	struct gate_point point[GATE_MAX_POINTS];
	uint32_t n_points;
	struct gate_counts count;
	struct gate_queue *changes; /* takes struct gate_change; NULL: nobody wants them */
	struct gate_queue *events;  /* takes struct gate_event; NULL likewise */
	uint64_t event_seq[GATE_MAX_POINTS + 1];
	int64_t wall_offset_us; /* wall clock minus now_us; the runner keeps it true */
};

void gate_bridge_init(struct gate_bridge *b, enum gate_role role, int64_t report_timeout_us);
/* Its index, or -1: full, or the number is taken. */
int gate_bridge_add(struct gate_bridge *b, uint8_t number);
/* Index of a number, or -1. */
int gate_bridge_find(const struct gate_bridge *b, unsigned number);

/* A frame of the bus. */
void gate_bridge_rx(struct gate_bridge *b, int64_t now_us, const struct can_frame *f);
/* Closes collections and finds silence. */
void gate_bridge_tick(struct gate_bridge *b, int64_t now_us);
int64_t gate_bridge_next_us(const struct gate_bridge *b);
/* The newest record of point i that has not been taken; false: none. */
bool gate_bridge_take_up(struct gate_bridge *b, uint32_t i, int64_t now_us, struct gate_record *r);

/* A record for point i came over the gap. False: it is late, and dropped. */
bool gate_bridge_put_down(struct gate_bridge *b, uint32_t i, const struct gate_record *r);
/* Queues the frames of what came. */
void gate_bridge_send(struct gate_bridge *b, struct out_queue *out);

/* What the controller of point i answered; NULL: nothing. */
void gate_bridge_set_facts(struct gate_bridge *b, uint32_t i, int64_t now_us, const struct gate_facts *f);
/* An event of point i (n_points: of the gateway). */
void gate_bridge_log(struct gate_bridge *b, uint32_t i, int64_t now_us, int level, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

#endif
