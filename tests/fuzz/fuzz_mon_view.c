/* SPDX-License-Identifier: MIT */
/*
 * Any frames, sizes and keys on the monitors' screens: nothing is written outside of the grid, a row is valid
 * UTF-8 of the grid's width, and drawing the same again gives the same. The first byte chooses side, version and
 * character set; then records of one kind each: frame, time, key, size, source.
 */
#include "monitor/mon_view.h"

#include <stdlib.h>
#include <string.h>

#include "evse_msgs.h"
#include "pev_msgs.h"

#define MAX_DRAWS 24
#define GUARD	  UINT32_C(0xdeadbeef)

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

struct screen {
	struct mon_grid grid;
	uint32_t guard;
};

static struct mon_model model;
static struct mon_view view;
static struct screen screen, again;

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

/* Bytes of a character, 0 when it is none that a cell may hold. */
static unsigned utf8_length(const unsigned char *p)
{
	if (p[0] >= 0x20 && p[0] < 0x7f)
		return 1;
	if (p[0] >= 0xc2 && p[0] < 0xe0 && (p[1] & 0xc0) == 0x80)
		return 2;
	if (p[0] >= 0xe0 && p[0] < 0xf0 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80)
		return (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) ? 0 : 3;
	return 0;
}

static void check_rows(const struct mon_grid *g)
{
	static char text[4 * GRID_MAX_COLS + 1];

	for (int row = 0; row < g->rows; row++) {
		size_t n = grid_row_text(g, row, text, sizeof(text));
		int n_columns = 0;

		require(n == strlen(text));
		for (const unsigned char *p = (const unsigned char *)text; *p; n_columns++) {
			unsigned length = utf8_length(p);

			require(length > 0 && (length == 1 || !g->is_ascii));
			p += length;
		}
		require(n_columns <= g->cols);
	}
	for (int i = 0; i < g->rows * g->cols; i++)
		require(g->cell[i].style < GRID_N_STYLES);
}

static void draw(const struct mon_source *source)
{
	struct mon_grid *g = &screen.grid;
	size_t n_used = (size_t)g->rows * (size_t)g->cols;

	memset(&g->cell[n_used], 0xa5, sizeof(g->cell) - n_used * sizeof(*g->cell));
	screen.guard = GUARD;
	mon_view_draw(&view, &model, source, g);
	require(screen.guard == GUARD);
	for (const uint8_t *p = (const uint8_t *)&g->cell[n_used];
	     p < (const uint8_t *)&g->cell[n_used + 400] &&
	     p < (const uint8_t *)(g->cell + GRID_MAX_ROWS * GRID_MAX_COLS);
	     p++)
		require(*p == 0xa5);
	check_rows(g);
	grid_reset(&again.grid, g->rows, g->cols, g->is_ascii);
	mon_view_draw(&view, &model, source, &again.grid);
	for (size_t i = 0; i < n_used; i++)
		require(again.grid.cell[i].ch == g->cell[i].ch &&
			again.grid.cell[i].style == g->cell[i].style);
}

static void take_frame(const uint8_t *p, int64_t *now_us)
{
	struct can_frame f = {.can_dlc = (uint8_t)(p[2] % 9)};
	const struct msg_layout *l = &model.layouts[p[0] % model.n_msgs];

	/* Mostly messages of the interface, at times anything. */
	f.can_id = p[1] & 0x80 ? p[0] | (canid_t)p[1] << 8 | (canid_t)p[2] << 24 : l->id;
	if (!(p[1] & 0x80) && model.cfg.side == MON_EVSE)
		f.can_id |= (canid_t)(p[1] & 0x1f) << MSG_INDEX_SHIFT;
	if (!(p[1] & 0x40))
		f.can_dlc = l->dlc;
	memcpy(f.data, p + 3, 8);
	*now_us += 1000 * (p[11] & 0x7f);
	mon_model_rx(&model, *now_us, &f);
}

static void take_source(struct mon_source *s, const uint8_t *p, int64_t now_us)
{
	static const char *const names[] = {NULL, "", "vcan0", "a\xff\x1b[2J\xe2\x82",
					    "a very long name of a log.asc"};

	s->name = names[p[0] % 5];
	s->is_replay = p[1] & 1;
	s->is_paused = p[1] & 2;
	s->is_at_end = p[1] & 4;
	s->speed = p[2] / 8.0;
	s->begin_us = p[3] & 1 ? now_us - p[4] * INT64_C(1000000) : now_us + p[4];
	s->end_us = p[3] & 2 ? s->begin_us + p[5] : p[3] & 4 ? INT64_MAX / 2 : 0;
	s->at_us = now_us;
	s->wall_us = p[3] & 8 ? -now_us : now_us * p[6];
	s->n_bad_lines = p[7];
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	struct mon_cfg cfg = {0};
	struct mon_source source = {.name = "fuzz"};
	int64_t now_us = 1000000;
	unsigned n_draws = 0;

	if (len < 2)
		return 0;
	cfg.side = input[0] & 1 ? MON_PEV : MON_EVSE;
	cfg.version = (input[0] >> 1) %
		      (cfg.side == MON_EVSE ? (unsigned)EVSE_N_VERSIONS : (unsigned)PEV_N_VERSIONS);
	mon_model_init(&model, &cfg, NULL, now_us);
	mon_view_init(&view, &model);
	grid_reset(&screen.grid, 24, 80, input[1] & 1);
	for (size_t i = 2; i + 13 <= len && n_draws < MAX_DRAWS; i += 13) {
		const uint8_t *p = input + i;

		switch (p[0] % 6) {
		case 0:
		case 1:
			take_frame(p + 1, &now_us);
			break;
		case 2:
			now_us += (int64_t)(p[1] | p[2] << 8) * (p[3] & 1 ? 1000 : 1000000);
			mon_model_tick(&model, now_us);
			break;
		case 3:
			mon_view_key(&view, &model, &source, p[1] & 0x80 ? MON_KEY_UP + p[2] % 12 : p[2]);
			break;
		case 4:
			grid_reset(&screen.grid, p[1] % 101, (p[2] | p[3] << 8) % 301, p[4] & 1);
			draw(&source);
			n_draws++;
			break;
		default:
			take_source(&source, p + 1, now_us);
			break;
		}
	}
	draw(&source);
	return 0;
}
