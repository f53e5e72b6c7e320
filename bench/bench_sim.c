/* SPDX-License-Identifier: MIT */
/*
 * Simulated time: how many simulated seconds pass in one second of the clock. First one complete charge point (both
 * controllers, both modules, plug, physics) on the virtual bus, through whole sessions and through a long charge;
 * then the charger's controller and its simulated power stack alone with a scripted module, without a bus. Two runs
 * of the same session are compared frame by frame.
 *
 * The floor is what no simulation of this traffic can do without: each frame encoded once from a struct and decoded
 * once into a struct, as many in a simulated second as the complete point has.
 *
 * usage: bench_sim [--quick]
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <forecourt/units.h>

#include "bench/bench_time.h"
#include "sim/sim_run_point.h"

#define S	     ((int64_t)FC_US_PER_S)
#define START_US     (1700000000 * S)
#define CYCLE_US     (100 * (int64_t)FC_US_PER_MS)
#define GOAL_S_PER_S 200000.0
#define N_ROUNDS     5

struct trace {
	uint64_t n, hash;
};

static void tap(void *ctx, int64_t time_us, unsigned sender, const struct can_frame *f)
{
	struct trace *t = ctx;
	uint64_t w = 0;

	memcpy(&w, f->data, f->can_dlc);
	t->n++;
	t->hash = (t->hash ^ w ^ ((uint64_t)f->can_id << 32) ^ (uint64_t)time_us ^ sender) * 0x100000001B3u;
}

static void count(void *ctx, int64_t time_us, unsigned sender, const struct can_frame *f)
{
	(void)time_us;
	(void)sender;
	(void)f;
	++*(uint64_t *)ctx;
}

static bool is_over(void *ctx)
{
	return sim_point_is_session_over(ctx);
}

static bool prepare(struct sim_point *p, const char *duration)
{
	struct can_hub_cfg bus = {.seed = 1};
	char err[160];

	sim_point_defaults(p);
	if (sim_point_set(p, duration, err, sizeof(err)) ||
	    sim_point_start(p, &bus, START_US, err, sizeof(err))) {
		printf("bench_sim: %s\n", err);
		return false;
	}
	return true;
}

static void print(const char *what, double simulated_s, double wall_ns, uint64_t n_frames,
		  const char *verdict)
{
	printf("%-40s %9.0f simulated s/s %8.0f ns a simulated s %6.1f frames in it %6.0f ns a frame  %s\n",
	       what, simulated_s / wall_ns * 1e9, wall_ns / simulated_s, (double)n_frames / simulated_s,
	       wall_ns / (double)n_frames, verdict);
}

static const char *judge(double simulated_s, double wall_ns)
{
	return simulated_s / wall_ns * 1e9 >= GOAL_S_PER_S ? "(goal 200000: met)" : "(goal 200000: MISSED)";
}

/* --- the complete point ------------------------------------------------------------------------------------ */

/* Whole sessions from the plug to the end, each in a fresh world. */
static bool bench_sessions(struct sim_point *p, unsigned n)
{
	double best_ns = 1e18, start_ns = 1e18, simulated_s = 0;
	uint64_t n_frames = 0;
	unsigned round, i;

	for (round = 0; round < N_ROUNDS; round++) {
		double run_ns = 0, prepare_ns = 0;

		simulated_s = 0;
		n_frames = 0;
		for (i = 0; i < n; i++) {
			double t0 = bench_now_ns(), t1;

			if (!prepare(p, "evse.charge_duration=40"))
				return false;
			can_hub_set_tap(&p->world.hub, count, &n_frames);
			t1 = bench_now_ns();
			world_run(&p->world, START_US + 600 * S, is_over, p);
			prepare_ns += t1 - t0;
			run_ns += bench_now_ns() - t1;
			simulated_s += (double)(p->world.now_us - START_US) / (double)S;
		}
		if (run_ns < best_ns)
			best_ns = run_ns;
		if (prepare_ns < start_ns)
			start_ns = prepare_ns;
	}
	if (!is_over(p)) {
		printf("bench_sim: the session did not end\n");
		return false;
	}
	print("complete point, whole sessions", simulated_s, best_ns, n_frames, judge(simulated_s, best_ns));
	printf("%-40s %9.3f ms for a session of %.1f s, and %.3f ms to make the world\n", "",
	       best_ns / n * 1e-6, simulated_s / n, start_ns / n * 1e-6);
	return true;
}

