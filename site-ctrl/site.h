/* SPDX-License-Identifier: MIT */
/*
 * The site's controller as one pure machine: reports in, grants out, once a cycle and at once when a limit
 * falls. Pure; the big arrays are one block of the caller's.
 *
 *     reports -> wants -> policy (alloc_run) -> aim -> ramp, hold, ledger -> grants
 *
 * Nobody gets more than the ledger has room for, whatever the policy says: see lease.h. The buses are those
 * of the runner: 0 by machine_ops.rx, others by site_bus_rx. Frames leave at most SITE_FRAMES_PER_TICK in a
 * wake-up, lowered grants first and all of them.
 */
#ifndef SITE_SITE_H
#define SITE_SITE_H

#include "lib/core/deadline.h"
#include "lib/core/log.h"
#include "lib/core/machine.h"
#include "site-ctrl/alloc_run.h"
#include "site-ctrl/lease.h"
#include "site-ctrl/site_calm.h"
#include "site-ctrl/site_hold.h"
#include "site-ctrl/site_model.h"
#include "site-ctrl/site_rows.h"
#include "site-ctrl/site_settings.h"
#include "site-ctrl/site_wire.h"

#define SITE_FRAMES_PER_TICK 96
#define SITE_MAX_BUSES	     17

/* Where a policy is run: in this process, or in one of its own (policy_host). Called once per cycle. */
struct site_policy {
	const char *name;
	uint8_t code; /* of Status.Policy */
	/* 0 or a negative errno; call->grant filled. May take at most a few ms. */
	int32_t (*allocate)(void *ctx, struct alloc_call *call);
	void *ctx;
	/* May be NULL: what the proof said of the last answer; a line for people about how it runs. */
	void (*judged)(void *ctx, enum alloc_fault fault, int64_t now_us);
	void (*describe)(const void *ctx, char *text, size_t size);
};

/* How a point stands in a cycle. */
enum site_role {
	SITE_ROLE_SILENT, /* no fresh report */
	SITE_ROLE_OUT,	  /* faulted, unavailable, or in the operator's hand */
	SITE_ROLE_IDLE,	  /* wants nothing, or nothing that it could be given */
	SITE_ROLE_HELD,	  /* wants, but was switched off a moment ago */
	SITE_ROLE_ASKED,  /* the policy decides */
};

/* A due frame of a point. */
#define SITE_DUE_LOWER	1u
#define SITE_DUE_RAISE	2u
#define SITE_DUE_RENEW	4u /* answers a report, whatever the value */
#define SITE_DUE_REASON 8u

struct site_slot {
	struct site_heard heard;
	struct site_hold hold;
	/* The session, without the jitter of its units; ALLOC_UNKNOWN. */
	int64_t since_us, departure_us;
	int32_t maximum_mA, minimum_mA; /* as heard, without noise */
	bool has_class;			/* set by the operator */
	int32_t class;
	/* This cycle. */
	uint8_t role; /* enum site_role */
	bool was_silent;
	int32_t pin_mA; /* set aside for it; 0: not pinned */
	int32_t aim_mA; /* the policy's, pin included; negative: discharge */
	uint8_t aim_reason;
	uint32_t aim_row;
	/* What was sent last. */
	int32_t charge_mA, discharge_mA;
	int64_t over_us;   /* by then it counts no more; ALLOC_UNKNOWN: nothing was sent */
	int64_t raised_us; /* last raise; ALLOC_UNKNOWN */
	uint32_t answered; /* number of the report */
	bool has_answered;
	uint8_t reason; /* enum alloc_reason, of the grant as sent */
	uint32_t row;
	uint8_t due;
	/* Draws more than it may: reports in a row. */
	uint8_t n_over;
	bool is_over;
};

struct site_count {
	uint64_t n_cycles, n_early, n_passes, n_reruns;
	uint64_t n_reports, n_refused_reports, n_bad_frames, n_unknown_points;
	uint64_t n_grants, n_lowered, n_raised, n_changes, n_not_granted, n_not_queued;
	uint64_t n_turns, n_pins_dropped;
	uint64_t n_shadow_calls, n_shadow_different, n_other_sites;
};

