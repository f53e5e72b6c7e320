/* SPDX-License-Identifier: MIT */
/*
 * Panels of labelled values, drawn from constant tables. Columns of a row: label, value, mark, age. A number ends
 * in the same column in every row of a panel; a name begins where the numbers have their room. Pure.
 */
#include "monitor/mon_view_draw.h"

#include <stdio.h>
#include <string.h>

#define LABEL_COLS  18
#define NUMBER_COLS 9
#define AGE_COLS    3
#define MAX_COLS    42		   /* wider only parts what belongs together */
#define TAIL_COLS   (1 + AGE_COLS) /* mark, age */

/* Where a row goes: col .. col + cols on a row of the grid. */
struct place {
	int row, col, cols;
};

int view_find(const struct mon_model *m, unsigned msg, unsigned offset)
{
	if (msg >= m->n_msgs || !msg_exists(&m->layouts[msg]))
		return -1;
	for (unsigned i = 0; i < m->layouts[msg].n_fields; i++)
		if (m->layouts[msg].fields[i].offset == offset)
			return (int)i;
	return -1;
}

static bool is_of_model(enum view_format format)
{
	return format < VIEW_RULE;
}

static bool has_row(const struct mon_model *m, const struct view_field *f)
{
	return !is_of_model(f->format) || view_find(m, f->msg, f->offset) >= 0;
}

/* Rows in the order of the table; of an "or" group there is one, the first that is known, else the first of all. */
static const struct view_field *next_row(const struct view_ctx *c, const struct mon_model *m,
					 const struct view_panel *panel, unsigned *i)
{
	while (*i < panel->n_fields) {
		const struct view_field *chosen = NULL;
		bool is_known = false;

		do {
			const struct view_field *f = &panel->fields[(*i)++];

			if (!has_row(m, f))
				continue;
			bool is_heard =
				c && is_of_model(f->format) &&
				mon_field(m, c->v->point, f->msg, (unsigned)view_find(m, f->msg, f->offset))
					.is_known;

			if (!chosen || (is_heard && !is_known)) {
				chosen = f;
				is_known = is_heard;
			}
		} while (*i < panel->n_fields && panel->fields[*i].is_or);
		if (chosen)
			return chosen;
	}
	return NULL;
}

int view_panel_lines(const struct mon_model *m, const struct view_panel *panel)
{
	int n = 1;

	for (unsigned i = 0; next_row(NULL, m, panel, &i);)
		n++;
	return n;
}

static void put_name(struct mon_grid *g, struct place at, enum grid_style style, const char *text)
{
	int room = at.cols - TAIL_COLS - LABEL_COLS, n = view_columns(text), col = at.col + LABEL_COLS;

	/* A long name takes from the room of the label what that leaves. */
	if (n > room)
		col -= n - room < LABEL_COLS - 2 ? n - room : LABEL_COLS - 2;
	while (col < at.col + LABEL_COLS && g->cell[at.row * g->cols + col - 1].ch != ' ')
		col++;
	view_cut(g, at.row, col, at.col + at.cols - TAIL_COLS - col, style, text);
}

static void put_number(struct mon_grid *g, struct place at, enum grid_style style, const char *number,
		       const char *unit)
{
	view_right(g, at.row, at.col + LABEL_COLS, NUMBER_COLS, style, number);
	view_cut(g, at.row, at.col + LABEL_COLS + NUMBER_COLS + 1,
		 at.cols - TAIL_COLS - LABEL_COLS - NUMBER_COLS - 1, style, unit);
}

/* Flags: a symbol says what the colour says. */
static void put_flag(struct mon_grid *g, struct place at, const struct view_field *f,
		     const struct mon_value *v, const char *name)
{
	char text[VIEW_TEXT + 8];
	bool is_set = v->number != 0;
	enum grid_style style = GRID_DIM;
	const char *symbol = is_set ? "●" : "○";

	if (f->format == VIEW_GATE || f->format == VIEW_CLOSED) {
		style = is_set ? GRID_GOOD : GRID_PLAIN;
	} else if (is_set) {
		style = f->format == VIEW_FAULT ? GRID_BAD : GRID_WARN;
		symbol = f->format == VIEW_FAULT ? "✗" : "▲";
	}
	if (v->is_stale)
		style = GRID_DIM;
	snprintf(text, sizeof(text), "%s %s", symbol, name);
	put_name(g, at, style, text);
}

