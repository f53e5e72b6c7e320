/* SPDX-License-Identifier: MIT */
/*
 * Run-time codec against a floor: the bare scalar shifts and multiplication from precomputed constants,
 * without lookup, clamping and rounding rules. All messages of a database round robin, random payloads.
 *
 * bench_codec [FILE]: default dbc/evse_v3.6.dbc. Medians of rounds; the ratio is what survives another
 * machine.
 */
#include "dbc/dbc_table.h"

#include "bench/bench_time.h"

#include <stdio.h>
#include <stdlib.h>

#define N_FRAMES     4096
#define N_ROUNDS     41
#define MAX_MESSAGES 256

struct floor_signal {
	uint8_t left, right;
	bool is_signed;
	double factor, offset, inverse, low, high;
	uint64_t mask;
	uint8_t shift;
};

struct frame {
	uint32_t raw_id;
	uint32_t message;
	uint8_t data[8];
};

struct bench {
	struct dbc_db *db;
	struct dbc_codec *codec;
	struct floor_signal *floor[MAX_MESSAGES];
	uint32_t plain[MAX_MESSAGES], n_plain;
	struct frame frames[N_FRAMES];
	double *values; /* of all frames, one after the other */
	size_t per_frame;
	double n_signals; /* of all frames */
};

/* Messages that a floor with one little-endian word can do. */
static bool is_plain(const struct dbc_message *m)
{
	if (m->dlc > 8 || m->n_signals == 0 || m->is_independent)
		return false;
	for (uint32_t i = 0; i < m->n_signals; i++)
		if (m->signals[i].is_motorola || m->signals[i].number != DBC_INTEGER ||
		    m->signals[i].length > 48 || m->signals[i].start + m->signals[i].length > 64 ||
		    m->signals[i].n_mux)
			return false;
	return true;
}

static void prepare_floor(struct bench *b, uint32_t k)
{
	const struct dbc_message *m = &b->db->messages[k];
	struct floor_signal *f = calloc(m->n_signals, sizeof(*f));

	for (uint32_t i = 0; i < m->n_signals && f; i++) {
		const struct dbc_signal *s = &m->signals[i];

		f[i].left = (uint8_t)(64 - s->start - s->length);
		f[i].right = (uint8_t)(64 - s->length);
		f[i].is_signed = s->is_signed;
		f[i].factor = s->factor;
		f[i].offset = s->offset;
		f[i].inverse = 1 / s->factor;
		f[i].mask = UINT64_MAX >> (64 - s->length);
		f[i].shift = (uint8_t)s->start;
		f[i].low = s->is_signed ? -(double)((uint64_t)1 << (s->length - 1)) : 0;
		f[i].high = s->is_signed ? -f[i].low - 1 : (double)f[i].mask;
	}
	b->floor[k] = f;
}

static void prepare(struct bench *b)
{
	uint64_t seed = 1;

	for (uint32_t k = 0; k < b->db->n_messages && k < MAX_MESSAGES; k++) {
		if (!is_plain(&b->db->messages[k]))
			continue;
		b->plain[b->n_plain++] = k;
		prepare_floor(b, k);
	}
	if (!b->n_plain) {
		fprintf(stderr, "no plain message in the database\n");
		exit(1);
	}
	b->per_frame = b->codec->max_values;
	b->values = calloc(N_FRAMES * b->per_frame, sizeof(double));
	for (unsigned i = 0; i < N_FRAMES; i++) {
		uint32_t k = b->plain[i % b->n_plain];
		uint64_t w = bench_random(&seed);

		b->frames[i].message = k;
		b->frames[i].raw_id = b->db->messages[k].raw_id;
		memcpy(b->frames[i].data, &w, 8);
		b->n_signals += b->db->messages[k].n_signals;
	}
}

static double decode_ours(struct bench *b)
{
	double start = bench_now_ns(), values[64];

	for (unsigned i = 0; i < N_FRAMES; i++) {
		dbc_decode(dbc_codec_find(b->codec, b->frames[i].raw_id), b->frames[i].data, values);
		bench_use(values);
	}
	return (bench_now_ns() - start) / N_FRAMES;
}

