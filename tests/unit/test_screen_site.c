/* SPDX-License-Identifier: MIT */
/*
 * site-monitor in a real terminal: golden screens of a log of the site's machine
 * (tests/screen/make_site_log.c), the terminal given back however it ends, the keys of a replay, errors
 * before there is a screen, and live buses.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/can/can_bus.h"
#include "site_msgs.h"
#include "tests/lib/proc_child.h"
#include "tests/lib/screen_golden.h"
#include "tests/lib/tool_rig.h"

#define N_CASES	     (sizeof(cases) / sizeof(cases[0]))
#define SITE	     "site-monitor"
#define LOG	     "--replay", "tests/screen/site.log"
#define FILE_OPTIONS "--site", "tests/screen/site.conf"
#define SMALL	     24, 80
#define MEDIUM	     40, 120
#define LARGE	     50, 160
#define CTRL_C	     "\003"
#define DOWN_4	     TERM_DOWN TERM_DOWN TERM_DOWN TERM_DOWN
#define QUIET_MS     300
#define LIVE_MS	     20
#define LIVE_TURNS   500 /* of LIVE_MS: 10 s at most */
#define N_INTERRUPTS 20
#define N_RESIZES    20
#define N_BUSES	     2
#define BUS_MAX	     64
#define ERROR_MAX    4096

/* --- golden screens ------------------------------------------------------------------------------------ */

static const struct screen_case cases[] = {
	{"site_start_80x24", SITE, "site", "1", SMALL, NULL, {FILE_OPTIONS}, "starting"},
	{"site_tree_80x24", SITE, "site", "30", SMALL, NULL, {FILE_OPTIONS}, "street-1"},
	{"site_tree_120x40", SITE, "site", "30", MEDIUM, NULL, {FILE_OPTIONS}, "duct"},
	{"site_tree_160x50", SITE, "site", "30", LARGE, NULL, {FILE_OPTIONS}, "duct"},
	{"site_tree_end_80x24", SITE, "site", "30", SMALL, "w" TERM_END, {FILE_OPTIONS}, "duct A, since"},
	{"site_tree_point_80x24", SITE, "site", "30", SMALL, DOWN_4, {FILE_OPTIONS}, "number 1 on bus 0"},
	{"site_over_80x24", SITE, "site", "49", SMALL, TERM_DOWN, {FILE_OPTIONS}, "street L1 A"},
	{"site_over_120x40", SITE, "site", "49", MEDIUM, TERM_DOWN, {FILE_OPTIONS}, "street L1 A"},
	{"site_points_80x24", SITE, "site", "49", SMALL, "2", {FILE_OPTIONS}, "wanted"},
	{"site_points_120x40",
	 SITE,
	 "site",
	 "49",
	 MEDIUM,
	 "2" TERM_DOWN TERM_DOWN,
	 {FILE_OPTIONS},
	 "fault for"},
	{"site_points_160x50", SITE, "site", "75", LARGE, "2" TERM_END TERM_UP, {FILE_OPTIONS}, "feed back"},
	{"site_points_alone_80x24", SITE, "site", "75", SMALL, "2ss\r", {FILE_OPTIONS}, "s by state"},
	{"site_events_80x24", SITE, "site", "49", SMALL, "3", {FILE_OPTIONS}, "street L2"},
	{"site_events_120x40", SITE, "site", "85", MEDIUM, "3" TERM_END, {FILE_OPTIONS}, "heard:"},
	{"site_help_80x24", SITE, "site", "49", SMALL, "?", {FILE_OPTIONS}, "Help"},
	{"site_silent_80x24", SITE, "site", "85", SMALL, NULL, {FILE_OPTIONS}, "SILENT"},
	{"site_silent_120x40", SITE, "site", "92.9", MEDIUM, NULL, {FILE_OPTIONS}, "SILENT"},
	{"site_ascii_80x24", SITE, "site", "49", SMALL, NULL, {FILE_OPTIONS, "--ascii"}, "OVER"},
	{"site_ascii_120x40", SITE, "site", "75", MEDIUM, "2", {FILE_OPTIONS, "--ascii"}, "discharging"},
	{"site_no_color_80x24", SITE, "site", "49", SMALL, NULL, {FILE_OPTIONS, "--no-color"}, "OVER"},
	{"site_no_file_80x24", SITE, "site", "49", SMALL, NULL, {NULL}, "row 10 A"},
	{"site_no_file_points_80x24", SITE, "site", "49", SMALL, "2", {NULL}, "point 1/16"},
	{"site_one_channel_80x24", SITE, "site", "49", SMALL, "2", {"--can", "can1"}, "point 16"},
	{"site_small_60x12", SITE, "site", "49", 12, 60, NULL, {FILE_OPTIONS}, "limits and points"},
};

