/* SPDX-License-Identifier: MIT */
/*
 * The site as it is wired: a tree of limits, its charge points, and free linear constraints; and what
 * policies and ledger see of it, a flat list of rows (forecourt/alloc_policy.h). Pure; all memory is one
 * block of the caller's.
 *
 * Describe first (names, parents and numbers are checked where they are added, with a sentence), then compile
 * once. Limits change later, through site_limits below; the wiring does not.
 *
 * How currents meet in a node. Every point has one to three supply conductors. Per node and phase L1..L3
 * there is one row with all points below that use the phase. A point between two lines (L1-L2) is a member of
 * both rows, with the direction of its line-to-line voltage: rows that have such members add phasors, others
 * are plain sums. A power limit is one more row, in mA at the node's voltage: limit_W / phase voltage,
 * coefficient point's voltage / node's voltage per conductor to neutral or pair of lines: 1, 3, sqrt(3) where
 * the voltages are nominal.
 *
 * Rows are in the order of the tree, deepest nodes first, in a node L1, L2, L3, power; then the free
 * constraints as they were added. Rows that no point is in do not exist. alloc_row.node is a place: a node's
 * index, or n_nodes + the index of a free constraint.
 *
 * What may be drawn is not what is drawn: with phasors, a vehicle that takes less than granted can raise the
 * sum of the others. The sum of currents each between 0 and its grant is longest at a corner of the figure
 * that all such sums fill, and there exactly those flow that point into one half plane, with their whole
 * grant. So unless `is_drawn` says that grants are taken as drawn (published networks of light simulations),
 * a constraint is compiled into one row for each set of directions within a half plane; sets that a larger
 * one covers (what it has besides is at most 90 degrees from everything) are left out. Rows of nodes have
 * directions at most 90 degrees apart, where more is always longer: one row does.
 */
#ifndef SITE_SITE_MODEL_H
#define SITE_SITE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <forecourt/alloc_policy.h>

#define SITE_NAME_MAX	 32
#define SITE_MAX_POINTS	 16384
#define SITE_MAX_NODES	 4096
#define SITE_MAX_DEPTH	 32
#define SITE_NO_NODE	 UINT32_MAX
#define SITE_MAX_mV	 36000000 /* of a node or point; so that the power of all fits into 63 bits */
#define SITE_MAX_mA	 10000000 /* of a point, a node, a constraint: 10 kA */
#define SITE_MAX_COEF	 (256 * ALLOC_Q16) /* so that the sum of all fits into 63 bits */
#define SITE_NO_LIMIT_mA INT32_MAX
/* Size of a transformer and limit per kW of it: their product fits into 63 bits. */
#define SITE_MAX_SIZE_W	   100000000
#define SITE_MAX_nA_PER_kW INT64_C(50000000000)

enum site_kind { SITE_AC1, SITE_AC3, SITE_DC };

/*
 * Index of names, kept by the model: a tree by the hash of the name, so that thousands of points load in no
 * time.
 */
struct site_name_link {
	uint32_t hash, left, right;
};

/*
 * Which conductors, in the order of the point's own L1, L2, L3 (rotation). AC1: phase[0] alone, or with
 * is_line_to_line phase[0] and phase[1]. AC3 and DC: all three.
 */
struct site_point_conf {
	char name[SITE_NAME_MAX];
	uint32_t node; /* where it hangs; SITE_NO_NODE: in no tree, only in free constraints */
	uint8_t bus;   /* number of the site's bus, 0.. */
	/* On that bus: 1..15 pistol index, 16..31 behind a gateway; 0: none (light simulation). */
	uint8_t number;
	int32_t kind;	  /* enum site_kind */
	uint8_t phase[3]; /* 1..3 */
	bool is_line_to_line;
	int32_t angle_mdeg; /* of its current against its phase; 0 but in published networks */
	int32_t voltage_mV; /* phase to neutral, or line to line where is_line_to_line; 0: the node's */
	int32_t min_mA, max_mA, step_mA; /* step 0 counts as 1 */
	int32_t safe_mA;		 /* what it draws at most without a grant; always counted as taken */
	int32_t class;
	int32_t weight_permille;
	int32_t max_discharge_mA;
	/*
	 * Allowed currents in place of min and steps, ascending, or NULL; kept by the caller. Policies know
	 * only steps: min is the first level and step 1, and whoever grants rounds down to a level by
	 * site_point_round_mA().
	 */
	const int32_t *level_mA;
	uint32_t n_levels;
	struct site_name_link link; /* the model's */
};