static double decode_floor(struct bench *b)
{
	double start = bench_now_ns(), values[64];

	for (unsigned i = 0; i < N_FRAMES; i++) {
		const struct floor_signal *f = b->floor[b->frames[i].message];
		unsigned n = b->db->messages[b->frames[i].message].n_signals;
		uint64_t w;

		memcpy(&w, b->frames[i].data, 8);
		for (unsigned k = 0; k < n; k++) {
			uint64_t x = w << f[k].left;

			values[k] = (f[k].is_signed ? (double)((int64_t)x >> f[k].right)
						    : (double)(int64_t)(x >> f[k].right)) *
					    f[k].factor +
				    f[k].offset;
		}
		bench_use(values);
	}
	return (bench_now_ns() - start) / N_FRAMES;
}

static double encode_ours(struct bench *b)
{
	double start = bench_now_ns();
	uint8_t data[64];
	unsigned n_clipped = 0;

	for (unsigned i = 0; i < N_FRAMES; i++) {
		n_clipped += dbc_encode(dbc_codec_find(b->codec, b->frames[i].raw_id),
					b->values + i * b->per_frame, data);
		bench_use(data);
	}
	double ns = (bench_now_ns() - start) / N_FRAMES;
	if (n_clipped)
		printf("clipped: %u\n", n_clipped);
	return ns;
}

static double encode_floor(struct bench *b)
{
	double start = bench_now_ns();

	for (unsigned i = 0; i < N_FRAMES; i++) {
		const struct floor_signal *f = b->floor[b->frames[i].message];
		const double *values = b->values + i * b->per_frame;
		unsigned n = b->db->messages[b->frames[i].message].n_signals;
		uint64_t w = 0;

		for (unsigned k = 0; k < n; k++) {
			double v = (values[k] - f[k].offset) * f[k].inverse;

			v = v < f[k].low ? f[k].low : v > f[k].high ? f[k].high : v;
			w |= ((uint64_t)(int64_t)(v < 0 ? v - 0.5 : v + 0.5) & f[k].mask) << f[k].shift;
		}
		bench_use(&w);
	}
	return (bench_now_ns() - start) / N_FRAMES;
}

/* What was decoded has to come back bit for bit. */
static unsigned check_round_trip(struct bench *b)
{
	unsigned n_wrong = 0;

	for (unsigned i = 0; i < N_FRAMES; i++) {
		const struct dbc_codec_message *m = dbc_codec_find(b->codec, b->frames[i].raw_id);
		double *values = b->values + i * b->per_frame;
		uint8_t data[64];

		dbc_decode(m, b->frames[i].data, values);
		dbc_encode(m, values, data);
		for (unsigned k = 0; k < m->n_signals; k++)
			n_wrong += dbc_raw_read(&m->signals[k], data) !=
				   dbc_raw_read(&m->signals[k], b->frames[i].data);
	}
	return n_wrong;
}

static void report(const char *what, struct bench *b, double (*ours)(struct bench *),
		   double (*base)(struct bench *))
{
	double a[N_ROUNDS], f[N_ROUNDS];

	for (unsigned r = 0; r < N_ROUNDS; r++) {
		a[r] = ours(b);
		f[r] = base(b);
	}
	double x = bench_median(a, N_ROUNDS), y = bench_median(f, N_ROUNDS), per = b->n_signals / N_FRAMES;
	printf("%s: %.2f ns/frame, %.2f ns/signal with lookup; floor %.2f ns/frame, %.2f ns/signal; ratio %.2f\n",
	       what, x, x / per, y, y / per, x / y);
}

int main(int argc, char **argv)
{
	static struct bench b;
	struct dbc_error error;
	const char *path = argc > 1 ? argv[1] : "dbc/evse_v3.6.dbc";

	if (dbc_parse_file(path, &b.db, &error)) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	if (dbc_codec_build(b.db, &b.codec))
		return 1;
	prepare(&b);
	unsigned n_wrong = check_round_trip(&b);
	printf("%s: %u messages, %.2f signals a frame, %u raw values lost in %u frames\n", path, b.n_plain,
	       b.n_signals / N_FRAMES, n_wrong, N_FRAMES);
	report("decode", &b, decode_ours, decode_floor);
	report("encode", &b, encode_ours, encode_floor);
	for (uint32_t i = 0; i < b.n_plain; i++)
		free(b.floor[b.plain[i]]);
	free(b.values);
	dbc_codec_free(b.codec);
	dbc_free(b.db);
	return n_wrong != 0;
}
