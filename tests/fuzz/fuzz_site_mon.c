/* SPDX-License-Identifier: MIT */
/*
 * Any frames, times, sizes and keys on the site's monitor: the counts add up, nothing is drawn outside of the
 * grid, text and JSON stay whole. Input: records of a kind byte and 12 bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "monitor/site_mon_text.h"
#include "monitor/site_mon_view.h"

#define RECORD	  13
#define MAX_DRAWS 16

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static struct smon_model model;
static struct smon_names names;
static struct smon_view view;
static struct smon_text text;
static struct mon_grid grid;
static unsigned n_draws;

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static int take_text(void *ctx, const char *t, size_t n)
{
	(void)ctx;
	require(n > 0 && t[n - 1] == '\n');
	return 0;
}

static void draw(const uint8_t *p)
{
	const struct mon_source s = {
		.name = "bus", .wall_us = model.now_us, .is_replay = p[3] & 1, .speed = 1};
	bool is_full;
	int i;

	if (n_draws++ >= MAX_DRAWS)
		return;
	grid_reset(&grid, p[0] % (GRID_MAX_ROWS + 4), p[1] + p[2], p[3] & 2);
	is_full = grid.rows * grid.cols == GRID_MAX_ROWS * GRID_MAX_COLS;
	if (!is_full)
		memset(&grid.cell[grid.rows * grid.cols], 0, sizeof(grid.cell[0]));
	smon_view_draw(&view, &model, &names, &s, &grid);
	for (i = 0; i < grid.rows * grid.cols; i++)
		require(grid.cell[i].style < GRID_N_STYLES && grid.cell[i].ch >= ' ');
	if (!is_full)
		require(grid.cell[grid.rows * grid.cols].ch == 0);
}

static void check_model(void)
{
	struct smon_totals t = smon_totals(&model);

	require(t.n_reporting <= t.n_points && t.n_rows_over <= t.n_rows && t.n_rows <= model.n_rows);
	require(model.n_ours <= model.n_frames && model.n_bad <= model.n_ours);
	require(model.history.track[SMON_SPAN_ALL].n <= SMON_HISTORY);
	require(smon_history_n(&model, SMON_SPAN_RECENT) <= SMON_HISTORY);
	require(view.n_lines <= SMON_MAX_LINES);
}

static void take(const uint8_t *p)
{
	const struct mon_source s = {.name = "bus", .is_replay = p[2] & 1};
	struct can_frame f = {0};
	uint32_t number;

	memcpy(&number, p + 1, sizeof(number));
	switch (p[0] % 6) {
	case 0: /* a frame of the interface, or nearly */
		f.can_id = 0xA8000u | (number & 0x1f000000u) | (number & 0x3fu) | CAN_EFF_FLAG;
		f.can_dlc = 8;
		memcpy(f.data, p + 5, 8);
		smon_rx(&model, model.now_us, p[4] & 1, &f);
		return;
	case 1: /* anything */
		f.can_id = number;
		f.can_dlc = p[5] % 9;
		memcpy(f.data, p + 6, 7);
		smon_rx(&model, model.now_us + p[12], p[5], &f);
		return;
	case 2:
		smon_tick(&model, model.now_us + (int64_t)(number & 0xffffff) * 1000);
		return;
	case 3:
		smon_view_key(&view, &model, &names, &s, (int)(number & 0x1ff));
		return;
	case 4:
		draw(p + 1);
		return;
	default:
		text.out.form = p[1] & 1 ? MON_TEXT_JSON : MON_TEXT_LINES;
		require(smon_text_snapshot(&text) == 0);
		return;
	}
}

/* A file with two nodes, some rows and a point that is never heard. */
static void name_some(void)
{
	unsigned k;

	smon_names_init(&names);
	names.n_nodes = 2;
	names.n_rows = 12;
	names.node[1].depth = 1;
	memset(names.node[0].name, 'n', SMON_NAME_MAX - 1);
	for (k = 0; k < 8; k++) {
		names.node[k / 4].row[k % 4] = (uint16_t)k;
		names.row[k].is_in_tree = true;
	}
	memset(names.row[7].name, 'r', SMON_ROW_NAME_MAX - 1);
	names.row[7].power_mV = 230000;
	names.n_main = 4;
	for (k = 0; k < 4; k++)
		names.main_row[k] = (uint16_t)(4 + k);
	memset(names.point[0][1].name, 'p', SMON_NAME_MAX - 1);
	names.point[0][1].node = 1;
	memset(names.point[1][31].name, 'q', SMON_NAME_MAX - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	const struct smon_sink sink = {&text, smon_text_event};
	size_t at;

	n_draws = 0;
	if (len > 0 && input[0] & 0x80)
		name_some();
	else
		smon_names_init(&names);
	smon_view_init(&view);
	smon_text_init(&text, &model, &names, MON_TEXT_LINES, take_text, NULL);
	smon_init(&model, &sink, 0);
	for (at = 0; at + RECORD <= len; at += RECORD) {
		take(input + at);
		check_model();
	}
	return mon_text_flush(&text.out);
}
