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

#include <forecourt/units.h>

#include "dbc/msg_map.h"
#include "monitor/mon_history.h"
#include "monitor/mon_session.h"

#define MON_N_POINTS   16
#define MON_MAX_MSGS   24
#define MON_N_EVENTS   256 /* kept for the log panel */
#define MON_EVENT_TEXT 112
#define MON_UNKNOWN    INT32_MIN /* a number that nobody has said yet */

/* The bus load is formed over the last ten full steps of 100 ms; one more is being filled. */
#define MON_LOAD_BUCKETS 11

enum mon_side { MON_EVSE, MON_PEV };

/* Who sends a message of the interface. */
enum mon_half { MON_MODULE, MON_CONTROLLER };

/* The connection ladder: the same steps on both sides, each includes the ones before. */
enum mon_phase {
	MON_PHASE_NONE,	       /* nothing heard of the module */
	MON_PHASE_LINK,	       /* the module speaks: initialising, not available, waiting for a plug */
	MON_PHASE_PLUG,	       /* plugged in: authorisation, negotiation begins */
	MON_PHASE_NEGOTIATION, /* limits are being exchanged */
	MON_PHASE_INSULATION,
	MON_PHASE_PRECHARGE, /* and waiting for charge */
	MON_PHASE_CHARGING,
	MON_PHASE_ENDING, /* ending, welding detection, closing */
	MON_N_PHASES,
};

enum mon_severity { MON_INFO, MON_NOTICE, MON_WARNING, MON_FAULT };

struct mon_msg {
	uint8_t data[8];    /* zero behind dlc */
	uint8_t dlc;	    /* as it came, at most the length of the message */
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
	bool is_told;	    /* ... and an event said so: others of that half went on */
	/* ---- the model's own */
	int64_t period_x16, jitter_x16;
	/* Bits that differed in three slots of half a second, newest first, and when the newest began. */
	uint64_t recent[3];
	int64_t recent_us;
};

/* What the model remembers of a point to see edges and to integrate; nobody else needs it. */
struct mon_own {
	int64_t half_us[2]; /* newest frame of each enum mon_half; -1: none */
	bool is_silent[2];  /* told as an event */
	int16_t state;	    /* -1: not known */
	int16_t was_state;  /* the one before */
	/* The sample that energy and history are formed of. */
	int64_t sample_us;     /* of the last one; -1: none yet */
	int64_t sample_due_us; /* an unchanged frame is looked at again from here on */
	int64_t power_mW;
	bool has_power;
	int32_t sample_mV, sample_mA, inlet_mV, battery_mV, soc_permille; /* MON_UNKNOWN */
	/* Edges; -1: not known. */
	int16_t power_function;
	int8_t is_enabled, is_closed;
	bool is_emergency;
	int64_t emergency_us; /* since when */
	int64_t resume_us[2]; /* when a silent half spoke again */
	/* Of the running session. */
	const char *cause; /* what asked for its end first; NULL: nothing yet */
	bool is_rushed, was_enabled, is_enable_lost, has_insulation, is_insulation_low;
	int32_t offered_max_mA; /* largest limit that the charger announced; MON_UNKNOWN */
	int32_t short_mA;	/* current when short_us began */
	int64_t short_us;	/* since when less flows than is asked for; -1: it does not */
	int16_t closing_from;	/* state before closing; -1: not closing yet */
};

