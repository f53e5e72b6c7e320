/* SPDX-License-Identifier: MIT */
/* One complete charge point in virtual time. Pure. */
#include "sim/sim_run_point.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct settings {
	const char *name;
	const struct opt *table;
	size_t n;
	void *conf;
};

static void settings_of(struct sim_point *p, struct settings s[SIM_N_MACHINES])
{
	s[SIM_EVSE] = (struct settings){"evse", evse_conf_table, evse_conf_n, &p->evse_conf};
	s[SIM_SECC] = (struct settings){"secc", secc_conf_table, secc_conf_n, &p->secc_conf};
	s[SIM_EVCC] = (struct settings){"evcc", evcc_conf_table, evcc_conf_n, &p->evcc_conf};
	s[SIM_PEV] = (struct settings){"pev", pev_conf_table, pev_conf_n, &p->pev_conf};
}

const char *sim_point_name(enum sim_who who)
{
	static const char *const names[SIM_N_MACHINES] = {"evse-ctrl", "secc-sim", "evcc-sim", "pev-ctrl"};

	return who < SIM_N_MACHINES ? names[who] : "?";
}

void sim_point_defaults(struct sim_point *p)
{
	struct settings s[SIM_N_MACHINES];
	unsigned i;

	memset(p, 0, sizeof(*p));
	settings_of(p, s);
	for (i = 0; i < SIM_N_MACHINES; i++) {
		opts_defaults(s[i].table, s[i].n, s[i].conf);
		p->has_peer[i] = true;
	}
	p->secc_conf.index = 1;
	p->evcc_conf.plug_at_start = 1;
}

static int set_kv(struct sim_point_kv *k, const char *key, size_t key_len, const char *value, char *err,
		  size_t err_size)
{
	if (k->n >= SIM_POINT_KV || key_len >= SIM_POINT_KV_TEXT || strlen(value) >= SIM_POINT_KV_TEXT) {
		snprintf(err, err_size, "too many or too long driver options");
		return -ENOSPC;
	}
	snprintf(k->text[k->n][0], SIM_POINT_KV_TEXT, "%.*s", (int)key_len, key);
	snprintf(k->text[k->n][1], SIM_POINT_KV_TEXT, "%s", value);
	k->kv[k->n].key = k->text[k->n][0];
	k->kv[k->n].value = k->text[k->n][1];
	k->n++;
	return 0;
}

int sim_point_set(struct sim_point *p, const char *assignment, char *err, size_t err_size)
{
	struct settings s[SIM_N_MACHINES];
	const char *dot = strchr(assignment, '.'), *equal = strchr(assignment, '=');
	char key[SIM_POINT_KV_TEXT];
	size_t who_len, key_len;
	unsigned i;
	int found;

	if (!dot || !equal || dot > equal || equal - dot - 1 >= SIM_POINT_KV_TEXT) {
		snprintf(err, err_size, "%s: not of the form MACHINE.KEY=VALUE", assignment);
		return -EINVAL;
	}
	who_len = (size_t)(dot - assignment);
	key_len = (size_t)(equal - dot - 1);
	if (who_len == 5 && !strncmp(assignment, "stack", 5))
		return set_kv(&p->stack_kv, dot + 1, key_len, equal + 1, err, err_size);
	if (who_len == 7 && !strncmp(assignment, "vehicle", 7))
		return set_kv(&p->vehicle_kv, dot + 1, key_len, equal + 1, err, err_size);
	snprintf(key, sizeof(key), "%.*s", (int)key_len, dot + 1);
	settings_of(p, s);
	for (i = 0; i < SIM_N_MACHINES; i++) {
		if (strlen(s[i].name) != who_len || strncmp(assignment, s[i].name, who_len) != 0)
			continue;
		found = opts_find(s[i].table, s[i].n, key);
		if (found < 0) {
			snprintf(err, err_size, "%s: unknown key of %s", key, s[i].name);
			return -ENOENT;
		}
		return opts_set(&s[i].table[found], s[i].conf, equal + 1, err, err_size);
	}
	snprintf(err, err_size, "%.*s: unknown machine (evse, secc, evcc, pev, stack, vehicle)", (int)who_len,
		 assignment);
	return -ENOENT;
}