/* Members side by side in the struct; each is a field of its own. */
static void put_several(const struct view_ctx *c, struct place at, const struct view_field *f, bool is_stale)
{
	int col = at.col + LABEL_COLS, end = at.col + at.cols - TAIL_COLS;
	int n_wide =
		f->n *
		(f->format == VIEW_NUMBERS || f->format == VIEW_LEVELS || f->format == VIEW_LEVELS0 ? 4 : 3);

	if (col + n_wide - 1 > end)
		col = end - n_wide + 1;
	for (unsigned i = 0; i < f->n; i++) {
		int field = view_find(c->m, f->msg, f->offset + i);
		enum grid_style style = is_stale ? GRID_DIM : GRID_VALUE;

		if (field < 0)
			continue;
		struct mon_value v = mon_field(c->m, c->v->point, f->msg, (unsigned)field);

		if (v.is_changed && !is_stale)
			style = GRID_CHANGED;
		if (f->format == VIEW_BYTES) {
			col += grid_printf(c->g, at.row, col, end - col, style, i ? ":%02x" : "%02x",
					   (unsigned)v.number & 0xff);
		} else if (f->format == VIEW_NUMBERS) {
			col += grid_printf(c->g, at.row, col, end - col, style, "%-3d ", (int)v.number);
		} else {
			if (!is_stale && !v.is_changed)
				style = v.number ? GRID_GOOD : GRID_PLAIN;
			col += grid_printf(c->g, at.row, col, end - col, style, "%u:%c ",
					   i + (f->format == VIEW_LEVELS), v.number ? 'H' : 'L');
		}
	}
}

static enum grid_style style_of(const struct view_field *f, const struct mon_value *v)
{
	if (v->is_stale)
		return GRID_DIM;
	if (v->is_changed)
		return f->format == VIEW_STOP ? GRID_WARN : GRID_CHANGED;
	return GRID_VALUE;
}

static bool is_nothing(const struct view_field *f, const struct mon_value *v)
{
	/* Temperatures begin at -40: that one stands for no sensor. */
	return (f->format == VIEW_GIVEN && v->number == 0) ||
	       (f->format == VIEW_TEMP && v->field->add < 0 && v->number == v->field->add);
}

static void put_value(const struct view_ctx *c, struct place at, const struct view_field *f,
		      const struct mon_value *v)
{
	char text[VIEW_TEXT];
	const char *unit;

	if (is_nothing(f, v)) {
		put_number(c->g, at, GRID_DIM, f->format == VIEW_TEMP ? "no sensor" : "not given", "");
		return;
	}
	if (f->format >= VIEW_LEVELS) {
		put_several(c, at, f, v->is_stale);
		return;
	}
	if (v->label) {
		view_label(text, sizeof(text), v->label);
	} else if (v->field->n_values > 0 || f->format >= VIEW_GATE) {
		/* Not in the table of names: the number as it came. */
		snprintf(text, sizeof(text), "%lld", (long long)v->number);
	} else {
		view_quantity(text, v->field, v->number, &unit);
		put_number(c->g, at, style_of(f, v), text, unit);
		return;
	}
	if (f->format >= VIEW_GATE && f->format <= VIEW_CLOSED)
		put_flag(c->g, at, f, v, text);
	else
		put_name(c->g, at, style_of(f, v), text);
}

/* '!' over-due, a dot while the value is fresh news, then how old it is. */
static void put_age(struct mon_grid *g, struct place at, const struct mon_value *v)
{
	char age[VIEW_TEXT];
	int col = at.col + at.cols - TAIL_COLS;

	if (v->is_stale)
		grid_put(g, at.row, col, '!', GRID_WARN);
	else if (v->is_changed)
		grid_put(g, at.row, col, 0xb7, GRID_CHANGED);
	view_age(age, v->age_us);
	view_right(g, at.row, col + 1, AGE_COLS, v->is_stale ? GRID_WARN : GRID_DIM, age);
}

