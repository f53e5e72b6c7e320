/* SPDX-License-Identifier: MIT */
/*
 * The monitors as guests of a terminal: they leave it as it was however they end, follow its size while they run,
 * obey the keys of a replay, say no to a terminal that cannot do it, and show a value of a live bus.
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

#include "evse_msgs.h"
#include "lib/can/can_bus.h"
#include "pev_msgs.h"
#include "tests/lib/proc_child.h"
#include "tests/lib/screen_golden.h"

#define QUIET_MS     300
#define LIVE_MS	     20
#define TEXT_MAX     4096
#define CTRL_C	     "\003"
#define BUS_MAX	     64
#define N_RESIZES    20
#define N_INTERRUPTS 20
#define LIVE_TURNS   500 /* of 20 ms: 10 s at most */

static const struct screen_case evse = {"",  "evse-monitor", "evse_session", "33", 24, 80,
					"2", {NULL},	     "harging"};
static const struct screen_case pev = {"", "pev-monitor", "pev_session", "16",	   24,
				       80, "2",		  {NULL},	 "harging"};

struct guest {
	const struct screen_case *c;
	struct term_rig t;
	char url[BUS_MAX];
	struct can_bus *bus;
};

static int set_up(void **state)
{
	struct guest *g = calloc(1, sizeof(*g));

	g->c = *state ? *state : &evse;
	g->t.master_fd = g->t.slave_fd = g->t.pid_fd = g->t.error_fd = -1;
	*state = g;
	return proc_pick_bus(g->url, sizeof(g->url)) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct guest *g = *state;

	term_end(&g->t);
	if (g->bus)
		can_bus_close(g->bus);
	free(g);
	return 0;
}

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
	if (!term_is_restored(&g->t))
		term_show(&g->t);
	assert_true(term_is_restored(&g->t));
	assert_int_equal(term_exit_code(&g->t), exit_code);
}

static void open_charging(struct guest *g)
{
	screen_open(&g->t, g->c);
	expect_text(g, g->c->marker);
	assert_true(g->t.is_alternate);
	assert_false(g->t.is_cursor_visible);
}

/* --- the end ----------------------------------------------------------------------------------------------- */

static void test_monitor_q_restores_the_terminal(void **state)
{
	open_charging(*state);
	term_send(&((struct guest *)*state)->t, "q");
	expect_end(*state, 0);
}

static void test_monitor_sigterm_restores_the_terminal(void **state)
{
	struct guest *g = *state;

	open_charging(g);
	kill(g->t.pid, SIGTERM);
	expect_end(g, 0);
}

static void test_monitor_sigint_restores_the_terminal(void **state)
{
	struct guest *g = *state;

	open_charging(g);
	kill(g->t.pid, SIGINT);
	expect_end(g, 0);
}

static void test_monitor_ctrl_c_restores_the_terminal(void **state)
{
	struct guest *g = *state;

	open_charging(g);
	term_send(&g->t, CTRL_C);
	expect_end(g, 0);
}

static bool has_more(struct term_rig *t, void *ctx)
{
	const uint64_t *n_bytes = ctx;

	return t->n_bytes >= *n_bytes;
}

/* The key that interrupts makes a terminal throw away what it has not read yet, half a sequence too. */
static void test_monitor_ctrl_c_in_a_drawing_restores_the_terminal(void **state)
{
	struct guest *g = *state;
	int round;

	for (round = 0; round < N_INTERRUPTS; round++) {
		open_charging(g);
		term_resize(&g->t, 60 + round, 200);
		term_send(&g->t, "1");
		term_wait(&g->t, has_more, &(uint64_t){g->t.n_bytes + 1 + (uint64_t)round * 100},
			  TERM_LIMIT_MS);
		term_send(&g->t, CTRL_C);
		expect_end(g, 0);
		term_end(&g->t);
	}
}

static void test_monitor_closed_terminal_ends_it(void **state)
{
	struct guest *g = *state;
	struct proc_child c = {.pid = g->t.pid, .pid_fd = -1, .output_fd = -1};

	open_charging(g);
	c.pid = g->t.pid;
	c.pid_fd = g->t.pid_fd;
	close(g->t.slave_fd);
	close(g->t.master_fd);
	g->t.slave_fd = g->t.master_fd = -1;
	assert_true(proc_wait(&c, TERM_LIMIT_MS));
	g->t.pid = 0;
}

/* --- errors ------------------------------------------------------------------------------------------------ */

static void start(struct guest *g, const char *const options[], const char *const env[])
{
	const char *argv[PROC_MAX_ARGS] = {NULL};
	char path[PROC_PATH_MAX];
	size_t n = 1;

	if (!proc_find_program(g->c->program, path))
		fail_msg("%s is not built: make first", g->c->program);
	argv[0] = path;
	for (; options[n - 1]; n++)
		argv[n] = options[n - 1];
	assert_int_equal(term_start(&g->t, argv, env, g->c->rows, g->c->cols), 0);
}

