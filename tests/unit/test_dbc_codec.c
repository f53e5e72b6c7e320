/* SPDX-License-Identifier: MIT */
/*
 * The run-time codec: every kind of signal against bits picked one by one, every raw value of our own
 * databases there and back, clamping, rounding, multiplexing.
 */
#include "tests/lib/dbc_files.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SAMPLES 4000 /* of raw values above 16 bits */

static uint64_t mask_of(const struct dbc_signal *s)
{
	return UINT64_MAX >> (64 - s->length);
}

static void fill_random(uint8_t *data, size_t len, uint64_t *seed)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)dbc_random(seed);
}

/* A message with one signal of every length and start that fits, one message each. */
static struct dbc_pair all_layouts(bool is_motorola, bool is_signed, unsigned n_bytes, unsigned step)
{
	size_t cap = 4u << 20, n = 0;
	char *text = malloc(cap);
	unsigned id = 0;

	assert_non_null(text);
	for (unsigned start = 0; start < n_bytes * 8; start += step) {
		unsigned first = is_motorola ? start / 8 * 8 + (7 - start % 8) : start;

		for (unsigned length = 1; length <= 64 && first + length <= n_bytes * 8; length++, id++)
			n += (size_t)snprintf(text + n, cap - n,
					      "BO_ %u M%u: %u X\n SG_ S : %u|%u@%d%c (1,0) [0|0] \"\" X\n",
					      id, id, n_bytes, start, length, is_motorola ? 0 : 1,
					      is_signed ? '-' : '+');
	}
	assert_true(n < cap - 200);
	struct dbc_pair p = dbc_pair_from_text(text);
	free(text);
	return p;
}

static void check_raw(const struct dbc_codec_message *m, uint64_t *seed)
{
	const struct dbc_codec_signal *s = &m->signals[0];
	uint8_t data[64], back[64], before[64];
	double values[DBC_LANES + 1];

	for (int i = 0; i < 8; i++) {
		fill_random(data, sizeof(data), seed);
		memcpy(before, data, sizeof(data));
		uint64_t bits = dbc_bits_one_by_one(s->def, data), raw = dbc_raw_read(s, data);
		assert_int_equal(raw & mask_of(s->def), bits);
		if (s->is_signed && s->length < 64)
			assert_int_equal((int64_t)raw,
					 (int64_t)(raw << (64 - s->length)) >> (64 - s->length));
		/* Writing changes the field and nothing else. */
		uint64_t other = dbc_random(seed);
		dbc_raw_write(s, data, other);
		assert_int_equal(dbc_bits_one_by_one(s->def, data), other & mask_of(s->def));
		dbc_raw_write(s, data, bits);
		assert_memory_equal(data, before, sizeof(data));
		dbc_decode(m, data, values);
		assert_true(values[0] == (s->is_signed ? (double)(int64_t)raw : (double)raw));
		if (s->length <= 53) {
			assert_int_equal(dbc_encode(m, values, back), 0);
			assert_int_equal(dbc_bits_one_by_one(s->def, back), bits);
		}
	}
}

static void test_codec_every_layout_agrees_with_bits_one_by_one(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		struct dbc_pair p = all_layouts(kind & 1, kind & 2, 8, 1);

		for (uint32_t i = 0; i < p.codec->n_messages; i++)
			check_raw(&p.codec->messages[i], &seed);
		dbc_pair_free(&p);
	}
}

static void test_codec_long_payloads_agree_with_bits_one_by_one(void **state)
{
	uint64_t seed = 4;

	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		struct dbc_pair p = all_layouts(kind & 1, kind & 2, 64, 11);

		assert_int_equal(p.codec->messages[0].n_bytes, 64);
		for (uint32_t i = 0; i < p.codec->n_messages; i++)
			check_raw(&p.codec->messages[i], &seed);
		dbc_pair_free(&p);
	}
}

static void check_raw_value(const struct dbc_codec_message *m, unsigned i, uint64_t raw, double *values)
{
	const struct dbc_codec_signal *s = &m->signals[i];
	uint8_t data[64] = {0}, back[64];

	dbc_raw_write(s, data, raw);
	dbc_decode(m, data, values);
	assert_true(values[i] == dbc_raw_to_physical(s, dbc_raw_read(s, data)));
	if (dbc_encode(m, values, back) != 0 || memcmp(data, back, m->n_bytes) != 0)
		fail_msg("%s.%s raw %llu", m->def->name, s->def->name, (unsigned long long)raw);
	uint64_t single;
	assert_false(dbc_physical_to_raw(s, values[i], &single));
	assert_int_equal(single & mask_of(s->def), raw);
}

