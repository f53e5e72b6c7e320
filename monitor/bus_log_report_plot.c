/* SPDX-License-Identifier: MIT */
/*
 * Plots as inline SVG: axes, grids, lines and their keys. Labels are HTML, so that they keep their size when a plot
 * is as wide as the window.
 */
#include "monitor/bus_log_report_html.h"

#include <string.h>

#define HOUR_UNITS 36000 /* labels of longer axes have hours */

/* --- scales -------------------------------------------------------------------------------------------- */

static int64_t nice_step(int64_t least)
{
	static const int factor[] = {1, 2, 5, 10};
	int64_t power = 1;

	while (power * 10 <= least)
		power *= 10;
	for (unsigned i = 0; i < 4; i++)
		if (power * factor[i] >= least)
			return power * factor[i];
	return power * 10;
}

static int64_t time_step_s(int64_t width_s)
{
	static const int32_t steps[] = {1,   2,	   5,	 10,   15,    30,    60,    120,   300,	   600,
					900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800};

	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (width_s / steps[i] < 9)
			return steps[i];
	return nice_step(width_s / 8);
}

static void put_tick_text(FILE *out, const struct report_axis *a, int64_t at_s, int64_t step_s)
{
	char text[REPORT_TEXT];

	if (a->is_clock) {
		report_clock(text, at_s * FC_US_PER_S, 0);
		if (step_s % 60 == 0)
			text[strlen(text) - 3] = '\0';
		fputs(text, out);
	} else if (a->width > HOUR_UNITS) {
		fprintf(out, "%lld:%02d", (long long)(at_s / 3600), (int)(at_s / 60 % 60));
		if (step_s % 60 != 0)
			fprintf(out, ":%02d", (int)(at_s % 60));
	} else {
		fprintf(out, "%d:%02d", (int)(at_s / 60), (int)(at_s % 60));
	}
}

/* --- the axis of time ---------------------------------------------------------------------------------- */

void report_axis_open(FILE *out, const struct report_axis *a, const char *label)
{
	fprintf(out,
		"<div class=\"plot\" tabindex=\"0\" role=\"group\" aria-label=\"%s. Arrow keys move the cursor, plus and "
		"minus zoom, Escape shows all.\" style=\"--x:0;--w:%lld\" data-w=\"%lld\" data-begin=\"%lld\" "
		"data-axis=\"%s\">\n",
		label, (long long)a->width, (long long)a->width, (long long)(a->begin_us / 1000),
		a->is_clock ? "clock" : "since");
}

static void put_axis_name(FILE *out, const struct report_axis *a)
{
	fputs("<p class=\"xt\">", out);
	if (a->is_clock && report_has_date(a->begin_us))
		fprintf(out, "time of day, %s", a->zone);
	else if (a->is_clock)
		fputs("time of the log", out);
	else
		fprintf(out, "time since the plug, %s", a->width > HOUR_UNITS ? "h:min" : "min:s");
	fputs("</p>", out);
}

void report_axis_close(FILE *out, const struct report_axis *a)
{
	int64_t width_s = a->width / (FC_US_PER_S / REPORT_UNIT_US), step = time_step_s(width_s);
	double begin_s = a->is_clock ? (double)a->begin_us / 1e6 : 0,
	       units = (double)FC_US_PER_S / REPORT_UNIT_US;
	int64_t first = ((int64_t)begin_s + step - 1) / step * step;

	fputs("<div class=\"pr\"><div class=\"ya\"></div><div class=\"xa\">", out);
	for (int64_t at = first; (double)at - begin_s <= (double)a->width / units; at += step) {
		fprintf(out, "<span style=\"left:%.3f%%\">",
			((double)at - begin_s) * units / (double)a->width * 100);
		put_tick_text(out, a, at, step);
		fputs("</span>", out);
	}
	fputs("</div></div>\n", out);
	put_axis_name(out, a);
	fputs("</div>\n", out);
}

/* --- lines --------------------------------------------------------------------------------------------- */

struct pen {
	FILE *out;
	int64_t x, y, flat_x;
	bool is_down;
};

static int64_t scaled(int32_t value, int32_t per)
{
	return (value + (value < 0 ? -per / 2 : per / 2)) / per;
}

static void pen_flush(struct pen *p)
{
	if (p->is_down && p->flat_x > p->x) {
		fprintf(p->out, "h%lld", (long long)(p->flat_x - p->x));
		p->x = p->flat_x;
	}
}

