/* SPDX-License-Identifier: MIT */
/*
 * What a listener knows of one side's generic interface: the last content of every message of every pistol with
 * its age, rate and jitter, the session, a history for plots, and the load of the bus. The monitors, their text and
 * JSON outputs, the metrics, the journal and the report all read this one model; nothing else decodes. Pure.
 *
 * A frame costs a copy, a comparison and a few sums; everything else is worked out when somebody asks. Times are
 * microseconds of one clock that never goes backwards: the monotonic clock on a bus, the log's own time in a replay.
 * Numbers come in our units (suffix of the generated struct members): currents + = into the vehicle on both sides.
 *
 * EVSE: 29-bit identifiers, the points are the pistol indices 1..15. PEV: 11-bit identifiers, one vehicle, point 0.
 */
#ifndef MONITOR_MON_MODEL_H
#define MONITOR_MON_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/can.h>

#include "dbc/msg_map.h"
#include "monitor/mon_history.h"
#include "monitor/mon_session.h"

#define MON_N_POINTS   16
#define MON_MAX_MSGS   24
#define MON_N_EVENTS   256 /* kept for the log panel */
#define MON_EVENT_TEXT 112
#define MON_UNKNOWN    INT32_MIN /* a number that nobody has said yet */

enum mon_side { MON_EVSE, MON_PEV };

/* Who sends a message of the interface. */
enum mon_half { MON_MODULE, MON_CONTROLLER };

/* The connection ladder: the same steps on both sides, each includes the ones before. */
enum mon_phase {
	MON_PHASE_NONE,	     /* nothing heard of the module */
	MON_PHASE_LINK,	     /* the module speaks: initialising, not available, waiting for a plug */
	MON_PHASE_PLUG,	     /* plugged in: authorisation, negotiation begins */
	MON_PHASE_NEGOTIATION, /* limits are being exchanged */
	MON_PHASE_INSULATION,
	MON_PHASE_PRECHARGE, /* and waiting for charge */
	MON_PHASE_CHARGING,
	MON_PHASE_ENDING, /* ending, welding detection, closing */
	MON_N_PHASES,
};

enum mon_severity { MON_INFO, MON_NOTICE, MON_WARNING, MON_FAULT };

struct mon_msg {
	uint8_t data[8]; /* zero behind dlc */
	uint8_t dlc;
	uint32_t n;	    /* frames taken; 0: never heard, the rest means nothing */
	uint32_t n_changes; /* of the content */
	uint32_t n_short;   /* frames too short for the message: dropped */
	uint64_t changed;   /* bits that differed at the last change, as msg_load64() reads them */
	int64_t first_us, last_us, changed_us;
	/* Of the distance between two frames; 0 until there were two. */
	int64_t period_us;  /* exponential mean over about 16 */
	int64_t jitter_us;  /* the same of its deviation from the mean */
	int64_t gap_max_us; /* since the start */
	bool is_lost;	    /* cyclic and over-due at the last tick */
};

struct mon_point {
	int64_t first_us, last_us; /* of any message; -1: none */
	struct mon_msg msg[MON_MAX_MSGS];
	int64_t state_us; /* since when the module's state is what it is; -1: unknown */
	struct mon_history history;
	struct mon_session session; /* the running one, or the last; see mon_session.h */
	uint32_t n_sessions;	    /* finished */
};

/* One entry of the log of what happened: state changes, messages lost and back, faults, sessions. */
struct mon_event {
	int64_t time_us;
	uint8_t point;
	uint8_t severity; /* enum mon_severity */
	char text[MON_EVENT_TEXT];
};

/* A signal has a new value (or its first one, then old == number and is_first). */
struct mon_change {
	int64_t time_us;
	uint8_t point, msg;
	uint16_t field; /* of the layout */
	bool is_first;
	int64_t old, number;
};

/*
 * Who is told at once. Each may be NULL. Called from mon_model_rx() and mon_model_tick(); must not call back into
 * them.
 */
