/* SPDX-License-Identifier: MIT */
/*
 * Run-time codec. Pure.
 *
 * The usual signal becomes a double without a conversion instruction: its bits, with the sign bit inverted,
 * are the mantissa of a double between 2^52 and 2^53; subtracting 2^52 (and the weight of the sign bit)
 * leaves the raw value exactly. So four signals take seven vector operations, and the same code serves
 * processors without such vectors.
 */
#include "dbc/dbc_codec.h"

#include <string.h>

typedef uint64_t u64x4 __attribute__((vector_size(32)));
typedef int64_t i64x4 __attribute__((vector_size(32)));
typedef double f64x4 __attribute__((vector_size(32)));

/* Adding this to a double below 2^51 rounds it to a whole number, which is then in the lower bits. */
#define ROUND 6755399441055744.0 /* 1.5 * 2^52 */

static inline uint64_t load_word(const uint8_t *data, bool is_big)
{
	uint64_t w;

	memcpy(&w, data, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return is_big ? w : __builtin_bswap64(w);
#else
	return is_big ? __builtin_bswap64(w) : w;
#endif
}

static inline void store_word(uint8_t *data, bool is_big, uint64_t w)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	w = is_big ? w : __builtin_bswap64(w);
#else
	w = is_big ? __builtin_bswap64(w) : w;
#endif
	memcpy(data, &w, 8);
}

/* Nearly always one word, for which compilers make too much of memset. */
static inline void clear(uint8_t *data, unsigned n_bytes)
{
	memset(data, 0, 8);
	if (n_bytes > 8)
		memset(data + 8, 0, n_bytes - 8);
}

/*
 * Stores all lanes: groups come in the order of the signals, so that unused ones are overwritten or spare
 * room.
 */
static inline __attribute__((always_inline)) void decode_group(const struct dbc_decode_group *g, uint64_t w,
							       double *values)
{
	u64x4 left, right, flip, x = {w, w, w, w};
	f64x4 bias, factor, offset, v;

	memcpy(&left, g->left, sizeof(left));
	memcpy(&right, g->right, sizeof(right));
	memcpy(&flip, g->flip, sizeof(flip));
	memcpy(&bias, g->bias, sizeof(bias));
	memcpy(&factor, g->factor, sizeof(factor));
	memcpy(&offset, g->offset, sizeof(offset));
	x = ((x << left) >> right) ^ flip;
	memcpy(&v, &x, sizeof(v));
	v = (v - bias) * factor + offset;
	memcpy(values, &v, sizeof(v));
}

static inline __attribute__((always_inline)) uint64_t encode_group(const struct dbc_encode_group *g,
								   const double *values, unsigned *n_clipped)
{
	u64x4 mask, shift, x;
	f64x4 offset, inverse, low, high, v;
	i64x4 live;

	memcpy(&live, g->live, sizeof(live));
	memcpy(&offset, g->offset, sizeof(offset));
	memcpy(&inverse, g->inverse, sizeof(inverse));
	memcpy(&low, g->low, sizeof(low));
	memcpy(&high, g->high, sizeof(high));
	memcpy(&mask, g->mask, sizeof(mask));
	memcpy(&shift, g->shift, sizeof(shift));
	memcpy(&v, values, sizeof(v));
	v = (v - offset) * inverse;
	v = (v + ROUND) - ROUND;
	/* Written so that not a number becomes low. */
	i64x4 is_in_low = v >= low, is_in_high = v <= high;
	i64x4 out = live & ~(is_in_low & is_in_high);
	v = (f64x4)(((i64x4)v & is_in_low) | ((i64x4)low & ~is_in_low));
	v = (f64x4)(((i64x4)v & (is_in_high | ~is_in_low)) | ((i64x4)high & ~is_in_high & is_in_low));
	v += ROUND;
	memcpy(&x, &v, sizeof(x));
	x = (x & mask) << shift;
	*n_clipped -= (unsigned)(out[0] + out[1] + out[2] + out[3]);
	return (x[0] | x[1]) | (x[2] | x[3]);
}

