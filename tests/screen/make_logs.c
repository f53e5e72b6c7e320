/* SPDX-License-Identifier: MIT */
/*
 * Writes the logs that the golden screens are made from: whole and cut sessions of the simulated charge point, in
 * virtual time from fixed seeds, so that they can be made again byte for byte.
 *
 * usage: make_logs FOLDER
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evse-ctrl/evse_station.h"
#include "lib/core/frame_text.h"
#include "sim/sim_run_point.h"

#define START_US   (1700000000 * (int64_t)FC_US_PER_S)
#define MAX_FRAMES 200000
#define MAX_SETS   12
#define MAX_PARTS  4
#define CHANNEL	   "can0"

/* One charge point of a log. */
struct part {
	unsigned index;
	int64_t delay_ms; /* its time zero in the log's time */
	const char *sets[MAX_SETS];
	int64_t command_ms; /* in its own time */
	enum sim_who who;
	const char *command; /* NULL: none */
	int64_t kill_ms;     /* `who` falls silent then; 0: never */
};

struct job {
	const char *name;
	bool is_pev;
	int64_t from_ms, to_ms; /* in the log's time */
	struct part part[MAX_PARTS];
};

struct record {
	int64_t time_us;
	unsigned number; /* keeps equal times in order */
	struct can_frame frame;
};

struct maker {
	struct sim_point point;
	const struct job *job;
	const struct part *part;
	struct record record[MAX_FRAMES];
	unsigned n;
};

/* The charger's bus has the charger's interface on it, the vehicle's the vehicle's; the virtual plug is on neither. */
static bool is_wanted(const struct job *job, const struct can_frame *f)
{
	canid_t id = f->can_id & CAN_EFF_MASK;

	if (job->is_pev)
		return !(f->can_id & CAN_EFF_FLAG);
	return (f->can_id & CAN_EFF_FLAG) && (id & 0x00ff0000) == 0x00060000;
}

static void tap(void *ctx, int64_t time_us, unsigned sender, const struct can_frame *f)
{
	struct maker *m = ctx;
	int64_t at_us = time_us + m->part->delay_ms * 1000;

	(void)sender;
	if (!is_wanted(m->job, f) || m->n == MAX_FRAMES || at_us < START_US + m->job->from_ms * 1000 ||
	    at_us > START_US + m->job->to_ms * 1000)
		return;
	m->record[m->n] = (struct record){at_us, m->n, *f};
	m->n++;
}

static int set_all(struct maker *m)
{
	unsigned i;
	char err[160];

	sim_point_defaults(&m->point);
	m->point.secc_conf.index = (int32_t)m->part->index;
	m->point.evcc_conf.pistol_index = (int32_t)m->part->index;
	for (i = 0; i < MAX_SETS && m->part->sets[i]; i++) {
		if (sim_point_set(&m->point, m->part->sets[i], err, sizeof(err)) == 0)
			continue;
		fprintf(stderr, "make_logs: %s: %s\n", m->job->name, err);
		return 1;
	}
	return 0;
}

