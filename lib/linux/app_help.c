/* SPDX-License-Identifier: MIT */
/* --help and --dump-config, both made from the option tables. */
#include "lib/linux/app_internal.h"

#include <stdio.h>
#include <string.h>

#define HELP_LINES   24 /* of a plain terminal */
#define HELP_COLUMNS 79
#define LEFT_COLUMNS 26 /* of the option itself */

static void put_dashed(char *text, size_t size, const char *name)
{
	size_t i;

	for (i = 0; name[i] && i + 1 < size; i++)
		text[i] = name[i] == '_' ? '-' : name[i];
	text[i] = '\0';
}

static const char *value_word(const struct opt *o)
{
	if (o->unit[0])
		return o->unit;
	switch (o->type) {
	case OPT_BOOL:
		return NULL;
	case OPT_TEXT:
		return "TEXT";
	case OPT_ENUM:
		return "WORD";
	case OPT_INT:
	case OPT_LONG:
	case OPT_MILLI:
		return "N";
	}
	return NULL;
}

/* "  -i, --can URL           "; what is longer gets a line of its own. */
static void print_left(char letter, const char *name, const char *argument)
{
	char dashed[80], left[128];
	int n;

	put_dashed(dashed, sizeof(dashed), name);
	n = snprintf(left, sizeof(left), letter ? "  -%c, --%s%s%s" : "  %c   --%s%s%s",
		     letter ? letter : ' ', dashed, argument ? " " : "", argument ? argument : "");
	if (n >= LEFT_COLUMNS)
		printf("%s\n%*s", left, LEFT_COLUMNS, "");
	else
		printf("%-*s", LEFT_COLUMNS, left);
}

static int print_flags(void)
{
	size_t i;

	for (i = 0; i < app_n_flags; i++) {
		print_left(app_flags[i].letter, app_flags[i].name, app_flags[i].argument);
		puts(app_flags[i].help);
	}
	return (int)app_n_flags;
}

static int print_common(const struct app *app)
{
	size_t i;
	int n = 0;

	for (i = 0; i < app_n_common; i++) {
		if (!app_has_common(app, i))
			continue;
		print_left(app_common_table[i].letter, app_common_table[i].name,
			   value_word(&app_common_table[i]));
		puts(app_common_table[i].help);
		n++;
	}
	return n;
}

/* Names of the program's own options, as many as fit into the lines left. */
struct names {
	int column, lines_left;
	bool is_full;
};

static void print_name(struct names *s, const char *name)
{
	char dashed[80];
	int n;

	put_dashed(dashed, sizeof(dashed), name);
	n = (int)strlen(dashed) + 3;
	if (s->is_full)
		return;
	if (s->column + n + (s->lines_left == 1 ? 4 : 0) > HELP_COLUMNS) {
		if (s->lines_left <= 1) {
			printf(" ...");
			s->is_full = true;
			return;
		}
		printf("\n");
		s->column = 0;
		s->lines_left--;
	}
	printf(" --%s", dashed);
	s->column += n;
}

static void print_names(const struct app *app, int lines_left)
{
	const struct app_spec *spec = app->spec;
	struct names s = {.column = (int)strlen("Settings:"), .lines_left = lines_left};
	const struct plug *driver = &app->unit[0].driver;
	uint32_t i;

	printf("Settings:");
	for (i = 0; i < spec->n_table; i++)
		if (!(spec->table[i].flags & OPT_HIDDEN))
			print_name(&s, spec->table[i].name);
	for (i = 0; i < spec->n_unit_table; i++)
		if (!(spec->unit_table[i].flags & OPT_HIDDEN))
			print_name(&s, spec->unit_table[i].name);
	for (i = 0; driver->record && i < driver->record->n_options; i++)
		print_name(&s, plug_option(driver, i)->name);
	printf("\n");
}

