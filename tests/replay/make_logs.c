/* SPDX-License-Identifier: MIT */
/*
 * Makes the logs of this folder that our simulators made: whole sessions in virtual time with a fixed seed, and of
 * the bus only the two halves that a replay reads. usage: make_logs FOLDER
 *
 * The logs are recordings and stay as they are when the programs change; this is how to make others like them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/frame_text.h"
#include "sim/sim_run_point.h"
#include "sim/sim_run_replay_log.h"

#define START_US (1700000000 * (int64_t)FC_US_PER_S)
#define LIMIT_US (120 * (int64_t)FC_US_PER_S)
#define MAX_SET	 6
#define KILL	 "kill" /* instead of a request: the process is gone */

struct session {
	const char *name;
	bool is_pev; /* whose log: pev-ctrl's, else evse-ctrl's */
	const char *set[MAX_SET];
	/* One event so long after the charger's module went into a state. */
	uint8_t state;
	int32_t after_ms;
	enum sim_who who;
	const char *request; /* NULL: none */
	int32_t end_ms;	     /* the log ends so long after the event; 0: with the session */
};

/* Waiting times cut short, so that a log is small. */
static const char *const quick[] = {
	"secc.free_service=false",
	"secc.boot_time=0.3",
	"secc.negotiation_time=0.3",
	"secc.insulation_iterations=3",
	"secc.closing_delay=1",
	"evcc.boot_time=0.3",
	"evcc.negotiation_time=0.3",
	"evse.ccs_authorisation_duration=0.5",
	"evse.charge_parameters_negotiation_duration=0.4",
	"evse.charge_duration=2",
	"stack.power_modules_wake_up_duration=0.3",
	"stack.power_modules_dead_time=0.1",
	"stack.voltage_ramp_up_slope=1000",
	"stack.voltage_ramp_down_slope=1000",
	"stack.current_ramp_up_slope=100",
	"stack.current_ramp_down_slope=100",
};

static const struct session sessions[] = {
	{.name = "evse_normal"},
	{.name = "evse_normal_3_0", .set = {"evse.protocol=3.0", "secc.protocol=3.0"}},
	{.name = "evse_refused", .set = {"evse.ccs_authorisation_success=false"}},
	{.name = "evse_emergency",
	 .set = {"evse.charge_duration=0"},
	 .state = SECC_CHARGING,
	 .after_ms = 1230,
	 .who = SIM_PEV,
	 .request = "emergency"},
	{.name = "evse_vehicle_stop",
	 .set = {"evse.charge_duration=0"},
	 .state = SECC_CHARGING,
	 .after_ms = 1230,
	 .who = SIM_PEV,
	 .request = "stop"},
	{.name = "evse_silence",
	 .set = {"evse.charge_duration=0"},
	 .state = SECC_CHARGING,
	 .after_ms = 1230,
	 .who = SIM_SECC,
	 .request = KILL,
	 .end_ms = 3000},
	{.name = "pev_normal", .is_pev = true},
	{.name = "pev_normal_2_0_ex", .is_pev = true, .set = {"pev.protocol=2.0-ex", "evcc.protocol=2.0-ex"}},
	{.name = "pev_emergency",
	 .is_pev = true,
	 .set = {"evse.charge_duration=0"},
	 .state = SECC_CHARGING,
	 .after_ms = 1230,
	 .who = SIM_PEV,
	 .request = "emergency"},
	{.name = "pev_vehicle_stop",
	 .is_pev = true,
	 .set = {"evse.charge_duration=0"},
	 .state = SECC_CHARGING,
	 .after_ms = 1230,
	 .who = SIM_PEV,
	 .request = "stop"},
	{.name = "pev_silence",
	 .is_pev = true,
	 .set = {"evse.charge_duration=0"},
	 .state = SECC_CHARGING,
	 .after_ms = 1230,
	 .who = SIM_EVCC,
	 .request = KILL,
	 .end_ms = 3000},
};

struct job {
	const struct session *session;
	struct sim_point point;
	struct replay_side side;
	FILE *log;
};

static void tap(void *ctx, int64_t time_us, unsigned sender, const struct can_frame *f)
{
	struct job *j = ctx;
	char line[FRAME_LOG_LINE_MAX];

	(void)sender;
	if (replay_side_find(&j->side, f) < 0)
		return;
	frame_log_write(time_us, "can0", f, line);
	fprintf(j->log, "%s\n", line);
}

static bool is_in_state(void *ctx)
{
	const struct job *j = ctx;

	return j->point.secc.state == j->session->state;
}

static bool is_over(void *ctx)
{
	const struct job *j = ctx;

	return sim_point_is_session_over(&j->point);
}

static int set_all(struct job *j)
{
	char err[160];
	size_t i;

	sim_point_defaults(&j->point);
	for (i = 0; i < sizeof(quick) / sizeof(quick[0]) + MAX_SET; i++) {
		const char *set = i < sizeof(quick) / sizeof(quick[0])
					  ? quick[i]
					  : j->session->set[i - sizeof(quick) / sizeof(quick[0])];

		if (set && sim_point_set(&j->point, set, err, sizeof(err))) {
			fprintf(stderr, "make_logs: %s: %s\n", set, err);
			return -1;
		}
	}
	if (j->session->is_pev)
		j->side = replay_side_pev((unsigned)j->point.pev_conf.protocol);
	else
		j->side = replay_side_evse((unsigned)j->point.evse_conf.protocol, 1);
	return 0;
}

/* What happens in the session besides itself. */
static int disturb(struct job *j)
{
	const struct session *s = j->session;
	struct world *w = &j->point.world;
	char answer[256];

	world_run(w, START_US + LIMIT_US, is_in_state, j);
	world_run(w, w->now_us + s->after_ms * (int64_t)FC_US_PER_MS, NULL, NULL);
	if (strcmp(s->request, KILL) == 0) {
		world_kill(w, s->who);
		return 0;
	}
	if (world_command(w, s->who, s->request, answer, sizeof(answer)) == 0)
		return 0;
	fprintf(stderr, "make_logs: %s: %s: %s\n", s->name, s->request, answer);
	return -1;
}

static int make(struct job *j, const char *folder)
{
	struct can_hub_cfg bus = {.seed = 1};
	char path[512], err[160];

	memset(&j->point, 0, sizeof(j->point));
	snprintf(path, sizeof(path), "%s/%s.log", folder, j->session->name);
	if (set_all(j) || sim_point_start(&j->point, &bus, START_US, err, sizeof(err)))
		return -1;
	j->log = fopen(path, "we");
	if (!j->log) {
		perror(path);
		return -1;
	}
	can_hub_set_tap(&j->point.world.hub, tap, j);
	if (j->session->request && disturb(j))
		return -1;
	if (j->session->end_ms)
		world_run(&j->point.world, j->point.world.now_us + j->session->end_ms * (int64_t)FC_US_PER_MS,
			  NULL, NULL);
	else
		world_run(&j->point.world, START_US + LIMIT_US, is_over, j);
	printf("%s: %.1f s\n", path, (double)(j->point.world.now_us - START_US) / 1e6);
	return fclose(j->log);
}

int main(int argc, char **argv)
{
	static struct job job;
	size_t i;

	if (argc != 2) {
		fprintf(stderr, "usage: make_logs FOLDER\n");
		return 2;
	}
	for (i = 0; i < sizeof(sessions) / sizeof(sessions[0]); i++) {
		job.session = &sessions[i];
		if (make(&job, argv[1]))
			return 1;
	}
	return 0;
}
