/* SPDX-License-Identifier: MIT */
/*
 * The upper part of the detail page, always in sight: what is waited for and what happens otherwise, where the
 * session is, and the four instruments. Pure.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "monitor/mon_view_draw.h"

#include "evse_msgs.h"
#include "pev_msgs.h"

#define CODE_COLS     6
#define SOON_US	      INT64_C(5000000) /* what happens within this time is marked */
#define N_INSTRUMENTS 4
#define N_LINES	      3

/* Where a number of the facts comes from, for its age. */
struct origin {
	uint8_t msg;
	uint16_t offset;
};

#define NO_ORIGIN            \
	{                    \
		UINT8_MAX, 0 \
	}

/* Voltage, current, power, state of charge; each: present, target, third line. */
static const struct origin evse_origin[N_INSTRUMENTS][N_LINES] = {
	{{EVSE_POWER_MODULES_STATUS, offsetof(struct evse_power_modules_status, present_voltage_mV)},
	 {EVSE_DC_POWER_CONTROL, offsetof(struct evse_dc_power_control, target_voltage_mV)},
	 {EVSE_EV_INFORMATION_VOLTAGES,
	  offsetof(struct evse_ev_information_voltages, ev_present_voltage_mV)}},
	{{EVSE_POWER_MODULES_STATUS, offsetof(struct evse_power_modules_status, present_current_mA)},
	 {EVSE_DC_POWER_CONTROL, offsetof(struct evse_dc_power_control, current_range_max_mA)},
	 NO_ORIGIN},
	{{EVSE_POWER_MODULES_STATUS, offsetof(struct evse_power_modules_status, present_current_mA)},
	 NO_ORIGIN,
	 NO_ORIGIN},
	{{EVSE_EV_INFORMATION_BATTERY,
	  offsetof(struct evse_ev_information_battery, present_state_of_charge_permille)},
	 {EVSE_EV_INFORMATION_BATTERY,
	  offsetof(struct evse_ev_information_battery, target_state_of_charge_permille)},
	 {EVSE_EV_INFORMATION_BATTERY, offsetof(struct evse_ev_information_battery, battery_capacity_Wh)}},
};

static const struct origin pev_origin[N_INSTRUMENTS][N_LINES] = {
	{{PEV_DC_STATUS2, offsetof(struct pev_dc_status2, inlet_voltage_mV)},
	 {PEV_DC_STATUS1, offsetof(struct pev_dc_status1, target_voltage_mV)},
	 {PEV_DC_STATUS2, offsetof(struct pev_dc_status2, battery_voltage_mV)}},
	{{PEV_DC_STATUS1, offsetof(struct pev_dc_status1, present_current_mA)},
	 {PEV_DC_STATUS1, offsetof(struct pev_dc_status1, max_charge_current_mA)},
	 {PEV_EVSE_INFORMATION, offsetof(struct pev_evse_information, max_current_mA)}},
	{{PEV_DC_STATUS1, offsetof(struct pev_dc_status1, present_current_mA)}, NO_ORIGIN, NO_ORIGIN},
	{{PEV_EV_INFORMATION, offsetof(struct pev_ev_information, state_of_charge_permille)},
	 NO_ORIGIN,
	 {PEV_EV_INFORMATION, offsetof(struct pev_ev_information, energy_capacity_Wh)}},
};

void view_explanation(struct mon_grid *g, const struct explain *e, struct grid_rect r)
{
	const char *waiting = e->waiting;
	enum mon_severity severity = e->situation->severity;
	int width = r.cols - CODE_COLS - 4, col = r.col + CODE_COLS + 2, row = r.row, end = r.row + r.rows;

	grid_put(g, row, r.col, view_mark(severity), view_style(severity));
	grid_text(g, row, r.col + 2, CODE_COLS - 1, view_style(severity), e->situation->code);
	/* The last row is for what happens otherwise. */
	while (waiting[0] && row < end - (e->otherwise[0] != '\0')) {
		bool is_last = row + 1 == end - (e->otherwise[0] != '\0');
		size_t n = is_last ? strlen(waiting) : view_wrap(waiting, width);
		char line[EXPLAIN_TEXT];

		snprintf(line, sizeof(line), "%.*s", (int)n, waiting);
		view_cut(g, row++, col, width, severity == MON_INFO ? GRID_VALUE : view_style(severity),
			 line);
		waiting += n;
		waiting += strspn(waiting, " ");
	}
	const char *otherwise = e->otherwise;
	enum grid_style style = e->left_us >= 0 && e->left_us < SOON_US ? GRID_WARN : GRID_PLAIN;
	int indent = 2;

	if (otherwise[0])
		grid_put(g, row, col, 0x2192, GRID_LABEL);
	while (otherwise[0] && row < end) {
		size_t n = row + 1 == end ? strlen(otherwise) : view_wrap(otherwise, width - indent);
		char line[EXPLAIN_TEXT];

		snprintf(line, sizeof(line), "%.*s", (int)n, otherwise);
		view_cut(g, row++, col + indent, width - indent, style, line);
		otherwise += n;
		otherwise += strspn(otherwise, " ");
	}
}

