/* SPDX-License-Identifier: MIT */
/* Compares two sequences of contents. Pure. */
#include "sim/sim_run_replay_cmp.h"

#include <string.h>

#include <forecourt/units.h>

struct content {
	uint64_t bytes[REPLAY_MAX_MSG_SIZE / sizeof(uint64_t)];
};

void replay_cmp_init(struct replay_cmp *c, const struct replay_side *side, const struct replay_tolerance *t)
{
	memset(c, 0, sizeof(*c));
	c->side = side;
	c->tolerance = *t;
	c->first_log_us = c->last_log_us = FC_NEVER;
}

static const struct msg_layout *layout_of(const struct replay_cmp *c, unsigned pair)
{
	return &c->side->layouts[c->side->first + pair];
}

static unsigned n_pairs(const struct replay_cmp *c)
{
	return c->side->last - c->side->first + 1;
}

bool replay_cmp_ignore(struct replay_cmp *c, const char *name)
{
	unsigned i, k;

	for (i = 0; i < n_pairs(c); i++) {
		const struct msg_layout *l = layout_of(c, i);
		size_t n = l->name ? strlen(l->name) : 0;

		if (!msg_exists(l) || strncmp(name, l->name, n) != 0 || (name[n] != '\0' && name[n] != '.'))
			continue;
		if (name[n] == '\0') {
			c->pair[i].ignored = UINT32_MAX;
			return true;
		}
		for (k = 0; k < l->n_fields; k++) {
			if (strcmp(l->fields[k].signal, name + n + 1) == 0) {
				c->pair[i].ignored |= UINT32_C(1) << k;
				return true;
			}
		}
	}
	return false;
}

/* --- one frame of the log ---------------------------------------------------------------------------------- */

static bool has_unit(const char *member, const char *unit)
{
	size_t n = strlen(member), k = strlen(unit);

	return n > k && strcmp(member + n - k, unit) == 0;
}

static int64_t tolerance_of(const struct replay_cmp *c, const struct msg_field *f)
{
	if (has_unit(f->member, "_mV"))
		return c->tolerance.voltage_mV;
	return has_unit(f->member, "_mA") ? c->tolerance.current_mA : 0;
}

/* Bits of the fields that differ. */
static uint32_t compare(const struct replay_cmp *c, unsigned pair, const struct can_frame *log,
			const struct can_frame *ours)
{
	const struct msg_layout *l = layout_of(c, pair);
	struct content a, b;
	uint32_t bits = 0;
	unsigned i;

	replay_side_unpack(c->side, (int)(c->side->first + pair), log, &a);
	replay_side_unpack(c->side, (int)(c->side->first + pair), ours, &b);
	for (i = 0; i < l->n_fields; i++) {
		int64_t d = msg_field_read(&l->fields[i], &a) - msg_field_read(&l->fields[i], &b);

		if ((d < 0 ? -d : d) > tolerance_of(c, &l->fields[i]))
			bits |= UINT32_C(1) << i;
	}
	return bits & ~c->pair[pair].ignored;
}

static struct replay_version *version_at(struct replay_pair *p, uint64_t number)
{
	return &p->version[number % REPLAY_MAX_VERSIONS];
}

static uint64_t oldest(const struct replay_pair *p)
{
	return p->n_versions > REPLAY_MAX_VERSIONS ? p->n_versions - REPLAY_MAX_VERSIONS : 0;
}

/* Not included. */
static int64_t valid_until_us(struct replay_cmp *c, unsigned pair, uint64_t number)
{
	struct replay_pair *p = &c->pair[pair];
	uint16_t cycle_ms = layout_of(c, pair)->cycle_ms;
	int64_t end_us = number + 1 < p->n_versions ? version_at(p, number + 1)->from_us : FC_NEVER;

	if (cycle_ms)
		end_us =
			fc_min_i64(end_us, version_at(p, number)->last_us + cycle_ms * (int64_t)FC_US_PER_MS +
						   c->tolerance.time_us + 1);
	return end_us;
}

static unsigned count_bits(uint32_t bits)
{
	unsigned n = 0;

	for (; bits; bits &= bits - 1)
		n++;
	return n;
}

static void tell(struct replay_cmp *c, struct replay_pair *p, const struct replay_difference *d)
{
	p->count.n_different++;
	if (c->on_difference)
		c->on_difference(c->ctx, d);
}

static void judge_frame(struct replay_cmp *c, unsigned pair, const struct replay_entry *e)
{
	struct replay_pair *p = &c->pair[pair];
	struct replay_difference d = {.kind = REPLAY_NOT_SENT,
				      .msg = e->msg,
				      .time_us = e->time_us,
				      .line = e->line,
				      .expected = &e->frame};
	struct replay_version *best = NULL;
	unsigned least = 33;
	uint64_t i;

	p->count.n_compared++;
	for (i = oldest(p); i < p->n_versions; i++) {
		struct replay_version *v = version_at(p, i);
		bool is_current = v->from_us <= e->time_us;
		uint32_t bits;

		if (v->from_us > e->time_us + c->tolerance.time_us ||
		    valid_until_us(c, pair, i) <= e->time_us - c->tolerance.time_us)
			continue;
		bits = compare(c, pair, &e->frame, &v->frame);
		if (!bits && i >= p->floor) {
			v->is_met = true;
			p->floor = i;
			return;
		}
		/* To show: the one that is nearest in content, and of those the one that was valid. */
		if (count_bits(bits) < least || (count_bits(bits) == least && is_current)) {
			least = count_bits(bits);
			d.kind = bits ? REPLAY_VALUE : REPLAY_ORDER;
			d.ours = best = v;
			d.fields = bits;
		}
	}
	if (best)
		best->is_met = true;
	tell(c, p, &d);
}

