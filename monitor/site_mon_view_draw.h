/* SPDX-License-Identifier: MIT */
/* What the pages of the site's screen share among themselves. Not for users of the view. Pure. */
#ifndef MONITOR_SITE_MON_VIEW_DRAW_H
#define MONITOR_SITE_MON_VIEW_DRAW_H

#include "monitor/mon_view_draw.h"
#include "monitor/site_mon_view.h"

#define SMON_WIDE_COLS 100
#define SMON_HUGE_COLS 140

struct smon_ctx {
	struct smon_view *v;
	const struct smon_model *m;
	const struct smon_names *n;
	const struct mon_source *s;
	struct mon_grid *g; /* NULL for keys */
};

/* --- lists: site_mon_view_list.c ----------------------------------------------------------------------- */

/* Fill v->line. */
void smon_list_tree(const struct smon_ctx *c);
void smon_list_points(const struct smon_ctx *c);
/* Index of the chosen line, or of the one that stands for it; -1: the list is empty. */
int smon_list_chosen(const struct smon_ctx *c);
/* Keeps the chosen line on a page of so many. */
void smon_list_show(const struct smon_ctx *c, int chosen, int rows);
/* Chooses a line further on, of the list that is filled. */
void smon_list_move(const struct smon_ctx *c, int lines);

/* --- parts --------------------------------------------------------------------------------------------- */

/* Amount of a row in its unit. */
void smon_row_number(const struct smon_names *n, uint32_t row, int32_t mA, char out[VIEW_TEXT]);
const char *smon_row_unit(const struct smon_names *n, uint32_t row); /* "A" or "kW" */
/* Up to now full, up to may half, of a whole. */
void smon_bar(struct mon_grid *g, int row, int col, int cols, int64_t now, int64_t may, int64_t whole,
	      enum grid_style style);
enum grid_style smon_row_style(const struct smon_row *r);
/* Rows of a page of so many that stand below the list, which is filled. */
int smon_panel_rows(const struct smon_ctx *c, int rows);
/* Load of a row over time, with a title. */
void smon_plot(const struct smon_ctx *c, uint32_t row, struct grid_rect r);
/* Everything that a point said, with a title, and the load of what limits it where there is room. */
void smon_detail(const struct smon_ctx *c, const struct smon_line *line, struct grid_rect r);

/* --- pages --------------------------------------------------------------------------------------------- */

void smon_page_tree(const struct smon_ctx *c, struct grid_rect r);
void smon_page_points(const struct smon_ctx *c, struct grid_rect r);
void smon_page_events(const struct smon_ctx *c, struct grid_rect r);
void smon_page_help(const struct smon_ctx *c, struct grid_rect r);

#endif
