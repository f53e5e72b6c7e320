/* SPDX-License-Identifier: MIT */
/*
 * Generated code for DC_Power_Control: payload to struct and back through the layout table, with checks and
 * rounding. Floor: the same bits moved by hand, nothing checked. Medians of rounds.
 */
#include "evse_msgs.h"

#include "bench/bench_time.h"

#include <stdio.h>

#define N_MSGS	 1024
#define N_REPEAT 64
#define N_ROUNDS 41

struct bench {
	uint8_t data[N_MSGS][8];
	struct evse_dc_power_control msgs[N_MSGS];
	canid_t ids[N_MSGS];
	const struct msg_layout *layout;
	unsigned n_clipped;
};

static double per_msg(double start)
{
	return (bench_now_ns() - start) / (N_MSGS * N_REPEAT);
}

static double unpack_ours(struct bench *b)
{
	double start = bench_now_ns();
	struct evse_dc_power_control m;

	for (unsigned r = 0; r < N_REPEAT; r++) {
		for (unsigned i = 0; i < N_MSGS; i++) {
			b->layout->unpack(&m, b->data[i]);
			bench_use(&m);
		}
	}
	return per_msg(start);
}

static double pack_ours(struct bench *b)
{
	double start = bench_now_ns();
	uint8_t data[8];

	for (unsigned r = 0; r < N_REPEAT; r++) {
		for (unsigned i = 0; i < N_MSGS; i++) {
			b->n_clipped += b->layout->pack(data, &b->msgs[i]);
			bench_use(data);
		}
	}
	return per_msg(start);
}

__attribute__((noinline)) static void unpack_bare(struct evse_dc_power_control *m, const uint8_t data[8])
{
	uint64_t w;

	memcpy(&w, data, 8);
	m->target_voltage_mV = (int32_t)(uint16_t)w * 100;
	m->current_range_max_mA = (int16_t)(w >> 16) * 100;
	m->current_range_min_mA = (int16_t)(w >> 32) * 100;
	m->power_function = w >> 48 & 15;
	m->setpoints_mode = w >> 53 & 1;
	m->output_contactors = w >> 54 & 1;
	m->lower_output_voltage = w >> 55 & 1;
}

__attribute__((noinline)) static void pack_bare(uint8_t data[8], const struct evse_dc_power_control *m)
{
	uint64_t w = (uint16_t)(m->target_voltage_mV / 100);

	w |= (uint64_t)(uint16_t)(m->current_range_max_mA / 100) << 16;
	w |= (uint64_t)(uint16_t)(m->current_range_min_mA / 100) << 32;
	w |= (uint64_t)m->power_function << 48 | (uint64_t)m->setpoints_mode << 53;
	w |= (uint64_t)m->output_contactors << 54 | (uint64_t)m->lower_output_voltage << 55;
	memcpy(data, &w, 8);
}

static double unpack_floor(struct bench *b)
{
	double start = bench_now_ns();
	struct evse_dc_power_control m;

	for (unsigned r = 0; r < N_REPEAT; r++) {
		for (unsigned i = 0; i < N_MSGS; i++) {
			unpack_bare(&m, b->data[i]);
			bench_use(&m);
		}
	}
	return per_msg(start);
}

static double pack_floor(struct bench *b)
{
	double start = bench_now_ns();
	uint8_t data[8];

	for (unsigned r = 0; r < N_REPEAT; r++) {
		for (unsigned i = 0; i < N_MSGS; i++) {
			pack_bare(data, &b->msgs[i]);
			bench_use(data);
		}
	}
	return per_msg(start);
}

static double find_ours(struct bench *b)
{
	double start = bench_now_ns();

	for (unsigned r = 0; r < N_REPEAT; r++) {
		for (unsigned i = 0; i < N_MSGS; i++) {
			int msg = evse_find(EVSE_V3_6, b->ids[i]);

			bench_use(&msg);
		}
	}
	return per_msg(start);
}

static double find_floor(struct bench *b)
{
	double start = bench_now_ns();

	for (unsigned r = 0; r < N_REPEAT; r++) {
		for (unsigned i = 0; i < N_MSGS; i++) {
			int msg = (int)b->ids[i];

			bench_use(&msg);
		}
	}
	return per_msg(start);
}

static void report(const char *what, struct bench *b, double (*ours)(struct bench *),
		   double (*base)(struct bench *))
{
	double a[N_ROUNDS], f[N_ROUNDS];

	for (unsigned r = 0; r < N_ROUNDS; r++) {
		a[r] = ours(b);
		f[r] = base(b);
	}
	double x = bench_median(a, N_ROUNDS), y = bench_median(f, N_ROUNDS);
	printf("%s: %.2f ns; floor %.2f ns; ratio %.2f\n", what, x, y, x / y);
}

int main(void)
{
	static struct bench b;
	uint64_t seed = 1;
	unsigned n_wrong = 0;

	b.layout = &evse_layouts[EVSE_V3_6][EVSE_DC_POWER_CONTROL];
	for (unsigned i = 0; i < N_MSGS; i++) {
		uint64_t w = bench_random(&seed) & 0x00efffffffffffffu;
		uint8_t back[8];

		memcpy(b.data[i], &w, 8);
		b.layout->unpack(&b.msgs[i], b.data[i]);
		b.layout->pack(back, &b.msgs[i]);
		n_wrong += memcmp(back, b.data[i], 8) != 0;
		do
			b.ids[i] = evse_layouts[EVSE_V3_6][bench_random(&seed) % EVSE_N_MSGS].id;
		while (!b.ids[i]);
	}
	printf("DC_Power_Control, EVSE 3.6, through the layout table: %u of %u round trips wrong\n", n_wrong,
	       N_MSGS);
	report("unpack to struct", &b, unpack_ours, unpack_floor);
	report("pack from struct", &b, pack_ours, pack_floor);
	report("find identifier (floor: read it)", &b, find_ours, find_floor);
	return n_wrong != 0 || b.n_clipped != 0;
}
