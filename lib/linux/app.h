/* SPDX-License-Identifier: MIT */
/*
 * The common main of all programs: options, configuration file, drivers, logging, bus, control socket, and the
 * loop around one machine. A program states what it has in a struct app_spec; no decision is made here.
 *
 * Keys. The command line and the configuration file share the keys of the option tables; on the command line
 * with dashes, as --name VALUE or --name=VALUE; switches as --name and --no-name. In the file:
 *
 *     can = can0                     keys before any section, and those of the section named like the program,
 *     [evse-ctrl]                    are for the program and the defaults of all pistols
 *     maximum_charge_current = 120
 *     [pistol.2]                     makes pistol 2 and gives its deviations
 *     driver = sim
 *
 * What counts, from weak to strong: the table's default, the file, the command line, the section [pistol.N].
 * Without such a section there is one pistol, with the index of --pistol-index. A program without pistols
 * (n_units_max 0) has one unit with index 0. An option of the driver of a unit is a key like any other; a key
 * that the program and the driver both know goes to both.
 *
 * Keys that app adds by itself: can, control, name, trace, realtime, log_level, and with a driver kind
 * driver and plugin_dir, and with pistols pistol_index. Short ones taken: -i -c -v -q -h -V. Tables must not use
 * these names.
 *
 * Exit status: 0 done, 1 failed (also a bad file: FILE:LINE: reason), 2 wrong use of the command line.
 *
 * Example of a whole main.c:
 *
 *     #include <forecourt/...>
 *     #include "lib/linux/app.h"
 *     #include "evse-ctrl/evse_unit.h"          // the machine
 *
 *     static struct app app;                    // big, lazily touched; the only mutable state of a program
 *     static struct evse_conf conf;             // settings of the program: see evse_conf_table
 *     static struct evse_pistol_conf pistols[EVSE_MAX_PISTOLS];
 *     static struct evse_unit unit;
 *     static const struct forecourt_plugin *const builtin[] = {&sim_stack_plugin, NULL};
 *
 *     static int build(struct app *a, struct machine *m, char *err, size_t err_size)
 *     {
 *             uint32_t i;
 *
 *             evse_unit_init(&unit, &conf, app_log_sink(a), app_now_us(a));
 *             for (i = 0; i < a->n_units; i++) {
 *                     const struct app_unit *u = &a->unit[i];
 *                     void *state = app_memory(a, u->driver.record->state_size);
 *                     int r;
 *
 *                     if (!state)
 *                             return app_error(-ENOMEM, err, err_size, "not enough memory");
 *                     r = evse_unit_add(&unit, u->index, &pistols[i], &u->driver.ops.pm, state, u->kv, u->n_kv, err, err_size);
 *                     if (r)
 *                             return r;
 *             }
 *             *m = evse_unit_machine(&unit);
 *             return 0;
 *     }
 *
 *     int main(int argc, char **argv)
 *     {
 *             const struct app_spec spec = {           // stays valid: app_main() returns when all is over
 *                     .program = "evse-ctrl",
 *                     .purpose = "charger side of the EVSE generic interface v3",
 *                     .table = evse_conf_table, .n_table = EVSE_CONF_N, .settings = &conf,
 *                     .unit_table = evse_pistol_table, .n_unit_table = EVSE_PISTOL_N,
 *                     .unit_settings = pistols, .unit_size = sizeof(pistols[0]), .n_units_max = EVSE_MAX_PISTOLS,
 *                     .driver_kind = FORECOURT_KIND_POWER_MODULE, .driver_default = "sim", .builtin = builtin,
 *                     .build = build,
 *             };
 *             return app_main(&app, &spec, argc, argv);
 *     }
 */
#ifndef LINUX_APP_H
#define LINUX_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/log.h"
#include "lib/core/machine.h"
#include "lib/core/opts.h"
#include "lib/linux/conf_ini.h"
#include "lib/linux/ctl_server.h"
#include "lib/linux/log_stderr.h"
#include "lib/linux/notify.h"
#include "lib/linux/plug_load.h"
#include "lib/linux/run.h"
#include "lib/linux/trace.h"

#define APP_MAX_UNITS	16
#define APP_MAX_UNIT_KV 64  /* driver options set for one unit */
#define APP_MAX_ARGS	256 /* options on the command line */
#define APP_MAX_TABLE	256 /* entries of one option table */
#define APP_PATH_MAX	256
#define APP_MAX_MEMORY	64 /* blocks of app_memory() */

struct app;

struct app_spec {
	const char *program; /* "evse-ctrl"; also the section of the file and the default --name */
	const char *purpose; /* one line for --help */

	/* Settings of the program. Filled with defaults by app before anything is parsed. */
	const struct opt *table;
	size_t n_table;
	void *settings;

