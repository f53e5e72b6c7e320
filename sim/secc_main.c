/* SPDX-License-Identifier: MIT */
/*
 * secc-sim: the virtual charger-side module as a process; with --vehicle model also a whole vehicle behind its
 * plug. Wires settings and machines together; no decisions.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/linux/app.h"
#include "sim/model_pair.h"
#include "sim/model_vehicle.h"
#include "sim/secc.h"
#include "sim/sim_vehicle.h"

enum vehicle_kind { VEHICLE_NONE, VEHICLE_MODEL };

struct settings {
	struct secc_cfg secc;
	struct evcc_cfg vehicle;
	int32_t vehicle_kind;
};

static struct app app;
static struct settings settings;
static struct opt table[APP_MAX_TABLE];
static struct secc secc;
static struct model_vehicle vehicle;
static struct model_pair pair;

static const struct forecourt_plugin *const builtin[] = {&sim_vehicle_plugin, NULL};
static const char *const vehicle_words[] = {"plug", "unplug", NULL};

static const struct opt_name kinds[] = {{VEHICLE_NONE, "none"}, {VEHICLE_MODEL, "model"}, {0, NULL}};
static const struct opt kind_option = {
	"vehicle", 0,	   OPT_ENUM,
	0,	   "",	   0,
	0,	   "none", offsetof(struct settings, vehicle_kind),
	0,	   kinds,  "model: play a whole vehicle too; none: somebody else is plugged in"};

/* Settings of the modelled vehicle's module that make sense here; the others keep their defaults. */
static const char *const vehicle_options[] = {
	"plug_at_start",     "plug_after",   "stop_after",	  "unplug_after", "max_soc",
	"max_voltage",	     "max_current",  "max_power",	  "current_ramp", "target_voltage",
	"request_period_ms", "din_priority", "welding_detection",
};

static size_t add(size_t n, const struct opt *o, size_t base)
{
	table[n] = *o;
	table[n].offset += base;
	return n + 1;
}

static size_t make_table(void)
{
	size_t i, n = 0;

	for (i = 0; i < secc_conf_n; i++)
		n = add(n, &secc_conf_table[i], offsetof(struct settings, secc));
	n = add(n, &kind_option, 0);
	for (i = 0; i < sizeof(vehicle_options) / sizeof(vehicle_options[0]); i++) {
		int at = opts_find(evcc_conf_table, evcc_conf_n, vehicle_options[i]);

		if (at >= 0)
			n = add(n, &evcc_conf_table[at], offsetof(struct settings, vehicle));
	}
	return n;
}

/* The vehicle's settings that have no option here: defaults, and its place at our plug. */
static void complete_vehicle(void)
{
	struct evcc_cfg full;
	size_t i;

	opts_defaults(evcc_conf_table, evcc_conf_n, &full);
	for (i = 0; i < sizeof(vehicle_options) / sizeof(vehicle_options[0]); i++) {
		int at = opts_find(evcc_conf_table, evcc_conf_n, vehicle_options[i]);

		if (at >= 0)
			memcpy((char *)&full + evcc_conf_table[at].offset,
			       (const char *)&settings.vehicle + evcc_conf_table[at].offset, sizeof(int32_t));
	}
	full.pistol_index = settings.secc.index;
	settings.vehicle = full;
}

/* The controllers say pistol_index where the module says index: both words are taken. */
static int take_pistol_index(const struct app *a, char *err, size_t err_size)
{
	const struct app_unit *unit = &a->unit[0];
	const struct opt *index = &secc_conf_table[opts_find(secc_conf_table, secc_conf_n, "index")];
	uint32_t i;

	for (i = 0; i < unit->n_kv; i++) {
		if (strcmp(unit->kv[i].key, "pistol_index") == 0 && !app_is_set(a, 0, "index"))
			return opts_set(index, &settings.secc, unit->kv[i].value, err, err_size);
	}
	return 0;
}

static int build(struct app *a, struct machine *machine, char *err, size_t err_size)
{
	const struct app_unit *unit = &a->unit[0];
	struct forecourt_kv kv[APP_MAX_UNIT_KV + 1];
	char index[8];
	void *state;
	int r;

	r = take_pistol_index(a, err, err_size);
	if (r)
		return r;
	secc_init(&secc, &settings.secc, app_log_sink(a), app_now_us(a));
	*machine = secc_machine(&secc);
	if (settings.vehicle_kind == VEHICLE_NONE)
		return 0;
	complete_vehicle();
	state = app_memory(a, unit->driver.record->state_size);
	if (!state)
		return app_error(-ENOMEM, err, err_size, "not enough memory");
	snprintf(index, sizeof(index), "%d", (int)settings.secc.index);
	memcpy(kv, unit->kv, sizeof(unit->kv));
	kv[unit->n_kv] = (struct forecourt_kv){"pistol_index", index};
	r = model_vehicle_init(&vehicle, &settings.vehicle, &unit->driver.ops.vh, state, kv, unit->n_kv + 1,
			       app_log_sink(a), app_now_us(a), err, err_size);
	pair.first = *machine;
	pair.second = model_vehicle_machine(&vehicle);
	pair.second_words = vehicle_words;
	*machine = model_pair_machine(&pair);
	return r;
}

static void fini(struct app *a)
{
	(void)a;
	model_vehicle_fini(&vehicle);
}

int main(int argc, char **argv)
{
	struct app_spec spec = {
		.program = "secc-sim",
		.purpose = "virtual charger-side module (SECC): EVSE generic interface v3 and plug",
		.table = table,
		.settings = &settings,
		.driver_kind = FORECOURT_KIND_VEHICLE_HW,
		.driver_default = "sim",
		.builtin = builtin,
		.build = build,
		.fini = fini,
	};

	spec.n_table = make_table();
	return app_main(&app, &spec, argc, argv);
}