static const struct screen_case tree = {"", SITE, "site", "30", SMALL, NULL, {FILE_OPTIONS}, "street-1"};

struct guest {
	const struct screen_case *c;
	struct term_rig t;
	char url[N_BUSES][BUS_MAX];
	struct can_bus *bus[N_BUSES];
	struct tool_rig tool; /* dir "": not begun */
};

static int set_up(void **state)
{
	struct guest *g = calloc(1, sizeof(*g));
	int i;

	g->c = *state ? *state : &tree;
	g->t.master_fd = g->t.slave_fd = g->t.pid_fd = g->t.error_fd = -1;
	*state = g;
	for (i = 0; i < N_BUSES; i++)
		if (!proc_pick_bus(g->url[i], sizeof(g->url[i])))
			return -1;
	return 0;
}

static int tear_down(void **state)
{
	struct guest *g = *state;
	int i;

	term_end(&g->t);
	for (i = 0; i < N_BUSES; i++)
		if (g->bus[i])
			can_bus_close(g->bus[i]);
	if (g->tool.dir[0])
		tool_end(&g->tool);
	free(g);
	return 0;
}

static void test_screen_is_as_the_golden_file(void **state)
{
	struct guest *g = *state;

	screen_open(&g->t, g->c);
	screen_expect(&g->t, g->c->name, g->c->marker);
}

/* --- the end ------------------------------------------------------------------------------------------- */

static void expect_text(struct guest *g, const char *text)
{
	if (term_wait_text(&g->t, text))
		return;
	term_show(&g->t);
	fail_msg("never shown: %s", text);
}

static void expect_end(struct guest *g, int exit_code)
{
	if (!term_wait_exit(&g->t, TERM_LIMIT_MS)) {
		term_show(&g->t);
		fail_msg("does not end");
	}
	assert_true(term_is_restored(&g->t));
	assert_int_equal(term_exit_code(&g->t), exit_code);
}

static void open_tree(struct guest *g)
{
	screen_open(&g->t, g->c);
	expect_text(g, g->c->marker);
	assert_true(g->t.is_alternate);
	assert_false(g->t.is_cursor_visible);
}

static void test_site_q_restores_the_terminal(void **state)
{
	open_tree(*state);
	term_send(&((struct guest *)*state)->t, "q");
	expect_end(*state, 0);
}

static void test_site_sigterm_restores_the_terminal(void **state)
{
	struct guest *g = *state;

	open_tree(g);
	kill(g->t.pid, SIGTERM);
	expect_end(g, 0);
}

static void test_site_ctrl_c_restores_the_terminal(void **state)
{
	struct guest *g = *state;

	open_tree(g);
	term_send(&g->t, CTRL_C);
	expect_end(g, 0);
}

static bool has_written(struct term_rig *t, void *ctx)
{
	return t->n_bytes >= *(uint64_t *)ctx;
}

/* The key that interrupts makes a terminal throw away what it has not read yet, half a sequence too. */
static void test_site_ctrl_c_in_a_drawing_restores_the_terminal(void **state)
{
	struct guest *g = *state;
	int round;

	for (round = 0; round < N_INTERRUPTS; round++) {
		open_tree(g);
		term_resize(&g->t, 60 + round, 200);
		term_send(&g->t, "2");
		term_wait(&g->t, has_written, &(uint64_t){g->t.n_bytes + 1 + (uint64_t)round * 100},
			  TERM_LIMIT_MS);
		term_send(&g->t, CTRL_C);
		expect_end(g, 0);
		term_end(&g->t);
	}
}