void replay_cmp_expect(struct replay_cmp *c, const struct replay_entry *e)
{
	unsigned pair = (unsigned)e->msg - c->side->first;
	struct replay_pair *p = &c->pair[pair];

	if (c->first_log_us == FC_NEVER)
		c->first_log_us = e->time_us;
	c->last_log_us = e->time_us;
	p->last_log = e->frame;
	p->count.n_log++;
	if (p->ignored == UINT32_MAX)
		return;
	if (p->n_pending == REPLAY_MAX_PENDING) { /* a flood: judged by what is known now */
		judge_frame(c, pair, &p->pending[p->head]);
		p->head = (p->head + 1) % REPLAY_MAX_PENDING;
		p->n_pending--;
	}
	p->pending[(p->head + p->n_pending++) % REPLAY_MAX_PENDING] = *e;
}

/* --- ours -------------------------------------------------------------------------------------------------- */

/* Neither before the log had the chance to say it nor after its end anybody can tell. */
static void judge_version(struct replay_cmp *c, unsigned pair, uint64_t number, int64_t end_us)
{
	struct replay_pair *p = &c->pair[pair];
	struct replay_version *v = version_at(p, number);
	struct replay_difference d = {.kind = REPLAY_UNEXPECTED,
				      .msg = (int)(c->side->first + pair),
				      .time_us = v->from_us,
				      .ours = v};

	if (v->is_met || p->ignored == UINT32_MAX || end_us - v->from_us <= c->tolerance.time_us)
		return;
	if (c->first_log_us == FC_NEVER ||
	    end_us <= c->first_log_us + layout_of(c, pair)->cycle_ms * (int64_t)FC_US_PER_MS ||
	    v->from_us > c->last_log_us - c->tolerance.time_us)
		return;
	if (p->count.n_log == 0 && p->is_told) /* a message that the log does not have is told once */
		return;
	p->is_told = true;
	if (p->count.n_log) {
		d.expected = &p->last_log;
		d.fields = compare(c, pair, &p->last_log, &v->frame);
	}
	tell(c, p, &d);
}

/* Those that ended long enough ago for every frame of the log that could meet them. */
static void judge_versions(struct replay_cmp *c, unsigned pair, int64_t now_us)
{
	struct replay_pair *p = &c->pair[pair];

	for (; p->n_judged + 1 < p->n_versions; p->n_judged++) {
		int64_t end_us = version_at(p, p->n_judged + 1)->from_us;

		if (p->n_judged >= oldest(p) && end_us + c->tolerance.time_us >= now_us)
			return;
		if (p->n_judged >= oldest(p))
			judge_version(c, pair, p->n_judged, end_us);
	}
}

static bool is_same(const struct can_frame *a, const struct can_frame *b)
{
	return a->can_dlc == b->can_dlc && memcmp(a->data, b->data, a->can_dlc) == 0;
}

void replay_cmp_ours(struct replay_cmp *c, int64_t now_us, const struct can_frame *f)
{
	int msg = replay_side_find(c->side, f);
	struct replay_version *v;
	struct replay_pair *p;

	if (!replay_side_is_controllers(c->side, msg))
		return;
	p = &c->pair[(unsigned)msg - c->side->first];
	p->count.n_ours++;
	if (p->n_versions > 0) {
		v = version_at(p, p->n_versions - 1);
		if (is_same(&v->frame, f)) {
			v->last_us = now_us;
			return;
		}
	}
	if (p->n_versions - p->n_judged >= REPLAY_MAX_VERSIONS)
		p->n_judged++;
	v = version_at(p, p->n_versions++);
	*v = (struct replay_version){.from_us = now_us, .last_us = now_us, .frame = *f};
}

void replay_cmp_settle(struct replay_cmp *c, int64_t now_us)
{
	unsigned i;

	for (i = 0; i < n_pairs(c); i++) {
		struct replay_pair *p = &c->pair[i];

		while (p->n_pending && p->pending[p->head].time_us + c->tolerance.time_us < now_us) {
			judge_frame(c, i, &p->pending[p->head]);
			p->head = (p->head + 1) % REPLAY_MAX_PENDING;
			p->n_pending--;
		}
		judge_versions(c, i, now_us);
	}
}

void replay_cmp_finish(struct replay_cmp *c)
{
	unsigned i;

	replay_cmp_settle(c, FC_NEVER);
	for (i = 0; i < n_pairs(c); i++) {
		struct replay_pair *p = &c->pair[i];

		if (p->n_versions)
			judge_version(c, i, p->n_versions - 1, FC_NEVER);
	}
}

struct replay_count replay_cmp_total(const struct replay_cmp *c)
{
	struct replay_count sum = {0};
	unsigned i;

	for (i = 0; i < n_pairs(c); i++) {
		sum.n_log += c->pair[i].count.n_log;
		sum.n_ours += c->pair[i].count.n_ours;
		sum.n_compared += c->pair[i].count.n_compared;
		sum.n_different += c->pair[i].count.n_different;
	}
	return sum;
}
