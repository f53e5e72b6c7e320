/* SPDX-License-Identifier: MIT */
/*
 * What a frame costs in the monitors' model: a session's mix of messages at a frame every 131 us (a full bus of
 * 1 Mbit/s), with the same content as before, with measurements that change, and with everything changing and
 * somebody to be told. Floor: the identifier looked up and the frame copied. Foreign frames for comparison.
 * Medians of rounds.
 */
#include <stdio.h>

#include "bench/bench_time.h"
#include "evse_msgs.h"
#include "monitor/mon_model.h"
#include "pev_msgs.h"

#define N_FRAMES 4096
#define N_ROUNDS 61
#define GAP_US	 131
#define CORE_ns	 1e9
#define FULL_BUS 7634 /* frames/s, performance.md section 2 */

struct bench {
	enum mon_side side;
	struct can_frame frame[N_FRAMES];
	struct can_frame copy[32];
	struct mon_model model;
	uint64_t n_told;
	int64_t now_us;
};

static void count_change(void *ctx, const struct mon_change *c)
{
	struct bench *b = ctx;

	b->n_told += (uint64_t)c->field + 1;
}

static const struct msg_layout *layouts(const struct bench *b)
{
	return b->side == MON_EVSE ? evse_layouts[EVSE_V3_6] : pev_layouts[PEV_V2_5];
}

/* What each message of a session says, round robin over those that are sent every 100 ms. */
static void fill(struct bench *b, bool is_changing)
{
	static const unsigned evse[] = {EVSE_POWER_MODULES_STATUS, EVSE_ADVANTICS_CONTROLLER_STATUS,
					EVSE_DC_POWER_CONTROL, EVSE_CCS_EXTRA_INFORMATION};
	static const unsigned pev[] = {PEV_EVSE_INFORMATION, PEV_AC_CONTROL, PEV_DC_CONTROL,
				       PEV_EV_INFORMATION,   PEV_AC_STATUS,  PEV_DC_STATUS1,
				       PEV_DC_STATUS2};
	const unsigned *list = b->side == MON_EVSE ? evse : pev;
	unsigned n = b->side == MON_EVSE ? sizeof(evse) / sizeof(evse[0]) : sizeof(pev) / sizeof(pev[0]);
	uint64_t random = 1;

	for (unsigned i = 0; i < N_FRAMES; i++) {
		const struct msg_layout *l = &layouts(b)[list[i % n]];
		struct can_frame *f = &b->frame[i];

		memset(f, 0, sizeof(*f));
		f->can_id = l->id | (b->side == MON_EVSE ? 1u << MSG_INDEX_SHIFT : 0);
		f->can_dlc = l->dlc;
		f->data[0] = 7; /* charging */
		if (l->dlc < 5)
			continue;
		f->data[1] = 15;
		if (is_changing) { /* a noisy measurement: the lowest bits of the 16-bit values */
			f->data[0] = (uint8_t)bench_random(&random);
			f->data[2] = (uint8_t)bench_random(&random);
		}
		if (list[i % n] == PEV_EVSE_INFORMATION && b->side == MON_PEV)
			f->data[0] = 7;
	}
}

static double floor_ns(struct bench *b)
{
	double start = bench_now_ns();

	for (unsigned i = 0; i < N_FRAMES; i++) {
		const struct can_frame *f = &b->frame[i];
		int msg = b->side == MON_EVSE ? evse_find(EVSE_V3_6, msg_base_id(f->can_id))
					      : pev_find(PEV_V2_5, f->can_id);

		memcpy(&b->copy[msg & 31], f, sizeof(*f));
		bench_use(b->copy);
	}
	return (bench_now_ns() - start) / N_FRAMES;
}

static double model_ns(struct bench *b)
{
	double start = bench_now_ns();

	for (unsigned i = 0; i < N_FRAMES; i++) {
		b->now_us += GAP_US;
		mon_model_rx(&b->model, b->now_us, &b->frame[i]);
	}
	return (bench_now_ns() - start) / N_FRAMES;
}

/* Floor and ours in pairs, so that a busy machine hits both. */
static void run(struct bench *b, const char *what, bool is_told)
{
	struct mon_cfg cfg = {.side = b->side,
			      .version = b->side == MON_EVSE ? EVSE_V3_6 : (unsigned)PEV_V2_5,
			      .bitrate = 1000000};
	struct mon_sink sink = {.ctx = b, .change = is_told ? count_change : NULL};
	double ours[N_ROUNDS], bare[N_ROUNDS], ns;

	mon_model_init(&b->model, &cfg, &sink, 0);
	b->now_us = 0;
	for (unsigned r = 0; r < N_ROUNDS; r++) {
		bare[r] = floor_ns(b);
		ours[r] = model_ns(b);
	}
	ns = bench_median(ours, N_ROUNDS);
	printf("  %-28s %6.1f ns a frame, floor %4.1f; full bus: %.3f %% of a core; %u permille load seen\n",
	       what, ns, bench_median(bare, N_ROUNDS), 100 * ns * FULL_BUS / CORE_ns,
	       b->model.bus.load_permille);
}

static void foreign(struct bench *b)
{
	for (unsigned i = 0; i < N_FRAMES; i++)
		b->frame[i].can_id =
			b->side == MON_EVSE ? 0x123 + i % 64 : (0x010A0000u + i % 64) | CAN_EFF_FLAG;
}

int main(void)
{
	static struct bench b;

	printf("frames into the monitors' model, one every %d us\n", GAP_US);
	for (b.side = MON_EVSE; b.side <= MON_PEV; b.side++) {
		printf("%s\n", b.side == MON_EVSE ? "charger's interface" : "vehicle's interface");
		fill(&b, false);
		run(&b, "unchanged", false);
		fill(&b, true);
		run(&b, "measurements change", false);
		run(&b, "... and each change is told", true);
		foreign(&b);
		run(&b, "foreign", false);
	}
	return b.n_told == 0;
}