static void test_site_closed_terminal_ends_it(void **state)
{
	struct guest *g = *state;
	struct proc_child c = {.output_fd = -1};

	open_tree(g);
	c.pid = g->t.pid;
	c.pid_fd = g->t.pid_fd;
	close(g->t.slave_fd);
	close(g->t.master_fd);
	g->t.slave_fd = g->t.master_fd = -1;
	assert_true(proc_wait(&c, TERM_LIMIT_MS));
	g->t.pid = 0;
}

/* --- errors -------------------------------------------------------------------------------------------- */

static void start(struct guest *g, const char *const options[], const char *const env[])
{
	const char *argv[PROC_MAX_ARGS] = {NULL};
	char path[PROC_PATH_MAX];
	size_t n = 1;

	if (!proc_find_program(SITE, path))
		fail_msg(SITE " is not built: make first");
	argv[0] = path;
	for (; options[n - 1]; n++)
		argv[n] = options[n - 1];
	assert_int_equal(term_start(&g->t, argv, env, g->c->rows, g->c->cols), 0);
}

static void expect_error(struct guest *g, int exit_code, const char *sentence)
{
	char text[ERROR_MAX];
	ssize_t n;

	expect_end(g, exit_code);
	assert_int_equal(g->t.n_clears, 0);
	n = pread(g->t.error_fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	if (!strstr(text, sentence))
		fail_msg("says: %s", text);
}

static void refuse(struct guest *g, const char *option, const char *value, const char *env, int exit_code,
		   const char *sentence)
{
	const char *options[] = {option, value, NULL}, *envs[] = {env, NULL};

	start(g, options, envs);
	expect_error(g, exit_code, sentence);
}

static void test_site_missing_file_is_an_error_without_a_screen(void **state)
{
	refuse(*state, "--site", "/nonexistent.conf", NULL, 1, "site-monitor: /nonexistent.conf: ");
}

static void test_site_missing_log_is_an_error_without_a_screen(void **state)
{
	refuse(*state, "--replay", "/nonexistent.log", NULL, 1, "/nonexistent.log");
}

static void test_site_missing_bus_is_an_error_without_a_screen(void **state)
{
	refuse(*state, "-i", "udp:nonsense", NULL, 1, "nonsense");
}

static void test_site_dumb_terminal_is_refused_with_a_hint(void **state)
{
	refuse(*state, "--replay", "tests/screen/site.log", "TERM=dumb", 1, "--text");
}

static void test_site_wrong_option_is_wrong_use(void **state)
{
	refuse(*state, "--no-such-option", NULL, NULL, 2, "--no-such-option");
}

static void test_site_wrong_file_is_an_error_with_its_line(void **state)
{
	struct guest *g = *state;
	char path[96], sentence[128];
	const char *options[] = {LOG, "--site", path, NULL};

	tool_begin(&g->tool, SITE);
	tool_write(&g->tool, "lot.conf", "[node.main]\nlimit_A = 63\n[point.P1]\nnode = mian\nmax_A = 32\n");
	snprintf(path, sizeof(path), "%s/lot.conf", g->tool.dir);
	snprintf(sentence, sizeof(sentence), "site-monitor: %s:4: ", path);
	start(g, options, NULL);
	expect_error(g, 1, sentence);
}

/* --- size ---------------------------------------------------------------------------------------------- */

static void test_site_follows_the_size_of_its_terminal(void **state)
{
	struct guest *g = *state;

	screen_open(&g->t, g->c);
	screen_expect(&g->t, "site_tree_80x24", g->c->marker);
	term_resize(&g->t, 50, 160);
	screen_expect(&g->t, "site_tree_160x50", g->c->marker);
	term_resize(&g->t, 24, 59);
	screen_expect(&g->t, "site_too_small_59x24", "too small");
	term_resize(&g->t, 24, 80);
	screen_expect(&g->t, "site_tree_80x24", g->c->marker);
}

static void test_site_survives_every_size(void **state)
{
	static const struct {
		int rows, cols;
	} sizes[] = {{1, 1},   {1, 80},	 {24, 1},  {2, 3},     {12, 60},
		     {11, 60}, {13, 61}, {5, 300}, {130, 330}, {24, 80}};
	static const char *const keys[] = {"2", "3", "?", "1", TERM_END, "2" TERM_END, "\r"};
	struct guest *g = *state;
	size_t i;

	screen_open(&g->t, g->c);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		term_resize(&g->t, sizes[i].rows, sizes[i].cols);
		term_send(&g->t, keys[i % (sizeof(keys) / sizeof(keys[0]))]);
		term_wait_quiet(&g->t, 30);
		assert_true(term_pump(&g->t));
	}
	term_send(&g->t, "3");
	expect_text(g, "[3 events]");
	expect_text(g, "raised");
	term_send(&g->t, "q");
	expect_end(g, 0);
}

