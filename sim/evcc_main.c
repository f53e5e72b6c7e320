/* SPDX-License-Identifier: MIT */
/*
 * evcc-sim: the virtual vehicle-side module as a process; with --charger model also a whole charger behind its
 * plug. Wires settings and machines together; no decisions.
 */
#include <errno.h>
#include <string.h>

#include "lib/linux/app.h"
#include "sim/evcc.h"
#include "sim/model_charger.h"
#include "sim/model_pair.h"
#include "sim/sim_stack.h"

enum charger_kind { CHARGER_NONE, CHARGER_MODEL };

struct settings {
	struct evcc_cfg evcc;
	struct secc_cfg charger;
	int32_t charger_kind;
};

static struct app app;
static struct settings settings;
static struct opt table[APP_MAX_TABLE];
static struct evcc evcc;
static struct model_charger charger;
static struct model_pair pair;

static const struct forecourt_plugin *const builtin[] = {&sim_stack_plugin, NULL};
static const char *const charger_words[] = {NULL};

static const struct opt_name kinds[] = {{CHARGER_NONE, "none"}, {CHARGER_MODEL, "model"}, {0, NULL}};
static const struct opt kind_option = {
	"charger", 0,	   OPT_ENUM,
	0,	   "",	   0,
	0,	   "none", offsetof(struct settings, charger_kind),
	0,	   kinds,  "model: play a whole charger too; none: plugged into somebody else's"};

/* Settings of the modelled charger's module that make sense here; the others keep their defaults. */
static const char *const charger_options[] = {
	"max_charger_voltage", "max_charger_current", "max_charger_power",	 "max_cable_voltage",
	"max_cable_current",   "test_voltage",	      "insulation_threshold",	 "insulation_iterations",
	"skip_cable_check",    "insulation_timeout",  "wake_up_limit",		 "precharge_timeout",
	"waiting_time",	       "closing_delay",	      "protocol_priority_order",
};

#define N_CHARGER_OPTIONS (sizeof(charger_options) / sizeof(charger_options[0]))

static size_t add(size_t n, const struct opt *o, size_t base)
{
	table[n] = *o;
	table[n].offset += base;
	return n + 1;
}

static size_t make_table(void)
{
	size_t i, n = 0;

	for (i = 0; i < evcc_conf_n; i++)
		n = add(n, &evcc_conf_table[i], offsetof(struct settings, evcc));
	n = add(n, &kind_option, 0);
	for (i = 0; i < N_CHARGER_OPTIONS; i++) {
		int at = opts_find(secc_conf_table, secc_conf_n, charger_options[i]);

		if (at >= 0)
			n = add(n, &secc_conf_table[at], offsetof(struct settings, charger));
	}
	return n;
}

/* The charger's settings that have no option here: defaults, and its place at our plug. */
static void complete_charger(void)
{
	struct secc_cfg full;
	size_t i;

	opts_defaults(secc_conf_table, secc_conf_n, &full);
	for (i = 0; i < N_CHARGER_OPTIONS; i++) {
		int at = opts_find(secc_conf_table, secc_conf_n, charger_options[i]);

		if (at >= 0)
			memcpy((char *)&full + secc_conf_table[at].offset,
			       (const char *)&settings.charger + secc_conf_table[at].offset, sizeof(int32_t));
	}
	full.index = settings.evcc.pistol_index;
	settings.charger = full;
}

static int build(struct app *a, struct machine *machine, char *err, size_t err_size)
{
	const struct app_unit *unit = &a->unit[0];
	void *state;
	int r;

	evcc_init(&evcc, &settings.evcc, app_log_sink(a), app_now_us(a));
	*machine = evcc_machine(&evcc);
	if (settings.charger_kind == CHARGER_NONE)
		return 0;
	complete_charger();
	state = app_memory(a, unit->driver.record->state_size);
	if (!state)
		return app_error(-ENOMEM, err, err_size, "not enough memory");
	r = model_charger_init(&charger, &settings.charger, &unit->driver.ops.pm, state, unit->kv, unit->n_kv,
			       app_log_sink(a), app_now_us(a), err, err_size);
	pair.first = *machine;
	pair.second = model_charger_machine(&charger);
	pair.second_words = charger_words;
	*machine = model_pair_machine(&pair);
	return r;
}

static void fini(struct app *a)
{
	(void)a;
	model_charger_fini(&charger);
}

int main(int argc, char **argv)
{
	struct app_spec spec = {
		.program = "evcc-sim",
		.purpose = "virtual vehicle-side module (EVCC): PEV generic interface v2 and plug",
		.table = table,
		.settings = &settings,
		.driver_kind = FORECOURT_KIND_POWER_MODULE,
		.driver_default = "sim",
		.builtin = builtin,
		.build = build,
		.fini = fini,
	};

	spec.n_table = make_table();
	return app_main(&app, &spec, argc, argv);
}