struct site_node_conf {
	char name[SITE_NAME_MAX];
	uint32_t parent;	    /* added before; SITE_NO_NODE: a root */
	int32_t limit_mA[3];	    /* per phase; SITE_NO_LIMIT_mA: none */
	int32_t export_limit_mA[3]; /* 0: nothing may be fed back through it */
	int32_t limit_W;	    /* 0: none */
	int32_t voltage_mV;	    /* phase to neutral */
	int32_t base_mA[3];	    /* other loads behind it that nobody measures, at worst */
	bool has_meter;		    /* base_mA and feed_in_mA count only while its meter is silent */
	int32_t meter_max_age_ms;
	int32_t feed_in_mA[3];	    /* what other things behind it feed in at worst: off its export limit */
	uint32_t depth;		    /* the model's: 0: a root */
	struct site_name_link link; /* the model's */
};

struct site_term {
	uint32_t point;
	int32_t coef_q16;   /* signed */
	int32_t angle_mdeg; /* of the point's current in this constraint */
};

/* |sum of coef x current x e^(i angle)| <= limit */
struct site_constraint_conf {
	char name[SITE_NAME_MAX];
	int32_t limit_mA;
	int64_t limit_nA_per_kW; /* added: times the size of the transformer given at run time; 0: none */
	/*
	 * The caller's, kept until compiled. A point may stand here more than once, with different angles:
	 * its phases. They are added up as phasors where all of them count, so a point is only once in a row.
	 */
	const struct site_term *term;
	uint32_t n_terms;
	bool is_drawn;		    /* grants are taken as drawn */
	struct site_name_link link; /* the model's */
};

struct site_model {
	struct alloc_site site; /* compiled: rows, members */
	struct site_node_conf *node;
	uint32_t n_nodes, max_nodes;
	struct site_point_conf *point;
	uint32_t n_points, max_points;
	struct site_constraint_conf *constraint;
	uint32_t n_constraints, max_constraints;
	/* Of each row: the configured limit, and what it is made of. */
	struct site_row_info *info;
	int64_t size_W; /* of transformers, for limit_nA_per_kW; set before compiling */
	/* Memory of site_model_compile. */
	void *block;
	size_t block_size;
	uint32_t numbers[256]; /* bits: taken on each bus */
	uint32_t *first_row;   /* of each place, or ALLOC_NO_ROW; those of a place are together */
};

struct site_row_info {
	int32_t limit_mA;	 /* configured */
	int32_t export_limit_mA; /* 0: none may be fed back */
	uint32_t node;		 /* or SITE_NO_NODE for a free constraint */
	uint32_t constraint;	 /* index, or UINT32_MAX */
	uint8_t phase;		 /* 1..3; 0: power or constraint */
	bool is_power;
};

/*
 * The arrays are the caller's: node[max_nodes] and so on. Add in any order that names parents first. 0, or
 * -EINVAL, -ENOSPC, -EEXIST with a sentence (no file or line: the caller knows them).
 */
void site_model_init(struct site_model *m, struct site_node_conf *node, uint32_t max_nodes,
		     struct site_point_conf *point, uint32_t max_points,
		     struct site_constraint_conf *constraint, uint32_t max_constraints);
int site_model_add_node(struct site_model *m, const struct site_node_conf *n, char *err, size_t err_size);
int site_model_add_point(struct site_model *m, const struct site_point_conf *p, char *err, size_t err_size);
int site_model_add_constraint(struct site_model *m, const struct site_constraint_conf *c, char *err,
			      size_t err_size);
uint32_t site_model_find_node(const struct site_model *m, const char *name);  /* or UINT32_MAX */
uint32_t site_model_find_point(const struct site_model *m, const char *name); /* or UINT32_MAX */
uint32_t site_model_find_constraint(const struct site_model *m, const char *name);
/* A node, or n_nodes + a constraint; or UINT32_MAX. */
uint32_t site_model_find_place(const struct site_model *m, const char *name);
const char *site_model_place_name(const struct site_model *m, uint32_t place);
/*
 * The largest current the point can be given that is not over mA: a level, a step, its minimum, or 0. mA >=
 * 0.
 */
int32_t site_point_round_mA(const struct site_point_conf *p, int32_t mA);
/*
 * Power of one ampere of it, in W: voltage times conductors, sqrt(3) in a line-to-line voltage. For
 * alloc_point.
 */