/*
 * The next size comes while the last one is being drawn; the screen stands still, so nothing else wakes it
 * up.
 */
static void test_site_resize_while_it_draws_is_not_missed(void **state)
{
	struct guest *g = *state;
	int i;

	screen_open(&g->t, g->c);
	screen_expect(&g->t, "site_tree_80x24", g->c->marker);
	for (i = 0; i < N_RESIZES; i++) {
		uint64_t n_bytes = g->t.n_bytes + 1;

		term_resize(&g->t, i % 2 ? 60 : 58, 200);
		assert_true(term_wait(&g->t, has_written, &n_bytes, TERM_LIMIT_MS));
	}
	term_resize(&g->t, 24, 80);
	screen_expect(&g->t, "site_tree_80x24", g->c->marker);
}

/* --- keys of a replay ---------------------------------------------------------------------------------- */

static void test_site_replay_seeks_and_steps(void **state)
{
	struct guest *g = *state;

	screen_open(&g->t, g->c);
	screen_expect(&g->t, "site_tree_80x24", g->c->marker);
	term_send(&g->t, TERM_RIGHT);
	expect_text(g, "00:00:40.000");
	term_send(&g->t, "]");
	expect_text(g, "00:01:32"); /* its end */
	term_send(&g->t, "[[[");
	expect_text(g, "00:00:00.000");
	expect_text(g, "no limit heard yet");
	expect_text(g, "1 of 6 report");
	term_send(&g->t, ".");
	expect_text(g, "2 of 6 report"); /* at 100 ms; steps that come at once are one */
	term_send(&g->t, "[" TERM_RIGHT TERM_RIGHT TERM_RIGHT);
	expect_text(g, "00:00:30.000");
	screen_expect(&g->t, "site_tree_80x24", g->c->marker);
}

static void test_site_replay_runs_when_it_may_and_stops_at_its_end(void **state)
{
	struct guest *g = *state;

	open_tree(g);
	term_send(&g->t, "3>>>>> "); /* 32 times as fast */
	expect_text(g, "fault");
	expect_text(g, "■ end");
	expect_text(g, "lease over");
	assert_true(term_wait_quiet(&g->t, QUIET_MS));
	term_send(&g->t, "q");
	expect_end(g, 0);
}

static void test_site_replay_that_stands_still_writes_nothing(void **state)
{
	struct guest *g = *state;
	uint64_t n_bytes;

	open_tree(g);
	assert_true(term_wait_quiet(&g->t, QUIET_MS));
	n_bytes = g->t.n_bytes;
	assert_true(term_wait_quiet(&g->t, QUIET_MS));
	assert_int_equal(g->t.n_bytes, n_bytes);
}

/*
 * A log that begins in the middle: within a second of reports and grants all is there but what happened
 * before.
 */