static void draw_ladder(const struct view_ctx *c, int row)
{
	static const char *const step[MON_N_PHASES] = {
		[MON_PHASE_LINK] = "link",
		[MON_PHASE_PLUG] = "plug",
		[MON_PHASE_NEGOTIATION] = "negotiation",
		[MON_PHASE_INSULATION] = "insulation",
		[MON_PHASE_PRECHARGE] = "precharge",
		[MON_PHASE_CHARGING] = "charging",
		[MON_PHASE_ENDING] = "ending",
	};
	const struct mon_facts *f = c->facts;
	bool is_bad = f->is_emergency || (f->is_heard && f->is_module_silent);
	int n_text = 0, col = 1;

	for (int i = MON_PHASE_LINK; i < MON_N_PHASES; i++)
		n_text += (int)strlen(step[i]) + 2;
	/* What is left goes into the lines between the steps. */
	int line = (c->g->cols - 2 - n_text) / (MON_N_PHASES - 2);

	for (int i = MON_PHASE_LINK; i < MON_N_PHASES; i++) {
		bool is_done = i < (int)f->phase, is_here = i == (int)f->phase;
		enum grid_style style = is_here	  ? is_bad ? GRID_BAD : GRID_SELECTED
					: is_done ? GRID_GOOD
						  : GRID_DIM;

		if (i > MON_PHASE_LINK)
			for (int k = 0; k < line; k++)
				grid_put(c->g, row, col++, is_done || is_here ? 0x2501 : 0x2500,
					 is_done || is_here ? GRID_GOOD : GRID_FRAME);
		grid_put(c->g, row, col,
			 is_here   ? is_bad ? 0x2717 : 0x25ba
			 : is_done ? 0x25cf
				   : 0x25cb,
			 style);
		grid_put(c->g, row, col + 1, ' ', is_here ? style : GRID_PLAIN);
		col += 2 + grid_text(c->g, row, col + 2, -1, style, step[i]);
	}
}

static void draw_state(const struct view_ctx *c, int row)
{
	const struct mon_facts *f = c->facts;
	struct mon_grid *g = c->g;
	char label[VIEW_TEXT], span[VIEW_TEXT], protocol[VIEW_TEXT], pins[VIEW_TEXT], text[3 * VIEW_TEXT];
	int col = 1;

	view_label(label, sizeof(label),
		   !f->is_heard	  ? "nothing heard"
		   : f->state < 0 ? "module not heard"
				  : f->state_name);
	col += grid_text(g, row, col, 30, GRID_TITLE, label);
	if (f->state >= 0)
		col += grid_printf(g, row, col, 6, GRID_DIM, " (%d)", f->state);
	if (f->state_for_us >= 0) {
		view_span(span, f->state_for_us);
		col += grid_printf(g, row, col, 20, GRID_PLAIN, " for %s", span);
	}
	if (!f->is_heard)
		return;
	if (f->is_module_silent || f->is_controller_silent) {
		char age[VIEW_TEXT];
		bool is_module = f->is_module_silent;
		int64_t age_us = is_module ? f->module_age_us : f->controller_age_us;

		view_span(age, age_us);
		/* Others of its messages may still come: then no time is told. */
		snprintf(text, sizeof(text),
			 age_us < 0	    ? "! %s never heard"
			 : age_us < 1000000 ? "! %s silent"
					    : "! %s silent for %s",
			 is_module ? "module" : "controller", age);
		view_right(g, row, col + 2, g->cols - col - 3, GRID_WARN, text);
		return;
	}
	view_label(protocol, sizeof(protocol), f->protocol ? f->protocol : "");
	view_label(pins, sizeof(pins), f->pins ? f->pins : "");
	snprintf(text, sizeof(text), "%s%s%s", protocol, protocol[0] && pins[0] ? " · " : "", pins);
	view_right(g, row, col + 2, g->cols - col - 3, GRID_PLAIN, text);
}

struct instrument_line {
	const char *label, *unit;
	int64_t number, scale;
	int decimals;
};

