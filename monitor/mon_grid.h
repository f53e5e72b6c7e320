/* SPDX-License-Identifier: MIT */
/*
 * A screen as a grid of cells: what the views draw on, and what the terminal, the plain text and the tests read.
 * Writing outside is cut off, so a view never checks. Pure: the cells are the caller's memory.
 */
#ifndef MONITOR_MON_GRID_H
#define MONITOR_MON_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRID_MAX_COLS 320
#define GRID_MAX_ROWS 120

/* What a cell means, not what it looks like: the terminal chooses colour, and bold, reverse or underline without it. */
enum grid_style {
	GRID_PLAIN,
	GRID_DIM, /* stale, unimportant */
	GRID_TITLE,
	GRID_LABEL,
	GRID_VALUE,
	GRID_CHANGED, /* changed within the last second */
	GRID_GOOD,
	GRID_WARN,
	GRID_BAD,
	GRID_FRAME,  /* borders */
	GRID_BAR,    /* top and help line */
	GRID_PLOT_A, /* voltage */
	GRID_PLOT_B, /* current */
	GRID_PLOT_C, /* power */
	GRID_PLOT_D, /* state of charge */
	GRID_SELECTED,
	GRID_N_STYLES,
};

struct grid_cell {
	uint32_t ch    : 24; /* Unicode, one column wide */
	uint32_t style : 8;
};

struct mon_grid {
	int rows, cols; /* at most GRID_MAX_ROWS, GRID_MAX_COLS */
	bool is_ascii;	/* the terminal knows nothing else: lines and plots use plain characters */
	struct grid_cell cell[GRID_MAX_ROWS * GRID_MAX_COLS]; /* row by row, `cols` a row */
};

struct grid_rect {
	int row, col, rows, cols;
};

/* Blanks all; sizes are clamped to the maximum. */
void grid_reset(struct mon_grid *g, int rows, int cols, bool is_ascii);
void grid_put(struct mon_grid *g, int row, int col, uint32_t ch, enum grid_style style);
/* UTF-8, cut at `width` columns (-1: the edge). Returns the columns written. */
int grid_text(struct mon_grid *g, int row, int col, int width, enum grid_style style, const char *text);
int grid_printf(struct mon_grid *g, int row, int col, int width, enum grid_style style, const char *format,
		...) __attribute__((format(printf, 6, 7)));
void grid_fill(struct mon_grid *g, struct grid_rect r, uint32_t ch, enum grid_style style);
/* Border with a title; returns the inside. */
struct grid_rect grid_box(struct mon_grid *g, struct grid_rect r, const char *title);
/* A row as UTF-8 without trailing blanks; returns the length. size of at least 4 * cols + 1 never cuts. */
size_t grid_row_text(const struct mon_grid *g, int row, char *text, size_t size);

#endif