static void pen_to(struct pen *p, int64_t x, int64_t low, int64_t high)
{
	bool is_low_first = !p->is_down || (p->y - low < 0 ? low - p->y : p->y - low) <=
						   (p->y - high < 0 ? high - p->y : p->y - high);
	int64_t a = is_low_first ? low : high, b = is_low_first ? high : low;

	if (p->is_down && a == p->y && b == p->y) {
		p->flat_x = x;
		return;
	}
	pen_flush(p);
	if (!p->is_down)
		fprintf(p->out, "M%lld %lld", (long long)x, (long long)a);
	else if (a == p->y)
		fprintf(p->out, "h%lld", (long long)(x - p->x));
	else
		fprintf(p->out, "l%lld %lld", (long long)(x - p->x), (long long)(a - p->y));
	if (b != a)
		fprintf(p->out, "v%lld", (long long)(b - a));
	p->x = p->flat_x = x;
	p->y = b;
	p->is_down = true;
}

static int64_t column_x(const struct report_columns *c, uint32_t i)
{
	int64_t next = i + 1 < c->n ? c->begin[i + 1] : c->end;

	/* Wide columns are shown at their middle. */
	return c->begin[i] + (next > c->begin[i] ? (next - c->begin[i]) / 2 : 0);
}

static void put_path(FILE *out, const struct report_line *l, int32_t per)
{
	const struct report_columns *c = l->columns;
	struct pen p = {.out = out};

	for (uint32_t i = 0; i < c->n; i++) {
		struct report_range r = report_columns_at(c, l->series, i);
		int64_t x = l->offset + column_x(c, i);

		if (r.low == MON_UNKNOWN) {
			pen_flush(&p);
			p.is_down = false;
			continue;
		}
		pen_to(&p, x, scaled(r.low, per), scaled(r.high, per));
	}
	pen_flush(&p);
}

/* The same outline down to zero, one closed piece for each stretch that is known. */
static void put_area(FILE *out, const struct report_line *l, int32_t per)
{
	const struct report_columns *c = l->columns;
	struct pen p = {.out = out};

	fputs("<path class=\"area\" d=\"", out);
	for (uint32_t i = 0; i <= c->n; i++) {
		struct report_range r = report_columns_at(c, l->series, i);

		if (r.low == MON_UNKNOWN) {
			pen_flush(&p);
			if (p.is_down)
				fputs("V0Z", out);
			p.is_down = false;
			continue;
		}
		if (!p.is_down) {
			fprintf(out, "M%lld 0", (long long)(l->offset + column_x(c, i)));
			p.x = p.flat_x = l->offset + column_x(c, i);
			p.y = 0;
			p.is_down = true;
		}
		pen_to(&p, l->offset + column_x(c, i), scaled(r.low, per), scaled(r.high, per));
	}
	fputs("\"/>", out);
}

/* --- panels -------------------------------------------------------------------------------------------- */

struct scale {
	int64_t bottom, top, step;
};

static struct report_range line_range(const struct report_line *l)
{
	if (l->columns)
		return report_columns_range(l->columns, l->series);
	return (struct report_range){MON_UNKNOWN, MON_UNKNOWN};
}

static bool widen(struct scale *s, struct report_range r, int32_t per)
{
	if (r.low == MON_UNKNOWN)
		return false;
	if (scaled(r.low, per) < s->bottom)
		s->bottom = scaled(r.low, per);
	if (scaled(r.high, per) > s->top)
		s->top = scaled(r.high, per);
	return true;
}

/* False: no line is known at all. */
static bool find_scale(const struct report_panel *p, struct scale *s)
{
	bool is_known = false;
	unsigned i;

	*s = (struct scale){0, p->least_top, 1};
	for (i = 0; i < p->n_lines; i++)
		if (p->line[i].kind != REPORT_LIMIT)
			is_known |= widen(s, line_range(&p->line[i]), p->per_tenth);

	/* A limit out of reach would press everything else flat. */
	struct scale reach = {s->bottom * 17 / 10, s->top * 17 / 10, 1};

	for (i = 0; i < p->n_lines; i++) {
		struct report_range r = line_range(&p->line[i]);

		if (p->line[i].kind != REPORT_LIMIT || r.low == MON_UNKNOWN)
			continue;
		is_known = true;
		if (scaled(r.high, p->per_tenth) <= reach.top && scaled(r.low, p->per_tenth) >= reach.bottom)
			widen(s, r, p->per_tenth);
	}
	/* A little air above what is higher than the scale wants to be anyway. */
	if (s->top > p->least_top)
		s->top += s->top / 50;
	s->bottom += s->bottom / 50;
	s->step = nice_step((s->top - s->bottom + 4) / 5);
	s->top = (s->top + s->step - 1) / s->step * s->step;
	s->bottom = -((-s->bottom + s->step - 1) / s->step * s->step);
	if (s->top == s->bottom)
		s->top = s->step;
	return is_known;
}