static int run_part(struct maker *m)
{
	struct can_hub_cfg bus = {.seed = m->part->index};
	const struct part *p = m->part;
	char text[1024];

	if (set_all(m) || sim_point_start(&m->point, &bus, START_US, text, sizeof(text)))
		return 1;
	can_hub_set_tap(&m->point.world.hub, tap, m);
	if (p->command) {
		world_run(&m->point.world, START_US + p->command_ms * 1000, NULL, NULL);
		if (world_command(&m->point.world, p->who, p->command, text, sizeof(text)) < 0) {
			fprintf(stderr, "make_logs: %s: %s: %s\n", m->job->name, p->command, text);
			return 1;
		}
	}
	if (p->kill_ms) {
		world_run(&m->point.world, START_US + p->kill_ms * 1000, NULL, NULL);
		world_kill(&m->point.world, p->who);
	}
	world_run(&m->point.world, START_US + (m->job->to_ms - p->delay_ms) * 1000, NULL, NULL);
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	if (x->time_us != y->time_us)
		return x->time_us < y->time_us ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static int write_log(struct maker *m, const char *folder)
{
	char path[512], line[FRAME_LOG_LINE_MAX];
	unsigned i;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.log", folder, m->job->name);
	f = fopen(path, "w");
	if (!f) {
		perror(path);
		return 1;
	}
	qsort(m->record, m->n, sizeof(m->record[0]), by_time);
	for (i = 0; i < m->n; i++) {
		frame_log_write(m->record[i].time_us, CHANNEL, &m->record[i].frame, line);
		fprintf(f, "%s\n", line);
	}
	printf("%s: %u frames, %ld bytes\n", path, m->n, ftell(f));
	return fclose(f) != 0;
}

/* Steps that take seconds without anything new to see. */
#define QUICK                                                                            \
	"stack.power_modules_wake_up_duration=0.3", "stack.power_modules_dead_time=0.2", \
		"stack.voltage_ramp_up_slope=1000", "stack.voltage_ramp_down_slope=500", \
		"stack.current_ramp_up_slope=50", "secc.negotiation_time=0.5", "evcc.negotiation_time=0.5"

static const struct job jobs[] = {
	{.name = "evse_session",
	 .to_ms = 58000,
	 .part = {{.index = 1,
		   .sets = {"evse.charge_duration=12", "secc.free_service=no", "evcc.plug_at_start=no",
			    "evcc.plug_after=4"}}}},
	{.name = "evse_insulation",
	 .to_ms = 30000,
	 .part = {{.index = 1, .sets = {"stack.insulation_resistance=40", "evse.charge_duration=12"}}}},
	{.name = "evse_fault",
	 .to_ms = 40000,
	 .part = {{.index = 1,
		   .sets = {"evse.charge_duration=0"},
		   .command_ms = 30000,
		   .who = SIM_SECC,
		   .command = "emergency pev"}}},
	{.name = "evse_silence",
	 .to_ms = 24000,
	 .part = {{.index = 1,
		   .sets = {"evse.charge_duration=0", QUICK},
		   .kill_ms = 20000,
		   .who = SIM_EVSE}}},
	{.name = "evse_many",
	 .to_ms = 13000,
	 .part = {{.index = 1, .sets = {"evse.charge_duration=0", QUICK}},
		  {.index = 2, .sets = {"stack.insulation_resistance=40", QUICK}, .delay_ms = 1500},
		  {.index = 3, .sets = {"evcc.plug_at_start=no"}, .delay_ms = 300},
		  {.index = 7,
		   .sets = {"evse.charge_duration=0", QUICK},
		   .delay_ms = -1000,
		   .command_ms = 11000,
		   .who = SIM_SECC,
		   .command = "emergency evse"}}},
	{.name = "pev_session",
	 .is_pev = true,
	 .to_ms = 27000,
	 .part = {{.index = 1,
		   .sets = {"evse.charge_duration=6", "evcc.plug_at_start=no", "evcc.plug_after=3", QUICK}}}},
	{.name = "pev_insulation",
	 .is_pev = true,
	 .from_ms = 3000,
	 .to_ms = 20000,
	 .part = {{.index = 1, .sets = {"stack.insulation_resistance=40"}}}},
	{.name = "pev_fault",
	 .is_pev = true,
	 .from_ms = 6000,
	 .to_ms = 20000,
	 .part = {{.index = 1,
		   .sets = {"evse.charge_duration=0", QUICK},
		   .command_ms = 14000,
		   .who = SIM_PEV,
		   .command = "emergency"}}},
};

int main(int argc, char **argv)
{
	static struct maker m; /* large */
	size_t i;
	int p;

	if (argc != 2) {
		fprintf(stderr, "usage: make_logs FOLDER\n");
		return 2;
	}
	for (i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		m.job = &jobs[i];
		m.n = 0;
		for (p = 0; p < MAX_PARTS && jobs[i].part[p].index; p++) {
			m.part = &jobs[i].part[p];
			if (run_part(&m))
				return 1;
		}
		if (write_log(&m, argv[1]))
			return 1;
	}
	return 0;
}
