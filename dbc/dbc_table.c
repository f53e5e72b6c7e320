/* SPDX-License-Identifier: MIT */
/*
 * Builds the tables of the run-time codec: shift pairs, scales, groups of signals, hash of identifiers.
 */
#include "dbc/dbc_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Up to there (value - offset) * (1 / factor) comes within half a step of every raw value, and 2^52 holds it.
 */
#define FAST_LENGTH 48

/*
 * Everything lives in one block: first the sizes are added up with base NULL, then the pieces are dealt out.
 */
struct block {
	char *base;
	size_t used;
};

static void *take(struct block *b, size_t size)
{
	/* 32: whole vectors in one cache line. */
	void *p = b->base ? b->base + b->used : NULL;

	b->used += (size + 31) & ~(size_t)31;
	return p;
}

/* First and last bit counted from the start of the payload, in the direction of the byte order. */
static void bits_of(const struct dbc_signal *s, unsigned *first, unsigned *last)
{
	*first = s->is_motorola ? s->start / 8u * 8u + (7u - s->start % 8u) : s->start;
	*last = *first + s->length - 1u;
}

static bool is_codable(const struct dbc_signal *s)
{
	unsigned first, last;

	if (s->length == 0 || s->length > DBC_MAX_LENGTH)
		return false;
	if ((s->number == DBC_FLOAT32 && s->length != 32) || (s->number == DBC_FLOAT64 && s->length != 64))
		return false;
	bits_of(s, &first, &last);
	return last < DBC_MAX_DLC * 8u;
}

static uint8_t count_bytes(const struct dbc_message *m)
{
	unsigned n = m->dlc > DBC_MAX_DLC ? DBC_MAX_DLC : m->dlc ? m->dlc : 1;

	for (uint32_t i = 0; i < m->n_signals; i++) {
		unsigned first, last;

		bits_of(&m->signals[i], &first, &last);
		if (is_codable(&m->signals[i]) && last / 8 + 1 > n)
			n = last / 8 + 1;
	}
	return (uint8_t)((n + 7) / 8 * 8);
}

static void set_place(struct dbc_codec_signal *s, const struct dbc_signal *d, unsigned n_bytes)
{
	unsigned first, last;

	bits_of(d, &first, &last);
	unsigned byte = first / 8 < n_bytes - 8 ? first / 8 : n_bytes - 8;
	s->end = (uint16_t)(last / 8 + 1);
	s->byte = (uint8_t)byte;
	s->is_big = d->is_motorola;
	s->has_ninth = last >= byte * 8 + 64;
	if (d->is_motorola)
		s->shift = (uint8_t)((s->has_ninth ? 71 : 63) - (last - byte * 8));
	else
		s->shift = (uint8_t)(first - byte * 8);
}

static void set_range(struct dbc_codec_signal *s)
{
	if (s->is_signed) {
		s->raw_max = ((uint64_t)1 << (s->length - 1)) - 1;
		s->raw_min = -(int64_t)s->raw_max - 1;
	} else {
		s->raw_max = UINT64_MAX >> (64 - s->length);
	}
}

/* Depth of multiplexing; -1: a circle, or hangs on something that cannot be coded. */
static int level_of(const struct dbc_message *m, uint32_t i)
{
	int level = 0;

	for (int p = m->signals[i].mux_parent; p >= 0; p = m->signals[p].mux_parent)
		if (++level > 60 || (uint32_t)p >= m->n_signals || !is_codable(&m->signals[p]) ||
		    (uint32_t)p == i)
			return -1;
	return level;
}

static void fill_signal(struct dbc_codec_signal *s, const struct dbc_message *m, uint32_t i, unsigned n_bytes)
{
	const struct dbc_signal *d = &m->signals[i];
	int level = level_of(m, i);

	*s = (struct dbc_codec_signal){
		.def = d, .factor = d->factor, .offset = d->offset, .parent = d->mux_parent};
	s->number = d->number;
	s->is_signed = d->is_signed;
	if (!is_codable(d) || level < 0)
		return;
	s->length = (uint8_t)d->length;
	s->level = (uint8_t)level;
	if (d->mux_parent >= 0) {
		s->mux = d->mux;
		s->n_mux = d->n_mux;
	}
	set_place(s, d, n_bytes);
	set_range(s);
	s->inverse = 1 / d->factor;
	double a = s->inverse < 0 ? -s->inverse : s->inverse;
	/* Neither zero nor so extreme that a product overflows; not a number fails the comparison too. */
	bool is_sane = a > 1e-100 && a < 1e100 && s->offset > -1e100 && s->offset < 1e100;
	s->is_fast = s->number == DBC_INTEGER && s->length <= FAST_LENGTH && !s->has_ninth && is_sane;
}