struct mon_point {
	int64_t first_us, last_us; /* of any message; -1: none */
	struct mon_msg msg[MON_MAX_MSGS];
	int64_t state_us; /* since when the module's state is what it is; -1: unknown */
	struct mon_history history;
	struct mon_session session; /* the running one, or the last; see mon_session.h */
	uint32_t n_sessions;	    /* finished */
	struct mon_own own;
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
	uint64_t n_ours;    /* messages of this interface, bad ones too */
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
	unsigned version;     /* enum evse_version or enum pev_version */
	uint32_t bitrate;     /* of the bus, for the load; 0: 500000 */
	uint16_t points_mask; /* bit i: pistol i is shown, the others are foreign; 0: all */
	int64_t stale_us; /* an event message is never stale; cyclic: 3 periods, at least this; 0: 300 ms */
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
	int64_t due_us;		/* next step of the 100 ms grid */
	int64_t watch_due_us;	/* no message is over-due before */
	uint32_t points, heard; /* bit i: point i is ours; was heard of */
	/* Bit k: message k is sent by the module; is watched; is looked at even if unchanged; has a handler. */
	uint32_t is_module, is_watched, is_each, is_bearing;
	uint8_t sample_msg, state_msg;
	uint8_t min_dlc[MON_MAX_MSGS];
	int64_t stale_us[MON_MAX_MSGS];
	uint32_t bucket_bits[MON_LOAD_BUCKETS], bucket_frames[MON_LOAD_BUCKETS];
	uint32_t bucket, n_buckets; /* the one being filled; full ones, at most MON_LOAD_BUCKETS - 1 */
	uint32_t drops_pending;
	int64_t drops_us;	  /* of the last event about drops */
	uint8_t controller_state; /* of the CAN controller, as its error frames tell */
};

/* sink: copied; NULL: none. */
void mon_model_init(struct mon_model *m, const struct mon_cfg *cfg, const struct mon_sink *sink,
		    int64_t now_us);
/* Any frame of the bus, error frames included, in order of time; an earlier time counts as the last one. */
void mon_model_rx(struct mon_model *m, int64_t time_us, const struct can_frame *f);
/* n more frames were lost on the way to us. */
void mon_model_dropped(struct mon_model *m, int64_t time_us, uint32_t n);
/*
 * Lets time pass: messages become stale, rates are formed, the history goes on. Every 100 ms is enough, and needed
 * only while no frame comes: mon_model_rx() does the same by itself. An event carries the time when it came true.
 */
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

/* Message of a data or remote frame, and its point; -1: not of this interface, or of a point that is not shown. */
int mon_msg_find(const struct mon_model *m, canid_t id, unsigned *point);
/* Point with this index, heard of at least once; else NULL. */
const struct mon_point *mon_point(const struct mon_model *m, unsigned point);
/* Field of a message by the signal's name in the database, or -1. */
int mon_field_find(const struct mon_model *m, unsigned msg, const char *signal);
/* Name that the database gives a value of a signal, found by the signal's name; `none` where there is none. */
const char *mon_label(const struct mon_model *m, unsigned msg, const char *signal, int64_t number,
		      const char *none);
struct mon_value mon_field(const struct mon_model *m, unsigned point, unsigned msg, unsigned field);
/* The whole message into its generated struct (zeroed before). Age in us, or -1 when it was never heard. */
int64_t mon_get(const struct mon_model *m, unsigned point, unsigned msg, void *content);
/* Never heard counts as stale, event messages too. */
bool mon_is_stale(const struct mon_model *m, unsigned point, unsigned msg);
/*
 * After how long without a frame the message is stale: 3 periods, at least cfg.stale_us; DC_Power_Control 60 s, for
 * the vehicle sets its pace (rule E-18). FC_NEVER for event messages, and for the two that repeat only until they are
 * understood: New_Charge_Session and EV_ID_CCS_Part2_DIN stay true for the session.
 */
int64_t mon_stale_after_us(const struct mon_model *m, unsigned msg);
/*
 * Without a word of a half for this long the other side acts (rules E-12, E-15, P-11, P-13): EVSE module 200 ms,
 * charger controller 500 ms, PEV module 1 s, vehicle controller 500 ms.
 */
int64_t mon_silence_limit_us(const struct mon_model *m, enum mon_half half);
/* Age of the newest frame of a half in us, or -1. */
int64_t mon_half_age_us(const struct mon_model *m, unsigned point, enum mon_half half);
/* Is it the module or its customer's controller who sends it? */
enum mon_half mon_half(const struct mon_model *m, unsigned msg);
/* "EVSE", "PEV"; "3.6", "" for a version that there is not. */
const char *mon_side_name(enum mon_side side);
const char *mon_version_name(enum mon_side side, unsigned version);
const char *mon_phase_name(enum mon_phase phase);
const char *mon_severity_name(enum mon_severity severity);

#endif
