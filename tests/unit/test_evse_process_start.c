/* SPDX-License-Identifier: MIT */
/*
 * The processes from outside before and beside their work: settings that are wrong or half written, settings that
 * are dumped and loaded, and that nothing is allocated once a program runs.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "pev_msgs.h"
#include "tests/lib/malloc_count.h"
#include "tests/lib/process_rig.h"

#define MS		 1000
#define PROGRAM_LIMIT_MS 10000 /* of one that only reads its settings */

/* --- configuration ----------------------------------------------------------------------------------------- */

/* Runs the program to its end; what it printed is in text. */
static int run(struct process_rig *r, const char *const extra[])
{
	proc_end(&r->child);
	process_launch(r, "evse-ctrl", extra, NULL);
	if (!proc_wait(&r->child, PROGRAM_LIMIT_MS))
		process_fail(r, "does not end");
	proc_output(&r->child, r->text, sizeof(r->text));
	return proc_exit_code(&r->child);
}

static void test_config_errors_name_file_and_line(void **state)
{
	static const struct {
		const char *content;
		unsigned line;
	} files[] = {
		{"maximum_voltage = 5000000\n", 1},
		{"# a comment\n\n[pistol.1]\nno_such_key = 1\n", 4},
		{"[pistol.1]\nprotocol = 9.9\n", 2},
		{"[pistol.16]\n", 1},
		{"[pistol.1]\nmaximum_charge_current = much\n", 2},
		{"[pistol.1]\ndriver = no_such_driver\n", 2},
		{"maximum_voltage = 400\nmaximum_voltage = 400\n", 2},
	};
	struct process_rig *r = *state;
	const char *args[] = {"--config", r->config, "--check-config", NULL};
	char place[160];
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		process_write_config(r, files[i].content, strlen(files[i].content));
		if (run(r, args) != 1)
			fail_msg("exit code %d for:\n%s%s", proc_exit_code(&r->child), files[i].content,
				 r->text);
		snprintf(place, sizeof(place), "%s:%u: ", r->config, files[i].line);
		if (!strstr(r->text, place))
			fail_msg("no place %s in: %s", place, r->text);
	}
}

static void test_command_line_wrong_use_exits_2(void **state)
{
	static const char *const wrong[][2] = {{"--no-such-option", NULL},
					       {"--protocol=9.9", NULL},
					       {"--maximum-voltage=-3", NULL},
					       {"surplus", NULL},
					       {"--can", NULL}};
	struct process_rig *r = *state;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(run(r, wrong[i]), 2);
		assert_non_null(strstr(r->text, "evse-ctrl: "));
	}
}

static void dump(struct process_rig *r, const char *const args[])
{
	assert_int_equal(run(r, args), 0);
	assert_non_null(strstr(r->text, "\nmaximum_charge_current = "));
}

static void test_dump_config_can_be_loaded_again(void **state)
{
	static const char *const args[] = {"--maximum-charge-current=80.5", "--protocol=3.2", "--dump-config",
					   NULL};
	struct process_rig *r = *state;
	const char *loaded[] = {"--config", r->config, "--dump-config", NULL};
	const char *checked[] = {"--config", r->config, "--check-config", NULL};

	dump(r, args);
	assert_non_null(strstr(r->text, "\nmaximum_charge_current = 80.5\n"));
	assert_non_null(strstr(r->text, "\nprotocol = 3.2\n"));
	process_write_config(r, r->text, strlen(r->text));
	memcpy(r->again, r->text, sizeof(r->again));
	dump(r, loaded);
	assert_string_equal(r->text, r->again);
	assert_int_equal(run(r, checked), 0);
}

static void test_config_half_written_never_starts(void **state)
{
	static const char *const args[] = {"--dump-config", NULL};
	struct process_rig *r = *state;
	const char *cut[] = {"--config", r->config, NULL};
	char err[160];
	size_t n, i;

	assert_int_equal(proc_module_open(&r->module, r->url, 1, 1, err, sizeof(err)), 0);
	dump(r, args);
	memcpy(r->again, r->text, sizeof(r->again));
	n = strlen(r->again);
	for (i = 0; i < n; i += 97) {
		if (i > 0 && r->again[i - 1] == '\n')
			continue; /* complete as far as it goes */
		process_write_config(r, r->again, i);
		assert_int_equal(run(r, cut), 1);
		assert_non_null(strstr(r->text, r->config));
	}
	proc_module_receive(&r->module);
	assert_int_equal(r->module.point[1].n_status, 0);
}

/* --- no heap use after the start --------------------------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_OWN_HEAP true /* the sanitizer's allocator cannot be replaced */
#else
#define HAS_OWN_HEAP false
#endif

/* Counts of the program to come: env gets what it is started with. */
static struct malloc_counts *make_counts(const struct process_rig *r, char preload[PROC_PATH_MAX + 64],
					 char where[128])
{
	struct malloc_counts *c;
	char path[PROC_PATH_MAX];
	FILE *f = fopen(r->counts, "w+e");

	assert_non_null(f);
	assert_int_equal(ftruncate(fileno(f), sizeof(*c)), 0);
	c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED, fileno(f), 0);
	assert_true(c != MAP_FAILED);
	fclose(f);
	assert_true(proc_find_program("evse-ctrl", path));
	*strrchr(path, '/') = '\0';
	snprintf(preload, PROC_PATH_MAX + 64, "LD_PRELOAD=%s/../tests/lib/malloc_count.so", path);
	snprintf(where, 128, "MALLOC_COUNT=%s", r->counts);
	return c;
}