	/* Settings of each pistol: element i belongs to app->unit[i]. n_units_max 0: no pistols, one unit 0. */
	const struct opt *unit_table;
	size_t n_unit_table;
	void *unit_settings;
	size_t unit_size;     /* sizeof one element */
	uint32_t n_units_max; /* elements, at most APP_MAX_UNITS */

	int32_t driver_kind;			       /* enum forecourt_kind; 0: no drivers */
	const char *driver_default;		       /* name */
	const struct forecourt_plugin *const *builtin; /* ends with NULL */

	const char *can_default; /* NULL: "can0" */

	/*
	 * Optional, after all values are known and also for --check-config and --dump-config: checks what the ranges
	 * cannot say, and sets values that depend on others and that nobody set. 0, or -EINVAL with a sentence.
	 */
	int (*check)(struct app *app, char *err, size_t err_size);
	/* Makes the machine; bus 0 is open already. 0, or a negative errno with a sentence. */
	int (*build)(struct app *app, struct machine *machine, char *err, size_t err_size);
	/* Optional: performs queued items that are not frames (see run.h). ctx is machine->self. */
	run_perform_fn perform;
	/* Optional: after the loop, for drivers' fini(). Also after a failed build. */
	void (*fini)(struct app *app);
	void *ctx; /* the program's own */
};

/* One pistol, or the one vehicle (index 0), with its driver. Sorted by index. */
struct app_unit {
	uint32_t index; /* 1..15; 0 without pistols */
	struct plug driver;
	/* Options of the driver that were set by anyone; the rest has its default. */
	struct forecourt_kv kv[APP_MAX_UNIT_KV];
	uint32_t n_kv;
	uint32_t section_line;	    /* of [pistol.N]; 0: none */
	bool is_set[APP_MAX_TABLE]; /* unit table: set explicitly */
};

/* Options that every program has. */
struct app_common {
	char can[128];
	char control[APP_PATH_MAX];
	char name[64];
	char trace[APP_PATH_MAX];
	char driver[APP_PATH_MAX];
	char plugin_dir[APP_PATH_MAX];
	int32_t realtime;
	int32_t log_level;
	int32_t pistol_index;
};

/* An option of the command line, in its order. */
struct app_arg {
	const char *name;  /* as its table writes it */
	const char *value; /* "yes" and "no" for switches */
};

enum app_mode { APP_RUN, APP_HELP, APP_HELP_ALL, APP_VERSION, APP_CHECK, APP_DUMP };

/* Starts as zeros: a static object. */
struct app {
	const struct app_spec *spec;
	struct app_unit unit[APP_MAX_UNITS];
	uint32_t n_units;
	struct app_common common;
	/* ---- below: app's own */
	bool is_common_set[APP_MAX_TABLE];
	bool is_set[APP_MAX_TABLE];
	enum app_mode mode;
	int32_t verbosity;  /* -v minus -q */
	const char *config; /* NULL: none */
	uint32_t n_config_seen;
	struct app_arg arg[APP_MAX_ARGS];
	uint32_t n_args;
	struct conf_ini conf;
	struct log_stderr log;
	struct notify notify;
	struct trace trace;
	struct ctl_server ctl;
	struct run run;
	char bus_name[RUN_MAX_BUSES][32];
	struct machine machine;
	void *memory[APP_MAX_MEMORY];
	uint32_t n_memory;
};

/* Everything from argv to the exit status. */
int app_main(struct app *app, const struct app_spec *spec, int argc, char **argv);
/*
 * The first half: parses and loads, opens nothing, prints nothing. 0, or the exit status with a sentence in
 * err (without the program's name).
 */
int app_configure(struct app *app, const struct app_spec *spec, int argc, char **argv, char *err,
		  size_t err_size);

/* For build(): */
const struct log_sink *app_log_sink(const struct app *app);
/* Monotonic microseconds, the clock that the machine will be given. */
int64_t app_now_us(const struct app *app);
/* A zeroed, max-aligned block that lives until the program ends; NULL when there is none. Before the loop only. */
void *app_memory(struct app *app, size_t size);
/* Was the key set by the file or the command line? unit: element of app->unit, ignored for a key of the program. */
bool app_is_set(const struct app *app, uint32_t unit, const char *key);
/*
 * Opens a bus of a driver. The returned number is out_item.bus for its frames; rx gets what arrives.
 * Negative errno with a sentence.
 */
int app_add_bus(struct app *app, const char *url, const struct can_filter *filters, size_t n_filters,
		run_rx_fn rx, void *ctx, char *err, size_t err_size);
/* Polls a driver's descriptor. 0 or -ENOSPC. */
int app_add_fd(struct app *app, int fd, run_io_fn io, void *ctx);
/* Writes the sentence and returns the error: for one-line returns. */
int app_error(int error, char *err, size_t err_size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
