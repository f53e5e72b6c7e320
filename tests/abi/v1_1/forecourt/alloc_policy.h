/* SPDX-License-Identifier: MIT */
/*
 * Contract of an allocation policy: who gets how much of a limited supply, once per cycle.
 *
 * allocate() is a function of its arguments and of its own state: same input, same answer. It reads no clock,
 * allocates nothing, calls nothing but the kit it is handed, and ends after work of the order of
 * (points + members) x log. The host trusts none of it: every answer is proved against every row in integers
 * (site-ctrl/alloc_check), and equal share takes its place when it fails. A policy can waste a supply, it cannot
 * overload it.
 *
 * Currents are integer mA of one supply conductor: a three-phase point draws the same on each of its phases, a
 * DC point is counted by what it draws from the supply. Positive is towards the vehicle.
 *
 * Rows. Every limit of the site (a breaker on one phase, a transformer line, a power limit, a free linear
 * constraint) is one row:
 *
 *     | sum over its members of  coef x current x direction |  <=  limit
 *
 * where a direction is a unit vector: currents of different phase angles add as phasors. Most rows have one
 * direction and are plain sums. All coefficients are positive; a negative one of the configuration is the
 * opposite direction. Rows come out of the site's tree, leaves first, so that the first full row of a point is
 * the nearest to it.
 */
#ifndef FORECOURT_ALLOC_POLICY_H
#define FORECOURT_ALLOC_POLICY_H

#include <forecourt/plugin.h>
#include <forecourt/units.h>

#define ALLOC_Q16     65536		 /* 1.0 of a coefficient */
#define ALLOC_Q30     (INT32_C(1) << 30) /* 1.0 of a direction */
#define ALLOC_NO_ROW  UINT32_MAX
#define ALLOC_MAX_DIR 12	/* directions of one row */
#define ALLOC_UNKNOWN INT64_MIN /* a departure, energy or time nobody told */

struct alloc_dir {
	int32_t cos_q30, sin_q30;
};

struct alloc_row {
	uint32_t first_member, n_members; /* in alloc_site.member */
	uint32_t first_dir;		  /* in alloc_site.dir */
	uint32_t n_dirs;		  /* 1: a plain sum */
	uint32_t node;			  /* of the tree, for reasons and names */
	uint32_t phase;			  /* 0: none or all, 1..3 */
};

/* A point is in a row at most once. */
struct alloc_member {
	uint32_t point;
	uint32_t row;
	int32_t coef_q16; /* > 0 */
	uint32_t dir;	  /* 0 .. n_dirs - 1 of the row */
};

/* The site as it is wired. Does not change while a policy lives; `version` tells when it did. */
struct alloc_site {
	uint32_t size;
	uint32_t version;
	uint32_t n_points, n_rows, n_members;
	const struct alloc_row *row;
	const struct alloc_dir *dir;
	const struct alloc_member *member; /* sorted by row, then point */
	/* The same members seen from the points: those of point i are member[of_point[k]], first_of[i] <= k < first_of[i + 1]. */
	const uint32_t *first_of; /* n_points + 1 */
	const uint32_t *of_point;
};

enum alloc_state {
	ALLOC_IDLE = 0,	    /* nobody there, or nobody who wants */
	ALLOC_WAITING = 1,  /* wants current, has none */
	ALLOC_CHARGING = 2, /* has current */
	ALLOC_GONE =
		3, /* faulted, or silent: gets nothing; what it may draw is taken off the limits already */
};

