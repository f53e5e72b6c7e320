/* SPDX-License-Identifier: MIT */
/*
 * The evse-ctrl process as a whole, on a real UDP bus: signals, hostile traffic, configuration, several pistols,
 * the control socket, and that nothing is allocated once it runs. We are the module. Everything waits on
 * descriptors with a deadline. The program under test is the one of the same build.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "pev_msgs.h"
#include "tests/lib/malloc_count.h"
#include "tests/lib/proc_child.h"
#include "tests/lib/proc_flood.h"
#include "tests/lib/proc_module.h"

#define MS	    1000
#define S	    1000000
#define MAX_TEXT    32768
#define END_LIMIT_US (500 * MS) /* rule E-87 */
#define PROGRAM_LIMIT_MS 5000	/* of one that only reads its settings */

struct rig {
	struct proc_child child;
	struct proc_module module;
	char url[64], folder[64], socket[96], config[96];
};

static char text[MAX_TEXT], again[MAX_TEXT]; /* too large for the stack */

/* --- the bench --------------------------------------------------------------------------------------------- */

static int set_up(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	r->child.pid_fd = r->child.output_fd = -1;
	snprintf(r->folder, sizeof(r->folder), "/tmp/test_process.XXXXXX");
	if (!mkdtemp(r->folder) || !proc_pick_bus(r->url, sizeof(r->url)))
		return -1;
	snprintf(r->socket, sizeof(r->socket), "%s/control", r->folder);
	snprintf(r->config, sizeof(r->config), "%s/test.conf", r->folder);
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *r = *state;

	proc_end(&r->child);
	proc_module_close(&r->module);
	unlink(r->socket);
	unlink(r->config);
	rmdir(r->folder);
	free(r);
	return 0;
}

static void fail_with_output(const struct rig *r, const char *what)
{
	if (r->child.output_fd >= 0)
		proc_output(&r->child, text, sizeof(text));
	fail_msg("%s; it printed:\n%s", what, text);
}

static void launch(struct rig *r, const char *program, const char *const extra[], const char *const env[])
{
	const char *argv[PROC_MAX_ARGS + 1];
	char path[PROC_PATH_MAX], can[96], control[128];
	size_t n = 0;

	if (!proc_find_program(program, path))
		fail_msg("%s is not built: make first", program);
	snprintf(can, sizeof(can), "--can=%s", r->url);
	snprintf(control, sizeof(control), "--control=%s", r->socket);
	argv[n++] = path;
	argv[n++] = can;
	argv[n++] = control;
	while (*extra && n < PROC_MAX_ARGS)
		argv[n++] = *extra++;
	argv[n] = NULL;
	assert_int_equal(proc_start(&r->child, argv, env), 0);
}

static bool is_heard(const struct proc_module *m, void *ctx)
{
	unsigned i;

	(void)ctx;
	for (i = 1; i <= PROC_MAX_INDEX; i++)
		if (m->point[i].is_used && m->point[i].n_status == 0)
			return false;
	return true;
}

static const char *const fast[] = {PROC_FAST_OPTIONS, NULL};

static void start_points(struct rig *r, const char *const extra[], const char *const env[], unsigned last)
{
	char err[160];

	assert_int_equal(proc_module_open(&r->module, r->url, 1, last, err, sizeof(err)), 0);
	launch(r, "evse-ctrl", extra, env);
	if (last == 3) /* pistols 1 and 3 */
		r->module.point[2].is_used = false;
	if (!proc_module_wait(&r->module, 3 * S, is_heard, NULL))
		fail_with_output(r, "no status after the start");
}

static void start(struct rig *r)
{
	start_points(r, fast, NULL, 1);
}

static void walk(struct rig *r, int from, enum proc_step last)
{
	char what[80];
	int at;

	if (proc_module_walk(&r->module, from, last, &at))
		return;
	snprintf(what, sizeof(what), "session stuck in %s", proc_step_name(at));
	fail_with_output(r, what);
}

static bool has_ended(const struct proc_module *m, void *ctx)
{
	(void)m;
	return proc_wait(ctx, 0);
}

/* --- signals ----------------------------------------------------------------------------------------------- */

static void signal_and_check(struct rig *r, int number, enum proc_step step)
{
	struct proc_point *p = &r->module.point[1];
	bool is_session = step >= PROC_SESSION && step < PROC_CLOSING;

	start(r);
	walk(r, -1, step);
	proc_module_receive(&r->module);
	p->n_disabled = 0;
	kill(r->child.pid, number);
	if (!proc_module_wait(&r->module, END_LIMIT_US, has_ended, &r->child))
		fail_with_output(r, "still there 500 ms after the signal");
	proc_module_receive(&r->module);
	assert_int_equal(proc_exit_code(&r->child), 0);
	assert_true(!is_session || p->n_disabled >= 3); /* rule E-87 */
	assert_int_equal(p->status.system_enable, 0);
	assert_true(abs(p->status.present_current_mA) < 1000);
}

static void test_process_sigterm_ends_ordered(void **state)
{
	struct rig *r = *state;
	/* The step is in the name that cmocka runs us by; see phases in main(). */
	extern enum proc_step test_step;

	signal_and_check(r, SIGTERM, test_step);
}
