/* SPDX-License-Identifier: MIT */
/*
 * Numbers, times and names as the screens write them. Pure.
 */
#include "monitor/mon_view_draw.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define US_PER_DAY INT64_C(86400000000)

void view_number(char out[VIEW_TEXT], int64_t number, int64_t scale, int decimals)
{
	int64_t ten = 1;

	if (number == MON_UNKNOWN) {
		snprintf(out, VIEW_TEXT, "----");
		return;
	}
	for (int i = 0; i < decimals; i++)
		ten *= 10;
	/* Only what goes into the last digit is multiplied: no number of 64 bits overflows. */
	uint64_t n = number < 0 ? 0 - (uint64_t)number : (uint64_t)number, s = (uint64_t)scale,
		 t = (uint64_t)ten;
	uint64_t whole = n / s, part = ((n % s) * t + s / 2) / s;

	if (part >= t) {
		whole++;
		part -= t;
	}
	const char *sign = number < 0 && (whole || part) ? "-" : "";

	if (decimals > 0)
		snprintf(out, VIEW_TEXT, "%s%" PRIu64 ".%0*" PRIu64, sign, whole, decimals, part);
	else
		snprintf(out, VIEW_TEXT, "%s%" PRIu64, sign, whole);
}

/* Digits behind the point that a step of the wire needs, at most 2. */
static int decimals_of(const struct msg_field *f, int64_t scale)
{
	int64_t step = f->den ? f->num / f->den : f->num;

	if (step < 0)
		step = -step;
	if (step == 0 || step % scale == 0)
		return 0;
	return step * 10 % scale == 0 ? 1 : 2;
}

static bool ends_with(const char *text, const char *tail)
{
	size_t n = strlen(text), k = strlen(tail);

	return n >= k && memcmp(text + n - k, tail, k) == 0;
}

void view_quantity(char out[VIEW_TEXT], const struct msg_field *f, int64_t number, const char **unit)
{
	static const struct {
		const char *suffix, *unit;
		int64_t scale;
	} units[] = {
		{"_mV", "V", 1000},	{"_mA", "A", 1000}, {"_W", "kW", 1000},	    {"_Wh", "kWh", 1000},
		{"_permille", "%", 10}, {"_ohm", "Ω", 1},   {"_mdegC", "°C", 1000}, {"_s", "s", 1},
	};

	*unit = "";
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (!ends_with(f->member, units[i].suffix))
			continue;
		int64_t scale = units[i].scale;

		*unit = units[i].unit;
		if (scale == 1 && f->num >= 1000) { /* insulation is told in steps of kΩ */
			scale = 1000;
			*unit = "kΩ";
		}
		view_number(out, number, scale, decimals_of(f, scale));
		return;
	}
	view_number(out, number, 1, 0);
}

void view_age(char out[VIEW_TEXT], int64_t age_us)
{
	int64_t s = age_us / 1000000;

	if (age_us < 0 || s < 1)
		out[0] = '\0';
	else if (s < 60)
		snprintf(out, VIEW_TEXT, "%ds", (int)s);
	else if (s < 3600)
		snprintf(out, VIEW_TEXT, "%dm", (int)(s / 60));
	else if (s < 86400)
		snprintf(out, VIEW_TEXT, "%dh", (int)(s / 3600));
	else
		snprintf(out, VIEW_TEXT, "%" PRId64 "d", s / 86400 > 99 ? INT64_C(99) : s / 86400);
}

void view_span(char out[VIEW_TEXT], int64_t us)
{
	int64_t s = us / 1000000;

	if (us < 0)
		snprintf(out, VIEW_TEXT, "----");
	else if (s < 60)
		snprintf(out, VIEW_TEXT, "%d s", (int)s);
	else if (s < 3600)
		snprintf(out, VIEW_TEXT, "%d m %02d s", (int)(s / 60), (int)(s % 60));
	else if (s < 86400)
		snprintf(out, VIEW_TEXT, "%d h %02d m", (int)(s / 3600), (int)(s / 60 % 60));
	else
		snprintf(out, VIEW_TEXT, "%" PRId64 " d %02d h", s / 86400, (int)(s / 3600 % 24));
}

