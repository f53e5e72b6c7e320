/* SPDX-License-Identifier: MIT */
/*
 * Angles, directions and lengths in integers. Pure: no libm here, and the same bits on every machine.
 */
#include "site-ctrl/site_model_priv.h"

#define FULL_mdeg    360000
#define HALF_mdeg    180000
#define QUARTER_mdeg 90000
#define EIGHTH_mdeg  45000

/* pi / 180000, times 2^62: 45000 of it fit into 63 bits. */
#define RAD_PER_MDEG_Q62 INT64_C(80489105089746)
#define SIN_60_Q30	 929887697 /* sqrt(3) / 2 */
#define SIN_45_Q30	 759250125

static int64_t mul_q31(int64_t a, int64_t b)
{
	return (a * b + (INT64_C(1) << 30)) >> 31;
}

/* Up to 45 degrees, by the series: what it leaves out is below 2^-38. */
static struct alloc_dir first_eighth(int32_t mdeg)
{
	int64_t x = (mdeg * RAD_PER_MDEG_Q62 + (INT64_C(1) << 30)) >> 31, x2 = mul_q31(x, x);
	int64_t one = INT64_C(1) << 31, cos_term = one, sin_term = x, c = one, s = x;
	int n;

	if (mdeg == 0)
		return (struct alloc_dir){ALLOC_Q30, 0};
	if (mdeg == 30000)
		return (struct alloc_dir){SIN_60_Q30, ALLOC_Q30 / 2};
	if (mdeg == EIGHTH_mdeg)
		return (struct alloc_dir){SIN_45_Q30, SIN_45_Q30};
	for (n = 1; n <= 11; n += 2) {
		cos_term = -mul_q31(cos_term, x2) / (n * (n + 1));
		sin_term = -mul_q31(sin_term, x2) / ((n + 1) * (n + 2));
		c += cos_term;
		s += sin_term;
	}
	return (struct alloc_dir){(int32_t)((c + 1) >> 1), (int32_t)((s + 1) >> 1)};
}

int32_t site_angle_norm(int64_t angle_mdeg)
{
	int64_t a = angle_mdeg % FULL_mdeg;

	return (int32_t)(a < 0 ? a + FULL_mdeg : a);
}

int32_t site_angle_between(int32_t a_mdeg, int32_t b_mdeg)
{
	int32_t d = site_angle_norm((int64_t)a_mdeg - b_mdeg);

	return d > HALF_mdeg ? FULL_mdeg - d : d;
}

struct alloc_dir site_angle_dir(int32_t angle_mdeg)
{
	int32_t a = site_angle_norm(angle_mdeg), quarter = a / QUARTER_mdeg, rest = a % QUARTER_mdeg;
	struct alloc_dir d = first_eighth(rest > EIGHTH_mdeg ? QUARTER_mdeg - rest : rest);

	if (rest > EIGHTH_mdeg)
		d = (struct alloc_dir){d.sin_q30, d.cos_q30};
	if (quarter == 1)
		return (struct alloc_dir){-d.sin_q30, d.cos_q30};
	if (quarter == 2)
		return (struct alloc_dir){-d.cos_q30, -d.sin_q30};
	if (quarter == 3)
		return (struct alloc_dir){d.sin_q30, -d.cos_q30};
	return d;
}

/* Rounded down. */
static uint64_t square_root(uint64_t v)
{
	uint64_t bit = UINT64_C(1) << 62, root = 0;

	while (bit > v)
		bit >>= 2;
	for (; bit; bit >>= 2) {
		if (v >= root + bit) {
			v -= root + bit;
			root = (root >> 1) + bit;
		} else {
			root >>= 1;
		}
	}
	return root;
}

int32_t site_vector_split(int64_t x, int64_t y, struct alloc_dir *dir)
{
	int64_t ax = x < 0 ? -x : x, ay = y < 0 ? -y : y, big = ax > ay ? ax : ay, length;
	int shift = 0;

	/* One coefficient that rounding alone has made: below 2^-16 of a unit. */
	if (big < ALLOC_Q30 / 2)
		return 0;
	while (big >> shift > ALLOC_Q30)
		shift++;
	ax >>= shift;
	ay >>= shift;
	length = (int64_t)square_root((uint64_t)(ax * ax) + (uint64_t)(ay * ay));
	dir->cos_q30 = (int32_t)((ax * ALLOC_Q30 + length / 2) / length);
	dir->sin_q30 = (int32_t)((ay * ALLOC_Q30 + length / 2) / length);
	if (x < 0)
		dir->cos_q30 = -dir->cos_q30;
	if (y < 0)
		dir->sin_q30 = -dir->sin_q30;
	/* Back to Q16; what the shift and the root cut off is put on. */
	length = ((length + 2) << shift) - 1;
	return fc_clamp_i32((length >> 30) + 1, 1, INT32_MAX);
}