static void check_signal_values(const struct dbc_codec_message *m, unsigned i, double *values, uint64_t *seed)
{
	unsigned length = m->signals[i].length;

	if (length <= 16) {
		for (uint64_t raw = 0; raw < (uint64_t)1 << length; raw++)
			check_raw_value(m, i, raw, values);
		return;
	}
	if (length > 53)
		return;
	for (int k = 0; k < SAMPLES; k++)
		check_raw_value(m, i, dbc_random(seed) & mask_of(m->signals[i].def), values);
	check_raw_value(m, i, 0, values);
	check_raw_value(m, i, mask_of(m->signals[i].def), values);
	check_raw_value(m, i, mask_of(m->signals[i].def) / 2, values);
	check_raw_value(m, i, mask_of(m->signals[i].def) / 2 + 1, values);
}

static void test_codec_every_raw_value_of_own_databases_survives(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (int f = 0; f < DBC_N_OWN; f++) {
		struct dbc_pair p = dbc_pair_from_file(dbc_own_files[f]);
		double *values = calloc(p.codec->max_values, sizeof(*values));

		assert_non_null(values);
		for (uint32_t k = 0; k < p.codec->n_messages; k++)
			for (unsigned i = 0; i < p.codec->messages[k].n_signals; i++)
				check_signal_values(&p.codec->messages[k], i, values, &seed);
		free(values);
		dbc_pair_free(&p);
	}
}

/* The portable functions against those chosen for this processor, in every bit of every value. */
static void test_codec_portable_and_chosen_code_agree(void **state)
{
	uint64_t seed = 6;

	(void)state;
	for (int f = 0; f < DBC_N_OWN; f++) {
		struct dbc_pair p = dbc_pair_from_file(dbc_own_files[f]);

		for (uint32_t k = 0; k < p.codec->n_messages; k++) {
			const struct dbc_codec_message *m = &p.codec->messages[k];
			double a[200], b[200], odd[200] = {0};
			uint8_t data[64], x[64], y[64];

			for (int r = 0; r < 200; r++) {
				fill_random(data, sizeof(data), &seed);
				dbc_decode(m, data, a);
				(m->n_slow ? dbc_decode_any : dbc_decode_plain)(m, data, b);
				assert_memory_equal(a, b, m->n_signals * sizeof(double));
				for (unsigned i = 0; i < m->n_signals; i++)
					odd[i] = ldexp((double)(int64_t)dbc_random(&seed),
						       -(int)(dbc_random(&seed) % 64));
				assert_int_equal(dbc_encode(m, odd, x), dbc_encode_any(m, odd, y));
				assert_memory_equal(x, y, m->n_bytes);
				if (m->n_slow)
					continue;
				assert_int_equal(dbc_encode_plain(m, odd, x), dbc_encode_any(m, odd, y));
				assert_memory_equal(x, y, m->n_bytes);
			}
		}
		dbc_pair_free(&p);
	}
}

static void test_codec_wide_scaled_signals_survive(void **state)
{
	static const char *const factors[] = {"0.1", "1.1", "0.26", "7", "1e-09", "-0.7"};
	uint64_t seed = 12;

	(void)state;
	for (size_t f = 0; f < sizeof(factors) / sizeof(factors[0]); f++) {
		for (unsigned length = 44; length <= 52; length++) {
			char text[200];

			snprintf(text, sizeof(text),
				 "BO_ 1 A: 8 X\n SG_ S : 3|%u@1+ (%s,-98765.4321) [0|0] \"\" X\n", length,
				 factors[f]);
			struct dbc_pair p = dbc_pair_from_text(text);
			double values[DBC_LANES + 1];
			/* From the top down, where doubles are sparse. */
			for (int i = 0; i < SAMPLES; i++)
				check_raw_value(&p.codec->messages[0], 0,
						mask_of(p.db->messages[0].signals) -
							dbc_random(&seed) % 100000,
						values);
			dbc_pair_free(&p);
		}
	}
}

static void test_codec_encode_rounds_to_nearest(void **state)
{
	struct dbc_pair p = dbc_pair_from_text("BO_ 1 A: 8 X\n SG_ S : 0|16@1- (0.1,0) [0|0] \"\" X\n"
					       " SG_ L : 16|48@1- (0.5,3) [0|0] \"\" X\n");
	const struct dbc_codec_message *m = &p.codec->messages[0];
	static const struct {
		double value;
		int64_t raw;
	} cases[] = {{401.64, 4016}, {401.66, 4017},	 {-0.04, 0},
		     {-0.06, -1},    {-3276.84, -32768}, {3276.74, 32767}};
	uint8_t data[8];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double values[DBC_LANES + 1] = {cases[i].value, 3.2};

		assert_int_equal(dbc_encode(m, values, data), 0);
		assert_int_equal((int64_t)dbc_raw_read(&m->signals[0], data), cases[i].raw);
		assert_int_equal((int64_t)dbc_raw_read(&m->signals[1], data), 0);
	}
	dbc_pair_free(&p);
}

