/* SPDX-License-Identifier: MIT */
/* A grid on a terminal, by ncurses. */
#include "monitor/mon_curses.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>

#include "monitor/mon_view.h"

/* A lone Escape is told from the begin of a key's sequence by this silence; sequences arrive in one piece. */
#define ESCAPE_MS 25

/* Columns between two words that are bridged. */
#define MAX_GAP 8

/* --- styles --------------------------------------------------------------------------------------------- */

struct look {
	short color;  /* on the terminal's own background; -1: its own */
	attr_t with;  /* attributes beside the colour */
	attr_t alone; /* instead of colour */
};

/* Where a style carries a meaning it differs by attribute too, unless the text says it anyway. */
static const struct look looks[GRID_N_STYLES] = {
	[GRID_PLAIN] = {-1, A_NORMAL, A_NORMAL},
	[GRID_DIM] = {-1, A_DIM, A_DIM},
	[GRID_TITLE] = {COLOR_CYAN, A_BOLD, A_BOLD},
	[GRID_LABEL] = {-1, A_NORMAL, A_NORMAL},
	[GRID_VALUE] = {-1, A_BOLD, A_BOLD},
	[GRID_CHANGED] = {-1, A_BOLD | A_UNDERLINE, A_BOLD | A_UNDERLINE},
	[GRID_GOOD] = {COLOR_GREEN, A_NORMAL, A_NORMAL},
	[GRID_WARN] = {COLOR_YELLOW, A_BOLD, A_BOLD | A_UNDERLINE},
	[GRID_BAD] = {COLOR_RED, A_BOLD | A_REVERSE, A_BOLD | A_REVERSE},
	[GRID_FRAME] = {-1, A_DIM, A_DIM},
	[GRID_BAR] = {-1, A_REVERSE, A_REVERSE},
	[GRID_PLOT_A] = {COLOR_YELLOW, A_NORMAL, A_NORMAL},
	[GRID_PLOT_B] = {COLOR_CYAN, A_NORMAL, A_NORMAL},
	[GRID_PLOT_C] = {COLOR_MAGENTA, A_NORMAL, A_NORMAL},
	[GRID_PLOT_D] = {COLOR_GREEN, A_NORMAL, A_NORMAL},
	[GRID_SELECTED] = {-1, A_REVERSE | A_BOLD, A_REVERSE | A_BOLD},
};

static void make_styles(struct mon_curses *c)
{
	unsigned i;

	c->has_color = c->has_color && has_colors() && start_color() == OK;
	if (c->has_color)
		use_default_colors();
	for (i = 0; i < GRID_N_STYLES; i++) {
		const struct look *l = &looks[i];
		attr_t a = c->has_color ? l->with : l->alone;

		if (c->has_color && l->color >= 0) {
			init_pair((short)(i + 1), l->color, -1);
			a |= COLOR_PAIR(i + 1);
		}
		c->style[i] = a;
	}
}

/* --- open and close ------------------------------------------------------------------------------------- */

static int refuse(char *err, size_t err_size, const char *why)
{
	const char *term = getenv("TERM");

	snprintf(err, err_size, "%s (TERM is '%.40s'): set TERM, or use --text", why, term ? term : "");
	return -1;
}

/* Keys from stdin, or from the controlling terminal when stdin is a log or closed. */
static FILE *open_input(struct mon_curses *c)
{
	c->is_in_ours = !isatty(STDIN_FILENO);
	c->in_fd = c->is_in_ours ? open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY) : STDIN_FILENO;
	if (c->in_fd < 0)
		return stdin; /* ncurses wants one; it is never read */
	return c->is_in_ours ? fdopen(c->in_fd, "r") : stdin;
}

/*
 * A key that interrupts (Ctrl-C) must take nothing with it: by default the terminal then throws away the keys not
 * yet read, and what we are drawing, to the middle of a sequence. And a read that finds no key returns (VMIN 0):
 * ncurses looks before it reads, but what it has seen may be gone by then, and we would wait in it with our
 * signals blocked.
 */
static void keep_input_flowing(void)
{
	struct termios mode;

	if (tcgetattr(STDOUT_FILENO, &mode) != 0)
		return;
	mode.c_lflag |= NOFLSH;
	mode.c_cc[VMIN] = 0;
	mode.c_cc[VTIME] = 0;
	tcsetattr(STDOUT_FILENO, TCSANOW, &mode);
	def_prog_mode(); /* ncurses sets these again when it comes back from a stop */
}

