/* SPDX-License-Identifier: MIT */
/* Pistols, their drivers, and the values of all keys: from the file, the command line and the sections. */
#include "lib/linux/app_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PISTOL	   "pistol."
#define PISTOL_MAX 15 /* four bits of the identifier, 0 is not used */

void *app_unit_settings(const struct app *app, uint32_t unit)
{
	return (char *)app->spec->unit_settings + (size_t)unit * app->spec->unit_size;
}

void app_set_defaults(struct app *app)
{
	const struct app_spec *s = app->spec;
	uint32_t i;

	opts_defaults(app_common_table, app_n_common, &app->common);
	if (s->can_default)
		snprintf(app->common.can, sizeof(app->common.can), "%s", s->can_default);
	if (s->driver_default)
		snprintf(app->common.driver, sizeof(app->common.driver), "%s", s->driver_default);
	opts_defaults(s->table, s->n_table, s->settings);
	for (i = 0; i < s->n_units_max; i++)
		opts_defaults(s->unit_table, s->n_unit_table, app_unit_settings(app, i));
}

/* The number in "pistol.7", 0 when it is something else. */
static uint32_t pistol_number(const char *section)
{
	const char *p = section + strlen(PISTOL);
	uint32_t n = 0;

	if (strncmp(section, PISTOL, strlen(PISTOL)) != 0 || *p < '1' || *p > '9')
		return 0;
	for (; *p >= '0' && *p <= '9' && n <= PISTOL_MAX; p++)
		n = n * 10 + (uint32_t)(*p - '0');
	return *p || n > PISTOL_MAX ? 0 : n;
}

static bool is_program_section(const struct app *app, const char *section)
{
	return !*section || strcmp(section, app->spec->program) == 0;
}

/* Keeps the units sorted by index. */
static void insert_unit(struct app *app, uint32_t index, uint32_t line)
{
	uint32_t at = app->n_units++;

	for (; at > 0 && app->unit[at - 1].index > index; at--) {
		app->unit[at].index = app->unit[at - 1].index;
		app->unit[at].section_line = app->unit[at - 1].section_line;
	}
	app->unit[at].index = index;
	app->unit[at].section_line = line;
}

int app_make_units(struct app *app, char *err, size_t err_size)
{
	const struct conf_ini *c = &app->conf;
	uint32_t i;

	app->n_units = 0;
	for (i = 1; app->config && i < c->n_sections; i++) {
		const char *name = c->section[i].name;
		uint32_t line = c->section[i].line, index = pistol_number(name);

		if (is_program_section(app, name))
			continue;
		if (!index || app->spec->n_units_max == 0)
			return conf_ini_error(c, line, -EINVAL, err, err_size,
					      "unknown section [%s]; known are [%s]%s", name,
					      app->spec->program,
					      app->spec->n_units_max ? " and [pistol.1] to [pistol.15]" : "");
		if (app->n_units == app->spec->n_units_max)
			return conf_ini_error(c, line, -EINVAL, err, err_size, "too many pistols, at most %u",
					      (unsigned)app->spec->n_units_max);
		insert_unit(app, index, line);
	}
	if (app->n_units > 0 && app->is_common_set[opts_find(app_common_table, app_n_common, "pistol_index")])
		return conf_ini_error(c, app->unit[0].section_line, -EINVAL, err, err_size,
				      "pistol_index and sections [pistol.N] exclude each other");
	if (app->n_units == 0) {
		app->n_units = 1;
		app->unit[0].index = app->spec->n_units_max ? (uint32_t)app->common.pistol_index : 0;
		app->unit[0].section_line = 0;
	}
	return 0;
}

static int set_common(struct app *app, int i, const char *value, char *err, size_t err_size)
{
	int r = opts_set(&app_common_table[i], &app->common, value, err, err_size);

	if (!r)
		app->is_common_set[i] = true;
	return r;
}

/* One value for a driver; a later one replaces an earlier one. */
static int set_driver_option(struct app_unit *u, const char *name, const char *value, char *err,
			     size_t err_size)
{
	const struct forecourt_option *o = u->driver.record ? plug_find_option(&u->driver, name) : NULL;
	uint32_t i;

	if (!o)
		return 0;
	for (i = 0; i < u->n_kv && u->kv[i].key != o->name; i++)
		;
	if (i == APP_MAX_UNIT_KV)
		return app_error(-E2BIG, err, err_size, "%s is one option too many for the driver", name);
	u->kv[i].key = o->name;
	u->kv[i].value = value;
	if (i == u->n_kv)
		u->n_kv++;
	return 0;
}

