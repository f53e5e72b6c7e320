/* SPDX-License-Identifier: MIT */
/*
 * A grid on a terminal, by ncurses; the only file that knows it. Cells are compared with what was drawn
 * last and only those that differ are handed on, so an unchanged screen costs a comparison and sends
 * nothing. Not pure.
 *
 * One terminal a process: ncurses has its state in static memory. It installs handlers of SIGWINCH and
 * SIGTSTP of its own; a changed size arrives as MON_CURSES_RESIZED among the keys, after the wake-up by
 * EINTR.
 */
#ifndef MONITOR_MON_CURSES_H
#define MONITOR_MON_CURSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include "monitor/mon_grid.h"

/* Besides the keys of mon_view.h and ASCII characters. */
#define MON_CURSES_NONE	   (-1)
#define MON_CURSES_RESIZED (-2)

struct mon_curses {
	bool is_open;
	bool is_ascii; /* the locale or the user says so */
	bool has_color;
	int in_fd;		       /* keys; -1: none */
	bool is_in_ours;	       /* /dev/tty, opened by us */
	struct termios tty;	       /* as it was */
	uint64_t style[GRID_N_STYLES]; /* attributes and colour pair, as curses has them */
	struct mon_grid shown;
	bool is_valid; /* shown is what the terminal has */
};

struct mon_curses_cfg {
	bool is_ascii; /* asked for; also taken where the locale is not UTF-8 */
	bool no_color;
};

/*
 * Takes the terminal at stdout over. Keys come from stdin, or from the controlling terminal where stdin is
 * none. 0, or -1 with a sentence in err; then the terminal is as it was.
 */
int mon_curses_open(struct mon_curses *c, const struct mon_curses_cfg *cfg, char *err, size_t err_size);
/* Gives it back as it was. May be called twice. */
void mon_curses_close(struct mon_curses *c);
/* Present size, at most what a grid holds. */
void mon_curses_size(const struct mon_curses *c, int *rows, int *cols);
/*
 * Shows the grid. False when the terminal takes nothing just now (stopped by its user, or slow): nothing
 * was drawn; try again later.
 */
bool mon_curses_draw(struct mon_curses *c, const struct mon_grid *g);
/* The next key that is there, or one of the two above; never waits. */
int mon_curses_key(struct mon_curses *c);
/* Draw all again with the next mon_curses_draw(). */
void mon_curses_refresh(struct mon_curses *c);
void mon_curses_beep(struct mon_curses *c);

#endif