int mon_curses_open(struct mon_curses *c, const struct mon_curses_cfg *cfg, char *err, size_t err_size)
{
	FILE *in;

	c->is_open = false;
	c->is_valid = false;
	setlocale(LC_CTYPE, "");
	c->is_ascii = cfg->is_ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	c->has_color = !cfg->no_color;
	if (tcgetattr(STDOUT_FILENO, &c->tty) != 0)
		return refuse(err, err_size, "the output is no terminal");
	in = open_input(c);
	use_tioctl(TRUE);		       /* a size in $LINES and $COLUMNS must not outlive a resize */
	if (!in || !newterm(NULL, stdout, in)) /* not initscr(), which would end the program */
		return refuse(err, err_size, "this kind of terminal is not known");
	c->is_open = true;
	if (!cursor_address || !clear_screen) {
		mon_curses_close(c);
		return refuse(err, err_size, "this terminal cannot place its cursor");
	}
	cbreak();
	noecho();
	nonl();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	typeahead(-1); /* a screen is drawn to its end; keys wait the millisecond */
	curs_set(0);
	keep_input_flowing();
	make_styles(c);
	return 0;
}

void mon_curses_close(struct mon_curses *c)
{
	struct termios flowing;

	if (!c->is_open)
		return;
	c->is_open = false;
	/* A screen stopped by Ctrl-S would hold us for ever; without flow control it runs again. */
	if (tcgetattr(STDOUT_FILENO, &flowing) == 0) {
		flowing.c_iflag &= ~(tcflag_t)IXON;
		tcsetattr(STDOUT_FILENO, TCSANOW, &flowing);
	}
	endwin();
	tcsetattr(STDOUT_FILENO, TCSANOW, &c->tty);
}

void mon_curses_size(const struct mon_curses *c, int *rows, int *cols)
{
	(void)c;
	*rows = LINES < GRID_MAX_ROWS ? LINES : GRID_MAX_ROWS;
	*cols = COLS < GRID_MAX_COLS ? COLS : GRID_MAX_COLS;
}

/* --- drawing -------------------------------------------------------------------------------------------- */

static bool is_equal(const struct grid_cell *a, const struct grid_cell *b)
{
	return a->ch == b->ch && a->style == b->style;
}

/* A blank looks the same in this style as in any other. */
static bool is_blank_in(enum grid_style style)
{
	return !((looks[style].with | looks[style].alone) & (A_REVERSE | A_UNDERLINE | A_STANDOUT));
}

/*
 * Blanks between two words of one style take that style: the eye sees no difference, and the terminal need
 * not be told to change its attributes twice, which is most of what a table of changing numbers would send.
 */
static enum grid_style style_of(const struct grid_cell *row, int col, int cols)
{
	int left = col, right = col;

	if (row[col].style >= GRID_N_STYLES)
		return GRID_PLAIN;
	if (row[col].ch != ' ' || !is_blank_in(row[col].style))
		return row[col].style;
	while (left > 0 && col - left < MAX_GAP && row[left].ch == ' ')
		left--;
	while (right < cols - 1 && right - col < MAX_GAP && row[right].ch == ' ')
		right++;
	if (row[left].ch != ' ' && row[right].ch != ' ' && row[left].style == row[right].style &&
	    row[left].style < GRID_N_STYLES && is_blank_in(row[left].style))
		return row[left].style;
	return row[col].style;
}

static void put_run(const struct mon_curses *c, int line, const struct grid_cell *row, int from, int to,
		    int cols)
{
	cchar_t out[GRID_MAX_COLS];
	int i;

	for (i = from; i < to; i++) {
		uint64_t style = c->style[style_of(row, i, cols)];
		wchar_t text[2] = {row[i].ch < ' ' ? L' ' : (wchar_t)row[i].ch, L'\0'};

		setcchar(&out[i - from], text, (attr_t)style, (short)PAIR_NUMBER((int)style), NULL);
	}
	/* Moves no cursor: the last corner is a cell like any other. */
	mvwadd_wchnstr(stdscr, line, from, out, to - from);
}