/* What the key says while no cursor is there: the extent of the line. */
static void put_extent(FILE *out, const struct report_panel *p, struct report_range r,
		       enum report_line_kind kind)
{
	int64_t low = scaled(r.low, p->per_tenth), high = scaled(r.high, p->per_tenth);
	char a[REPORT_TEXT], b[REPORT_TEXT];

	report_decimal(a, low, p->per_unit, p->digits);
	report_decimal(b, high, p->per_unit, p->digits);
	if (low == high)
		fprintf(out, "%s", b);
	else if (kind == REPORT_MEASURED && low >= 0)
		fprintf(out, "max %s", b);
	else
		fprintf(out, "%s to %s", a, b);
}

static void put_keys(FILE *out, const struct report_panel *p, const struct scale *s)
{
	fputs("<div class=\"keys\">", out);
	for (unsigned i = 0; i < p->n_lines; i++) {
		struct report_range r = line_range(&p->line[i]);

		if (r.low == MON_UNKNOWN)
			continue;
		fprintf(out,
			"<button type=\"button\" class=\"key\" aria-pressed=\"true\"><svg viewBox=\"0 0 28 8\" "
			"aria-hidden=\"true\"><path class=\"ln %s\" d=\"M1 4H27\"/></svg><span>",
			p->line[i].css);
		report_put_text(out, p->line[i].name);
		fputs("</span> <output>", out);
		put_extent(out, p, r, p->line[i].kind);
		if (scaled(r.low, p->per_tenth) > s->top || scaled(r.high, p->per_tenth) < s->bottom)
			fputs(", off the scale", out);
		fputs("</output></button>", out);
	}
	fputs("</div>", out);
}

static void put_y_axis(FILE *out, const struct report_panel *p, const struct scale *s)
{
	char text[REPORT_TEXT];

	fputs("<div class=\"ya\">", out);
	for (int64_t y = s->bottom; y <= s->top; y += s->step)
		fprintf(out, "<span style=\"top:%.2f%%\">%s</span>",
			(double)(s->top - y) * 100 / (double)(s->top - s->bottom),
			report_decimal(text, y, p->per_unit, s->step % p->per_unit ? p->digits : 0));
	fputs("</div>", out);
}

void report_panel(FILE *out, const struct report_axis *a, const struct report_panel *p)
{
	struct scale s;

	if (!find_scale(p, &s))
		return;
	fprintf(out, "<div class=\"panel %s\" data-per=\"%d\" data-digits=\"%d\" data-unit=\"%s\">", p->css,
		p->per_unit, p->digits, p->unit);
	fprintf(out, "<div class=\"ph\"><h4>%s <small>%s</small></h4>", p->title, p->unit);
	put_keys(out, p, &s);
	fputs("</div><div class=\"pr\">", out);
	put_y_axis(out, p, &s);
	fprintf(out,
		"<div class=\"pa\"><svg viewBox=\"0 %lld %lld %lld\" preserveAspectRatio=\"none\" role=\"img\" "
		"aria-label=\"%s over time\" data-top=\"%lld\" data-bottom=\"%lld\"><g transform=\"scale(1 -1)\">"
		"<path class=\"grid\" d=\"",
		(long long)-s.top, (long long)a->width, (long long)(s.top - s.bottom), p->title,
		(long long)s.top, (long long)s.bottom);
	for (int64_t y = s.bottom; y <= s.top; y += s.step)
		fprintf(out, "M0 %lldh%lld", (long long)y, (long long)a->width);
	fputs("\"/>", out);
	for (unsigned i = 0; i < p->n_lines; i++)
		if (p->line[i].is_filled && line_range(&p->line[i]).low != MON_UNKNOWN)
			put_area(out, &p->line[i], p->per_tenth);
	for (unsigned i = p->n_lines; i-- > 0;) {
		if (line_range(&p->line[i]).low == MON_UNKNOWN)
			continue;
		fprintf(out, "<path class=\"ln %s\" d=\"", p->line[i].css);
		put_path(out, &p->line[i], p->per_tenth);
		fputs("\"/>", out);
	}
	fputs("</g></svg></div></div></div>\n", out);
}