static void test_site_log_from_its_middle_is_understood(void **state)
{
	struct guest *g = *state;
	char path[96];
	const char *options[] = {"--replay", path, FILE_OPTIONS, "--start-at", "6", "--paused", NULL};
	char cwd[256];

	assert_non_null(getcwd(cwd, sizeof(cwd)));
	tool_begin(&g->tool, SITE);
	assert_int_equal(tool_run(&g->tool, "tail -n +1400 %s/tests/screen/site.log >half.log", cwd), 0);
	snprintf(path, sizeof(path), "%s/half.log", g->tool.dir);
	start(g, options, NULL);
	expect_text(g, "limits and points");
	term_send(&g->t, "2" TERM_END);
	expect_text(g, "its own maximum");
	expect_text(g, "lease of 10 s: ");
}

/* --- live buses ---------------------------------------------------------------------------------------- */

static void send(struct guest *g, unsigned bus, enum site_msg msg, unsigned number, const void *content)
{
	struct can_frame f;

	msg_to_frame(&site_layouts[SITE_V1][msg], content, number, &f);
	can_bus_send(g->bus[bus], &f);
}

/* A report, and the grant that answers it; acknowledged from the second on. */
static void send_point(struct guest *g, unsigned bus, unsigned number, uint32_t report, int32_t mA)
{
	const struct site_point_report head = {.number = report,
					       .ack_age = report ? 1 : 255,
					       .state = SITE_POINT_REPORT_STATE_CHARGING,
					       .may_draw_mA = mA};
	const struct site_point_demand demand = {
		.requested_mA = 32000, .present_mA = mA - 400, .maximum_mA = 32000, .minimum_mA = 6000};
	const struct site_grant grant = {.number = report, .duration = 5, .charge_current_mA = mA};
	const struct site_grant_reason why = {
		.reason = SITE_GRANT_REASON_REASON_LIMIT, .row = 3, .node = 0, .phase = 1};
	const struct site_status status = {.state = SITE_STATUS_STATE_RUNNING,
					   .policy = SITE_STATUS_POLICY_FAIR};
	const struct site_row_load row = {.row = 3, .drawn_mA = mA - 400, .taken_mA = mA, .limit_mA = 20000};

	send(g, bus, SITE_POINT_REPORT, number, &head);
	send(g, bus, SITE_POINT_DEMAND, number, &demand);
	send(g, bus, SITE_GRANT, number, &grant);
	send(g, bus, SITE_GRANT_REASON, number, &why);
	send(g, bus, SITE_STATUS, 0, &status);
	send(g, 0, SITE_ROW_LOAD, 0, &row);
	can_bus_service(g->bus[bus], proc_now_us());
	can_bus_service(g->bus[0], proc_now_us());
}

static bool is_shown(struct term_rig *t, void *ctx)
{
	int row, col;

	return term_find(t, ctx, &row, &col);
}

/* Goes on reporting, as a point does, until the text is on the screen. */
static void send_until_shown(struct guest *g, unsigned bus, unsigned number, int32_t mA, const char *text)
{
	uint32_t i;

	for (i = 0; i < LIVE_TURNS; i++) {
		send_point(g, bus, number, i, mA);
		if (term_wait(&g->t, is_shown, (void *)(uintptr_t)text, LIVE_MS))
			return;
	}
	term_show(&g->t);
	fail_msg("never shown: %s", text);
}

static void start_live(struct guest *g)
{
	const char *options[] = {"-i", g->url[0], "-i", g->url[1], NULL};
	char err[160];
	int i;

	for (i = 0; i < N_BUSES; i++) {
		assert_int_equal(can_bus_open(g->url[i], &g->bus[i], err, sizeof(err)), 0);
		can_bus_service(g->bus[i], proc_now_us());
	}
	start(g, options, NULL);
	expect_text(g, "no word of site-ctrl yet");
	term_send(&g->t, "2");
}