static void expect_error(struct guest *g, int exit_code, const char *sentence)
{
	char text[TEXT_MAX];
	ssize_t n;

	expect_end(g, exit_code);
	assert_int_equal(g->t.n_clears, 0);
	n = pread(g->t.error_fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	if (!strstr(text, sentence))
		fail_msg("says: %s", text);
}

static void test_monitor_missing_log_is_an_error_without_a_screen(void **state)
{
	const char *options[] = {"--replay", "/nonexistent.log", NULL};

	start(*state, options, NULL);
	expect_error(*state, 1, "/nonexistent.log");
}

static void test_monitor_dumb_terminal_is_refused_with_a_hint(void **state)
{
	const char *options[] = {"--replay", "tests/screen/evse_session.log", NULL};
	const char *env[] = {"TERM=dumb", NULL};

	start(*state, options, env);
	expect_error(*state, 1, "--text");
}

static void test_monitor_unknown_terminal_is_refused_with_a_hint(void **state)
{
	const char *options[] = {"--replay", "tests/screen/evse_session.log", NULL};
	const char *env[] = {"TERM=no-such-terminal", NULL};

	start(*state, options, env);
	expect_error(*state, 1, "--text");
}

static void test_monitor_wrong_option_is_wrong_use(void **state)
{
	const char *options[] = {"--no-such-option", NULL};

	start(*state, options, NULL);
	expect_error(*state, 2, "--no-such-option");
}

static void test_monitor_missing_bus_is_an_error(void **state)
{
	const char *options[] = {"--can", "udp:nonsense", NULL};

	start(*state, options, NULL);
	expect_error(*state, 2, "nonsense");
}

/* --- size -------------------------------------------------------------------------------------------------- */

/* The same moment as the cases of test_screen_golden: the same files. */
static void test_monitor_follows_the_size_of_its_terminal(void **state)
{
	struct guest *g = *state;
	char small[64], large[64], tiny[64];
	const char *side = g->c == &pev ? "pev" : "evse";

	snprintf(small, sizeof(small), "%s_charging_80x24", side);
	snprintf(large, sizeof(large), "%s_charging_200x60", side);
	snprintf(tiny, sizeof(tiny), "%s_too_small_60x15", side);
	screen_open(&g->t, g->c);
	screen_expect(&g->t, small, g->c->marker);
	term_resize(&g->t, 60, 200);
	screen_expect(&g->t, large, g->c->marker);
	term_resize(&g->t, 15, 60);
	screen_expect(&g->t, tiny, "80");
	term_resize(&g->t, 24, 80);
	screen_expect(&g->t, small, g->c->marker);
}

static void test_monitor_survives_every_size(void **state)
{
	static const struct {
		int rows, cols;
	} sizes[] = {{1, 1},   {1, 80},	 {24, 1},  {2, 3},     {23, 79},
		     {24, 79}, {23, 80}, {5, 300}, {130, 330}, {24, 80}};
	struct guest *g = *state;
	char name[64];
	size_t i;

	screen_open(&g->t, g->c);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		term_resize(&g->t, sizes[i].rows, sizes[i].cols);
		term_send(&g->t, i % 2 ? "\t" : "2");
		term_wait_quiet(&g->t, 30);
		assert_true(term_pump(&g->t));
	}
	term_send(&g->t, "2");
	snprintf(name, sizeof(name), "%s_charging_80x24", g->c == &pev ? "pev" : "evse");
	screen_expect(&g->t, name, g->c->marker);
}

static bool has_written(struct term_rig *t, void *ctx)
{
	return t->n_bytes > *(uint64_t *)ctx;
}

/* The next size comes while the last one is being drawn; the screen stands still, so nothing else wakes it up. */
static void test_monitor_resize_while_it_draws_is_not_missed(void **state)
{
	struct guest *g = *state;
	int i;

	screen_open(&g->t, g->c);
	screen_expect(&g->t, "evse_charging_80x24", g->c->marker);
	for (i = 0; i < N_RESIZES; i++) {
		uint64_t n_bytes = g->t.n_bytes;

		term_resize(&g->t, i % 2 ? 60 : 58, 200);
		assert_true(term_wait(&g->t, has_written, &n_bytes, TERM_LIMIT_MS));
	}
	term_resize(&g->t, 24, 80);
	screen_expect(&g->t, "evse_charging_80x24", g->c->marker);
}

