/* SPDX-License-Identifier: MIT */
/* Names of points and rows, and why a point has what it has, in words. Pure. */
#include "monitor/site_mon_view_draw.h"

#include <stdio.h>
#include <string.h>

void smon_names_init(struct smon_names *n)
{
	unsigned bus, number;

	memset(n, 0, sizeof(*n));
	for (bus = 0; bus < SMON_MAX_BUSES; bus++)
		for (number = 0; number < SMON_N_NUMBERS; number++)
			n->point[bus][number].node = SMON_NO_NODE;
}

const char *smon_point_name(const struct smon_names *n, unsigned bus, unsigned number, char *text,
			    size_t size)
{
	if (bus < SMON_MAX_BUSES && number < SMON_N_NUMBERS && n->point[bus][number].name[0])
		snprintf(text, size, "%s", n->point[bus][number].name);
	else if (number == 0)
		snprintf(text, size, "site");
	else if (bus == 0)
		snprintf(text, size, "point %u", number);
	else
		snprintf(text, size, "point %u/%u", bus, number);
	return text;
}

const char *smon_row_text(const struct smon_names *n, uint32_t row, char *text, size_t size)
{
	if (row < n->n_rows && row < SMON_MAX_ROWS && n->row[row].name[0])
		snprintf(text, size, "%s", n->row[row].name);
	else
		snprintf(text, size, "row %u", row);
	return text;
}

void smon_row_number(const struct smon_names *n, uint32_t row, int32_t mA, char out[VIEW_TEXT])
{
	int32_t mV = row < n->n_rows && row < SMON_MAX_ROWS ? n->row[row].power_mV : 0;

	if (mV > 0)
		view_number(out, (int64_t)mA * mV, INT64_C(1000000000), 1);
	else
		view_number(out, mA, 1000, 1);
}

const char *smon_row_unit(const struct smon_names *n, uint32_t row)
{
	return row < n->n_rows && row < SMON_MAX_ROWS && n->row[row].power_mV > 0 ? "kW" : "A";
}

const char *smon_event_about(const struct smon_names *n, const struct smon_event *e, char *text, size_t size)
{
	if (e->number == 0 && e->row != SMON_NO_ROW)
		return smon_row_text(n, e->row, text, size);
	return smon_point_name(n, e->bus, e->number, text, size);
}

const char *smon_event_text(const struct smon_names *n, const struct smon_event *e, char *text, size_t size)
{
	char row[SMON_ROW_NAME_MAX], a[VIEW_TEXT], b[VIEW_TEXT];

	if (e->kind == SMON_EVENT_LIMIT || e->kind == SMON_EVENT_OVER) {
		smon_row_number(n, e->row, e->a_mA, a);
		smon_row_number(n, e->row, e->b_mA, b);
		snprintf(text, size,
			 e->kind == SMON_EVENT_LIMIT ? "limit %s -> %s %s" : "%s may be drawn, limit %s %s",
			 a, b, smon_row_unit(n, e->row));
	} else if (e->number > 0 && e->row != SMON_NO_ROW) {
		snprintf(text, size, "%s (%s)", e->text, smon_row_text(n, e->row, row, sizeof(row)));
	} else {
		snprintf(text, size, "%s", e->text);
	}
	return text;
}

const char *smon_point_state(const struct smon_point *p)
{
	if (!p || p->report_us == SMON_NEVER)
		return "unheard";
	return p->is_silent ? "silent" : smon_state_name(p->report.state);
}

/* Where the site's reason does not count; NULL: it does. */
static const char *why_not_the_site(const struct smon_model *m, const struct smon_point *p)
{
	if (p->report_us == SMON_NEVER)
		return "no report yet";
	if (p->is_silent)
		return "silent: safe current set aside";
	if (p->report.is_local)
		return "in its operator's hand";
	if (m->is_site_silent)
		return "the site is silent";
	return p->reason_us == SMON_NEVER ? "" : NULL;
}

const char *smon_why(const struct smon_model *m, const struct smon_names *n, const struct smon_point *p,
		     char *text, size_t size)
{
	const char *other = why_not_the_site(m, p);
	char row[SMON_ROW_NAME_MAX];

	if (other)
		snprintf(text, size, "%s", other);
	else if (p->reason.row == SMON_NO_ROW)
		snprintf(text, size, "%s", smon_reason_name(p->reason.reason));
	else if (p->reason.reason == SITE_GRANT_REASON_REASON_LIMIT)
		snprintf(text, size, "limit %s", smon_row_text(n, p->reason.row, row, sizeof(row)));
	else
		snprintf(text, size, "%s (%s)", smon_reason_name(p->reason.reason),
			 smon_row_text(n, p->reason.row, row, sizeof(row)));
	return text;
}

const char *smon_why_short(const struct smon_model *m, const struct smon_names *n, const struct smon_point *p,
			   char *text, size_t size)
{
	static const char *const words[] = {"",	      "own maximum",  "limit",	      "minimum",
					    "policy", "others first", "rises slowly", "hold time",
					    "silent", "equal share",  "site start"};
	unsigned reason = p->reason.reason;

	if (p->report_us == SMON_NEVER)
		snprintf(text, size, "no report yet");
	else if (p->is_silent)
		snprintf(text, size, "set aside");
	else if (p->report.is_local)
		snprintf(text, size, "operator");
	else if (m->is_site_silent)
		snprintf(text, size, "no site");
	else if (p->reason_us == SMON_NEVER)
		snprintf(text, size, "%s", "");
	else if (reason == SITE_GRANT_REASON_REASON_LIMIT && p->reason.row != SMON_NO_ROW)
		smon_row_text(n, p->reason.row, text, size);
	else
		snprintf(text, size, "%s",
			 reason < sizeof(words) / sizeof(words[0]) ? words[reason] : "unknown");
	return text;
}

/* --- rows that stand for the site ---------------------------------------------------------------------- */

/* a / its limit > b / its limit. A row without any limit left is full. */
static bool is_fuller(const struct smon_row *a, const struct smon_row *b)
{
	int64_t a_limit = a->load.limit_mA > 0 ? a->load.limit_mA : 1,
		b_limit = b->load.limit_mA > 0 ? b->load.limit_mA : 1;

	return a->load.taken_mA * b_limit > b->load.taken_mA * a_limit;
}

static bool is_larger(const struct smon_row *a, const struct smon_row *b)
{
	return a->load.limit_mA > b->load.limit_mA ||
	       (a->load.limit_mA == b->load.limit_mA && a->load.taken_mA > b->load.taken_mA);
}

const struct smon_row *smon_main_row(const struct smon_model *m, const struct smon_names *n, uint32_t *row)
{
	const struct smon_row *best = NULL, *r;
	uint32_t i;

	for (i = 0; i < n->n_main; i++) {
		r = smon_row(m, n->main_row[i]);
		if (r && (!best || is_fuller(r, best))) {
			best = r;
			*row = n->main_row[i];
		}
	}
	for (i = 0; i < m->n_rows && n->n_main == 0; i++) {
		r = smon_row(m, i);
		if (r && (!best || is_larger(r, best))) {
			best = r;
			*row = i;
		}
	}
	return best;
}

const struct smon_row *smon_tightest_row(const struct smon_model *m, uint32_t *row)
{
	const struct smon_row *best = NULL, *r;
	uint32_t i;

	for (i = 0; i < m->n_rows; i++) {
		r = smon_row(m, i);
		if (r && (!best || is_fuller(r, best))) {
			best = r;
			*row = i;
		}
	}
	return best;
}
