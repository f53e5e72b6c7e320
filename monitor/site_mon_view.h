/* SPDX-License-Identifier: MIT */
/*
 * What a person sees of a site: three pages drawn into a grid of cells, and what keys do. Pure.
 *
 *   1 tree     limits with load and room, and the points below them
 *   2 points   one line per point: state, wanted, granted, drawn, battery, energy, departure, lease, reason
 *   3 events   newest first
 *
 * A line of the first two is chosen; below the list stands more of it: of a limit its load over time, of a
 * point everything that it said. Names and the tree come from the site's file; without one, rows and points
 * are shown by number.
 */
#ifndef MONITOR_SITE_MON_VIEW_H
#define MONITOR_SITE_MON_VIEW_H

#include "monitor/mon_view.h"
#include "monitor/site_mon_model.h"

#define SMON_NAME_MAX	  32
#define SMON_ROW_NAME_MAX (SMON_NAME_MAX + 16)
#define SMON_MAX_NODES	  512
#define SMON_MAX_MAIN	  16
#define SMON_NO_NODE	  UINT16_MAX

/* A node of the tree, in depth-first order, and the rows that limit it. */
struct smon_node {
	char name[SMON_NAME_MAX];
	uint8_t depth;
	uint16_t row[4]; /* L1, L2, L3, power; SMON_NO_ROW */
};

struct smon_named_row {
	char name[SMON_ROW_NAME_MAX]; /* "main power" */
	int32_t limit_mA;	      /* configured; 0: not known */
	int32_t power_mV; /* of a power limit: what its amperes are to be multiplied with; else 0 */
	bool is_in_tree;
};

struct smon_named_point {
	char name[SMON_NAME_MAX]; /* "": not in the file */
	char phases[12];	  /* "L2L3L1" */
	uint16_t node;		  /* SMON_NO_NODE */
	int32_t max_mA;		  /* 0: not known */
};

struct smon_names {
	char site[SMON_NAME_MAX]; /* "": none */
	uint32_t n_nodes;	  /* 0: no file was given */
	struct smon_node node[SMON_MAX_NODES];
	uint32_t n_rows;
	struct smon_named_row row[SMON_MAX_ROWS];
	struct smon_named_point point[SMON_MAX_BUSES][SMON_N_NUMBERS];
	uint32_t n_main; /* rows of the roots */
	uint16_t main_row[SMON_MAX_MAIN];
};

/* No file: numbers only. */
void smon_names_init(struct smon_names *n);

enum smon_page { SMON_PAGE_TREE, SMON_PAGE_POINTS, SMON_PAGE_EVENTS, SMON_N_PAGES };
enum smon_sort {
	SMON_SORT_NUMBER,
	SMON_SORT_NAME,
	SMON_SORT_STATE,
	SMON_SORT_SHORT,
	SMON_SORT_LEAVE,
	SMON_N_SORTS
};

enum smon_filter { SMON_FILTER_ALL, SMON_FILTER_NO_GRANTS, SMON_FILTER_CHOSEN, SMON_N_FILTERS };

enum smon_line_kind {
	SMON_LINE_NONE,
	SMON_LINE_NODE, /* a name without a limit of its own */
	SMON_LINE_ROW,
	SMON_LINE_POINT
};

struct smon_line {
	uint8_t kind; /* enum smon_line_kind */
	uint8_t depth;
	uint8_t phase;	     /* of a row: 0 none, 1..3, 4 power */
	bool is_first;	     /* row of its node */
	uint8_t bus, number; /* of a point */
	uint16_t node, row;
};

#define SMON_MAX_LINES (SMON_MAX_ROWS + SMON_MAX_NODES + SMON_MAX_BUSES * SMON_N_NUMBERS)

struct smon_view {
	enum smon_page page;
	bool is_help, is_panel_closed;
	enum smon_sort sort;
	enum smon_filter filter; /* of events */
	enum smon_span span;
	struct smon_line pick;	   /* chosen; kind SMON_LINE_NONE: by the view */
	int top[SMON_N_PAGES];	   /* first line shown of each page's list */
	int n_shown[SMON_N_PAGES]; /* lines of it that fitted when last drawn */
	int n_lines;		   /* of the list that is in line[] */
	uint32_t n_events;	   /* when last drawn */
	int64_t seek_us;	   /* for MON_ACT_SEEK */
	struct smon_line line[SMON_MAX_LINES];
};

void smon_view_init(struct smon_view *v);
void smon_view_draw(struct smon_view *v, const struct smon_model *m, const struct smon_names *n,
		    const struct mon_source *s, struct mon_grid *g);
enum mon_action smon_view_key(struct smon_view *v, const struct smon_model *m, const struct smon_names *n,
			      const struct mon_source *s, int key);

/* --- names and words, for text and JSON too: site_mon_view_words.c ------------------------------------- */

/* "point 3", "point 2/16" or the name of the file. Returns text. */
const char *smon_point_name(const struct smon_names *n, unsigned bus, unsigned number, char *text,
			    size_t size);
const char *smon_row_text(const struct smon_names *n, uint32_t row, char *text, size_t size);
/* What an event is about: a point, a row, or "site"; and its text with the row that limits a point. */
const char *smon_event_about(const struct smon_names *n, const struct smon_event *e, char *text, size_t size);
const char *smon_event_text(const struct smon_names *n, const struct smon_event *e, char *text, size_t size);
const char *smon_point_state(const struct smon_point *p);
/* Why the point has what it has, with the row that limits it: "limit feeder-2 L1". */
const char *smon_why(const struct smon_model *m, const struct smon_names *n, const struct smon_point *p,
		     char *text, size_t size);
/* The same in a word or two; of a limit the row alone. */
const char *smon_why_short(const struct smon_model *m, const struct smon_names *n, const struct smon_point *p,
			   char *text, size_t size);
/*
 * The row that stands for the whole site: of the roots' the one that is fullest; without a site's file the
 * one with the highest limit, which is nearly always a root's. NULL: none was heard.
 */
const struct smon_row *smon_main_row(const struct smon_model *m, const struct smon_names *n, uint32_t *row);
/* The row with the least room for its limit; NULL: none was heard. */
const struct smon_row *smon_tightest_row(const struct smon_model *m, uint32_t *row);

#endif