static void test_codec_encode_clamps_and_counts(void **state)
{
	struct dbc_pair p = dbc_pair_from_text(
		"BO_ 1 A: 8 X\n SG_ U : 0|16@1+ (0.1,0) [0|0] \"\" X\n"
		" SG_ S : 16|16@1- (0.1,0) [0|0] \"\" X\n SG_ N : 32|8@1+ (-2,10) [0|0] \"\" X\n"
		" SG_ W : 40|16@0+ (1,0) [0|0] \"\" X\n");
	const struct dbc_codec_message *m = &p.codec->messages[0];
	double values[2 * DBC_LANES] = {6553.6, -3276.9, 11.5, 1e300};
	uint8_t data[8];

	(void)state;
	assert_int_equal(dbc_encode(m, values, data), 4);
	assert_int_equal(dbc_raw_read(&m->signals[0], data), 65535);
	assert_int_equal((int64_t)dbc_raw_read(&m->signals[1], data), -32768);
	assert_int_equal(dbc_raw_read(&m->signals[2], data), 0);
	assert_int_equal(dbc_raw_read(&m->signals[3], data), 65535);
	values[0] = -1e300;
	values[1] = INFINITY;
	values[2] = NAN;
	values[3] = -INFINITY;
	assert_int_equal(dbc_encode(m, values, data), 4);
	assert_int_equal(dbc_raw_read(&m->signals[0], data), 0);
	assert_int_equal((int64_t)dbc_raw_read(&m->signals[1], data), 32767);
	assert_int_equal(dbc_raw_read(&m->signals[2], data), 0);
	assert_int_equal(dbc_raw_read(&m->signals[3], data), 0);
	dbc_pair_free(&p);
}

static void test_codec_spare_lanes_do_not_matter(void **state)
{
	struct dbc_pair p = dbc_pair_from_text("BO_ 1 A: 2 X\n SG_ U : 0|16@1+ (1,0) [0|0] \"\" X\n");
	double values[DBC_LANES] = {513, NAN, INFINITY, -1e308};
	uint8_t data[8];

	(void)state;
	assert_int_equal(dbc_encode(&p.codec->messages[0], values, data), 0);
	assert_memory_equal(data, "\x01\x02\0\0\0\0\0\0", 8);
	dbc_pair_free(&p);
}

static void test_codec_floats_keep_their_value(void **state)
{
	struct dbc_pair p = dbc_pair_from_text(
		"BO_ 1 A: 8 X\n SG_ F : 0|32@1- (1,0) [0|0] \"\" X\n SG_ G : 39|32@0- (2,1) [0|0] \"\" X\n"
		"BO_ 2 B: 8 X\n SG_ D : 7|64@0- (1,0) [0|0] \"\" X\n"
		"SIG_VALTYPE_ 1 F : 1;\nSIG_VALTYPE_ 1 G : 1;\nSIG_VALTYPE_ 2 D : 2;\n");
	static const double list[] = {0, 1.5, -3.25e-20, 65504, 3.4028234663852886e38, INFINITY};
	uint8_t data[8];

	(void)state;
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		double in[DBC_LANES + 2] = {list[i], (double)(float)list[i] / 4 * 2 + 1}, out[DBC_LANES + 2];

		in[0] = (double)(float)list[i];
		assert_int_equal(dbc_encode(&p.codec->messages[0], in, data), 0);
		dbc_decode(&p.codec->messages[0], data, out);
		assert_true(out[0] == in[0]);
		assert_true(fabs(out[1] - in[1]) <= 1e-6 * fabs(in[1]) || out[1] == in[1]);
		assert_int_equal(dbc_encode(&p.codec->messages[1], list + i, data), 0);
		dbc_decode(&p.codec->messages[1], data, out);
		assert_true(out[0] == list[i]);
	}
	double huge[DBC_LANES + 2] = {1e39, 1};
	assert_int_equal(dbc_encode(&p.codec->messages[0], huge, data), 1);
	dbc_pair_free(&p);
}

static const char muxed[] =
	"BO_ 1 A: 8 X\n SG_ Deep m1 : 16|8@1+ (1,0) [0|0] \"\" X\n SG_ Sub m2M : 8|8@1+ (1,0) [0|0] \"\" X\n"
	" SG_ Kind M : 0|8@1+ (1,0) [0|0] \"\" X\n SG_ One m1 : 8|16@1+ (1,0) [0|0] \"\" X\n"
	" SG_ Loop m1M : 24|8@1+ (1,0) [0|0] \"\" X\n SG_ Always : 56|8@1+ (1,0) [0|0] \"\" X\n"
	"SG_MUL_VAL_ 1 Deep Sub 1-3;\nSG_MUL_VAL_ 1 Sub Kind 2-2;\nSG_MUL_VAL_ 1 One Kind 1-1;\n"
	"SG_MUL_VAL_ 1 Loop Loop 1-1;\n";