void view_clock(char out[VIEW_TEXT], int64_t us, bool is_of_day, bool has_ms)
{
	if (is_of_day)
		us = (us % US_PER_DAY + US_PER_DAY) % US_PER_DAY;
	if (us < 0)
		us = 0;
	int64_t s = us / 1000000;
	int n = snprintf(out, VIEW_TEXT, "%02" PRId64 ":%02d:%02d", s / 3600, (int)(s / 60 % 60),
			 (int)(s % 60));

	if (has_ms)
		snprintf(out + n, (size_t)(VIEW_TEXT - n), ".%03d", (int)(us / 1000 % 1000));
}

int64_t view_wall_us(const struct view_ctx *c, int64_t time_us)
{
	return c->source->wall_us - (c->m->now_us - time_us);
}

void view_label(char *out, size_t size, const char *name)
{
	static const char arrow[] = "→";
	static const char *const small[] = {"For", "With", "And", "To", "Of"};
	size_t n = 0;

	for (const char *p = name; *p && n + sizeof(arrow) < size; p++) {
		if (p[0] == '-' && p[1] == '>') {
			memcpy(out + n, arrow, sizeof(arrow) - 1);
			n += sizeof(arrow) - 1;
			p++;
		} else {
			out[n++] = *p == '_' ? ' ' : *p;
		}
	}
	out[n] = '\0';
	for (char *space = strchr(out, ' '); space; space = strchr(space + 1, ' '))
		for (size_t i = 0; i < sizeof(small) / sizeof(*small); i++) {
			size_t length = strlen(small[i]);

			if (strncmp(space + 1, small[i], length) == 0 && space[1 + length] == ' ')
				space[1] = (char)(space[1] - 'A' + 'a');
		}
}

int view_columns(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

int view_cut(struct mon_grid *g, int row, int col, int width, enum grid_style style, const char *text)
{
	if (width > g->cols - col)
		width = g->cols - col;
	if (width <= 0)
		return 0;
	int n = grid_text(g, row, col, width, style, text);

	if (n == width && view_columns(text) > width)
		grid_put(g, row, col + width - 1, 0x2026, style);
	return n;
}

void view_right(struct mon_grid *g, int row, int col, int width, enum grid_style style, const char *text)
{
	int n = view_columns(text);

	if (n < width) {
		col += width - n;
		width = n;
	}
	view_cut(g, row, col, width, style, text);
}

size_t view_wrap(const char *text, int width)
{
	size_t at = 0, space = 0;
	int n = 0;

	for (; text[at]; at++) {
		bool is_start = ((unsigned char)text[at] & 0xc0) != 0x80;

		if (is_start && n >= width)
			return text[at] == ' ' || space == 0 ? at : space;
		if (text[at] == ' ')
			space = at;
		n += is_start;
	}
	return at;
}

uint32_t view_mark(enum mon_severity severity)
{
	switch (severity) {
	case MON_INFO:
		return ' ';
	case MON_NOTICE:
		return 0xb7;
	case MON_WARNING:
		return '!';
	case MON_FAULT:
		return 0x2717;
	}
	return '?';
}

enum grid_style view_style(enum mon_severity severity)
{
	switch (severity) {
	case MON_INFO:
		return GRID_PLAIN;
	case MON_NOTICE:
		return GRID_VALUE;
	case MON_WARNING:
		return GRID_WARN;
	case MON_FAULT:
		return GRID_BAD;
	}
	return GRID_PLAIN;
}

void view_rule(struct mon_grid *g, int row, int col, int width, const char *title)
{
	grid_fill(g, (struct grid_rect){row, col, 1, width}, 0x2500, GRID_FRAME);
	if (title[0] && width > 2) {
		int n = view_cut(g, row, col, width - 2, GRID_TITLE, title);

		grid_put(g, row, col + n, ' ', GRID_FRAME);
	}
}