static void test_site_live_point_and_grant_appear_and_change_without_flicker(void **state)
{
	struct guest *g = *state;
	uint64_t n_clears;

	start_live(g);
	send_until_shown(g, 0, 3, 16000, "point 3      charging      32.0   16.0   15.6");
	expect_text(g, "running · policy fair");
	expect_text(g, "row 3  drawn 15.6  may 16.0  limit 20.0  room 4.0 A");
	n_clears = g->t.n_clears;
	send_until_shown(g, 0, 3, 11200, "point 3      charging      32.0   11.2   10.8");
	send_until_shown(g, 1, 16, 9000, "point 1/16   charging      32.0    9.0    8.6");
	assert_int_equal(g->t.n_clears, n_clears);
	term_send(&g->t, "q");
	expect_end(g, 0);
}

static void test_site_live_silence_of_point_and_site_is_told(void **state)
{
	struct guest *g = *state;

	start_live(g);
	send_until_shown(g, 0, 3, 16000, "point 3      charging");
	expect_text(g, "SILENT");
	expect_text(g, "the site is silent");
	expect_text(g, "point 3      silent");
}

/* The screen stands still, and the model goes on. */
static void test_site_live_pause_holds_the_screen(void **state)
{
	struct guest *g = *state;
	int row, col;

	start_live(g);
	send_until_shown(g, 0, 3, 16000, "32.0   16.0   15.6");
	term_send(&g->t, " ");
	expect_text(g, "PAUSED");
	send_point(g, 0, 3, 5000, 11200);
	assert_true(term_wait_quiet(&g->t, QUIET_MS));
	assert_true(term_find(&g->t, "32.0   16.0   15.6", &row, &col));
	term_send(&g->t, " ");
	send_until_shown(g, 0, 3, 11200, "32.0   11.2   10.8");
}

/* The monitor has no way to send: what it is told does not show on the bus. */
static void test_site_live_sends_nothing(void **state)
{
	struct guest *g = *state;
	struct can_filter all = can_filter_all();
	struct can_rx_info info;
	struct can_frame f;

	start_live(g);
	assert_int_equal(can_bus_set_filters(g->bus[0], &all, 1), 0);
	term_send(&g->t, "\t\t\t? .wsq");
	expect_end(g, 0);
	assert_int_equal(can_bus_recv(g->bus[0], &f, &info), 0);
}

/* ------------------------------------------------------------------------------------------------------- */

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

static const struct CMUnitTest others[] = {
	TEST(test_site_q_restores_the_terminal),
	TEST(test_site_sigterm_restores_the_terminal),
	TEST(test_site_ctrl_c_restores_the_terminal),
	TEST(test_site_ctrl_c_in_a_drawing_restores_the_terminal),
	TEST(test_site_closed_terminal_ends_it),
	TEST(test_site_missing_file_is_an_error_without_a_screen),
	TEST(test_site_wrong_file_is_an_error_with_its_line),
	TEST(test_site_missing_log_is_an_error_without_a_screen),
	TEST(test_site_missing_bus_is_an_error_without_a_screen),
	TEST(test_site_dumb_terminal_is_refused_with_a_hint),
	TEST(test_site_wrong_option_is_wrong_use),
	TEST(test_site_follows_the_size_of_its_terminal),
	TEST(test_site_survives_every_size),
	TEST(test_site_resize_while_it_draws_is_not_missed),
	TEST(test_site_replay_seeks_and_steps),
	TEST(test_site_replay_runs_when_it_may_and_stops_at_its_end),
	TEST(test_site_replay_that_stands_still_writes_nothing),
	TEST(test_site_log_from_its_middle_is_understood),
	TEST(test_site_live_point_and_grant_appear_and_change_without_flicker),
	TEST(test_site_live_silence_of_point_and_site_is_told),
	TEST(test_site_live_pause_holds_the_screen),
	TEST(test_site_live_sends_nothing),
};

int main(void)
{
	struct CMUnitTest tests[N_CASES + sizeof(others) / sizeof(others[0])];
	size_t n = 0, i;

	for (i = 0; i < N_CASES; i++)
		tests[n++] = (struct CMUnitTest){.name = cases[i].name,
						 .test_func = test_screen_is_as_the_golden_file,
						 .setup_func = set_up,
						 .teardown_func = tear_down,
						 .initial_state = (void *)(uintptr_t)&cases[i]};
	memcpy(tests + n, others, sizeof(others));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