static void test_codec_multiplexors_select_signals(void **state)
{
	struct dbc_pair p = dbc_pair_from_text(muxed);
	const struct dbc_codec_message *m = &p.codec->messages[0];
	/*                          Deep  Sub Kind One     Loop Always */
	double values[16] = {7, 3, 2, 0x1234, 9, 200};
	uint8_t data[8];

	(void)state;
	dbc_encode(m, values, data);
	assert_memory_equal(data, "\x02\x03\x07\0\0\0\0\xc8", 8);
	assert_true(dbc_is_present(m, 0, data, 8));
	assert_false(dbc_is_present(m, 3, data, 8));
	assert_false(dbc_is_present(m, 4, data, 8));
	assert_true(dbc_is_present(m, 5, data, 8));
	assert_false(dbc_is_present(m, 5, data, 7));
	values[2] = 1;
	dbc_encode(m, values, data);
	assert_memory_equal(data, "\x01\x34\x12\0\0\0\0\xc8", 8);
	assert_false(dbc_is_present(m, 0, data, 8));
	values[2] = 2;
	values[1] = 4;
	dbc_encode(m, values, data);
	assert_memory_equal(data, "\x02\x04\0\0\0\0\0\xc8", 8);
	dbc_pair_free(&p);
}

static void test_codec_signals_that_fit_nowhere_are_left_out(void **state)
{
	struct dbc_pair p = dbc_pair_from_text(
		"BO_ 1 A: 8 X\n SG_ Far : 510|8@1+ (1,0) [0|0] \"\" X\n SG_ Long : 0|65@1+ (1,0) [0|0] \"\" X\n"
		" SG_ None : 0|0@1+ (1,0) [0|0] \"\" X\n SG_ Zero : 0|8@1+ (0,5) [0|0] \"\" X\n"
		" SG_ Good : 8|8@1+ (1,0) [0|0] \"\" X\n");
	const struct dbc_codec_message *m = &p.codec->messages[0];
	double values[16] = {1, 1, 1, 1, 9};
	uint8_t data[64];

	(void)state;
	assert_int_equal(dbc_encode(m, values, data), 0);
	assert_int_equal(data[0], 0);
	assert_int_equal(data[1], 9);
	dbc_decode(m, data, values);
	assert_true(values[0] == 0 && values[1] == 0 && values[2] == 0 && values[3] == 5 && values[4] == 9);
	assert_false(dbc_is_present(m, 0, data, 64));
	dbc_pair_free(&p);
}

static void test_codec_find_knows_every_identifier_and_no_other(void **state)
{
	uint64_t seed = 8;

	(void)state;
	for (int f = 0; f < DBC_N_OWN; f++) {
		struct dbc_pair p = dbc_pair_from_file(dbc_own_files[f]);

		for (uint32_t i = 0; i < p.codec->n_messages; i++)
			assert_ptr_equal(dbc_codec_find(p.codec, p.db->messages[i].raw_id),
					 &p.codec->messages[i]);
		for (int i = 0; i < 10000; i++) {
			uint32_t id = (uint32_t)dbc_random(&seed);
			const struct dbc_codec_message *m = dbc_codec_find(p.codec, id);

			assert_true(m == NULL || m->def->raw_id == id);
			assert_true((m != NULL) == (dbc_find_message(p.db, id) != NULL));
		}
		dbc_pair_free(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codec_every_layout_agrees_with_bits_one_by_one),
		cmocka_unit_test(test_codec_long_payloads_agree_with_bits_one_by_one),
		cmocka_unit_test(test_codec_every_raw_value_of_own_databases_survives),
		cmocka_unit_test(test_codec_portable_and_chosen_code_agree),
		cmocka_unit_test(test_codec_wide_scaled_signals_survive),
		cmocka_unit_test(test_codec_encode_rounds_to_nearest),
		cmocka_unit_test(test_codec_encode_clamps_and_counts),
		cmocka_unit_test(test_codec_spare_lanes_do_not_matter),
		cmocka_unit_test(test_codec_floats_keep_their_value),
		cmocka_unit_test(test_codec_multiplexors_select_signals),
		cmocka_unit_test(test_codec_signals_that_fit_nowhere_are_left_out),
		cmocka_unit_test(test_codec_find_knows_every_identifier_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