/* One point as it is now. Policies see only what the host has checked: 0 <= min <= max, and so on. */
struct alloc_point {
	int32_t state;		  /* enum alloc_state */
	uint32_t id;		  /* same for the same point for ever; breaks ties */
	int32_t class;		  /* higher goes first */
	int32_t weight_permille;  /* > 0; 1000: like everybody */
	int32_t min_mA;		  /* smallest current it can be given, 0: any */
	int32_t max_mA;		  /* largest it can use now: cable, connector, vehicle, taper */
	int32_t step_mA;	  /* grants are multiples; 1: any */
	int32_t max_discharge_mA; /* >= 0; 0: cannot or may not */
	int32_t grant_mA;	  /* in force */
	int32_t drawn_mA;	  /* measured */
	int32_t mW_per_mA;	  /* power of one ampere of it: voltage times number of phases, in V */
	int32_t reserved;
	int64_t since_us;     /* plugged in */
	int64_t changed_us;   /* began or ended to charge; ALLOC_UNKNOWN */
	int64_t departure_us; /* or ALLOC_UNKNOWN */
	int64_t energy_mWh;   /* still wanted, or ALLOC_UNKNOWN; > 0 */
};

/* A step of the tariff or of a forecast: holds from `from_us` until the next one. Rows: all limits scaled. */
struct alloc_outlook {
	int64_t from_us;
	int32_t price;		/* of energy, any unit; may be negative */
	int32_t limit_permille; /* of every root limit; 1000: as now */
};

enum alloc_reason {
	ALLOC_REASON_NONE = 0,	  /* wants nothing */
	ALLOC_REASON_MAXIMUM = 1, /* its own maximum */
	ALLOC_REASON_ROW = 2,	  /* a full row */
	ALLOC_REASON_WAITING = 3, /* its minimum does not fit */
	ALLOC_REASON_POLICY = 4,  /* the policy wants it so: a price, a later hour */
	/* Below: by the host only. */
	ALLOC_REASON_LEDGER = 5,   /* until others have confirmed that they draw less */
	ALLOC_REASON_RAMP = 6,	   /* rises slowly */
	ALLOC_REASON_HOLD = 7,	   /* just switched: minimum time on or off */
	ALLOC_REASON_SILENT = 8,   /* no report: its safe current */
	ALLOC_REASON_FALLBACK = 9, /* the policy failed: equal share */
	ALLOC_REASON_START = 10,   /* older grants may still be in force */
};

struct alloc_grant {
	int32_t mA;	/* 0, or min..max; negative: discharge */
	int32_t reason; /* enum alloc_reason */
	uint32_t row;	/* that limits it, or ALLOC_NO_ROW */
	uint32_t reserved;
};

/*
 * What the host can do for a policy: the hard, well tested half of the work. Everything goes on in the kit's own
 * answer, which starts as 0 for all; kit->finish() copies it to the caller. No call fails; wrong arguments (a
 * point out of range, a weight of 0) are ignored. Only inside allocate(). Sorted orders are arrays of point
 * numbers. The usual policy is: sort, admit, one of the fills, climb, finish.
 *
 * Arrays over points that the policy passes (keys, weights) have n_points elements.
 */
