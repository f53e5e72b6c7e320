/* SPDX-License-Identifier: MIT */
/* The common main: from argv to the exit status. */
#include "lib/linux/app.h"

#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/linux/app_internal.h"

int app_error(int error, char *err, size_t err_size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err, err_size, format, args);
	va_end(args);
	return error;
}

const struct log_sink *app_log_sink(const struct app *app)
{
	return &app->log.sink;
}

int64_t app_now_us(const struct app *app)
{
	(void)app;
	return loop_clock_us();
}

void *app_memory(struct app *app, size_t size)
{
	void *p;

	if (app->n_memory == APP_MAX_MEMORY)
		return NULL;
	p = calloc(1, size ? size : 1);
	if (p)
		app->memory[app->n_memory++] = p;
	return p;
}

bool app_is_set(const struct app *app, uint32_t unit, const char *key)
{
	const struct app_spec *s = app->spec;
	int i = opts_find(app_common_table, app_n_common, key);
	uint32_t k;

	if (i >= 0)
		return app->is_common_set[i];
	i = opts_find(s->table, s->n_table, key);
	if (i >= 0)
		return app->is_set[i];
	if (unit >= app->n_units)
		return false;
	i = opts_find(s->unit_table, s->n_unit_table, key);
	if (i >= 0)
		return app->unit[unit].is_set[i];
	for (k = 0; k < app->unit[unit].n_kv; k++)
		if (strcmp(app->unit[unit].kv[k].key, key) == 0)
			return true;
	return false;
}

int app_add_bus(struct app *app, const char *url, const struct can_filter *filters, size_t n_filters,
		run_rx_fn rx, void *ctx, char *err, size_t err_size)
{
	uint32_t number = app->run.n_buses;
	char *name = app->bus_name[number < RUN_MAX_BUSES ? number : 0];
	struct can_bus *bus;
	int r;

	if (number == RUN_MAX_BUSES)
		return app_error(-ENOSPC, err, err_size, "too many buses, at most %d", RUN_MAX_BUSES);
	r = can_bus_open(url, &bus, err, err_size);
	if (r)
		return r;
	r = can_bus_set_filters(bus, filters, n_filters);
	if (r) {
		can_bus_close(bus);
		return app_error(r, err, err_size, "%s: receive filters: %s", url, strerror(-r));
	}
	if (strncmp(url, "socketcan:", 10) == 0)
		url += 10;
	snprintf(name, sizeof(app->bus_name[0]), "%.*s",
		 (int)(strncmp(url, "udp", 3) == 0 ? 3 : strcspn(url, "? \t")), url);
	return run_add_bus(&app->run, bus, name, rx, ctx);
}

int app_add_fd(struct app *app, int fd, run_io_fn io, void *ctx)
{
	return run_add_fd(&app->run, fd, io, ctx);
}

/* The file, as far as there is one. */
static int read_file(struct app *app, char *err, size_t err_size)
{
	int r;

	if (!app->config)
		return 0;
	r = conf_ini_load(&app->conf, app->config, err, err_size);
	return r ? r : app_apply_common_file(app, err, err_size);
}

static int check_name(const struct app *app, char *err, size_t err_size)
{
	const char *p;

	for (p = app->common.name; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_' && *p != '-' &&
		    (*p != '.' || p == app->common.name))
			return app_blame_common(app, "name",
						"has characters other than letters, digits, '.', '_', '-'",
						err, err_size);
	return 0;
}

static int check_values(struct app *app, char *err, size_t err_size)
{
	char reason[256];
	int status = check_name(app, err, err_size);

	if (status)
		return status;
	if (!can_bus_check_url(app->common.can, reason, sizeof(reason)))
		return app_blame_common(app, "can", reason, err, err_size);
	if (app->spec->check && app->spec->check(app, err, err_size))
		return APP_EXIT_FAILED;
	return 0;
}

/* For --help: what the options would be, as far as that can be said without a file. */
static int configure_help(struct app *app)
{
	char ignored[512];

	app->config = NULL;
	app_apply_common_args(app, ignored, sizeof(ignored));
	app_make_units(app, ignored, sizeof(ignored));
	app_load_drivers(app, ignored, sizeof(ignored));
	return 0;
}

int app_configure(struct app *app, const struct app_spec *spec, int argc, char **argv, char *err,
		  size_t err_size)
{
	int status;

	app->spec = spec;
	app_set_defaults(app);
	if (app_parse_args(app, argc, argv, true, err, err_size))
		return APP_EXIT_USAGE;
	if (app->mode == APP_HELP || app->mode == APP_HELP_ALL || app->mode == APP_VERSION)
		return configure_help(app);
	if (read_file(app, err, err_size))
		return APP_EXIT_FAILED;
	if (app_apply_common_args(app, err, err_size))
		return APP_EXIT_USAGE;
	if (app_make_units(app, err, err_size))
		return APP_EXIT_FAILED;
	status = app_load_drivers(app, err, err_size);
	if (status)
		return status;
	if (app_parse_args(app, argc, argv, false, err, err_size))
		return APP_EXIT_USAGE;
	if (app_apply_file(app, err, err_size))
		return APP_EXIT_FAILED;
	if (app_apply_args(app, err, err_size))
		return APP_EXIT_USAGE;
	if (app_apply_pistols(app, err, err_size))
		return APP_EXIT_FAILED;
	return check_values(app, err, err_size);
}