struct mon_sink {
	void *ctx;
	void (*change)(void *ctx, const struct mon_change *c);
	void (*event)(void *ctx, const struct mon_event *e);
	void (*session_end)(void *ctx, unsigned point, const struct mon_session *s);
};

struct mon_bus {
	uint64_t n_frames;  /* all, ours and foreign, without error frames */
	uint64_t n_ours;    /* messages of this interface */
	uint64_t n_foreign; /* everything else: other interfaces, the virtual plug */
	uint64_t n_errors;  /* error frames */
	uint64_t n_dropped; /* lost between the bus and us, as reported */
	uint64_t n_bad;	    /* ours by identifier, but too short or remote */
	uint32_t frames_per_s;
	uint32_t load_permille; /* of the bit rate, with worst-case stuffing left out; over the last second */
	bool is_up;		/* false between a down or bus-off frame and the next up */
};

struct mon_cfg {
	enum mon_side side;
	unsigned version;    /* enum evse_version or enum pev_version */
	uint32_t bitrate;    /* of the bus, for the load; 0: 500000 */
	uint16_t points_mask; /* bit i: pistol i is shown; 0: all */
	int64_t stale_us;    /* an event message is never stale; cyclic: 3 periods, at least this; 0: 300 ms */
};

struct mon_model {
	struct mon_cfg cfg;
	const struct msg_layout *layouts; /* of the side and version, n_msgs of them */
	unsigned n_msgs;
	struct mon_sink sink;
	int64_t start_us, now_us;
	struct mon_bus bus;
	struct mon_point point[MON_N_POINTS];
	struct mon_event event[MON_N_EVENTS]; /* ring: entry i is event[i % MON_N_EVENTS] */
	uint64_t n_events;		      /* since the start */
	/* ---- the model's own */
	int64_t load_us, tick_us;
	uint64_t load_bits, load_frames, load_n;
};

/* sink: copied; NULL: none. */
void mon_model_init(struct mon_model *m, const struct mon_cfg *cfg, const struct mon_sink *sink, int64_t now_us);
/* Any frame of the bus, error frames included, in order of time; an earlier time counts as the last one. */
void mon_model_rx(struct mon_model *m, int64_t time_us, const struct can_frame *f);
/* n more frames were lost on the way to us. */
void mon_model_dropped(struct mon_model *m, int64_t time_us, uint32_t n);
/* Lets time pass: messages become stale, rates are formed, the history goes on. Every 100 ms is enough. */
void mon_model_tick(struct mon_model *m, int64_t now_us);

/* --- asking; all are const and take the model's now_us for ages ------------------------------------------------ */

struct mon_value {
	bool is_known; /* heard, and the signal lies inside the frame that came */
	bool is_stale;
	bool is_changed; /* within the last second */
	int64_t number;	 /* in the unit of the member's suffix */
	int64_t age_us;
	const struct msg_field *field;
	const char *label; /* name of the value; NULL: it has none */
};

/* Point with this index, heard of at least once; else NULL. */
const struct mon_point *mon_point(const struct mon_model *m, unsigned point);
/* Field of a message by the signal's name in the database, or -1. */
int mon_field_find(const struct mon_model *m, unsigned msg, const char *signal);
struct mon_value mon_field(const struct mon_model *m, unsigned point, unsigned msg, unsigned field);
/* The whole message into its generated struct (zeroed before). Age in us, or -1 when it was never heard. */
int64_t mon_get(const struct mon_model *m, unsigned point, unsigned msg, void *content);
bool mon_is_stale(const struct mon_model *m, unsigned point, unsigned msg);
/* After how long without a frame the message is stale; FC_NEVER for event messages. */
int64_t mon_stale_after_us(const struct mon_model *m, unsigned msg);
/* Is it the module or its customer's controller who sends it? */
enum mon_half mon_half(const struct mon_model *m, unsigned msg);
const char *mon_phase_name(enum mon_phase phase);
const char *mon_severity_name(enum mon_severity severity);

#endif