int32_t site_point_mW_per_mA(const struct site_point_conf *p);
/*
 * cos and sin of an angle, both at most 1e-8 off; multiples of 30 and 45 degrees exact but for the last bit.
 */
struct alloc_dir site_angle_dir(int32_t angle_mdeg);
/* Bytes that compile needs. */
size_t site_model_size(const struct site_model *m);
/*
 * Builds m->site in block (max-aligned, site_model_size() bytes, kept as long as the model). Refused when the
 * safe currents of all points and the worst base loads do not fit: -ERANGE with row and numbers in the
 * sentence.
 */
int site_model_compile(struct site_model *m, void *block, char *err, size_t err_size);
/* "feeder-2 L1", "main power", "secondary A": for reasons and logs. Returns text. */
const char *site_row_name(const struct site_model *m, uint32_t row, char *text, size_t size);

/* --- limits in force ------------------------------------------------------------------------------------ */

/*
 * The limit of a row now is the least of: configured, schedule, operator (chargectl), external (the grid's or
 * a meter's), minus the other loads of the row's own node and of all below it. A reading older than its
 * maximum age is replaced by the configured worst. What is asked below the safe currents cannot be enforced:
 * site_limits_set() refuses it. A meter tells of what hangs at its node itself, not of other loads behind
 * nodes below.
 *
 * The export limit of a row is the configured one and never over the limit above, minus what others feed in.
 */
enum site_limit_source {
	SITE_LIMIT_SCHEDULE,
	SITE_LIMIT_OPERATOR,
	SITE_LIMIT_EXTERNAL,
	SITE_N_LIMIT_SOURCES
};

struct site_limits {
	const struct site_model *model;
	/*
	 * Per place and phase, the fourth is the power limit in mA; SITE_NO_LIMIT_mA: none. until_us: it
	 * lapses then (FC_NEVER: it does not).
	 */
	struct site_node_limit {
		int32_t mA[SITE_N_LIMIT_SOURCES][4];
		int64_t until_us[SITE_N_LIMIT_SOURCES];
		int32_t base_mA[3]; /* as read: negative: feeds in */
		int64_t base_us;    /* time of the reading; ALLOC_UNKNOWN: never */
	} * node;
	int32_t *limit_mA;	  /* of each row, as computed */
	int32_t *export_limit_mA; /* of each row */
	int32_t *safe_mA;	  /* of each row: what its points take without grants */
	uint32_t *alarm;	  /* of each row: bits below */
	int64_t *scratch;	  /* sums of other loads of each node, for update */
};

#define SITE_ALARM_BELOW_SAFE  1u /* limit minus base is below the safe currents: cannot be kept */
#define SITE_ALARM_METER_STALE 2u

size_t site_limits_size(const struct site_model *m);
void site_limits_init(struct site_limits *l, const struct site_model *m, void *block);
#define SITE_PHASE_POWER 4u
/*
 * node: a place. phase 0: all three, or of a free constraint; SITE_PHASE_POWER: see site_limits_set_W(). mA
 * SITE_NO_LIMIT_mA takes that one back. One until_us for all limits of a source at a place: the last one set.
 * 0, -ENOENT, -EINVAL, or -ERANGE: below what the points take without us; sentence with the number.
 */
int site_limits_set(struct site_limits *l, enum site_limit_source source, uint32_t node, unsigned phase,
		    int32_t mA, int64_t until_us, char *err, size_t err_size);
/* The same for the power of a node; only where one is configured (limit_W): no row is made later. */
int site_limits_set_W(struct site_limits *l, enum site_limit_source source, uint32_t node, int32_t W,
		      int64_t until_us, char *err, size_t err_size);
void site_limits_clear(struct site_limits *l, enum site_limit_source source, uint32_t node);
/*
 * A reading of the other loads of a node (without the charge points), per phase; negative: they feed in,
 * which makes no room for others but takes some of what may be fed back.
 */
void site_limits_meter(struct site_limits *l, uint32_t node, const int32_t base_mA[3], int64_t now_us);
/*
 * Recomputes limit_mA, export_limit_mA and the alarms. True when any limit fell. *next_us: when it must be
 * called again at the latest, FC_NEVER.
 */
bool site_limits_update(struct site_limits *l, int64_t now_us, int64_t *next_us);

#endif