static uint64_t extend(const struct dbc_codec_signal *s, uint64_t raw)
{
	unsigned free_bits = 64u - s->length;

	raw <<= free_bits;
	if (s->is_signed && s->number == DBC_INTEGER)
		return (uint64_t)((int64_t)raw >> free_bits);
	return raw >> free_bits;
}

uint64_t dbc_raw_read(const struct dbc_codec_signal *s, const uint8_t *data)
{
	if (s->length == 0)
		return 0;
	uint64_t w = load_word(data + s->byte, s->is_big);
	if (!s->has_ninth)
		return extend(s, w >> s->shift);
	if (s->is_big) {
		/* shift counts from the end of the ninth byte. */
		w = w << (8 - s->shift) | data[s->byte + 8] >> s->shift;
		return extend(s, w);
	}
	return extend(s, w >> s->shift | (uint64_t)data[s->byte + 8] << (64 - s->shift));
}

void dbc_raw_write(const struct dbc_codec_signal *s, uint8_t *data, uint64_t raw)
{
	if (s->length == 0)
		return;
	uint64_t mask = UINT64_MAX >> (64 - s->length);
	uint64_t w = load_word(data + s->byte, s->is_big);
	uint8_t *ninth = data + s->byte + 8;

	raw &= mask;
	if (!s->has_ninth) {
		w = (w & ~(mask << s->shift)) | raw << s->shift;
	} else if (s->is_big) {
		unsigned up = 8u - s->shift;

		*ninth = (uint8_t)((*ninth & ((1u << s->shift) - 1)) | (uint8_t)(raw << s->shift));
		w = (w & ~(mask >> up)) | raw >> up;
	} else {
		uint8_t high = (uint8_t)(mask >> (64 - s->shift));

		*ninth = (uint8_t)((*ninth & ~high) | (uint8_t)(raw >> (64 - s->shift)));
		w = (w & ~(mask << s->shift)) | raw << s->shift;
	}
	store_word(data + s->byte, s->is_big, w);
}

double dbc_raw_to_physical(const struct dbc_codec_signal *s, uint64_t raw)
{
	double v;

	if (s->number == DBC_FLOAT64) {
		memcpy(&v, &raw, sizeof(v));
	} else if (s->number == DBC_FLOAT32) {
		uint32_t bits = (uint32_t)raw;
		float f;

		memcpy(&f, &bits, sizeof(f));
		v = (double)f;
	} else {
		v = s->is_signed ? (double)(int64_t)raw : (double)raw;
	}
	return v * s->factor + s->offset;
}

/* To the nearest whole number; doubles from 2^52 on are whole. */
static double round_whole(double v)
{
	if (v > -4503599627370496.0 && v < 4503599627370496.0)
		return v < 0 ? (v - 4503599627370496.0) + 4503599627370496.0
			     : (v + 4503599627370496.0) - 4503599627370496.0;
	return v;
}

static bool clamp_whole(const struct dbc_codec_signal *s, double v, uint64_t *raw)
{
	double low = s->is_signed ? (double)s->raw_min : 0;

	if (!(v >= low)) {
		*raw = s->is_signed ? (uint64_t)s->raw_min : 0;
		return true;
	}
	/* (double)raw_max may be one more than raw_max. */
	if (v >= (double)s->raw_max) {
		*raw = s->raw_max;
		return v > (double)s->raw_max;
	}
	*raw = s->is_signed ? (uint64_t)(int64_t)v : (uint64_t)v;
	return false;
}

/* With wide signals the division may miss by one: the raw value whose meaning is exactly the number wins. */
static void settle(const struct dbc_codec_signal *s, double value, uint64_t *raw)
{
	if (s->length < 48 || dbc_raw_to_physical(s, *raw) == value)
		return;
	for (int d = -1; d <= 1; d += 2) {
		uint64_t near = *raw + (uint64_t)(int64_t)d;

		if (extend(s, near) == near && dbc_raw_to_physical(s, near) == value)
			*raw = near;
	}
}

