/* SPDX-License-Identifier: MIT */
/* One charge point of a simulated site. Pure. */
#include "sim/sim_run_site_car.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FULL_PERCENT   80
#define SMALLEST_Wh    20000 /* battery: a smaller one would be full of its own voltage drop */
#define LOOK_US	       (1 * (int64_t)FC_US_PER_S)
#define FORCE_AFTER_US (60 * (int64_t)FC_US_PER_S)
#define BETWEEN_US     (5 * (int64_t)FC_US_PER_S) /* from one vehicle to the next */
#define LOWEST_mV      274000			  /* of the battery, see sim_vehicle_conf.c */
#define uWh_PER_Wh     1000000

static int64_t later_us(int64_t a_us, int64_t b_us)
{
	return a_us > b_us ? a_us : b_us;
}

static int set(struct site_car *c, char *err, size_t err_size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static int set(struct site_car *c, char *err, size_t err_size, const char *format, ...)
{
	char text[96];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return sim_point_set(&c->point, text, err, err_size);
}

int site_car_init(struct site_car *c, const struct site_point_conf *conf, int32_t supply_mV, char *err,
		  size_t err_size)
{
	struct evse_supply supply;
	int32_t most_W, most_mA;
	int ret;

	memset(c, 0, sizeof(*c));
	sim_point_defaults(&c->point);
	supply = (struct evse_supply){
		.voltage_mV = supply_mV,
		.n_phases = conf->kind == SITE_AC1 ? 1 : 3,
		.efficiency_permille = c->point.evse_conf.efficiency_permille,
	};
	most_W = evse_supply_dc_W(&supply, conf->max_mA);
	most_mA = fc_current_at_power_mA(most_W, LOWEST_mV);
	if ((ret = set(c, err, err_size, "evse.site=bus")) ||
	    (ret = set(c, err, err_size, "evse.site_safe_current=%d.%03d", conf->safe_mA / 1000,
		       conf->safe_mA % 1000)) ||
	    (ret = set(c, err, err_size, "evse.site_minimum_current=%d.%03d", conf->min_mA / 1000,
		       conf->min_mA % 1000)) ||
	    (ret = set(c, err, err_size, "evse.supply_voltage_V=%d.%03d", supply_mV / 1000,
		       supply_mV % 1000)) ||
	    (ret = set(c, err, err_size, "evse.supply_phases=%u", supply.n_phases == 1 ? 1u : 3u)) ||
	    (ret = set(c, err, err_size, "evse.max_power_W=%d", most_W)) ||
	    (ret = set(c, err, err_size, "evse.maximum_charge_current=%d", most_mA / 1000 + 1)) ||
	    (ret = set(c, err, err_size, "evse.charge_duration=0")) ||
	    (ret = set(c, err, err_size, "evcc.plug_at_start=false")) ||
	    (ret = set(c, err, err_size, "pev.stop_soc_pct=%d", FULL_PERCENT)) ||
	    (ret = set(c, err, err_size, "vehicle.restore_soc=no")))
		return ret;
	return 0;
}

int site_car_start(struct site_car *c, uint64_t seed, int64_t now_us, char *err, size_t err_size)
{
	const struct can_hub_cfg bus = {.seed = seed};
	struct machine line = {&site_line_ops, &c->line, "line"};
	int ret = set(c, err, err_size, "secc.seed=%u", (unsigned)(seed & 0x7fffffff));

	if (!ret)
		ret = sim_point_start(&c->point, &bus, now_us, err, err_size);
	if (!ret) {
		ret = world_add(&c->point.world, &line);
		if (ret < 0)
			snprintf(err, err_size, "no room for the line to the site");
	}
	c->next_us = c->n_visits ? later_us(c->visit[0].arrival_us, now_us) : FC_NEVER;
	return ret < 0 ? ret : 0;
}

int32_t site_car_drawn_mA(const struct site_car *c)
{
	return evse_site_drawn_mA(&c->point.evse.session);
}

int64_t site_car_next_us(const struct site_car *c)
{
	const struct world *w = &c->point.world;
	int64_t next_us = fc_min_i64(can_hub_next_us(&w->hub), c->next_us);
	unsigned i;

	for (i = 0; i < w->n_nodes; i++)
		next_us = fc_min_i64(next_us, w->node[i].next_us);
	/* The line's inbox was filled behind the world's back. */
	return fc_min_i64(next_us, site_line_ops.next_us(&c->line));
}

/* --- vehicles ------------------------------------------------------------------------------------------------ */

static int say(struct site_car *c, enum sim_who who, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int say(struct site_car *c, enum sim_who who, const char *format, ...)
{
	char line[96], answer[256];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	return world_command(&c->point.world, who, line, answer, sizeof(answer));
}

static void arrive(struct site_car *c)
{
	const struct site_car_visit *v = &c->visit[c->at];
	int64_t capacity_Wh = 2 * v->energy_Wh > SMALLEST_Wh ? 2 * v->energy_Wh : SMALLEST_Wh;
	int64_t soc_x1000 = FULL_PERCENT * 1000 - v->energy_Wh * 100000 / capacity_Wh;

	c->n_refused += say(c, SIM_PEV, "set ev_battery_capacity %lld.%03lld", (long long)capacity_Wh / 1000,
			    (long long)capacity_Wh % 1000) != 0;
	c->n_refused += say(c, SIM_PEV, "set soc %lld.%03lld", (long long)soc_x1000 / 1000,
			    (long long)soc_x1000 % 1000) != 0;
	c->n_refused += say(c, SIM_EVCC, "plug") != 0;
	c->begin_uWh = sim_vehicle_energy_uWh(&c->point.vehicle);
	c->phase = SITE_CAR_HERE;
}

/* The point forgets the need of the one before when it has seen it go, so it is told once it sees this one. */
static void tell(struct site_car *c, int64_t now_us)
{
	const struct site_car_visit *v = &c->visit[c->at];
	int64_t left_us = v->stated_us - now_us;

	if (c->point.evse.session.site.plugged_us == FC_NEVER)
		return;
	say(c, SIM_EVSE, "need energy_kWh %lld.%03lld", (long long)v->energy_Wh / 1000,
	    (long long)v->energy_Wh % 1000);
	if (v->stated_us != FC_NEVER)
		say(c, SIM_EVSE, "need departure_min %lld",
		    (long long)(left_us > 0 ? left_us / (60 * (int64_t)FC_US_PER_S) : 0));
	c->phase = SITE_CAR_TOLD;
}

static void begin_leaving(struct site_car *c, int64_t now_us)
{
	if (c->point.evse.session.is_open)
		say(c, SIM_EVSE, "stop");
	c->phase = SITE_CAR_LEAVING;
	c->force_us = now_us + FORCE_AFTER_US;
}

static void leave(struct site_car *c, int64_t now_us)
{
	bool is_forced = now_us >= c->force_us;

	if (say(c, SIM_EVCC, is_forced ? "unplug force" : "unplug") != 0)
		return;
	c->n_forced += is_forced;
	c->delivered_uWh[c->at] = sim_vehicle_energy_uWh(&c->point.vehicle) - c->begin_uWh;
	c->at++;
	c->phase = SITE_CAR_AWAY;
}

static void look(struct site_car *c, int64_t now_us)
{
	const struct site_car_visit *v = &c->visit[c->at];

	if (c->phase == SITE_CAR_AWAY)
		arrive(c);
	else if (c->phase == SITE_CAR_HERE)
		tell(c, now_us);
	if ((c->phase == SITE_CAR_HERE || c->phase == SITE_CAR_TOLD) && now_us >= v->departure_us)
		begin_leaving(c, now_us);
	else if (c->phase == SITE_CAR_LEAVING)
		leave(c, now_us);
	switch (c->phase) {
	case SITE_CAR_AWAY:
		c->next_us = c->at < c->n_visits ? later_us(c->visit[c->at].arrival_us, now_us + BETWEEN_US)
						 : FC_NEVER;
		break;
	case SITE_CAR_TOLD:
		c->next_us = later_us(v->departure_us, now_us + LOOK_US);
		break;
	case SITE_CAR_HERE:
	case SITE_CAR_LEAVING:
		c->next_us = now_us + LOOK_US;
		break;
	}
}

void site_car_run(struct site_car *c, int64_t end_us)
{
	struct world *w = &c->point.world;

	/* What the line was handed since is not known to the world. */
	w->node[SIM_N_MACHINES].next_us = site_line_ops.next_us(&c->line);
	while (c->next_us <= end_us) {
		world_run(w, later_us(c->next_us, w->now_us), NULL, NULL);
		look(c, w->now_us);
	}
	world_run(w, end_us, NULL, NULL);
}