static enum log_level chosen_level(const struct app *app)
{
	int32_t level = app->common.log_level + app->verbosity;

	return level < LOG_ERR_LEVEL ? LOG_ERR_LEVEL : level > LOG_DBG ? LOG_DBG : (enum log_level)level;
}

static int open_control(struct app *app, char *err, size_t err_size)
{
	const char *path = app->common.control;
	char name[sizeof(app->common.name)];

	if (strcmp(path, "none") == 0)
		return 0;
	if (app->common.name[0])
		snprintf(name, sizeof(name), "%s", app->common.name);
	else if (app->unit[0].index > 1)
		snprintf(name, sizeof(name), "%s.%u", app->spec->program, (unsigned)app->unit[0].index);
	else
		snprintf(name, sizeof(name), "%s", app->spec->program);
	app->run.ctl = &app->ctl;
	return ctl_server_open(&app->ctl, path[0] ? path : NULL, name, err, err_size);
}

static int open_trace(struct app *app, char *err, size_t err_size)
{
	int r;

	if (!app->common.trace[0])
		return 0;
	r = trace_open(&app->trace, app->common.trace, loop_clock_us());
	if (r)
		return app_error(r, err, err_size, "trace %s: %s", app->common.trace, strerror(-r));
	app->run.trace = &app->trace;
	return 0;
}

static int go_realtime(const struct app *app, char *err, size_t err_size)
{
	struct sched_param p = {.sched_priority = app->common.realtime};

	if (!app->common.realtime)
		return 0;
	if (mlockall(MCL_CURRENT | MCL_FUTURE) || sched_setscheduler(0, SCHED_FIFO, &p)) {
		int r = -errno;

		return app_error(r, err, err_size, "realtime: %s; it needs CAP_SYS_NICE and CAP_IPC_LOCK",
				 strerror(-r));
	}
	return 0;
}

/* Everything that can fail before the loop. */
static int open_all(struct app *app, char *err, size_t err_size)
{
	int r;

	run_init(&app->run, &app->machine, &app->log.sink);
	app->run.sink = &app->log.sink;
	app->run.perform = app->spec->perform;
	app->run.notify = &app->notify;
	r = notify_open(&app->notify, loop_clock_us());
	if (r)
		log_f(&app->run.log, LOG_WARN, "notify: $NOTIFY_SOCKET cannot be used: %s", strerror(-r));
	r = app_add_bus(app, app->common.can, NULL, 0, NULL, NULL, err, err_size);
	if (r < 0)
		return r;
	r = open_control(app, err, err_size);
	if (!r)
		r = open_trace(app, err, err_size);
	if (!r)
		r = go_realtime(app, err, err_size);
	return r;
}

static int build_and_run(struct app *app, char *err, size_t err_size)
{
	int r = app->spec->build(app, &app->machine, err, err_size);

	if (r)
		return r;
	app->run.perform_ctx = app->machine.self;
	r = run_set_filters(&app->run);
	if (r)
		return app_error(r, err, err_size, "%s: receive filters: %s", app->common.can, strerror(-r));
	log_f(&app->run.log, LOG_NOTE, "start: %s version=" FORECOURT_VERSION " can=%s units=%u",
	      app->spec->program, app->common.can, (unsigned)app->n_units);
	return run_loop(&app->run, err, err_size);
}

static void close_all(struct app *app)
{
	uint32_t i;

	if (app->run.ctl)
		ctl_server_close(app->run.ctl);
	trace_close(&app->trace);
	notify_close(&app->notify);
	for (i = 0; i < app->run.n_buses; i++)
		can_bus_close(app->run.bus[i].bus);
	for (i = 0; i < app->n_memory; i++)
		free(app->memory[i]);
	app->n_memory = 0;
}

static int run_program(struct app *app)
{
	char err[512] = "";
	int r;

	log_stderr_init(&app->log, 2, chosen_level(app));
	app->ctl.fd = -1;
	app->trace.fd = -1;
	r = open_all(app, err, sizeof(err));
	if (!r) {
		r = build_and_run(app, err, sizeof(err));
		if (app->spec->fini)
			app->spec->fini(app);
	}
	close_all(app);
	if (r)
		fprintf(stderr, "%s: %s\n", app->spec->program, err[0] ? err : strerror(-r));
	return r ? APP_EXIT_FAILED : 0;
}

static int print_and_exit(const struct app *app)
{
	switch (app->mode) {
	case APP_HELP:
	case APP_HELP_ALL:
		app_print_help(app, app->mode == APP_HELP_ALL);
		break;
	case APP_VERSION:
		printf("%s %s\n", app->spec->program, FORECOURT_VERSION);
		break;
	case APP_CHECK:
		printf("%s: %s: no errors\n", app->spec->program, app->config ? app->config : "command line");
		break;
	case APP_DUMP:
		return app_dump_config(app);
	case APP_RUN:
		break;
	}
	return fflush(stdout) ? APP_EXIT_FAILED : 0;
}

int app_main(struct app *app, const struct app_spec *spec, int argc, char **argv)
{
	char err[1024] = "";
	int status = app_configure(app, spec, argc, argv, err, sizeof(err));

	if (status) {
		fprintf(stderr, "%s: %s%s\n", spec->program, err,
			status == APP_EXIT_USAGE && !strstr(err, "--help") ? ", see --help" : "");
		return status;
	}
	if (app->mode != APP_RUN)
		return print_and_exit(app);
	return run_program(app);
}