static bool float_to_raw(const struct dbc_codec_signal *s, double v, uint64_t *raw)
{
	const double top = 3.40282346638528859812e38; /* largest float */
	bool is_clipped = false;

	if (s->number == DBC_FLOAT64) {
		memcpy(raw, &v, sizeof(v));
		return false;
	}
	/* Infinity is a value of a float, what is beyond its finite numbers is not. */
	if (v > top && v - v == 0) {
		v = top;
		is_clipped = true;
	} else if (v < -top && v - v == 0) {
		v = -top;
		is_clipped = true;
	}
	float f = (float)v;
	uint32_t bits;
	memcpy(&bits, &f, sizeof(bits));
	*raw = bits;
	return is_clipped;
}

bool dbc_physical_to_raw(const struct dbc_codec_signal *s, double value, uint64_t *raw)
{
	if (s->length == 0 || s->factor == 0) {
		*raw = 0;
		return false;
	}
	if (s->number != DBC_INTEGER)
		return float_to_raw(s, (value - s->offset) / s->factor, raw);
	bool is_clipped = clamp_whole(s, round_whole((value - s->offset) / s->factor), raw);
	if (!is_clipped)
		settle(s, value, raw);
	return is_clipped;
}

static bool is_selected(const struct dbc_codec_signal *s, uint64_t number)
{
	for (unsigned i = 0; i < s->n_mux; i++)
		if (number >= s->mux[i].first && number <= s->mux[i].last)
			return true;
	return false;
}

bool dbc_is_present(const struct dbc_codec_message *m, unsigned signal, const uint8_t *data, size_t len)
{
	const struct dbc_codec_signal *s = &m->signals[signal];

	/* The table builder has refused circles. */
	for (;;) {
		if (s->length == 0 || s->end > len)
			return false;
		if (s->parent == DBC_NO_PARENT)
			return true;
		const struct dbc_codec_signal *p = &m->signals[s->parent];
		/* Numbers of multiplexors are not signed, whatever the signal says. */
		uint64_t raw = p->length ? dbc_raw_read(p, data) & UINT64_MAX >> (64 - p->length) : 0;
		if (!is_selected(s, raw))
			return false;
		s = p;
	}
}

static inline __attribute__((always_inline)) void decode_groups(const struct dbc_codec_message *m,
								const uint8_t *data, double *values)
{
	for (unsigned i = 0; i < m->n_groups; i++) {
		const struct dbc_group_place *p = &m->places[i];

		decode_group(&m->decode_groups[i], load_word(data + p->byte, p->is_big), values + p->first);
	}
}

/* The same without vectors. */
static void decode_lanes(const struct dbc_codec_message *m, const uint8_t *data, double *values)
{
	for (unsigned i = 0; i < m->n_groups; i++) {
		const struct dbc_decode_group *g = &m->decode_groups[i];
		const struct dbc_group_place *p = &m->places[i];
		uint64_t w = load_word(data + p->byte, p->is_big);

		for (unsigned k = 0; k < p->n; k++) {
			uint64_t x = ((w << g->left[k]) >> g->right[k]) ^ g->flip[k];
			double v;

			memcpy(&v, &x, sizeof(v));
			values[p->first + k] = (v - g->bias[k]) * g->factor[k] + g->offset[k];
		}
	}
}

static void decode_slow(const struct dbc_codec_message *m, const uint8_t *data, double *values)
{
	for (unsigned i = 0; i < m->n_signals; i++) {
		const struct dbc_codec_signal *s = &m->signals[i];

		if (!s->is_fast)
			values[i] = s->length ? dbc_raw_to_physical(s, dbc_raw_read(s, data)) : 0;
	}
}

void dbc_decode_plain(const struct dbc_codec_message *m, const uint8_t *data, double *values)
{
	decode_lanes(m, data, values);
}

void dbc_decode_any(const struct dbc_codec_message *m, const uint8_t *data, double *values)
{
	decode_lanes(m, data, values);
	decode_slow(m, data, values);
}

