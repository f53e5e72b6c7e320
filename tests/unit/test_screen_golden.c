/* SPDX-License-Identifier: MIT */
/*
 * Golden screens: the real monitors replay logs of known sessions in a terminal under test and must show, cell by
 * cell, what the files under tests/screen/golden hold. tests/lib/screen_golden.h says how to accept a change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/screen_golden.h"

#define N_CASES (sizeof(cases) / sizeof(cases[0]))

#define EVSE   "evse-monitor"
#define PEV    "pev-monitor"
#define SMALL  24, 80
#define MEDIUM 40, 120
#define LARGE  60, 200

static const struct screen_case cases[] = {
	/* Each step of a session. */
	{"evse_idle_80x24", EVSE, "evse_session", "3", SMALL, "2", {NULL}, "plug"},
	{"evse_negotiating_80x24", EVSE, "evse_session", "5", SMALL, "2", {NULL}, "egotiat"},
	{"evse_authorisation_80x24", EVSE, "evse_session", "7", SMALL, "2", {NULL}, "uthoris"},
	{"evse_insulation_80x24", EVSE, "evse_insulation", "20", SMALL, "2", {NULL}, "nsulation"},
	{"evse_insulation_120x40", EVSE, "evse_insulation", "20", MEDIUM, "2", {NULL}, "nsulation"},
	{"evse_precharge_120x40", EVSE, "evse_session", "22.5", MEDIUM, "2", {NULL}, "recharge"},
	{"evse_charging_80x24", EVSE, "evse_session", "33", SMALL, "2", {NULL}, "harging"},
	{"evse_charging_120x40", EVSE, "evse_session", "33", MEDIUM, "2", {NULL}, "harging"},
	{"evse_charging_200x60", EVSE, "evse_session", "33", LARGE, "2", {NULL}, "harging"},
	{"evse_fault_80x24", EVSE, "evse_fault", "31", SMALL, "2", {NULL}, "mergency"},
	{"evse_fault_120x40", EVSE, "evse_fault", "31", MEDIUM, "2", {NULL}, "mergency"},
	{"evse_silence_120x40", EVSE, "evse_silence", "23", MEDIUM, "2", {NULL}, "silent"},
	{"evse_end_120x40", EVSE, "evse_session", "57.9", MEDIUM, "2w", {NULL}, "plug"},
	{"pev_idle_80x24", PEV, "pev_session", "2", SMALL, "2", {NULL}, "plug"},
	{"pev_negotiating_80x24", PEV, "pev_session", "4", SMALL, "2", {NULL}, "egotiat"},
	{"pev_insulation_80x24", PEV, "pev_insulation", "12", SMALL, "2", {NULL}, "nsulation"},
	{"pev_insulation_120x40", PEV, "pev_insulation", "12", MEDIUM, "2", {NULL}, "nsulation"},
	{"pev_charging_80x24", PEV, "pev_session", "16", SMALL, "2", {NULL}, "harging"},
	{"pev_charging_120x40", PEV, "pev_session", "16", MEDIUM, "2", {NULL}, "harging"},
	{"pev_charging_200x60", PEV, "pev_session", "16", LARGE, "2", {NULL}, "harging"},
	{"pev_fault_80x24", PEV, "pev_fault", "8.4", SMALL, "2", {NULL}, "mergency"},
	{"pev_fault_120x40", PEV, "pev_fault", "8.4", MEDIUM, "2", {NULL}, "mergency"},
	/* The pages. */
	{"evse_list_80x24", EVSE, "evse_many", "12.5", SMALL, "1", {NULL}, "harging"},
	{"evse_list_120x40", EVSE, "evse_many", "12.5", MEDIUM, "1", {NULL}, "harging"},
	{"evse_messages_80x24", EVSE, "evse_session", "33", SMALL, "3", {NULL}, "DC_Power_Control"},
	{"evse_messages_120x40", EVSE, "evse_session", "33", MEDIUM, "3", {NULL}, "DC_Power_Control"},
	{"evse_events_80x24", EVSE, "evse_fault", "31", SMALL, "4", {NULL}, "mergency"},
	{"evse_events_120x40", EVSE, "evse_session", "57", MEDIUM, "4", {NULL}, "harging"},
	{"evse_help_80x24", EVSE, "evse_session", "33", SMALL, "?", {NULL}, "quit"},
	{"evse_help_120x40", EVSE, "evse_session", "33", MEDIUM, "5", {NULL}, "quit"},
	{"pev_list_80x24", PEV, "pev_session", "16", SMALL, "1", {NULL}, "harging"},
	{"pev_messages_120x40", PEV, "pev_session", "16", MEDIUM, "3", {NULL}, "DC_Status1"},
	{"pev_events_120x40", PEV, "pev_fault", "8.4", MEDIUM, "4", {NULL}, "mergency"},
	{"pev_help_80x24", PEV, "pev_session", "16", SMALL, "?", {NULL}, "quit"},
	/* Terminals that know less. */
	{"evse_ascii_80x24", EVSE, "evse_session", "33", SMALL, "2", {"--ascii"}, "harging"},
	{"evse_ascii_120x40", EVSE, "evse_session", "33", MEDIUM, "2", {"--ascii"}, "harging"},
	{"evse_no_color_80x24", EVSE, "evse_fault", "31", SMALL, "2", {"--no-color"}, "mergency"},
	{"pev_ascii_80x24", PEV, "pev_session", "16", SMALL, "2", {"--ascii"}, "harging"},
	{"pev_no_color_80x24", PEV, "pev_session", "16", SMALL, "2", {"--no-color"}, "harging"},
};

struct run {
	const struct screen_case *c;
	struct term_rig t;
};

static int set_up(void **state)
{
	struct run *r = calloc(1, sizeof(*r));

	r->c = *state;
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct run *r = *state;

	term_end(&r->t);
	free(r);
	return 0;
}

static void test_screen_is_as_the_golden_file(void **state)
{
	struct run *r = *state;

	screen_open(&r->t, r->c);
	screen_expect(&r->t, r->c->name, r->c->marker);
}

int main(void)
{
	struct CMUnitTest tests[N_CASES];
	size_t i;

	for (i = 0; i < N_CASES; i++)
		tests[i] = (struct CMUnitTest){
			.name = cases[i].name,
			.test_func = test_screen_is_as_the_golden_file,
			.setup_func = set_up,
			.teardown_func = tear_down,
			.initial_state = (void *)(uintptr_t)&cases[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