static void test_monitor_plain_locale_gets_plain_characters(void **state)
{
	const char *options[] = {"--replay", "tests/screen/evse_session.log", "--paused", "--start-at", "33",
				 NULL};
	const char *env[] = {"LC_ALL=C", NULL};
	struct guest *g = *state;

	start(g, options, env);
	expect_text(g, g->c == &pev ? "PEV " : "EVSE ");
	term_send(&g->t, "2");
	screen_expect(&g->t, "evse_ascii_80x24", "harging");
}

/* --- keys of a replay -------------------------------------------------------------------------------------- */

static void test_replay_keys_seek_and_step(void **state)
{
	struct guest *g = *state;

	screen_open(&g->t, g->c);
	screen_expect(&g->t, "evse_charging_80x24", "harging");
	term_send(&g->t, TERM_RIGHT);
	screen_expect(&g->t, "evse_replay_right_80x24", "00:00:43");
	term_send(&g->t, TERM_LEFT);
	expect_text(g, "00:00:33");
	term_send(&g->t, TERM_LEFT);
	screen_expect(&g->t, "evse_replay_left_80x24", "00:00:23");
	term_send(&g->t, ".");
	screen_expect(&g->t, "evse_replay_step_80x24", NULL);
	term_send(&g->t, "..");
	screen_expect(&g->t, "evse_replay_steps_80x24", NULL);
}

static void test_replay_seek_back_shows_what_was_shown(void **state)
{
	struct guest *g = *state;

	screen_open(&g->t, g->c);
	screen_expect(&g->t, "evse_charging_80x24", "harging");
	term_send(&g->t, TERM_RIGHT);
	expect_text(g, "00:00:43");
	term_send(&g->t, TERM_LEFT);
	screen_expect(&g->t, "evse_charging_80x24", "harging");
}

static void test_replay_runs_to_its_end_and_stays(void **state)
{
	struct guest *g = *state;

	screen_open(&g->t, g->c);
	expect_text(g, "harging");
	term_send(&g->t, TERM_RIGHT TERM_RIGHT TERM_RIGHT TERM_RIGHT);
	screen_expect(&g->t, "evse_replay_end_80x24", "■ end");
	term_send(&g->t, " ");
	assert_true(term_wait_quiet(&g->t, QUIET_MS));
	assert_true(term_pump(&g->t));
	term_send(&g->t, "q");
	expect_end(g, 0);
}

static void test_replay_space_lets_time_go_on(void **state)
{
	struct guest *g = *state;

	screen_open(&g->t, g->c);
	screen_expect(&g->t, "evse_charging_80x24", "harging");
	term_send(&g->t, ">>>> ");
	/* The charging ends 5 s later in the log. */
	expect_text(g, "elding");
	term_send(&g->t, " ");
	assert_true(term_wait_quiet(&g->t, QUIET_MS));
}

static void test_replay_paused_writes_nothing(void **state)
{
	struct guest *g = *state;
	uint64_t n_bytes;

	open_charging(g);
	assert_true(term_wait_quiet(&g->t, QUIET_MS));
	n_bytes = g->t.n_bytes;
	assert_true(term_wait_quiet(&g->t, QUIET_MS));
	assert_int_equal(g->t.n_bytes, n_bytes);
}

static void test_monitor_tab_goes_through_the_pages(void **state)
{
	struct guest *g = *state;
	char name[64];

	screen_open(&g->t, g->c);
	expect_text(g, "harging");
	term_send(&g->t, "1");
	assert_true(term_wait_quiet(&g->t, QUIET_MS));
	term_send(&g->t, "\t");
	snprintf(name, sizeof(name), "%s_charging_80x24", g->c == &pev ? "pev" : "evse");
	screen_expect(&g->t, name, "harging");
}

/* --- a live bus -------------------------------------------------------------------------------------------- */

static void send_evse(struct guest *g, int32_t present_mV)
{
	struct evse_advantics_controller_status state = {.state = 7};
	struct evse_power_modules_status status = {
		.present_voltage_mV = present_mV, .present_current_mA = 52500, .system_enable = 1};
	struct can_frame f;

	msg_to_frame(&evse_layouts[EVSE_V3_6][EVSE_ADVANTICS_CONTROLLER_STATUS], &state, 1, &f);
	can_bus_send(g->bus, &f);
	msg_to_frame(&evse_layouts[EVSE_V3_6][EVSE_POWER_MODULES_STATUS], &status, 1, &f);
	can_bus_send(g->bus, &f);
	can_bus_service(g->bus, proc_now_us());
}