/* In the charging loop only. */
static bool bench_charging(struct sim_point *p, int64_t simulated_s, double *frames_per_s)
{
	double best_ns = 1e18;
	uint64_t n_frames = 0;
	unsigned round;

	if (!prepare(p, "evse.charge_duration=0"))
		return false;
	world_run(&p->world, START_US + 60 * S, NULL, NULL);
	if (p->evse.session.state != EVSE_ST_TRANSFER) {
		printf("bench_sim: not charging after 60 s\n");
		return false;
	}
	can_hub_set_tap(&p->world.hub, count, &n_frames);
	for (round = 0; round < N_ROUNDS; round++) {
		double t0 = bench_now_ns();

		n_frames = 0;
		world_run(&p->world, p->world.now_us + simulated_s * S, NULL, NULL);
		if (bench_now_ns() - t0 < best_ns)
			best_ns = bench_now_ns() - t0;
	}
	print("complete point, charging", (double)simulated_s, best_ns, n_frames,
	      judge((double)simulated_s, best_ns));
	*frames_per_s = (double)n_frames / (double)simulated_s;
	return true;
}

static bool check_repeat(struct sim_point *p)
{
	struct trace t[2] = {{0}};
	unsigned i;

	for (i = 0; i < 2; i++) {
		if (!prepare(p, "evse.charge_duration=40"))
			return false;
		can_hub_set_tap(&p->world.hub, tap, &t[i]);
		world_run(&p->world, START_US + 600 * S, is_over, p);
	}
	printf("%-40s %llu and %llu frames, %s\n", "two runs of one session", (unsigned long long)t[0].n,
	       (unsigned long long)t[1].n, t[0].hash == t[1].hash ? "equal bit for bit" : "DIFFERENT");
	return t[0].hash == t[1].hash;
}

/* --- the charger's side alone ------------------------------------------------------------------------------ */

struct charger {
	struct evse_point point;
	struct sim_stack stack;
	struct evse_conf conf;
	struct out_queue out;
	int64_t now_us, module_us;
	uint8_t state;
	struct evse_dc_power_control power;
	uint64_t n_frames;
};

static void give(struct charger *c, enum evse_msg msg, const void *content)
{
	struct can_frame f;

	msg_to_frame(&evse_layouts[EVSE_V3_6][msg], content, 1, &f);
	evse_point_rx(&c->point, c->now_us, &f, &c->out);
	c->n_frames += 1 + c->out.n;
	out_queue_clear(&c->out);
}

static void module_cycle(struct charger *c)
{
	struct evse_advantics_controller_status status = {.state = c->state};

	c->module_us += CYCLE_US;
	give(c, EVSE_ADVANTICS_CONTROLLER_STATUS, &status);
	give(c, EVSE_DC_POWER_CONTROL, &c->power);
}

static void run_charger(struct charger *c, int64_t us)
{
	int64_t end_us = c->now_us + us;

	for (;;) {
		int64_t own_us = evse_point_next_us(&c->point), next_us = fc_min_i64(own_us, c->module_us);

		if (next_us > end_us)
			break;
		if (next_us > c->now_us)
			c->now_us = next_us;
		if (c->module_us <= c->now_us)
			module_cycle(c);
		if (own_us <= c->now_us) {
			evse_point_tick(&c->point, c->now_us, &c->out);
			c->n_frames += c->out.n;
			out_queue_clear(&c->out);
		}
	}
	c->now_us = end_us;
}

static void ask_power(struct charger *c, uint8_t function, int32_t v_mV, int32_t i_mA)
{
	c->power = (struct evse_dc_power_control){.power_function = function,
						  .target_voltage_mV = v_mV,
						  .current_range_max_mA = i_mA,
						  .current_range_min_mA =
							  function == EVSE_FN_POWER_TRANSFER ? i_mA : 0,
						  .setpoints_mode = function == EVSE_FN_PRECHARGE,
						  .output_contactors = 1};
}

