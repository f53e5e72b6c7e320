/* SPDX-License-Identifier: MIT */
/* The screens of both monitors on a simulated charge point in virtual time: the fixture of the tests of the views. */
#ifndef TESTS_MON_SCREEN_H
#define TESTS_MON_SCREEN_H

#include "monitor/mon_view.h"

struct mon_screen {
	struct mon_model model[2]; /* by enum mon_side */
	struct mon_view view[2];
	struct mon_source source;
	int64_t start_us, tick_us;
	bool is_controller_muted[2]; /* what the controllers say is not heard any more */
	enum mon_side side;	     /* shown */
	struct mon_grid grid;
};

/* A session of 10 s charging, not begun; the newest versions. One at a time: the charge point is shared. */
void mon_screen_start(struct mon_screen *s);
/* Until the charger's module is in this state of the interface, and so much longer. */
void mon_screen_run_to(struct mon_screen *s, int state, double more_s);
void mon_screen_run(struct mon_screen *s, double seconds);
void mon_screen_draw(struct mon_screen *s, enum mon_side side, int rows, int cols);
void mon_screen_key(struct mon_screen *s, enum mon_side side, int key);
/* Row as text; valid until the next call. */
const char *mon_screen_row(const struct mon_screen *s, int row);
/* Where a text is on the screen, from the row on: its row, or -1; *col: column. */
int mon_screen_find(const struct mon_screen *s, int from_row, const char *text, int *col);
/* Prints the screen; for whoever looks at a failed test. */
void mon_screen_print(const struct mon_screen *s);

#endif