static void put_amount(struct mon_grid *g, struct place at, int64_t number, int64_t scale, int decimals,
		       const char *unit)
{
	char text[VIEW_TEXT];

	view_number(text, number, scale, decimals);
	put_number(g, at, number == MON_UNKNOWN ? GRID_DIM : GRID_VALUE, text,
		   number == MON_UNKNOWN ? "" : unit);
}

static void put_span(struct mon_grid *g, struct place at, int64_t us)
{
	char text[VIEW_TEXT];

	view_span(text, us);
	put_name(g, at, us < 0 ? GRID_DIM : GRID_VALUE, text);
}

static void put_session(const struct view_ctx *c, struct place at, enum view_derived what)
{
	static const struct mon_session none = {0};
	const struct mon_point *p = mon_point(c->m, c->v->point);
	bool is_known = p && p->session.is_known;
	const struct mon_session *s = is_known ? &p->session : &none;
	char text[VIEW_TEXT], end[VIEW_TEXT];

	if (what == VIEW_SESSION_COUNT) {
		put_amount(c->g, at, p ? (int64_t)p->n_sessions : MON_UNKNOWN, 1, 0, "");
	} else if (!is_known) {
		put_number(c->g, at, GRID_DIM, "----", "");
	} else if (what == VIEW_SESSION_START) {
		view_clock(text, view_wall_us(c, s->start_us), true, false);
		put_name(c->g, at, GRID_VALUE, text);
	} else if (what == VIEW_SESSION_SPAN) {
		put_span(c->g, at, (s->is_running ? c->m->now_us : s->end_us) - s->start_us);
	} else if (what == VIEW_SESSION_ENERGY) {
		put_amount(c->g, at, mon_session_Wh(s), 1000, 3, "kWh");
	} else if (what == VIEW_SESSION_CHARGE) {
		put_amount(c->g, at, s->charge_mAus / INT64_C(3600000), 1000000, 2, "Ah");
	} else if (what == VIEW_SESSION_PEAK_mA) {
		put_amount(c->g, at, s->peak_mA, 1000, 1, "A");
	} else if (what == VIEW_SESSION_PEAK_W) {
		put_amount(c->g, at, s->peak_W, 1000, 1, "kW");
	} else if (what == VIEW_SESSION_SOC) {
		view_number(text, s->soc_start_permille, 10, 0);
		view_number(end, s->soc_end_permille, 10, 0);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " → %.16s %%", end);
		put_name(c->g, at, GRID_VALUE, text);
	} else {
		put_name(c->g, at,
			 s->is_running ? GRID_DIM
			 : s->is_clean ? GRID_GOOD
				       : GRID_WARN,
			 s->is_running ? "running"
			 : s->reason   ? s->reason
				       : "not told");
	}
}

static void put_derived(const struct view_ctx *c, struct place at, enum view_derived what)
{
	const struct mon_facts *f = c->facts;
	char text[2 * VIEW_TEXT], span[VIEW_TEXT];

	switch (what) {
	case VIEW_STATE_SPAN:
		put_span(c->g, at, f->state_for_us);
		return;
	case VIEW_DERATING:
		put_name(c->g, at, f->is_derated ? GRID_WARN : GRID_DIM,
			 f->is_derated && f->derating && f->derating[0] ? f->derating
			 : f->is_derated				? "yes"
									: "none");
		return;
	case VIEW_HOTTEST:
		view_number(span, f->hottest_mdegC, 1000, 0);
		snprintf(text, sizeof(text), "%s °C  %s", span, f->hottest);
		put_name(c->g, at, GRID_VALUE, f->hottest_mdegC == MON_UNKNOWN ? "----" : text);
		return;
	case VIEW_MODULE_AGE:
	case VIEW_CONTROLLER_AGE: {
		bool is_module = what == VIEW_MODULE_AGE;
		int64_t age_us = is_module ? f->module_age_us : f->controller_age_us;
		bool is_silent = is_module ? f->is_module_silent : f->is_controller_silent;

		view_span(span, age_us);
		snprintf(text, sizeof(text),
			 age_us < 0   ? "never heard"
			 : !is_silent ? "● speaks"
				      : "✗ silent %s",
			 span);
		put_name(c->g, at, age_us < 0 ? GRID_DIM : is_silent ? GRID_BAD : GRID_GOOD, text);
		return;
	}
	case VIEW_SESSION_START:
	case VIEW_SESSION_SPAN:
	case VIEW_SESSION_ENERGY:
	case VIEW_SESSION_CHARGE:
	case VIEW_SESSION_PEAK_mA:
	case VIEW_SESSION_PEAK_W:
	case VIEW_SESSION_SOC:
	case VIEW_SESSION_REASON:
	case VIEW_SESSION_COUNT:
		put_session(c, at, what);
	}
}