static bool start_charger(struct charger *c)
{
	static const struct evse_new_charge_session session = {.communication_protocol = 2,
							       .plug_and_pins = 1};
	struct evse_point_setup setup = {.conf = &c->conf,
					 .index = 1,
					 .driver = &sim_stack_plugin,
					 .ops = sim_stack_plugin.ops,
					 .driver_state = &c->stack};
	char err[160];

	opts_defaults(evse_conf_table, evse_conf_n, &c->conf);
	c->conf.charge_duration_ms = 0;
	c->now_us = START_US;
	c->module_us = START_US + 13000;
	if (evse_point_init(&c->point, &setup, c->now_us, err, sizeof(err)))
		return false;
	out_queue_init(&c->out);
	c->state = EVSE_MS_WAITING_FOR_PEV;
	run_charger(c, S);
	c->state = EVSE_MS_CONNECTED;
	run_charger(c, S);
	give(c, EVSE_NEW_CHARGE_SESSION, &session);
	ask_power(c, EVSE_FN_STANDBY, 0, 0);
	run_charger(c, 3 * S);
	c->state = EVSE_MS_PRECHARGE;
	ask_power(c, EVSE_FN_PRECHARGE, 350000, 2000);
	run_charger(c, 5 * S);
	c->state = EVSE_MS_CHARGING;
	ask_power(c, EVSE_FN_POWER_TRANSFER, 400000, 100000);
	run_charger(c, 10 * S);
	return c->point.session.in.status.i_mA == 100000;
}

static bool bench_charger(int64_t simulated_s)
{
	static struct charger c; /* large */
	double best_ns = 1e18;
	unsigned round;

	if (!start_charger(&c)) {
		printf("bench_sim: the charger does not charge\n");
		return false;
	}
	for (round = 0; round < N_ROUNDS; round++) {
		double t0 = bench_now_ns();

		c.n_frames = 0;
		run_charger(&c, simulated_s * S);
		if (bench_now_ns() - t0 < best_ns)
			best_ns = bench_now_ns() - t0;
	}
	print("charger's side alone, charging", (double)simulated_s, best_ns, c.n_frames, "");
	return true;
}

/* --- the floor --------------------------------------------------------------------------------------------- */

static void bench_floor(unsigned n, double frames_per_s)
{
	const struct msg_layout *l = &evse_layouts[EVSE_V3_6][EVSE_DC_POWER_CONTROL];
	struct evse_dc_power_control in, back;
	double best_ns = 1e18;
	struct can_frame f;
	unsigned round, i;

	memset(&in, 0, sizeof(in));
	for (round = 0; round < N_ROUNDS; round++) {
		double t0 = bench_now_ns();

		for (i = 0; i < n; i++) {
			in.target_voltage_mV = (int32_t)(i % 500) * 1000;
			msg_to_frame(l, &in, 1, &f);
			bench_use(&f);
			msg_from_frame(l, &back, &f, l->dlc);
			bench_use(&back);
		}
		if (bench_now_ns() - t0 < best_ns)
			best_ns = bench_now_ns() - t0;
	}
	print("floor: encode and decode each frame", n / frames_per_s, best_ns, n, "");
}

int main(int argc, char **argv)
{
	static struct sim_point point; /* large */
	bool is_quick = argc == 2 && strcmp(argv[1], "--quick") == 0;
	double frames_per_s;

	if (argc > 1 && !is_quick) {
		fprintf(stderr, "usage: bench_sim [--quick]\n");
		return 2;
	}
	if (!bench_sessions(&point, is_quick ? 3 : 50) ||
	    !bench_charging(&point, is_quick ? 500 : 10000, &frames_per_s) ||
	    !bench_charger(is_quick ? 1000 : 20000))
		return 1;
	bench_floor(is_quick ? 100000 : 2000000, frames_per_s);
	return check_repeat(&point) ? 0 : 1;
}
