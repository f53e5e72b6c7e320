/* SPDX-License-Identifier: MIT */
/* The options of every program, and where a key is known. */
#include "lib/linux/app_internal.h"

#include <string.h>

#define AT(member) offsetof(struct app_common, member), sizeof(((struct app_common *)NULL)->member)

static const struct opt_name log_levels[] = {
	{LOG_ERR_LEVEL, "error"}, {LOG_WARN, "warning"}, {LOG_NOTE, "notice"},
	{LOG_INF, "info"},	  {LOG_DBG, "debug"},	 {0, NULL},
};

/* The unit of a text stands in --help for its value. */
const struct opt app_common_table[] = {
	{"can", 'i', OPT_TEXT, 0, "URL", 0, 0, "can0", AT(can), NULL,
	 "bus: can0, vcan0, udp, udp:GROUP:PORT"},
	{"driver", 0, OPT_TEXT, OPT_PISTOL, "NAME", 0, 0, "", AT(driver), NULL,
	 "driver of the hardware, or a plug-in's full path"},
	{"plugin_dir", 0, OPT_TEXT, 0, "DIR", 0, 0, "/usr/local/lib/forecourt", AT(plugin_dir), NULL,
	 "where drivers NAME.so are"},
	{"pistol_index", 0, OPT_INT, 0, "", 1, 15, "1", AT(pistol_index), NULL,
	 "the pistol, without sections [pistol.N]"},
	{"control", 0, OPT_TEXT, 0, "PATH", 0, 0, "", AT(control), NULL, "control socket; none: without one"},
	{"name", 0, OPT_TEXT, 0, "NAME", 0, 0, "", AT(name), NULL,
	 "name of the control socket, for chargectl"},
	{"trace", 0, OPT_TEXT, 0, "FILE", 0, 0, "", AT(trace), NULL,
	 "write all frames there, as candump -L does"},
	{"realtime", 0, OPT_INT, 0, "", 0, 99, "0", AT(realtime), NULL,
	 "priority of SCHED_FIFO, memory locked; 0: off"},
	{"log_level", 0, OPT_ENUM, 0, "", 0, 0, "info", AT(log_level), log_levels,
	 "error, warning, notice, info or debug"},
};

const size_t app_n_common = sizeof(app_common_table) / sizeof(app_common_table[0]);

const struct app_flag app_flags[] = {
	{"config", 'c', "FILE", "configuration file"},
	{"verbose", 'v', NULL, "one log level more, also -vv"},
	{"quiet", 'q', NULL, "one log level less, also -qq"},
	{"check-config", 0, NULL, "say what is wrong with the settings, and exit"},
	{"dump-config", 0, NULL, "print all settings as a file, and exit"},
	{"help", 'h', NULL, "this text; --help all: every option"},
	{"version", 'V', NULL, "print the version, and exit"},
};

const size_t app_n_flags = sizeof(app_flags) / sizeof(app_flags[0]);

bool app_has_common(const struct app *app, size_t i)
{
	const char *name = app_common_table[i].name;

	if (strcmp(name, "driver") == 0 || strcmp(name, "plugin_dir") == 0)
		return app->spec->driver_kind != 0;
	if (strcmp(name, "pistol_index") == 0)
		return app->spec->n_units_max > 0;
	return true;
}

bool app_find_key(const struct app *app, const char *name, struct app_key *key)
{
	const struct app_spec *s = app->spec;
	uint32_t i;

	memset(key, 0, sizeof(*key));
	key->program = opts_find(s->table, s->n_table, name);
	key->unit = opts_find(s->unit_table, s->n_unit_table, name);
	key->common = opts_find(app_common_table, app_n_common, name);
	if (key->common >= 0 && !app_has_common(app, (size_t)key->common))
		key->common = -1;
	for (i = 0; i < app->n_units && !key->driver; i++)
		if (app->unit[i].driver.record)
			key->driver = plug_find_option(&app->unit[i].driver, name);
	if (key->common >= 0) {
		key->name = app_common_table[key->common].name;
	} else if (key->program >= 0) {
		key->name = s->table[key->program].name;
		key->is_switch = s->table[key->program].type == OPT_BOOL;
	} else if (key->unit >= 0) {
		key->name = s->unit_table[key->unit].name;
		key->is_switch = s->unit_table[key->unit].type == OPT_BOOL;
	} else if (key->driver) {
		key->name = key->driver->name;
		key->is_switch = plug_option_is_switch(key->driver);
	}
	return key->name != NULL;
}

static const char *name_of_letter(const struct opt *table, size_t n, char letter)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (table[i].letter == letter)
			return table[i].name;
	return NULL;
}

bool app_find_letter(const struct app *app, char letter, struct app_key *key)
{
	const struct app_spec *s = app->spec;
	const char *name = name_of_letter(app_common_table, app_n_common, letter);

	if (!name)
		name = name_of_letter(s->table, s->n_table, letter);
	if (!name)
		name = name_of_letter(s->unit_table, s->n_unit_table, letter);
	return name && app_find_key(app, name, key);
}
