/* SPDX-License-Identifier: MIT */
/*
 * The state of a point as operators see it, from its reports on the bus and from its controller's answers;
 * what they are told of it, and in which words. Pure.
 */
#ifndef GATEWAYS_GATE_STATE_H
#define GATEWAYS_GATE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GATE_SILENT	    255 /* no report for a while */
#define GATE_UNKNOWN	    -1
#define GATE_CONTROLLER_MAX 24
#define GATE_FAULTS_MAX	    128
#define GATE_TEXT_MAX	    200

/* What is 0 or 1 may be GATE_UNKNOWN. */
struct gate_state {
	/* From the bus. */
	uint8_t reported; /* state of Point_Report, or GATE_SILENT */
	int8_t is_local;
	int8_t has_grant;
	/* From the controller's socket. */
	int8_t is_session_open;
	int8_t is_start_allowed;
	int8_t is_closed;		      /* output contactors */
	char controller[GATE_CONTROLLER_MAX]; /* its state; "": it does not answer */
	char faults[GATE_FAULTS_MAX]; /* names with commas; "": none, or unknown without a controller */
};

/* A change on its way to the broker. */
struct gate_change {
	uint64_t seq; /* of the point, from 1; none is left out */
	int64_t wall_us;
	uint32_t point; /* index */
	struct gate_state state;
};

struct gate_event {
	uint64_t seq; /* of the topic */
	int64_t wall_us;
	uint32_t point; /* index; the number of points: the gateway itself */
	int level;	/* enum log_level */
	char text[GATE_TEXT_MAX];
};

/* Nothing heard, nothing known. */
void gate_state_init(struct gate_state *s);
bool gate_state_is_same(const struct gate_state *a, const struct gate_state *b);
/* What became different, in words for a log; and how grave that is (enum log_level). */
int gate_state_describe(const struct gate_state *from, const struct gate_state *to, char text[GATE_TEXT_MAX]);
/* Name of a reported state as in the database; "Silent" for GATE_SILENT; NULL: it has none. */
const char *gate_state_name(uint8_t reported);

/* What the controller answered to "status" and "get": the values that matter here. */
struct gate_facts {
	int8_t is_session_open, is_start_allowed, is_closed; /* or GATE_UNKNOWN */
	int64_t max_charge_mA;				     /* or -1: not in the answer */
	bool has_faults;				     /* `faults` was in the answer */
	char controller[GATE_CONTROLLER_MAX];
	char faults[GATE_FAULTS_MAX];
};

/*
 * Reads lines "key=value" of the pistol with that number; its keys may begin with "NUMBER.". False: an answer
 * without a state; the facts then hold what else was there.
 */
bool gate_facts_parse(struct gate_facts *f, const char *text, unsigned number);
/* The controller's half of a state; f NULL: it does not answer. */
void gate_state_set_facts(struct gate_state *s, const struct gate_facts *f);

#endif
