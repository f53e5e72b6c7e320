/* SPDX-License-Identifier: MIT */
/* The screens of both monitors on a simulated charge point. */
#include "tests/lib/mon_screen.h"

#include <stdio.h>
#include <string.h>

#include "monitor/mon_facts.h"
#include "tests/lib/point_rig.h"

#include "evse_msgs.h"
#include "pev_msgs.h"

#define TICK_US INT64_C(100000)

static struct point_rig rig; /* too big for the stack */

static void hear(struct mon_screen *s, enum mon_side side, int64_t time_us, const struct can_frame *f)
{
	struct mon_model *m = &s->model[side];
	int msg = side == MON_EVSE ? evse_find(EVSE_V3_6, msg_base_id(f->can_id))
				   : pev_find(PEV_V2_5, f->can_id);

	if (msg >= 0 && s->is_controller_muted[side] && mon_half(m, (unsigned)msg) == MON_CONTROLLER)
		return;
	mon_model_rx(m, time_us, f);
}

static void tap(void *ctx, int64_t time_us, unsigned sender, const struct can_frame *f)
{
	struct mon_screen *s = ctx;

	(void)sender;
	for (; s->tick_us <= time_us; s->tick_us += TICK_US) {
		mon_model_tick(&s->model[MON_EVSE], s->tick_us);
		mon_model_tick(&s->model[MON_PEV], s->tick_us);
	}
	hear(s, MON_EVSE, time_us, f);
	hear(s, MON_PEV, time_us, f);
}

void mon_screen_start(struct mon_screen *s)
{
	static const unsigned version[2] = {[MON_EVSE] = EVSE_V3_6, [MON_PEV] = PEV_V2_5};

	memset(s, 0, sizeof(*s));
	point_rig_defaults(&rig);
	point_rig_start(&rig);
	can_hub_set_tap(&rig.point.world.hub, tap, s);
	s->start_us = s->tick_us = rig.point.world.now_us;
	for (unsigned i = 0; i < 2; i++) {
		struct mon_cfg cfg = {.side = (enum mon_side)i, .version = version[i]};

		mon_model_init(&s->model[i], &cfg, NULL, s->start_us);
		mon_view_init(&s->view[i], &s->model[i]);
		s->view[i].page = MON_PAGE_DETAIL;
		s->view[i].is_page_free = false;
	}
	s->source = (struct mon_source){.name = "vcan0"};
}

void mon_screen_run(struct mon_screen *s, double seconds)
{
	struct world *w = &rig.point.world;

	world_run(w, w->now_us + (int64_t)(seconds * 1e6), NULL, NULL);
	mon_model_tick(&s->model[MON_EVSE], w->now_us);
	mon_model_tick(&s->model[MON_PEV], w->now_us);
}

void mon_screen_run_to(struct mon_screen *s, int state, double more_s)
{
	struct mon_facts f = {0};

	for (int i = 0; i < 6000 && (!f.is_heard || f.state != state); i++) {
		mon_screen_run(s, 0.1);
		mon_facts(&s->model[MON_EVSE], 1, &f);
	}
	mon_screen_run(s, more_s);
}

void mon_screen_draw(struct mon_screen *s, enum mon_side side, int rows, int cols)
{
	s->side = side;
	s->source.at_us = s->model[side].now_us;
	s->source.wall_us =
		INT64_C(50400000000) + s->model[side].now_us - s->start_us; /* the start is at 14:00 */
	grid_reset(&s->grid, rows, cols, s->grid.is_ascii);
	mon_view_draw(&s->view[side], &s->model[side], &s->source, &s->grid);
}

void mon_screen_key(struct mon_screen *s, enum mon_side side, int key)
{
	int rows = s->grid.rows, cols = s->grid.cols;

	mon_view_key(&s->view[side], &s->model[side], &s->source, key);
	mon_screen_draw(s, side, rows, cols);
}

const char *mon_screen_row(const struct mon_screen *s, int row)
{
	static char text[4 * GRID_MAX_COLS + 1];

	grid_row_text(&s->grid, row, text, sizeof(text));
	return text;
}

static int columns(const char *text, const char *end)
{
	int n = 0;

	for (; text < end; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

int mon_screen_find(const struct mon_screen *s, int from_row, const char *text, int *col)
{
	for (int row = from_row; row < s->grid.rows; row++) {
		const char *line = mon_screen_row(s, row), *at = strstr(line, text);

		if (!at)
			continue;
		if (col)
			*col = columns(line, at);
		return row;
	}
	return -1;
}

void mon_screen_print(const struct mon_screen *s)
{
	for (int row = 0; row < s->grid.rows; row++)
		printf("%s\n", mon_screen_row(s, row));
}