/* True when anything differed. */
static bool put_row(const struct mon_curses *c, int row, const struct grid_cell *was,
		    const struct grid_cell *is, int n)
{
	bool has_changed = false;
	int from = 0, to, first, end;

	while (from < n) {
		if (is_equal(&was[from], &is[from])) {
			from++;
			continue;
		}
		for (to = from + 1; to < n && !is_equal(&was[to], &is[to]); to++)
			;
		/*
		 * And the gaps beside it, whose style may hang on what has changed; the same again costs
		 * nothing.
		 */
		for (first = from; first > 0 && from - first < MAX_GAP && is[first - 1].ch == ' '; first--)
			;
		for (end = to; end < n && end - to < MAX_GAP && is[end].ch == ' '; end++)
			;
		put_run(c, row, is, first, end, n);
		has_changed = true;
		from = to;
	}
	return has_changed;
}

static bool takes_output(void)
{
	struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&p, 1, 0) == 1;
}

bool mon_curses_draw(struct mon_curses *c, const struct mon_grid *g)
{
	size_t row_bytes = (size_t)g->cols * sizeof(g->cell[0]);
	bool is_same = c->is_valid;
	int row;

	if (!takes_output())
		return false;
	if (!c->is_valid || c->shown.rows != g->rows || c->shown.cols != g->cols) {
		werase(stdscr);
		clearok(stdscr, TRUE);
		memset(c->shown.cell, 0, (size_t)g->rows * row_bytes);
		c->shown.rows = g->rows;
		c->shown.cols = g->cols;
		c->is_valid = true;
	}
	for (row = 0; row < g->rows; row++) {
		const struct grid_cell *is = &g->cell[row * g->cols];
		struct grid_cell *was = &c->shown.cell[row * g->cols];

		if (memcmp(was, is, row_bytes) == 0)
			continue;
		is_same &= !put_row(c, row, was, is, g->cols);
		memcpy(was, is, row_bytes);
	}
	if (is_same)
		return true;
	wnoutrefresh(stdscr);
	doupdate();
	return true;
}

void mon_curses_refresh(struct mon_curses *c)
{
	c->is_valid = false;
}

void mon_curses_beep(struct mon_curses *c)
{
	(void)c;
	beep();
}

/* --- keys ----------------------------------------------------------------------------------------------- */

static int function_key(wint_t key)
{
	switch (key) {
	case KEY_UP:
		return MON_KEY_UP;
	case KEY_DOWN:
		return MON_KEY_DOWN;
	case KEY_LEFT:
		return MON_KEY_LEFT;
	case KEY_RIGHT:
		return MON_KEY_RIGHT;
	case KEY_PPAGE:
		return MON_KEY_PAGE_UP;
	case KEY_NPAGE:
		return MON_KEY_PAGE_DOWN;
	case KEY_HOME:
		return MON_KEY_HOME;
	case KEY_END:
		return MON_KEY_END;
	case KEY_ENTER:
		return MON_KEY_ENTER;
	case KEY_F(1):
		return '?';
	case KEY_BACKSPACE:
		return MON_KEY_ESCAPE;
	default:
		return MON_CURSES_NONE;
	}
}

static int character(wint_t key)
{
	switch (key) {
	case '\r':
	case '\n':
		return MON_KEY_ENTER;
	case '\t':
		return MON_KEY_TAB;
	case 0x1b:
	case 0x7f:
		return MON_KEY_ESCAPE;
	default:
		return key < 0x80
			       ? (int)key
			       : MON_CURSES_NONE; /* above are our own codes, and no letter means anything */
	}
}

int mon_curses_key(struct mon_curses *c)
{
	wint_t key;
	int r;

	if (c->in_fd < 0)
		return MON_CURSES_NONE;
	for (;;) {
		r = wget_wch(stdscr, &key);
		if (r == ERR)
			return MON_CURSES_NONE;
		if (r == KEY_CODE_YES && key == KEY_RESIZE) {
			c->is_valid = false;
			return MON_CURSES_RESIZED;
		}
		if (r == OK && key == ('L' & 0x1f)) {
			c->is_valid = false;
			return MON_CURSES_RESIZED; /* the same work: all again */
		}
		r = r == KEY_CODE_YES ? function_key(key) : character(key);
		if (r != MON_CURSES_NONE)
			return r;
	}
}