static inline __attribute__((always_inline)) unsigned encode_groups(const struct dbc_codec_message *m,
								    const double *values, uint8_t *data)
{
	unsigned n_clipped = 0;

	clear(data, m->n_bytes);
	for (unsigned i = 0; i < m->n_groups; i++) {
		const struct dbc_group_place *p = &m->places[i];
		uint64_t w = encode_group(&m->encode_groups[i], values + p->first, &n_clipped);

		store_word(data + p->byte, p->is_big, w | load_word(data + p->byte, p->is_big));
	}
	return n_clipped;
}

static uint64_t encode_lanes(const struct dbc_encode_group *g, unsigned n, const double *values,
			     unsigned *n_clipped)
{
	uint64_t w = 0;

	for (unsigned k = 0; k < n; k++) {
		double v = (values[k] - g->offset[k]) * g->inverse[k];
		uint64_t x;

		v = (v + ROUND) - ROUND;
		double c = v >= g->low[k] ? v : g->low[k];
		c = c <= g->high[k] ? c : g->high[k];
		*n_clipped += !(c == v);
		c += ROUND;
		memcpy(&x, &c, sizeof(x));
		w |= (x & g->mask[k]) << g->shift[k];
	}
	return w;
}

unsigned dbc_encode_plain(const struct dbc_codec_message *m, const double *values, uint8_t *data)
{
	unsigned n_clipped = 0;

	clear(data, m->n_bytes);
	for (unsigned i = 0; i < m->n_groups; i++) {
		const struct dbc_group_place *p = &m->places[i];
		uint64_t w = encode_lanes(&m->encode_groups[i], p->n, values + p->first, &n_clipped);

		store_word(data + p->byte, p->is_big, w | load_word(data + p->byte, p->is_big));
	}
	return n_clipped;
}

/* Level by level, so that the multiplexors are written before it is asked what they select. */
unsigned dbc_encode_any(const struct dbc_codec_message *m, const double *values, uint8_t *data)
{
	unsigned n_clipped = 0;

	clear(data, m->n_bytes);
	for (unsigned level = 0; level <= m->max_level; level++) {
		for (unsigned i = 0; i < m->n_signals; i++) {
			const struct dbc_codec_signal *s = &m->signals[i];
			uint64_t raw;

			if (s->level != level || (level && !dbc_is_present(m, i, data, m->n_bytes)) ||
			    !s->length)
				continue;
			n_clipped += dbc_physical_to_raw(s, values[i], &raw);
			/*
			 * Signals that overlap, against the rules, are joined as in the other ways to encode.
			 */
			dbc_raw_write(s, data, raw | dbc_raw_read(s, data));
		}
	}
	return n_clipped;
}

#if defined(__x86_64__)

__attribute__((target("avx2"))) void dbc_decode_avx2(const struct dbc_codec_message *m, const uint8_t *data,
						     double *values)
{
	decode_groups(m, data, values);
}

/* Plain little-endian messages of 8 bytes are most of all traffic. */
__attribute__((target("avx2"))) void dbc_decode_avx2_1(const struct dbc_codec_message *m, const uint8_t *data,
						       double *values)
{
	decode_group(&m->decode_groups[0], load_word(data, false), values);
}

__attribute__((target("avx2"))) void dbc_decode_avx2_2(const struct dbc_codec_message *m, const uint8_t *data,
						       double *values)
{
	uint64_t w = load_word(data, false);

	decode_group(&m->decode_groups[0], w, values);
	decode_group(&m->decode_groups[1], w, values + DBC_LANES);
}

__attribute__((target("avx2"))) unsigned dbc_encode_avx2(const struct dbc_codec_message *m,
							 const double *values, uint8_t *data)
{
	return encode_groups(m, values, data);
}

/* All groups in one little-endian word. */
__attribute__((target("avx2"))) unsigned dbc_encode_avx2_1(const struct dbc_codec_message *m,
							   const double *values, uint8_t *data)
{
	unsigned n_clipped = 0;
	uint64_t w = 0;

	for (unsigned i = 0; i < m->n_groups; i++)
		w |= encode_group(&m->encode_groups[i], values + DBC_LANES * i, &n_clipped);
	store_word(data, false, w);
	return n_clipped;
}

#endif
