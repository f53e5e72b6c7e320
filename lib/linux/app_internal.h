/* SPDX-License-Identifier: MIT */
/* What the parts of app share: keys, the options of every program, and the steps of app_configure(). */
#ifndef LINUX_APP_INTERNAL_H
#define LINUX_APP_INTERNAL_H

#include "lib/linux/app.h"

#define APP_EXIT_FAILED 1
#define APP_EXIT_USAGE	2

extern const struct opt app_common_table[];
extern const size_t app_n_common;

/* Options that exist on the command line alone: what to do rather than how. */
struct app_flag {
	const char *name;
	char letter;
	const char *argument; /* NULL: takes none */
	const char *help;
};

extern const struct app_flag app_flags[];
extern const size_t app_n_flags;

/* Where a key is known: index in its table or -1, and an option of a driver of any unit or NULL. */
struct app_key {
	const char *name; /* as its table writes it; NULL: unknown */
	int common, program, unit;
	const struct forecourt_option *driver;
	bool is_switch;
};

/* True for an option of every program that this one has: no pistol_index without pistols, and so on. */
bool app_has_common(const struct app *app, size_t i);
bool app_find_key(const struct app *app, const char *name, struct app_key *key);
/* By short option. */
bool app_find_letter(const struct app *app, char letter, struct app_key *key);

/*
 * app_args.c: walks argv. The first walk, before the drivers are known, skips what it does not know; the second
 * one refuses it. Fills app->arg, mode, config, verbosity. 0, or -EINVAL with a sentence.
 */
int app_parse_args(struct app *app, int argc, char **argv, bool is_first, char *err, size_t err_size);

/* app_units.c: sections and pistols, drivers, values. 0, or a negative errno with a sentence that names its place. */
void app_set_defaults(struct app *app);
int app_make_units(struct app *app, char *err, size_t err_size);
/* Options of every program alone; known before the drivers are. */
int app_apply_common_file(struct app *app, char *err, size_t err_size);
int app_apply_common_args(struct app *app, char *err, size_t err_size);
int app_apply_file(struct app *app, char *err, size_t err_size);
int app_apply_args(struct app *app, char *err, size_t err_size);
int app_apply_pistols(struct app *app, char *err, size_t err_size);
void *app_unit_settings(const struct app *app, uint32_t unit);
/* These two return the exit status. */
int app_load_drivers(struct app *app, char *err, size_t err_size);
/* Says where the value of an option of every program came from and what is wrong with it. */
int app_blame_common(const struct app *app, const char *name, const char *reason, char *err, size_t err_size);

/* app_help.c */
void app_print_help(const struct app *app, bool is_all);
int app_dump_config(const struct app *app);

#endif