/* Can signal i join a group with that word? */
static bool fits_word(const struct dbc_codec_signal *s, const struct dbc_group_place *p, uint8_t *shift)
{
	int bits = ((int)s->byte - p->byte) * 8;

	if (s->is_big != p->is_big)
		return false;
	int at = s->is_big ? s->shift - bits : s->shift + bits;
	*shift = (uint8_t)at;
	return at >= 0 && at + s->length <= 64;
}

static void set_lane(struct dbc_decode_group *d, struct dbc_encode_group *e, unsigned k,
		     const struct dbc_codec_signal *s, uint8_t shift)
{
	uint64_t sign = s->is_signed ? (uint64_t)1 << (s->length - 1) : 0;

	d->left[k] = 64u - shift - s->length;
	d->right[k] = 64u - s->length;
	d->flip[k] = 0x4330000000000000u | sign;
	d->bias[k] = 4503599627370496.0 + (double)sign;
	d->factor[k] = s->factor;
	d->offset[k] = s->offset;
	e->offset[k] = s->offset;
	e->inverse[k] = s->inverse;
	e->low[k] = s->is_signed ? (double)s->raw_min : 0;
	e->high[k] = (double)s->raw_max;
	e->mask[k] = UINT64_MAX >> (64 - s->length);
	e->shift[k] = shift;
	e->live[k] = -1;
}

/* Lanes without signal decode to 0; with mask 0 they encode to nothing. */
static void set_empty_lanes(struct dbc_decode_group *d, unsigned k)
{
	for (; k < DBC_LANES; k++) {
		d->flip[k] = 0x4330000000000000u;
		d->right[k] = 63;
	}
}

/* Neighbouring fast signals, four at a time. With groups NULL only counts. */
static unsigned make_groups(const struct dbc_codec_signal *s, unsigned n, unsigned n_bytes,
			    struct dbc_decode_group *d, struct dbc_encode_group *e,
			    struct dbc_group_place *places)
{
	unsigned n_groups = 0;

	for (unsigned i = 0; i < n;) {
		if (!s[i].is_fast) {
			i++;
			continue;
		}
		/* Payloads of 8 bytes have one word; elsewhere the first signal's. */
		struct dbc_group_place p = {(uint16_t)i, 0, n_bytes == 8 ? 0 : s[i].byte, s[i].is_big};
		uint8_t shift;
		for (; p.n < DBC_LANES && i < n && s[i].is_fast && fits_word(&s[i], &p, &shift); p.n++, i++)
			if (d)
				set_lane(&d[n_groups], &e[n_groups], p.n, &s[i], shift);
		if (d) {
			set_empty_lanes(&d[n_groups], p.n);
			places[n_groups] = p;
		}
		n_groups++;
	}
	return n_groups;
}

static void choose(struct dbc_codec_message *m)
{
	bool is_muxed = m->max_level > 0, is_one_word = m->n_bytes == 8;

	for (unsigned i = 0; i < m->n_groups; i++)
		is_one_word = is_one_word && !m->places[i].is_big && m->places[i].first == i * DBC_LANES;
	m->decode = m->n_slow ? dbc_decode_any : dbc_decode_plain;
	m->encode = m->n_slow || is_muxed ? dbc_encode_any : dbc_encode_plain;
#if defined(__x86_64__)
	if (!__builtin_cpu_supports("avx2"))
		return;
	if (m->decode == dbc_decode_plain)
		m->decode = is_one_word && m->n_groups == 1   ? dbc_decode_avx2_1
			    : is_one_word && m->n_groups == 2 ? dbc_decode_avx2_2
							      : dbc_decode_avx2;
	if (m->encode == dbc_encode_plain)
		m->encode = is_one_word ? dbc_encode_avx2_1 : dbc_encode_avx2;
#else
	(void)is_one_word;
#endif
}