static int make_evse(struct sim_point *p, int64_t now_us, struct machine *m, char *err, size_t err_size)
{
	struct evse_point_setup setup = {
		.conf = &p->evse_conf,
		.index = (unsigned)p->secc_conf.index,
		.driver = &sim_stack_plugin,
		.ops = sim_stack_plugin.ops,
		.driver_state = &p->stack,
		.kv = p->stack_kv.kv,
		.n_kv = p->stack_kv.n,
		.sink = p->sink,
		.first_number = lease_hold_first_number(0, now_us),
	};
	int ret;

	memset(&p->stack, 0, sizeof(p->stack));
	ret = evse_point_init(&p->evse, &setup, now_us, err, err_size);
	if (ret)
		return ret;
	evse_station_init(&p->station);
	evse_station_add(&p->station, &p->evse);
	*m = (struct machine){&evse_station_ops, &p->station, "evse-ctrl"};
	return 0;
}

static int make_pev(struct sim_point *p, int64_t now_us, struct machine *m, char *err, size_t err_size)
{
	struct pev_point_setup setup = {
		.conf = &p->pev_conf,
		.driver = &sim_vehicle_plugin,
		.ops = sim_vehicle_plugin.ops,
		.driver_state = &p->vehicle,
		.kv = p->vehicle_kv.kv,
		.n_kv = p->vehicle_kv.n,
		.sink = p->sink,
	};
	int ret;

	memset(&p->vehicle, 0, sizeof(p->vehicle));
	ret = pev_point_init(&p->pev, &setup, now_us, err, err_size);
	if (ret)
		return ret;
	*m = pev_point_machine(&p->pev);
	return 0;
}

static int make(struct sim_point *p, enum sim_who who, int64_t now_us, struct machine *m, char *err,
		size_t err_size)
{
	switch (who) {
	case SIM_EVSE:
		return make_evse(p, now_us, m, err, err_size);
	case SIM_SECC:
		secc_init(&p->secc, &p->secc_conf, p->sink, now_us);
		*m = secc_machine(&p->secc);
		return 0;
	case SIM_EVCC:
		evcc_init(&p->evcc, &p->evcc_conf, p->sink, now_us);
		*m = evcc_machine(&p->evcc);
		return 0;
	case SIM_PEV:
		return make_pev(p, now_us, m, err, err_size);
	case SIM_N_MACHINES:
		break;
	}
	return -EINVAL;
}

static void note_state(struct sim_point_states *s, uint8_t state, int64_t now_us)
{
	if (s->n && s->state[s->n - 1] == state)
		return;
	if (s->n < SIM_POINT_MAX_STATES) {
		s->state[s->n] = state;
		s->since_us[s->n++] = now_us;
	}
}

void sim_point_note_states(struct sim_point *p, unsigned node)
{
	if (node == SIM_SECC)
		note_state(&p->secc_states, (uint8_t)p->secc.state, p->world.now_us);
	else if (node == SIM_EVCC)
		note_state(&p->evcc_states, (uint8_t)p->evcc.stage, p->world.now_us);
}

static void after_event(void *ctx, struct world *w, unsigned node)
{
	(void)w;
	sim_point_note_states(ctx, node);
}

int sim_point_start(struct sim_point *p, const struct can_hub_cfg *bus, int64_t now_us, char *err,
		    size_t err_size)
{
	unsigned who;

	world_init(&p->world, bus, now_us);
	p->world.after_event = after_event;
	p->world.ctx = p;
	memset(&p->secc_states, 0, sizeof(p->secc_states));
	memset(&p->evcc_states, 0, sizeof(p->evcc_states));
	for (who = 0; who < SIM_N_MACHINES; who++) {
		struct machine m;
		int ret = make(p, (enum sim_who)who, now_us, &m, err, err_size);

		if (ret)
			return ret;
		ret = world_add(&p->world, &m);
		if (ret < 0)
			return ret;
		if (!p->has_peer[who])
			world_kill(&p->world, who);
	}
	return 0;
}

int sim_point_restart(struct sim_point *p, enum sim_who who, char *err, size_t err_size)
{
	struct machine m;
	int ret = make(p, who, p->world.now_us, &m, err, err_size);

	if (ret)
		return ret;
	world_restart(&p->world, who, &m);
	return 0;
}

bool sim_point_is_session_over(const struct sim_point *p)
{
	const struct sim_point_states *s = &p->secc_states;
	unsigned i;

	if (s->n == 0 ||
	    (s->state[s->n - 1] != SECC_WAITING_FOR_PEV && s->state[s->n - 1] != SECC_NOT_AVAILABLE))
		return false;
	for (i = 0; i < s->n; i++) {
		if (s->state[i] == SECC_CLOSING)
			return true;
	}
	return false;
}