static void print_limit(const struct opt *o, int64_t limit)
{
	struct opt alone = *o; /* as if the settings were the limit alone */
	int32_t narrow = (int32_t)limit;
	char text[32];

	alone.offset = 0;
	opts_get(&alone, o->type == OPT_LONG ? (void *)&limit : (void *)&narrow, text, sizeof(text));
	printf("%s", text);
}

/* " [500 V; 1 to 6553.5; live]": default, range or names, and whether it can be set while running. */
static void print_facts(const struct opt *o, const void *settings)
{
	bool is_ranged = o->type == OPT_INT || o->type == OPT_LONG || o->type == OPT_MILLI;
	const struct opt_name *name;
	char value[APP_PATH_MAX];

	opts_get(o, settings, value, sizeof(value));
	printf(" [%s%s%s", value[0] ? value : "unset", is_ranged && o->unit[0] ? " " : "",
	       is_ranged ? o->unit : "");
	for (name = o->type == OPT_ENUM ? o->names : NULL; name && name->name; name++)
		printf("%s%s", name == o->names ? "; " : " ", name->name);
	if (is_ranged && (o->min || o->max)) {
		printf("; ");
		print_limit(o, o->min);
		printf(" to ");
		print_limit(o, o->max);
	}
	printf("%s]\n", o->flags & OPT_LIVE ? "; live" : "");
}

static void print_table(const char *title, const struct opt *table, size_t n, const void *settings)
{
	size_t i;

	if (n == 0)
		return;
	printf("\n%s\n", title);
	for (i = 0; i < n; i++) {
		print_left(table[i].letter, table[i].name, value_word(&table[i]));
		printf("%s", table[i].help);
		print_facts(&table[i], settings);
	}
}

static void print_driver(const struct plug *driver)
{
	uint32_t i;

	if (!driver->record || driver->record->n_options == 0)
		return;
	printf("\nOptions of the driver %s:\n", driver->record->name);
	for (i = 0; i < driver->record->n_options; i++) {
		const struct forecourt_option *o = plug_option(driver, i);

		print_left(0, o->name, plug_option_is_switch(o) ? NULL : o->unit[0] ? o->unit : "VALUE");
		printf("%s [%s%s%s]\n", o->help, o->def[0] ? o->def : "unset", o->unit[0] ? " " : "",
		       o->unit);
	}
}

static void print_all(const struct app *app)
{
	const struct app_spec *s = app->spec;
	size_t i;

	printf("Usage: %s [OPTION]...\n%s\n\n", s->program, s->purpose);
	print_flags();
	for (i = 0; i < app_n_common; i++) {
		if (!app_has_common(app, i))
			continue;
		print_left(app_common_table[i].letter, app_common_table[i].name,
			   value_word(&app_common_table[i]));
		printf("%s", app_common_table[i].help);
		print_facts(&app_common_table[i], &app->common);
	}
	print_table("Options of the program:", s->table, s->n_table, s->settings);
	print_table("Options of a pistol, also as keys of [pistol.N]:", s->unit_table, s->n_unit_table,
		    s->unit_settings);
	print_driver(&app->unit[0].driver);
	printf("\nIn brackets: the default, the range, and whether chargectl can set it while running. Switches also\n"
	       "as --no-NAME. In a configuration file the same names with underscores, NAME = VALUE.\n"
	       "Exit status: 0 done, 1 failed, 2 wrong use.\n");
}

void app_print_help(const struct app *app, bool is_all)
{
	int n = 4; /* usage, purpose, and the last two lines */

	if (is_all) {
		print_all(app);
		return;
	}
	printf("Usage: %s [OPTION]...\n%s\n", app->spec->program, app->spec->purpose);
	n += print_flags();
	n += print_common(app);
	print_names(app, HELP_LINES - n);
	printf("Every option with its unit, range and default: %s --help all\n"
	       "Exit status: 0 done, 1 failed, 2 wrong use. While running: chargectl.\n",
	       app->spec->program);
}

