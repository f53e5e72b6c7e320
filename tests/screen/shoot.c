/* SPDX-License-Identifier: MIT */
/*
 * The screenshots of the documentation: the real monitors on the logs of the golden screens, in the terminal under
 * test, written as SVG.
 *
 * usage: shoot FOLDER
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/proc_child.h"
#include "tests/lib/screen_golden.h"
#include "tests/lib/term_svg.h"

#define QUIET_MS 300

struct shot {
	const char *file, *program, *log, *start_s;
	int rows, cols;
	const char *keys, *option, *marker;
};

static const struct shot shots[] = {
	{"evse-charging", "evse-monitor", "evse_session", "33", 40, 120, "2", NULL, "harging"},
	{"evse-insulation", "evse-monitor", "evse_insulation", "20", 40, 120, "2", NULL, "nsulation"},
	{"evse-fault", "evse-monitor", "evse_fault", "31", 40, 120, "2", NULL, "mergency"},
	{"evse-list", "evse-monitor", "evse_many", "12.5", 24, 100, "1", NULL, "7"},
	{"evse-messages", "evse-monitor", "evse_session", "33", 32, 120, "3", NULL, "DC_Power_Control"},
	{"evse-events", "evse-monitor", "evse_fault", "31", 28, 100, "4", NULL, "mergency"},
	{"evse-wide", "evse-monitor", "evse_session", "45", 60, 200, "2w", NULL, "quit"},
	{"evse-80x24", "evse-monitor", "evse_session", "33", 24, 80, "2", NULL, "harging"},
	{"evse-ascii", "evse-monitor", "evse_session", "33", 24, 80, "2", "--ascii", "harging"},
	{"pev-charging", "pev-monitor", "pev_session", "16", 40, 120, "2", NULL, "harging"},
	{"pev-insulation", "pev-monitor", "pev_insulation", "12", 40, 120, "2", NULL, "nsulation"},
	{"pev-fault", "pev-monitor", "pev_fault", "8.4", 40, 120, "2", NULL, "quit"},
	{"site-tree", "site-monitor", "site", "75", 40, 120, "w", NULL, "since the start"},
	{"site-over", "site-monitor", "site", "49", 32, 110, TERM_DOWN, NULL, "street L1 A"},
	{"site-points", "site-monitor", "site", "75", 40, 150, "2" TERM_END TERM_UP, NULL, "feed back"},
	{"site-events", "site-monitor", "site", "85", 28, 100, "3", NULL, "raised"},
};

static int shoot(const struct shot *s, const char *folder)
{
	char program[PROC_PATH_MAX], log[128], path[512], title[256];
	bool is_site = s->program[0] == 's';
	const char *argv[] = {program,
			      "--replay",
			      log,
			      "--paused",
			      "--start-at",
			      s->start_s,
			      is_site ? "--site" : s->option,
			      is_site ? "tests/screen/site.conf" : NULL,
			      NULL};
	struct term_rig t;
	FILE *f;
	int ret = 1;

	snprintf(log, sizeof(log), "tests/screen/%s.log", s->log);
	snprintf(path, sizeof(path), "%s/%s.svg", folder, s->file);
	snprintf(title, sizeof(title), "%s --replay %s.log%s%s%s", s->program, s->log, s->option ? " " : "",
		 s->option ? s->option : "", is_site ? " --site site.conf" : "");
	if (!proc_find_program(s->program, program)) {
		fprintf(stderr, "shoot: %s is not built\n", s->program);
		return 1;
	}
	if (term_start(&t, argv, NULL, s->rows, s->cols) == 0 &&
	    term_wait_text(&t, screen_title(s->program))) {
		term_wait_quiet(&t, QUIET_MS);
		term_send(&t, s->keys);
		ret = !term_wait_text(&t, s->marker) || !term_wait_quiet(&t, QUIET_MS);
	}
	f = ret ? NULL : fopen(path, "w");
	if (f) {
		ret = term_svg_write(&t, title, f) != 0;
		ret = fclose(f) != 0 || ret;
	} else {
		term_show(&t);
		fprintf(stderr, "shoot: %s: no such screen\n", path);
		ret = 1;
	}
	term_end(&t);
	return ret;
}

int main(int argc, char **argv)
{
	size_t i;
	int ret = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: shoot FOLDER\n");
		return 2;
	}
	for (i = 0; i < sizeof(shots) / sizeof(shots[0]); i++)
		ret |= shoot(&shots[i], argv[1]);
	return ret;
}