static void send_pev(struct guest *g, int32_t inlet_mV)
{
	struct pev_evse_information info = {.communication_stage = 7, .max_current_mA = 100000};
	struct pev_dc_status2 status = {.inlet_voltage_mV = inlet_mV, .battery_voltage_mV = 350000};
	struct can_frame f;

	msg_to_frame(&pev_layouts[PEV_V2_5][PEV_EVSE_INFORMATION], &info, 0, &f);
	can_bus_send(g->bus, &f);
	msg_to_frame(&pev_layouts[PEV_V2_5][PEV_DC_STATUS2], &status, 0, &f);
	can_bus_send(g->bus, &f);
	can_bus_service(g->bus, proc_now_us());
}

struct shown {
	const char *text;
};

static bool is_shown(struct term_rig *t, void *ctx)
{
	int row, col;

	return term_find(t, ((struct shown *)ctx)->text, &row, &col);
}

/* Sends again and again, as a module does, until the value is on the screen. */
static bool send_until_shown(struct guest *g, int32_t mV, const char *text)
{
	struct shown s = {text};
	int i;

	for (i = 0; i < LIVE_TURNS; i++) {
		if (g->c == &pev)
			send_pev(g, mV);
		else
			send_evse(g, mV);
		if (term_wait(&g->t, is_shown, &s, LIVE_MS))
			return true;
	}
	term_show(&g->t);
	return false;
}

static void start_live(struct guest *g)
{
	const char *options[] = {"--can", g->url, NULL};
	char err[160];

	assert_int_equal(can_bus_open(g->url, &g->bus, err, sizeof(err)), 0);
	can_bus_service(g->bus, proc_now_us());
	start(g, options, NULL);
	expect_text(g, g->c == &pev ? "PEV " : "EVSE ");
	term_send(&g->t, "2");
}

static void test_monitor_live_value_appears_and_changes_without_flicker(void **state)
{
	struct guest *g = *state;
	uint64_t n_clears;

	start_live(g);
	assert_true(send_until_shown(g, 387600, "387.6"));
	n_clears = g->t.n_clears;
	assert_true(send_until_shown(g, 391200, "391.2"));
	assert_true(send_until_shown(g, 305400, "305.4"));
	assert_int_equal(g->t.n_clears, n_clears);
	term_send(&g->t, "q");
	expect_end(g, 0);
}

static void test_monitor_live_silence_is_told(void **state)
{
	struct guest *g = *state;

	start_live(g);
	assert_true(send_until_shown(g, 387600, "387.6"));
	expect_text(g, "silent");
}

/* The monitor has no way to send: what it is told does not show on the bus. */
static void test_monitor_live_sends_nothing(void **state)
{
	struct guest *g = *state;
	struct can_filter all = can_filter_all();
	struct can_rx_info info;
	struct can_frame f;

	start_live(g);
	assert_int_equal(can_bus_set_filters(g->bus, &all, 1), 0);
	term_send(&g->t, "\t\t\t? .wq");
	expect_end(g, 0);
	assert_int_equal(can_bus_recv(g->bus, &f, &info), 0);
}

#define TEST(fn, c)                                                          \
	{                                                                    \
#fn " " #c, fn, set_up, tear_down, (void *)(uintptr_t) & (c) \
	}
#define BOTH(fn) TEST(fn, evse), TEST(fn, pev)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_monitor_q_restores_the_terminal),
		BOTH(test_monitor_sigterm_restores_the_terminal),
		BOTH(test_monitor_sigint_restores_the_terminal),
		TEST(test_monitor_ctrl_c_restores_the_terminal, evse),
		TEST(test_monitor_ctrl_c_in_a_drawing_restores_the_terminal, evse),
		BOTH(test_monitor_closed_terminal_ends_it),
		BOTH(test_monitor_missing_log_is_an_error_without_a_screen),
		BOTH(test_monitor_dumb_terminal_is_refused_with_a_hint),
		TEST(test_monitor_unknown_terminal_is_refused_with_a_hint, evse),
		TEST(test_monitor_wrong_option_is_wrong_use, evse),
		TEST(test_monitor_missing_bus_is_an_error, evse),
		BOTH(test_monitor_follows_the_size_of_its_terminal),
		BOTH(test_monitor_survives_every_size),
		TEST(test_monitor_resize_while_it_draws_is_not_missed, evse),
		TEST(test_monitor_plain_locale_gets_plain_characters, evse),
		TEST(test_replay_keys_seek_and_step, evse),
		TEST(test_replay_seek_back_shows_what_was_shown, evse),
		TEST(test_replay_runs_to_its_end_and_stays, evse),
		TEST(test_replay_space_lets_time_go_on, evse),
		BOTH(test_replay_paused_writes_nothing),
		BOTH(test_monitor_tab_goes_through_the_pages),
		BOTH(test_monitor_live_value_appears_and_changes_without_flicker),
		BOTH(test_monitor_live_silence_is_told),
		BOTH(test_monitor_live_sends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