static int set_unit(struct app *app, uint32_t unit, const struct app_key *key, const char *value, char *err,
		    size_t err_size)
{
	int r = 0;

	if (key->unit >= 0) {
		r = opts_set(&app->spec->unit_table[key->unit], app_unit_settings(app, unit), value, err,
			     err_size);
		if (!r)
			app->unit[unit].is_set[key->unit] = true;
	}
	return r ? r : set_driver_option(&app->unit[unit], key->name, value, err, err_size);
}

/* Sets a key of the whole program or the default of all units. */
static int set_everywhere(struct app *app, const struct app_key *key, const char *value, char *err,
			  size_t err_size)
{
	uint32_t i;
	int r = 0;

	if (key->common >= 0)
		r = set_common(app, key->common, value, err, err_size);
	if (!r && key->program >= 0) {
		r = opts_set(&app->spec->table[key->program], app->spec->settings, value, err, err_size);
		if (!r)
			app->is_set[key->program] = true;
	}
	for (i = 0; !r && i < app->n_units; i++)
		r = set_unit(app, i, key, value, err, err_size);
	return r;
}

/* opts_set begins its sentences with the name; FILE:LINE or the option come before it. */
static int wrap_arg_error(int r, const struct app_arg *arg, const char *reason, char *err, size_t err_size)
{
	char dashed[80];
	size_t i, n = strlen(arg->name);

	if (!r)
		return 0;
	for (i = 0; i < n && i < sizeof(dashed) - 1; i++)
		dashed[i] = arg->name[i] == '_' ? '-' : arg->name[i];
	dashed[i] = '\0';
	if (strncmp(reason, arg->name, n) == 0 && reason[n] == ' ')
		return app_error(r, err, err_size, "option --%s%s", dashed, reason + n);
	return app_error(r, err, err_size, "option --%s: %s", dashed, reason);
}

int app_apply_common_file(struct app *app, char *err, size_t err_size)
{
	const struct conf_ini *c = &app->conf;
	char reason[256];
	uint32_t i;

	for (i = 0; app->config && i < c->n_items; i++) {
		const struct conf_item *item = &c->item[i];
		int found = opts_find(app_common_table, app_n_common, item->key);

		if (found < 0 || !app_has_common(app, (size_t)found) ||
		    !is_program_section(app, c->section[item->section].name))
			continue;
		if (set_common(app, found, item->value, reason, sizeof(reason)))
			return conf_ini_error(c, item->line, -EINVAL, err, err_size, "%s", reason);
	}
	return 0;
}

int app_apply_common_args(struct app *app, char *err, size_t err_size)
{
	char reason[256];
	uint32_t i;

	for (i = 0; i < app->n_args; i++) {
		int found = opts_find(app_common_table, app_n_common, app->arg[i].name);
		int r = found < 0 ? 0 : set_common(app, found, app->arg[i].value, reason, sizeof(reason));

		if (r)
			return wrap_arg_error(r, &app->arg[i], reason, err, err_size);
	}
	return 0;
}

int app_blame_common(const struct app *app, const char *name, const char *reason, char *err, size_t err_size)
{
	const struct conf_ini *c = &app->conf;
	uint32_t i;

	for (i = 0; i < app->n_args; i++) {
		if (strcmp(app->arg[i].name, name) == 0) {
			wrap_arg_error(-EINVAL, &app->arg[i], reason, err, err_size);
			return APP_EXIT_USAGE;
		}
	}
	for (i = 0; app->config && i < c->n_items; i++) {
		if (strcmp(c->item[i].key, name) == 0 &&
		    is_program_section(app, c->section[c->item[i].section].name)) {
			conf_ini_error(c, c->item[i].line, -EINVAL, err, err_size, "%s: %s", name, reason);
			return APP_EXIT_FAILED;
		}
	}
	app_error(-EINVAL, err, err_size, "%s: %s", name, reason);
	return APP_EXIT_FAILED;
}

/* In the section [pistol.N] of that unit; NULL: not there. */
static const struct conf_item *find_in_section(const struct app *app, const struct app_unit *u,
					       const char *key)
{
	const struct conf_ini *c = &app->conf;
	uint32_t i;

	for (i = 0; u->section_line && i < c->n_items; i++)
		if (c->section[c->item[i].section].line == u->section_line &&
		    strcmp(c->item[i].key, key) == 0)
			return &c->item[i];
	return NULL;
}

