/* SPDX-License-Identifier: MIT */
/*
 * A terminal under test: starts a real program on a pseudo-terminal whose other end is a terminal emulator in
 * memory (libvterm), sends keys, changes the size, and reads the screen cell by cell. The program sees an
 * xterm with 256 colours, UTF-8 and the time zone UTC.
 *
 * Nothing here sleeps: whoever waits, waits for a condition on the screen, with a limit that is reached only when
 * the program hangs.
 */
#ifndef TESTS_TERM_RIG_H
#define TESTS_TERM_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <termios.h>

#define TERM_LIMIT_MS 10000 /* of every wait that is not told otherwise */
#define TERM_MAX_COLS 320
#define TERM_ROW_MAX  (TERM_MAX_COLS * 4 + 1)

/* Keys that are more than one byte, as an xterm in application mode sends them. */
#define TERM_UP	       "\033OA"
#define TERM_DOWN      "\033OB"
#define TERM_RIGHT     "\033OC"
#define TERM_LEFT      "\033OD"
#define TERM_HOME      "\033OH"
#define TERM_END       "\033OF"
#define TERM_PAGE_UP   "\033[5~"
#define TERM_PAGE_DOWN "\033[6~"

struct VTerm;
struct VTermScreen;

struct term_cell {
	uint32_t ch; /* 0: the right half of a wide character; blanks are ' ' */
	bool is_bold, is_dim, is_underlined, is_reverse, is_blinking;
	int fg, bg; /* 0..255 of the palette, -1: the terminal's own, -2: an RGB colour */
	uint8_t fg_rgb[3], bg_rgb[3];
};

struct term_rig {
	pid_t pid;  /* 0: ended and collected */
	int status; /* of waitpid() then */
	int master_fd, slave_fd, pid_fd;
	int error_fd; /* -1: stderr goes to the terminal; else a memory file */
	int rows, cols;
	struct VTerm *vt;
	struct VTermScreen *screen;
	uint8_t plain_fg[3], plain_bg[3]; /* the terminal's own colours */
	struct termios before;		  /* line settings before the program started */
	/* What the program has done to the terminal. */
	bool is_alternate, is_cursor_visible;
	uint64_t n_bytes, n_clears; /* written by it; screens erased as a whole */
	int64_t exec_us, byte_us;   /* monotonic: before exec, and the last byte seen */
	/* Of the filter that finds what libvterm leaves out. */
	char escape[64];
	unsigned n_escape;
};

typedef bool (*term_is_fn)(struct term_rig *t, void *ctx);

/*
 * Runs argv[0] (a path) in a terminal of that size. env: KEY=VALUE in addition, ended by NULL; may be NULL.
 * 0 or a negative errno.
 */
int term_start(struct term_rig *t, const char *const argv[], const char *const env[], int rows, int cols);
/* Kills what still runs and frees all. */
void term_end(struct term_rig *t);
void term_send(struct term_rig *t, const char *keys);
/* The window changes: the kernel tells the program by SIGWINCH. */
void term_resize(struct term_rig *t, int rows, int cols);

/* Takes what the program has written so far. True while it runs. */
bool term_pump(struct term_rig *t);
/* Until the condition holds; false: the limit was reached, or the program ended without it. */
bool term_wait(struct term_rig *t, term_is_fn is, void *ctx, int64_t limit_ms);
/* Until this text stands somewhere in one row. */
bool term_wait_text(struct term_rig *t, const char *text);
bool term_wait_no_text(struct term_rig *t, const char *text);
/* Until nothing was written for that long. */
bool term_wait_quiet(struct term_rig *t, int64_t quiet_ms);
/* Until it has ended; its last bytes are on the screen then. */
bool term_wait_exit(struct term_rig *t, int64_t limit_ms);
/* Exit code, or minus the number of the signal that ended it. */
int term_exit_code(const struct term_rig *t);
/* Alternate screen left, cursor visible, line settings as before. */
bool term_is_restored(const struct term_rig *t);

struct term_cell term_cell(const struct term_rig *t, int row, int col);
bool term_cell_is_alike(const struct term_cell *a, const struct term_cell *b); /* but for the character */
/* UTF-8 without trailing blanks; returns the length. */
size_t term_row_text(const struct term_rig *t, int row, char text[TERM_ROW_MAX]);
/* Where the text stands first; false: nowhere. */
bool term_find(const struct term_rig *t, const char *text, int *row, int *col);
/* Prints the screen on stderr, for a test that fails. */
void term_show(const struct term_rig *t);

#endif