struct site_shadow {
	struct alloc_run run;
	struct alloc_grant *grant;
	/* Since the last line in the log. */
	uint32_t n_different;
	int32_t most_mA;
	int64_t logged_us;
};

struct site {
	struct site_conf conf;
	const struct site_model *model;
	struct site_limits *limits;
	struct log log;
	/* Policies; allocate NULL: equal share, no shadow. */
	struct site_policy policy, shadow_policy;
	struct alloc_run run;
	struct site_shadow shadow;
	enum alloc_fault fault; /* of the last answer */
	struct lease_ledger ledger;
	const struct alloc_outlook *outlook;
	uint32_t n_outlook;
	/*
	 * The control socket asks for another policy here; NULL: cannot. options: "key=value key=value". 0 or
	 * a negative errno with a sentence.
	 */
	int (*choose)(void *ctx, const char *name, const char *options, bool is_shadow, char *err,
		      size_t err_size);
	void *choose_ctx;
	/* One per point. */
	struct site_slot *slot;
	struct lease_point *lease;
	struct alloc_point *want;
	struct alloc_grant *grant;
	int32_t *may_draw_mA, *may_feed_mA; /* in the ledger, as summed in taken and fed */
	int32_t *drawn_mA;		    /* as reported */
	/* One per row. */
	struct site_calm *calm, *calm_export;
	int32_t *calm_mA, *calm_export_mA;   /* limits without noise */
	int32_t *asked_mA, *asked_export_mA; /* limits for those who are asked */
	struct site_rows taken, fed, aside;
	bool has_export;					     /* somebody may feed back */
	uint32_t point_of[SITE_MAX_BUSES][SITE_WIRE_MAX_NUMBER + 1]; /* UINT32_MAX: nobody */
	uint32_t n_buses;
	/* Times. */
	struct grid cycle, tell, trim;
	int64_t early_us; /* a cycle before its time; FC_NEVER */
	int64_t pass_us;  /* a look at the ledger without the policy; FC_NEVER */
	int64_t pump_us;  /* frames that are left; FC_NEVER */
	int64_t limits_us;
	int64_t cycled_us;	 /* last cycle */
	int64_t turn_us;	 /* last turn began */
	int64_t other_us;	 /* another site was heard; ALLOC_UNKNOWN */
	int64_t logged_fault_us; /* at most one line a minute */
	uint32_t first;		 /* who may rise first */
	uint32_t next_row;	 /* of Row_Load */
	bool is_trim;		 /* in this cycle */
	bool is_waiting;	 /* somebody could rise if others confirmed */
	bool is_stopping;
	uint8_t alarm;
	struct site_count count;
};

/* Bits of Status.Alarm. */
#define SITE_STATUS_BELOW_SAFE	1u
#define SITE_STATUS_METER_STALE 2u
#define SITE_STATUS_OVERDRAWN	4u
#define SITE_STATUS_FALLBACK	8u
#define SITE_STATUS_OTHER_SITE	16u

/* Bytes of the block. */
size_t site_size(const struct site_model *m);
/* 0 or -EINVAL with a sentence. model, limits and block stay the caller's. */
int site_init(struct site *s, const struct site_conf *conf, const struct site_model *model,
	      struct site_limits *limits, void *block, const struct log_sink *sink, int64_t now_us, char *err,
	      size_t err_size);
/*
 * Live from the next cycle; NULL: equal share. The shadow's answers are compared and logged, never granted.
 */
void site_set_policy(struct site *s, const struct site_policy *policy);
void site_set_shadow(struct site *s, const struct site_policy *policy);
/* For policies that look ahead; the array stays the caller's. */
void site_set_outlook(struct site *s, const struct alloc_outlook *outlook, uint32_t n);
/* New numbers (site_conf_check()ed) while running: all but cycle, lease and reaction. */
void site_set_conf(struct site *s, const struct site_conf *conf);
/* A frame of bus `bus`. */
void site_bus_rx(struct site *s, int64_t now_us, unsigned bus, const struct can_frame *f,
		 struct out_queue *out);
/* A limit may have changed: looks at once. */
void site_limits_changed(struct site *s, int64_t now_us, struct out_queue *out);

extern const struct machine_ops site_ops; /* self: struct site */

#endif