static void fill_message(struct dbc_codec_message *m, const struct dbc_message *d, struct block *b)
{
	unsigned n_bytes = count_bytes(d);
	struct dbc_codec_signal *signals = take(b, d->n_signals * sizeof(*signals));
	/* At most as many groups as signals; the rest of the room is given back. */
	if (!b->base) {
		take(b, d->n_signals * sizeof(struct dbc_decode_group));
		take(b, d->n_signals * sizeof(struct dbc_encode_group));
		take(b, d->n_signals * sizeof(struct dbc_group_place));
		return;
	}
	*m = (struct dbc_codec_message){.def = d, .signals = signals, .n_signals = d->n_signals};
	m->n_bytes = (uint8_t)n_bytes;
	for (uint32_t i = 0; i < d->n_signals; i++) {
		fill_signal(&signals[i], d, i, n_bytes);
		m->n_slow = (uint16_t)(m->n_slow + !signals[i].is_fast);
		if (signals[i].level > m->max_level)
			m->max_level = signals[i].level;
	}
	unsigned n = make_groups(signals, d->n_signals, n_bytes, NULL, NULL, NULL);
	struct dbc_decode_group *dg = take(b, n * sizeof(*dg));
	struct dbc_encode_group *eg = take(b, n * sizeof(*eg));
	struct dbc_group_place *places = take(b, n * sizeof(*places));
	make_groups(signals, d->n_signals, n_bytes, dg, eg, places);
	m->decode_groups = dg;
	m->encode_groups = eg;
	m->places = places;
	m->n_groups = (uint16_t)n;
	m->n_values = (uint16_t)(d->n_signals + DBC_LANES - 1);
	choose(m);
}

static void fill_slots(struct dbc_codec *c, const struct dbc_db *db, struct dbc_codec_slot *slots)
{
	for (uint32_t k = 0; k < db->n_messages; k++) {
		const struct dbc_message *m = &db->messages[k];
		uint32_t i = (uint32_t)(m->raw_id * DBC_CODEC_HASH) >> c->shift;
		bool is_known = m->is_independent;

		for (; slots[i].ref; i = (i + 1) & c->mask)
			is_known = is_known || slots[i].raw_id == m->raw_id;
		if (!is_known)
			slots[i] = (struct dbc_codec_slot){m->raw_id, k + 1};
	}
}

static void fill(struct block *b, const struct dbc_db *db)
{
	struct dbc_codec *c = take(b, sizeof(*c));
	unsigned bits = 4;

	while ((uint64_t)1 << bits < 4 * (uint64_t)db->n_messages)
		bits++;
	struct dbc_codec_message *messages = take(b, db->n_messages * sizeof(*messages));
	struct dbc_codec_slot *slots = take(b, sizeof(*slots) << bits);
	if (b->base) {
		*c = (struct dbc_codec){.slots = slots, .messages = messages, .n_messages = db->n_messages};
		c->shift = (uint8_t)(32 - bits);
		c->mask = ((uint32_t)1 << bits) - 1;
		fill_slots(c, db, slots);
	}
	for (uint32_t i = 0; i < db->n_messages; i++) {
		fill_message(b->base ? &messages[i] : NULL, &db->messages[i], b);
		if (b->base && messages[i].n_values > c->max_values)
			c->max_values = messages[i].n_values;
	}
}

int dbc_codec_build(const struct dbc_db *db, struct dbc_codec **codec)
{
	struct block size = {0}, b = {0};

	fill(&size, db);
	size_t bytes = (size.used + 31) & ~(size_t)31;
	b.base = aligned_alloc(32, bytes);
	if (!b.base)
		return -ENOMEM;
	memset(b.base, 0, bytes);
	fill(&b, db);
	*codec = (struct dbc_codec *)b.base;
	return 0;
}

void dbc_codec_free(struct dbc_codec *codec)
{
	free(codec);
}