int app_load_drivers(struct app *app, char *err, size_t err_size)
{
	const struct plug_source source = {.builtin = app->spec->builtin, .dir = app->common.plugin_dir};
	uint32_t i;

	for (i = 0; app->spec->driver_kind && i < app->n_units; i++) {
		struct app_unit *u = &app->unit[i];
		const struct conf_item *item = find_in_section(app, u, "driver");
		const char *name = item ? item->value : app->common.driver;
		char reason[512];

		if (!plug_load(&u->driver, name, app->spec->driver_kind, &source, reason, sizeof(reason)))
			continue;
		if (!item)
			return app_blame_common(app, "driver", reason, err, err_size);
		conf_ini_error(&app->conf, item->line, -EINVAL, err, err_size, "driver: %s", reason);
		return APP_EXIT_FAILED;
	}
	return 0;
}

static int unknown_key(const struct app *app, const struct conf_item *item, char *err, size_t err_size)
{
	char known[400] = "none";

	if (app->unit[0].driver.record)
		plug_list_options(&app->unit[0].driver, known, sizeof(known));
	if (!app->unit[0].driver.record)
		return conf_ini_error(&app->conf, item->line, -EINVAL, err, err_size,
				      "unknown key %s, see --help all", item->key);
	return conf_ini_error(&app->conf, item->line, -EINVAL, err, err_size,
			      "unknown key %s, see --help all; the driver %s has: %s", item->key,
			      app->unit[0].driver.record->name, known);
}

/* Both places of program-wide keys set it; within one section the file's reader has seen to it. */
static bool is_repeated(const struct app *app, uint32_t at)
{
	const struct conf_ini *c = &app->conf;
	uint32_t i;

	for (i = 0; i < at; i++)
		if (strcmp(c->item[i].key, c->item[at].key) == 0 &&
		    is_program_section(app, c->section[c->item[i].section].name))
			return true;
	return false;
}

int app_apply_file(struct app *app, char *err, size_t err_size)
{
	const struct conf_ini *c = &app->conf;
	char reason[256];
	struct app_key key;
	uint32_t i;

	for (i = 0; app->config && i < c->n_items; i++) {
		const struct conf_item *item = &c->item[i];

		if (!is_program_section(app, c->section[item->section].name))
			continue;
		if (!app_find_key(app, item->key, &key))
			return unknown_key(app, item, err, err_size);
		if (is_repeated(app, i))
			return conf_ini_error(c, item->line, -EEXIST, err, err_size,
					      "key is also set before the first section: %s", item->key);
		if (set_everywhere(app, &key, item->value, reason, sizeof(reason)))
			return conf_ini_error(c, item->line, -EINVAL, err, err_size, "%s", reason);
	}
	return 0;
}

int app_apply_args(struct app *app, char *err, size_t err_size)
{
	char reason[256];
	struct app_key key;
	uint32_t i;

	for (i = 0; i < app->n_args; i++) {
		int r = app_find_key(app, app->arg[i].name, &key)
				? set_everywhere(app, &key, app->arg[i].value, reason, sizeof(reason))
				: 0;

		if (r)
			return wrap_arg_error(r, &app->arg[i], reason, err, err_size);
	}
	return 0;
}

static int apply_pistol_item(struct app *app, uint32_t unit, const struct conf_item *item, char *err,
			     size_t err_size)
{
	const struct app_unit *u = &app->unit[unit];
	char reason[256];
	struct app_key key;

	if (app->spec->driver_kind && strcmp(item->key, "driver") == 0)
		return 0; /* is loaded already */
	if (!app_find_key(app, item->key, &key))
		return unknown_key(app, item, err, err_size);
	if (key.common >= 0 || key.program >= 0)
		return conf_ini_error(&app->conf, item->line, -EINVAL, err, err_size,
				      "%s is a key of the whole program, not of a pistol", item->key);
	if (key.unit < 0 && (!u->driver.record || !plug_find_option(&u->driver, item->key)))
		return conf_ini_error(&app->conf, item->line, -EINVAL, err, err_size,
				      "%s is no key of the driver of this pistol", item->key);
	if (set_unit(app, unit, &key, item->value, reason, sizeof(reason)))
		return conf_ini_error(&app->conf, item->line, -EINVAL, err, err_size, "%s", reason);
	return 0;
}

int app_apply_pistols(struct app *app, char *err, size_t err_size)
{
	const struct conf_ini *c = &app->conf;
	uint32_t i, unit;
	int r = 0;

	for (i = 0; app->config && !r && i < c->n_items; i++) {
		uint32_t index = pistol_number(c->section[c->item[i].section].name);

		for (unit = 0; index && !r && unit < app->n_units; unit++)
			if (app->unit[unit].index == index)
				r = apply_pistol_item(app, unit, &c->item[i], err, err_size);
	}
	return r;
}
