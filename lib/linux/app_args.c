/* SPDX-License-Identifier: MIT */
/*
 * The command line. Not getopt_long: options of a driver are known only once the driver is, so the line is
 * walked twice; and an abbreviation that works today would break a script when the next option is added.
 */
#include "lib/linux/app_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAME_LEN_MAX 80

struct walk {
	struct app *app;
	char **argv;
	int argc, i; /* argv[i] is looked at */
	bool is_first;
	char *err;
	size_t err_size;
};

static int add_arg(struct walk *w, const char *name, const char *value)
{
	struct app *app = w->app;

	if (app->n_args == APP_MAX_ARGS)
		return app_error(-EINVAL, w->err, w->err_size, "too many options on the command line");
	app->arg[app->n_args].name = name;
	app->arg[app->n_args++].value = value;
	return 0;
}

/* The value of an option: behind '=' or in the letter's argument, else the next argument. */
static int take_value(struct walk *w, const char *attached, const char *shown, const char **value)
{
	if (attached) {
		*value = attached;
		return 0;
	}
	/* No value begins with two dashes: that is the next option, and this one's value was forgotten. */
	if (w->i + 1 >= w->argc || strncmp(w->argv[w->i + 1], "--", 2) == 0)
		return app_error(-EINVAL, w->err, w->err_size, "option %s needs a value", shown);
	*value = w->argv[++w->i];
	return 0;
}

static const struct app_flag *find_flag(const char *name, char letter)
{
	size_t i;

	for (i = 0; i < app_n_flags; i++)
		if (name ? strcmp(app_flags[i].name, name) == 0 : app_flags[i].letter == letter)
			return &app_flags[i];
	return NULL;
}

/* Help comes before everything, then the version; of the rest the last one counts. */
static void choose_mode(struct app *app, enum app_mode mode)
{
	if (app->mode == APP_HELP || app->mode == APP_HELP_ALL)
		return;
	if (app->mode == APP_VERSION && mode != APP_HELP && mode != APP_HELP_ALL)
		return;
	app->mode = mode;
}

static int do_help(struct walk *w, const char *attached, const char *shown)
{
	const char *topic = attached;

	if (!topic && w->i + 1 < w->argc && strcmp(w->argv[w->i + 1], "all") == 0)
		topic = w->argv[++w->i];
	if (topic && strcmp(topic, "all") != 0)
		return app_error(-EINVAL, w->err, w->err_size, "option %s knows only 'all'", shown);
	choose_mode(w->app, topic ? APP_HELP_ALL : APP_HELP);
	return 0;
}

static int do_flag(struct walk *w, const struct app_flag *flag, const char *attached, const char *shown)
{
	struct app *app = w->app;

	if (strcmp(flag->name, "help") == 0)
		return do_help(w, attached, shown);
	if (strcmp(flag->name, "config") == 0) {
		if (app->config && !w->is_first && app->n_config_seen++ > 0)
			return app_error(-EINVAL, w->err, w->err_size, "option %s may be given once", shown);
		return take_value(w, attached, shown, &app->config);
	}
	if (attached)
		return app_error(-EINVAL, w->err, w->err_size, "option %s takes no value", shown);
	if (strcmp(flag->name, "verbose") == 0)
		app->verbosity++;
	else if (strcmp(flag->name, "quiet") == 0)
		app->verbosity--;
	else if (strcmp(flag->name, "version") == 0)
		choose_mode(app, APP_VERSION);
	else if (strcmp(flag->name, "check-config") == 0)
		choose_mode(app, APP_CHECK);
	else
		choose_mode(app, APP_DUMP);
	return 0;
}

static int do_key(struct walk *w, const struct app_key *key, const char *attached, const char *shown)
{
	const char *value = attached;
	int r = 0;

	if (key->is_switch && !attached)
		value = "yes";
	else
		r = take_value(w, attached, shown, &value);
	return r ? r : add_arg(w, key->name, value);
}

static int do_long(struct walk *w, const char *arg)
{
	const char *equals = strchr(arg, '=');
	size_t n = equals ? (size_t)(equals - arg) : strlen(arg);
	const char *attached = equals ? equals + 1 : NULL;
	char name[NAME_LEN_MAX], shown[NAME_LEN_MAX + 2];
	const struct app_flag *flag;
	struct app_key key;

	if (n >= sizeof(name))
		return app_error(-EINVAL, w->err, w->err_size, "unknown option --%.40s...", arg);
	memcpy(name, arg, n);
	name[n] = '\0';
	snprintf(shown, sizeof(shown), "--%s", name);
	flag = find_flag(name, 0);
	if (flag)
		return do_flag(w, flag, attached, shown);
	if (app_find_key(w->app, name, &key))
		return do_key(w, &key, attached, shown);
	if (strncmp(name, "no-", 3) == 0 && app_find_key(w->app, name + 3, &key) && key.is_switch) {
		if (attached)
			return app_error(-EINVAL, w->err, w->err_size, "option %s takes no value", shown);
		return add_arg(w, key.name, "no");
	}
	if (w->is_first)
		return 0;
	return app_error(-EINVAL, w->err, w->err_size, "unknown option %s, see --help all", shown);
}

/* "-vv", "-ivcan0", "-i vcan0". */
static int do_short(struct walk *w, const char *letters)
{
	for (; *letters; letters++) {
		const char shown[3] = {'-', *letters, '\0'};
		const char *rest = letters[1] ? letters + 1 : NULL;
		const struct app_flag *flag = find_flag(NULL, *letters);
		struct app_key key;
		int r;

		if (flag && !flag->argument) {
			r = do_flag(w, flag, NULL, shown);
			if (r)
				return r;
			continue;
		}
		if (flag)
			return do_flag(w, flag, rest, shown);
		if (!app_find_letter(w->app, *letters, &key))
			return w->is_first ? 0
					   : app_error(-EINVAL, w->err, w->err_size,
						       "unknown option %s, see --help", shown);
		if (!key.is_switch)
			return do_key(w, &key, rest, shown);
		r = add_arg(w, key.name, "yes");
		if (r)
			return r;
	}
	return 0;
}

int app_parse_args(struct app *app, int argc, char **argv, bool is_first, char *err, size_t err_size)
{
	struct walk w = {.app = app,
			 .argv = argv,
			 .argc = argc,
			 .is_first = is_first,
			 .err = err,
			 .err_size = err_size};
	int r = 0;

	app->n_args = 0;
	app->n_config_seen = 0;
	app->verbosity = 0;
	app->mode = APP_RUN;
	for (w.i = 1; !r && w.i < argc; w.i++) {
		const char *arg = argv[w.i];

		if (arg[0] == '-' && arg[1] == '-' && arg[2])
			r = do_long(&w, arg + 2);
		else if (arg[0] == '-' && arg[1] && arg[1] != '-')
			r = do_short(&w, arg + 1);
		else if (!is_first)
			r = app_error(-EINVAL, err, err_size, "unexpected argument '%.60s'", arg);
	}
	return r;
}