static void draw_line(const struct view_ctx *c, int row, int col, int width, const struct origin *o,
		      const struct instrument_line *l, bool is_main)
{
	char number[VIEW_TEXT];
	enum grid_style style = is_main ? GRID_VALUE : GRID_PLAIN;
	int label_cols = width - 12;
	uint32_t mark = ' ';

	view_number(number, l->number, l->scale, l->decimals);
	if (l->number == MON_UNKNOWN) {
		style = GRID_DIM;
	} else if (o->msg != UINT8_MAX) {
		int field = view_find(c->m, o->msg, o->offset);
		struct mon_value value = {0};

		if (field >= 0)
			value = mon_field(c->m, c->v->point, o->msg, (unsigned)field);
		if (value.is_known && value.is_stale) {
			style = GRID_DIM;
			mark = '!';
		} else if (value.is_known && value.is_changed && is_main) {
			style = GRID_CHANGED;
		}
	}
	grid_text(c->g, row, col, label_cols, is_main ? GRID_TITLE : GRID_LABEL, l->label);
	view_right(c->g, row, col + label_cols, 7, style, number);
	if (l->number != MON_UNKNOWN)
		grid_text(c->g, row, col + label_cols + 8, 3, style, l->unit);
	if (mark != ' ')
		grid_put(c->g, row, col + width - 1, mark, GRID_WARN);
}

static int64_t or_unknown(bool is_known, int64_t number)
{
	return is_known ? number : MON_UNKNOWN;
}

static void draw_instruments(const struct view_ctx *c, int row)
{
	const struct mon_facts *f = c->facts;
	const struct mon_point *p = mon_point(c->m, c->v->point);
	const struct mon_session *s = p && p->session.is_known ? &p->session : NULL;
	bool is_evse = c->m->cfg.side == MON_EVSE;
	const struct instrument_line lines[N_INSTRUMENTS][N_LINES] = {
		{{"Voltage", "V", f->present_mV, 1000, 1},
		 {"target", "V", f->target_mV, 1000, 1},
		 {is_evse ? "vehicle" : "battery", "V", f->battery_mV, 1000, 1}},
		{{"Current", "A", f->present_mA, 1000, 1},
		 {is_evse ? "target" : "request", "A", f->target_mA, 1000, 1},
		 {"limit", "A", f->binding >= 0 ? f->limit[f->binding].mA : MON_UNKNOWN, 1000, 1}},
		{{"Power", "kW", f->power_W, 1000, 1},
		 {"peak", "kW", or_unknown(s != NULL, s ? s->peak_W : 0), 1000, 1},
		 {"energy", "kWh", or_unknown(s != NULL, s ? mon_session_Wh(s) : 0), 1000, 3}},
		{{"Battery", "%", f->soc_permille, 10, 0},
		 {"target", "%", f->target_soc_permille, 10, 0},
		 {"holds", "kWh", or_unknown(f->capacity_Wh > 0, f->capacity_Wh), 1000, 1}},
	};
	int step = c->g->cols / N_INSTRUMENTS, width = step - 2 > 30 ? 30 : step - 1;

	for (int i = 0; i < N_INSTRUMENTS; i++)
		for (int k = 0; k < N_LINES; k++)
			draw_line(c, row + k, 1 + i * step, width,
				  is_evse ? &evse_origin[i][k] : &pev_origin[i][k], &lines[i][k], k == 0);
}

/* Why the current is what it is, in one line: the limit that binds first. */
static void draw_limit(const struct view_ctx *c, int row)
{
	const struct mon_facts *f = c->facts;
	struct mon_grid *g = c->g;
	char number[VIEW_TEXT];
	int col = 1;

	col += grid_text(g, row, col, -1, GRID_TITLE, "Limits: ");
	if (f->binding >= 0 && f->binding < (int)f->n_limits) {
		view_number(number, f->limit[f->binding].mA, 1000, 1);
		col += grid_printf(g, row, col, g->cols - col, GRID_VALUE, "%s %s A",
				   f->limit[f->binding].name, number);
		col += grid_text(g, row, col, -1, GRID_WARN, " ◄ binds");
	} else {
		col += grid_text(g, row, col, -1, GRID_DIM, "none binds");
	}
	if (f->is_derated && f->derating && f->derating[0])
		col += grid_printf(g, row, col, g->cols - col - 1, GRID_WARN, " ! %s", f->derating);
	for (unsigned i = 0; i < f->n_limits; i++) {
		if ((int)i == f->binding || f->limit[i].mA == MON_UNKNOWN)
			continue;
		char text[2 * VIEW_TEXT];

		view_number(number, f->limit[i].mA, 1000, 1);
		snprintf(text, sizeof(text), " · %s %s", f->limit[i].name, number);
		if (col + view_columns(text) >= g->cols)
			break;
		col += grid_text(g, row, col, -1, GRID_DIM, text);
	}
}

int view_head(const struct view_ctx *c, struct grid_rect r)
{
	bool is_roomy = c->g->rows >= VIEW_ROOMY_ROWS;
	int explain_rows = c->g->cols < 120 ? 3 : 2;
	int row = r.row;

	view_explanation(c->g, c->explain, (struct grid_rect){row, r.col, explain_rows, r.cols});
	row += explain_rows + is_roomy;
	draw_ladder(c, row++);
	row += is_roomy;
	draw_state(c, row++);
	draw_limit(c, row++);
	row += is_roomy;
	draw_instruments(c, row);
	row += N_LINES;
	return row - r.row;
}
