/* SPDX-License-Identifier: MIT */
/*
 * Cost of the electrical simulation: simulated power stack and vehicle joined by frames, each with a host that
 * refreshes commands and reads the status every 100 ms. Prints ns per simulated second of the pair, for an idle
 * pair, a steady transfer and a ramp that never ends.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <forecourt/units.h>

#include "sim/sim_stack.h"
#include "sim/sim_vehicle.h"

#define S ((int64_t)FC_US_PER_S)

struct pair {
	struct sim_stack stack;
	struct sim_vehicle vehicle;
	struct forecourt_host host;
	const struct power_module_ops *pm;
	const struct vehicle_hw_ops *vh;
	struct pm_setpoint sp;
	struct vh_command cmd;
	struct pm_status st;
	struct vh_status vst;
	struct can_frame flight[8];
	unsigned n_flight;
	int64_t now_us, host_us;
	uint64_t n_events, n_frames;
};

static void quiet(void *ctx, int32_t level, const char *text)
{
	(void)ctx;
	(void)level;
	(void)text;
}

static int32_t post(void *ctx, uint32_t bus, const struct can_frame *f)
{
	struct pair *p = ctx;

	(void)bus;
	if (p->n_flight < 8)
		p->flight[p->n_flight++] = *f;
	return 0;
}

static void start(struct pair *p)
{
	char err[160];

	memset(p, 0, sizeof(*p));
	p->host.size = sizeof(p->host);
	p->host.index = 1;
	p->host.ctx = p;
	p->host.log = quiet;
	p->host.send = post;
	p->pm = sim_stack_plugin.ops;
	p->vh = sim_vehicle_plugin.ops;
	p->sp.size = sizeof(p->sp);
	p->cmd.size = sizeof(p->cmd);
	p->st.size = sizeof(p->st);
	p->vst.size = sizeof(p->vst);
	if (p->pm->init(&p->stack, &p->host, NULL, 0, 0, err, sizeof(err)) ||
	    p->vh->init(&p->vehicle, &p->host, NULL, 0, 0, err, sizeof(err)))
		printf("init: %s\n", err);
}

/* Frames go to the one that listens, as the bus's filters would deliver them. */
static void deliver(struct pair *p)
{
	unsigned i;

	for (i = 0; i < p->n_flight; i++) {
		if (p->flight[i].can_id == path_load_id(1))
			p->pm->rx(&p->stack, p->now_us, 0, &p->flight[i]);
		else
			p->vh->rx(&p->vehicle, p->now_us, 0, &p->flight[i]);
	}
	p->n_frames += p->n_flight;
	p->n_flight = 0;
}

static void refresh(struct pair *p)
{
	p->sp.valid_until_us = p->cmd.valid_until_us = p->now_us + 400000;
	p->pm->set(&p->stack, p->now_us, &p->sp);
	p->vh->set(&p->vehicle, p->now_us, &p->cmd);
	p->pm->status(&p->stack, p->now_us, &p->st);
	p->vh->status(&p->vehicle, p->now_us, &p->vst);
	p->host_us += 100000;
}

static void run(struct pair *p, int64_t for_us)
{
	int64_t end_us = p->now_us + for_us;

	while (p->now_us < end_us) {
		int64_t pm_us = p->pm->next_us(&p->stack), vh_us = p->vh->next_us(&p->vehicle);

		p->now_us = fc_min_i64(fc_min_i64(pm_us, vh_us), p->host_us);
		if (pm_us <= p->now_us)
			p->pm->tick(&p->stack, p->now_us);
		if (vh_us <= p->now_us)
			p->vh->tick(&p->vehicle, p->now_us);
		deliver(p);
		if (p->now_us >= p->host_us)
			refresh(p);
		p->n_events++;
	}
}

static void order(struct pair *p, int32_t mode, int32_t v_mV, int32_t i_mA, int32_t phase, int32_t is_closed)
{
	p->sp.mode = mode;
	p->sp.v_mV = v_mV;
	p->sp.i_max_mA = p->sp.i_min_mA = i_mA;
	p->sp.is_closed = mode != PM_OFF;
	p->cmd.phase = phase;
	p->cmd.is_in_session = phase != VH_PHASE_IDLE;
	p->cmd.is_closed = is_closed;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void measure(struct pair *p, const char *name, int64_t simulated_s)
{
	uint64_t events = p->n_events, frames = p->n_frames;
	double t0 = seconds(), t1;

	run(p, simulated_s * S);
	t1 = seconds();
	printf("%-16s %8.0f ns per simulated second of the pair, %.1f events and %.1f frames in it\n", name,
	       (t1 - t0) * 1e9 / (double)simulated_s, (double)(p->n_events - events) / (double)simulated_s,
	       (double)(p->n_frames - frames) / (double)simulated_s);
}

int main(void)
{
	struct pair p;
	double t0, t1;
	int i;

	start(&p);
	order(&p, PM_OFF, 0, 0, VH_PHASE_IDLE, 0);
	measure(&p, "idle", 100000);
	order(&p, PM_STANDBY, 0, 0, VH_PHASE_CONNECTED, 0);
	run(&p, 2 * S);
	order(&p, PM_PRECHARGE, 312000, 2000, VH_PHASE_PRECHARGE, 1);
	run(&p, 4 * S);
	order(&p, PM_TRANSFER, 500000, 40000, VH_PHASE_TRANSFER, 1);
	run(&p, 10 * S);
	measure(&p, "steady transfer", 10000);
	t0 = seconds();
	for (i = 0; i < 2000; i++) {
		order(&p, PM_TRANSFER, 500000, i % 2 ? 20000 : 100000, VH_PHASE_TRANSFER, 1);
		run(&p, 3 * S);
	}
	t1 = seconds();
	printf("%-16s %8.0f ns per simulated second of the pair\n", "always ramping",
	       (t1 - t0) * 1e9 / 6000.0);
	printf("state: stack %zu bytes, vehicle %zu bytes\n", sizeof(p.stack), sizeof(p.vehicle));
	return p.st.i_mA > 0 ? 0 : 1;
}