struct alloc_kit {
	uint32_t size;
	uint32_t reserved;
	void *ctx;
	/*
	 * Writes the points that want current (state waiting or charging, max > 0) into order[], sorted by class
	 * (high first), key (low first), id. key NULL: by id. Returns how many.
	 */
	uint32_t (*sort)(void *ctx, const int64_t *key, uint32_t *order);
	/* Gives everybody in the order his minimum where every row still has room; the others wait, with the row. */
	void (*admit)(void *ctx, const uint32_t *order, uint32_t n);
	/* In the order, to each admitted one the most that fits, in whole steps. */
	void (*fill_order)(void *ctx, const uint32_t *order, uint32_t n);
	/*
	 * Weighted max-min: one level t rises for all admitted from what they have, current = clamp(offset + weight x t,
	 * present, max); who is in a full row stops. weight > 0, any scale (24 bits used), NULL: all equal; who has 0
	 * stays where he is. offset_mA NULL: 0; used up to 537 kA.
	 */
	void (*fill_level)(void *ctx, const int64_t *weight, const int64_t *offset_mA);
	/*
	 * The largest sum of worth x current that the rows allow, class by class, on top of what there is. worth > 0 of
	 * each point, any scale (31 bits). Exact on plain trees, where it is the same as highest worth first; elsewhere
	 * near the optimum. Who has not been admitted gets nothing, or at least his minimum and counts as admitted.
	 */
	void (*fill_price)(void *ctx, const int64_t *worth);
	/*
	 * Rounds down to steps, then in the order gives every step, or minimum of one who waits, that still fits: one to
	 * each in turn while that goes on for long, then the rest to the first. Every policy ends with it.
	 */
	void (*climb)(void *ctx, const uint32_t *order, uint32_t n);
	/* Room: the most that point i could have with all others as they are; >= its present current. */
	int32_t (*most)(void *ctx, uint32_t i);
	/*
	 * Present current of point i in the answer. set: clipped to what fits, whole steps, and 0 below the minimum;
	 * returns what it became. Who has current then is admitted, who has 0 is not: climb would start him again, but
	 * for a cap of 0. Negative: discharge, as far as he offers it and the export rows have room.
	 */
	int32_t (*get)(void *ctx, uint32_t i);
	int32_t (*set)(void *ctx, uint32_t i, int32_t mA);
	/* From now on point i is not given more than this (in admit, fills and climb); what he has beyond is taken back. */
	void (*cap)(void *ctx, uint32_t i, int32_t max_mA);
	/* Copies the answer with the reasons to where the caller wants it. */
	void (*finish)(void *ctx, struct alloc_grant *grant, uint32_t stride);
	/*
	 * fill_price over everybody anew (what was given before is taken back), then climb in the order of worth; but
	 * current that is in force already counts hold_permille (1000 and more) of its worth, and the grants in force
	 * stay exactly as they are while no answer is better by that. If nothing changes, nothing changes.
	 */
	void (*fill_price_steady)(void *ctx, const int64_t *worth, int32_t hold_permille);
};

/* One cycle. Every struct that crosses carries its size or a stride, so that it may grow. */
struct alloc_call {
	uint32_t size;
	uint32_t n_points;
	int64_t now_us;
	const struct alloc_site *site;
	const int32_t *limit_mA; /* of each row, now: base loads and silent points are taken off. >= 0 */
	const int32_t *export_limit_mA; /* of each row; NULL: nobody may feed back */
	const struct alloc_point *point;
	uint32_t point_stride;
	uint32_t outlook_stride;
	const struct alloc_outlook *outlook; /* may be empty */
	uint32_t n_outlook;
	uint32_t grant_stride;
	struct alloc_grant *grant; /* to be filled, n_points */
	const struct alloc_kit *kit;
	void *arena;	  /* arena_size() bytes, zeroed when the site changed, else kept from call to call */
	int64_t again_us; /* out: ask again at the latest then; starts as FC_NEVER */
};

/*
 * Operations. All are called from one thread. init: 0, or a negative errno with a line in the log. The options
 * were checked for unknown keys. allocate: 0, or a negative errno: equal share takes over for this cycle and
 * the error is counted.
 */
struct alloc_policy_ops {
	int32_t (*init)(void *self, const struct forecourt_host *host, const struct forecourt_kv *kv,
			uint32_t n_kv);
	/* Bytes of the arena for a site; NULL: none. */
	uint64_t (*arena_size)(const void *self, const struct alloc_site *site);
	int32_t (*allocate)(void *self, struct alloc_call *call);
	void (*fini)(void *self); /* may be NULL */
};

static inline const struct alloc_point *alloc_point_at(const struct alloc_call *c, uint32_t i)
{
	return (const struct alloc_point *)(const void *)((const char *)c->point +
							  (size_t)i * c->point_stride);
}

static inline struct alloc_grant *alloc_grant_at(const struct alloc_call *c, uint32_t i)
{
	return (struct alloc_grant *)(void *)((char *)c->grant + (size_t)i * c->grant_stride);
}

static inline bool alloc_wants(const struct alloc_point *p)
{
	return (p->state == ALLOC_WAITING || p->state == ALLOC_CHARGING) && p->max_mA > 0;
}

#endif