/* False when the value cannot be written in a file such that it reads back. */
static bool print_setting(const char *name, const char *unit, const char *help, const char *value)
{
	size_t n = strlen(value);
	bool is_plain = !strstr(value, " ;") && !strstr(value, "\t;") && value[0] != ' ' &&
			(n == 0 || (value[n - 1] != ' ' && value[n - 1] != '\t')) &&
			strlen(name) + n + 3 <= CONF_LINE_LEN_MAX && value[0] != ';';

	printf("# %.120s%s%s%s\n", help, unit[0] ? " [" : "", unit, unit[0] ? "]" : "");
	if (is_plain)
		printf("%s = %s\n", name, value);
	else
		fprintf(stderr, "%s: its value cannot be written in a file: %s\n", name, value);
	return is_plain;
}

static bool dump_table(const struct opt *table, size_t n, const void *settings)
{
	char value[1024];
	bool is_good = true;
	size_t i;

	for (i = 0; i < n; i++) {
		opts_get(&table[i], settings, value, sizeof(value));
		is_good &= print_setting(table[i].name, table[i].type == OPT_TEXT ? "" : table[i].unit,
					 table[i].help, value);
	}
	return is_good;
}

static bool dump_common(const struct app *app)
{
	char value[APP_PATH_MAX];
	bool is_good = true, has_sections = app->unit[0].section_line != 0;
	size_t i;

	for (i = 0; i < app_n_common; i++) {
		const struct opt *o = &app_common_table[i];

		if (!app_has_common(app, i) || (has_sections && strcmp(o->name, "pistol_index") == 0))
			continue;
		opts_get(o, &app->common, value, sizeof(value));
		is_good &= print_setting(o->name, "", o->help, value);
	}
	return is_good;
}

/* A key that the table of pistols has too was printed there. */
static bool dump_driver(const struct app *app, const struct app_unit *u)
{
	const struct app_spec *s = app->spec;
	bool is_good = true;
	uint32_t i, k;

	for (i = 0; u->driver.record && i < u->driver.record->n_options; i++) {
		const struct forecourt_option *o = plug_option(&u->driver, i);
		const char *value = o->def;

		if (opts_find(s->table, s->n_table, o->name) >= 0 ||
		    opts_find(s->unit_table, s->n_unit_table, o->name) >= 0)
			continue;
		for (k = 0; k < u->n_kv; k++)
			if (u->kv[k].key == o->name)
				value = u->kv[k].value;
		is_good &= print_setting(o->name, o->unit, o->help, value);
	}
	return is_good;
}

static bool dump_unit(const struct app *app, uint32_t i)
{
	const struct app_spec *s = app->spec;
	const struct app_unit *u = &app->unit[i];
	const char *driver = app->common.driver;
	bool is_good = true;
	uint32_t k;

	if (u->section_line) {
		printf("\n[pistol.%u]\n", (unsigned)u->index);
		for (k = 0; k < app->conf.n_items; k++)
			if (app->conf.section[app->conf.item[k].section].line == u->section_line &&
			    strcmp(app->conf.item[k].key, "driver") == 0)
				driver = app->conf.item[k].value;
		if (s->driver_kind)
			is_good &= print_setting("driver", "", "driver of the hardware", driver);
	}
	if (s->n_unit_table)
		is_good &= dump_table(s->unit_table, s->n_unit_table, app_unit_settings(app, i));
	is_good &= dump_driver(app, u);
	return is_good;
}

int app_dump_config(const struct app *app)
{
	const struct app_spec *s = app->spec;
	bool is_good;
	uint32_t i;

	printf("# %s: all settings as they are in effect.\n", s->program);
	is_good = dump_common(app);
	is_good &= dump_table(s->table, s->n_table, s->settings);
	for (i = 0; i < app->n_units; i++)
		is_good &= dump_unit(app, i);
	return is_good && fflush(stdout) == 0 ? 0 : APP_EXIT_FAILED;
}