static void put_limit(const struct view_ctx *c, struct place at, unsigned i)
{
	const struct mon_facts *f = c->facts;
	bool is_binding = f->binding == (int)i;
	char text[VIEW_TEXT];

	if (i >= f->n_limits)
		return;
	bool is_given = f->limit[i].mA != MON_UNKNOWN;

	view_cut(c->g, at.row, at.col, LABEL_COLS + 2, is_binding ? GRID_WARN : GRID_LABEL, f->limit[i].name);
	view_number(text, f->limit[i].mA, 1000, 1);
	put_number(c->g, at,
		   is_binding ? GRID_WARN
		   : is_given ? GRID_VALUE
			      : GRID_DIM,
		   text, is_given ? "A" : "");
	if (is_binding)
		grid_text(c->g, at.row, at.col + at.cols - 7, 7, GRID_WARN, "◄ binds");
}

static void put_trouble(const struct view_ctx *c, struct place at, unsigned i, bool is_last)
{
	const struct mon_facts *f = c->facts;
	char text[2 * VIEW_TEXT];

	if (i == 0 && f->n_diagnostics == 0)
		grid_text(c->g, at.row, at.col, at.cols, f->is_heard ? GRID_GOOD : GRID_DIM,
			  f->is_heard ? "✓ nothing reported" : "----");
	if (i >= f->n_diagnostics)
		return;
	if (is_last && f->n_diagnostics > i + 1) {
		grid_printf(c->g, at.row, at.col, at.cols, GRID_BAD, "✗ and %u more", f->n_diagnostics - i);
		return;
	}
	enum mon_severity severity = (enum mon_severity)f->diagnostic[i].severity;

	grid_put(c->g, at.row, at.col, view_mark(severity), view_style(severity));
	view_label(text, sizeof(text), f->diagnostic[i].name);
	view_cut(c->g, at.row, at.col + 2, at.cols - 2, view_style(severity), text);
}

static void draw_row(const struct view_ctx *c, struct place at, const struct view_field *f, bool is_last)
{
	if (f->format == VIEW_RULE)
		return;
	if (f->format == VIEW_LIMIT) {
		put_limit(c, at, f->n);
		return;
	}
	if (f->format == VIEW_TROUBLE) {
		put_trouble(c, at, f->n, is_last);
		return;
	}
	view_cut(c->g, at.row, at.col, LABEL_COLS - 1, GRID_LABEL, f->label);
	if (f->format == VIEW_DERIVED) {
		put_derived(c, at, (enum view_derived)f->offset);
		return;
	}
	struct mon_value v =
		mon_field(c->m, c->v->point, f->msg, (unsigned)view_find(c->m, f->msg, f->offset));

	if (!v.is_known) {
		put_number(c->g, at, GRID_DIM, "----", "");
		return;
	}
	put_value(c, at, f, &v);
	put_age(c->g, at, &v);
}

void view_panel_draw(const struct view_ctx *c, const struct view_pane *p, const struct view_panel *panel,
		     int line, int col, int cols)
{
	const struct view_field *f;
	int title = line++, first = p->scroll > title ? p->scroll : title;

	/* Of a panel that begins above, the title takes the place of the first row in sight. */
	view_rule(c->g, view_pane_row(p, first), col, cols, panel->title);
	for (unsigned i = 0; (f = next_row(c, c->m, panel, &i)) != NULL; line++) {
		int row = view_pane_row(p, line);

		if (row >= 0 && line > first)
			draw_row(c, (struct place){row, col, cols < MAX_COLS ? cols : MAX_COLS}, f,
				 i == panel->n_fields);
	}
}