static void check_counts(const struct malloc_counts *now, const struct malloc_counts *then)
{
	assert_int_equal(then->is_loaded, 1);
	assert_true(then->n_malloc + then->n_calloc > 0);
	assert_int_equal(now->n_malloc, then->n_malloc);
	assert_int_equal(now->n_calloc, then->n_calloc);
	assert_int_equal(now->n_realloc, then->n_realloc);
	assert_int_equal(now->n_free, then->n_free);
}

static bool skips_heap_test(void)
{
	if (HAS_OWN_HEAP)
		print_message(
			"skipped: the sanitizer has an allocator of its own, heap calls cannot be counted\n");
	return HAS_OWN_HEAP;
}

static void test_evse_allocates_nothing_after_start(void **state)
{
	struct process_rig *r = *state;
	struct malloc_counts *counts, then;
	char preload[PROC_PATH_MAX + 64], where[128];
	const char *env[] = {preload, where, NULL};

	if (skips_heap_test())
		skip();
	counts = make_counts(r, preload, where);
	process_start_points(r, process_fast, env, 1);
	then = *counts;
	process_walk(r, -1, PROC_TRANSFER);
	assert_true(process_ask(r, "status"));
	assert_true(process_ask(r, "set maximum_charge_current 50"));
	process_walk(r, PROC_TRANSFER, PROC_CLOSING);
	proc_module_receive(&r->module);
	check_counts(counts, &then);
	munmap(counts, sizeof(*counts));
}

/* Both messages of the module on the vehicle side. */
static void send_stage(struct can_bus *bus, uint8_t stage, bool is_closed)
{
	struct pev_evse_information info = {
		.communication_stage = stage, .protocol = 3, .pins = 5, .max_current_mA = 100000};
	struct pev_dc_control control = {.close_contactors = is_closed};
	struct can_frame f[2];

	msg_to_frame(&pev_layouts[PEV_V2_5][PEV_EVSE_INFORMATION], &info, 0, &f[0]);
	msg_to_frame(&pev_layouts[PEV_V2_5][PEV_DC_CONTROL], &control, 0, &f[1]);
	can_bus_send_many(bus, f, 2);
}

/* Until the time is over; how many frames came. */
static unsigned receive_for(struct can_bus *bus, int64_t us)
{
	int64_t end_us = proc_now_us() + us;
	struct can_rx_info info;
	struct can_frame f;
	unsigned n = 0;

	for (;;) {
		struct pollfd p = {.fd = can_bus_fd(bus), .events = POLLIN};
		int64_t left_us = end_us - proc_now_us();

		while (can_bus_recv(bus, &f, &info) == 1)
			n++;
		if (left_us <= 0)
			return n;
		poll(&p, 1, (int)(left_us / MS) + 1);
		can_bus_service(bus, proc_now_us());
	}
}

/* Three cycles of a stage, and more until the program says so; at most ten seconds. */
static void walk_stage(struct process_rig *r, struct can_bus *bus, unsigned stage, const char *says)
{
	unsigned i;

	r->text[0] = '\0';
	for (i = 0; i < 3 || (i < 100 && !strstr(r->text, says)); i++) {
		/* Closing is asked once the voltages match. */
		send_stage(bus, (uint8_t)stage, (stage == 5 && i > 0) || (stage > 5 && stage <= 8));
		receive_for(bus, 100 * MS);
		assert_true(process_ask(r, "status"));
	}
	assert_non_null(strstr(r->text, says));
	assert_non_null(strstr(r->text, "faults_latched=none\n"));
}

static void test_pev_allocates_nothing_after_start(void **state)
{
	static const char *const quick[] = {"--charger-dead-time=0", "--charger-voltage-ramp-up-slope=100000",
					    "--contactors-delay=0.05", NULL};
	const struct can_filter all = can_filter_all();
	struct process_rig *r = *state;
	struct malloc_counts *counts, then;
	char preload[PROC_PATH_MAX + 64], where[128], err[160];
	const char *env[] = {preload, where, NULL};
	struct can_bus *bus;
	unsigned stage, i;

	if (skips_heap_test())
		skip();
	counts = make_counts(r, preload, where);
	assert_int_equal(can_bus_open(r->url, &bus, err, sizeof(err)), 0);
	can_bus_set_filters(bus, &all, 1);
	process_launch(r, "pev-ctrl", quick, env);
	for (i = 0; i < 100 && receive_for(bus, 100 * MS) == 0; i++)
		;
	then = *counts;
	for (stage = 1; stage <= 10; stage++)
		walk_stage(r, bus, stage,
			   stage == 5	? "contactors=Closed\n"
			   : stage == 7 ? "state=Charging\n"
					: "state=");
	can_bus_close(bus);
	check_counts(counts, &then);
	munmap(counts, sizeof(*counts));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, process_set_up, process_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_config_errors_name_file_and_line),   TEST(test_command_line_wrong_use_exits_2),
		TEST(test_dump_config_can_be_loaded_again),    TEST(test_config_half_written_never_starts),
		TEST(test_evse_allocates_nothing_after_start), TEST(test_pev_allocates_nothing_after_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
