/* SPDX-License-Identifier: MIT */
/* The independent judge of leases; see lease_judge.h. */
#include "tests/lib/lease_judge.h"

#include <string.h>

#include "site_msgs.h"

void lease_judge_init(struct lease_judge *j, int64_t lease_us, int64_t reaction_us)
{
	memset(j, 0, sizeof(*j));
	j->reaction_us = reaction_us;
	j->meet_us = lease_us * 100 / 99 + reaction_us;
}

void lease_judge_add_row(struct lease_judge *j, int32_t limit_mA, int32_t export_limit_mA)
{
	j->row[j->n_rows].limit_mA = limit_mA;
	j->row[j->n_rows++].export_limit_mA = export_limit_mA;
}

void lease_judge_add_point(struct lease_judge *j, int32_t safe_mA, uint64_t rows)
{
	struct judge_point *p = &j->point[j->n_points];

	p->safe_mA = p->charge_mA = safe_mA;
	p->rows = rows;
	for (unsigned r = 0; r < j->n_rows; r++)
		if (rows >> r & 1) {
			j->row[r].points |= UINT64_C(1) << j->n_points;
			j->row[r].charge_mA += safe_mA;
		}
	j->n_points++;
}

static int32_t larger(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

/* Counts anew what a point may draw now. */
static void count_point(struct lease_judge *j, unsigned i, int64_t now_us)
{
	struct judge_point *p = &j->point[i];
	int32_t charge_mA = p->safe_mA, discharge_mA = 0;
	unsigned n = 0;

	for (unsigned k = 0; k < p->n_claims; k++) {
		if (p->claim[k].until_us <= now_us)
			continue;
		p->claim[n] = p->claim[k];
		charge_mA = larger(charge_mA, p->claim[n].charge_mA);
		discharge_mA = larger(discharge_mA, p->claim[n].discharge_mA);
		n++;
	}
	p->n_claims = n;
	if (charge_mA == p->charge_mA && discharge_mA == p->discharge_mA)
		return;
	for (unsigned r = 0; r < j->n_rows; r++)
		if (p->rows >> r & 1) {
			j->row[r].charge_mA += charge_mA - p->charge_mA;
			j->row[r].discharge_mA += discharge_mA - p->discharge_mA;
		}
	p->charge_mA = charge_mA;
	p->discharge_mA = discharge_mA;
}

int32_t lease_judge_allowed_mA(struct lease_judge *j, unsigned row, int64_t now_us)
{
	struct judge_row *w = &j->row[row];
	int32_t mA = w->limit_mA;

	for (unsigned k = 0; k < w->n_falls; k++)
		if (w->fall[k].until_us > now_us)
			mA = larger(mA, w->fall[k].mA);
	return mA;
}

static int64_t excess_mA(struct lease_judge *j, unsigned row, int64_t now_us)
{
	struct judge_row *w = &j->row[row];
	int64_t import_mA = w->charge_mA - lease_judge_allowed_mA(j, row, now_us);
	int64_t export_mA = w->discharge_mA - w->export_limit_mA;

	return import_mA > export_mA ? import_mA : export_mA;
}

static void check_row(struct lease_judge *j, unsigned row, int64_t now_us)
{
	struct judge_row *w = &j->row[row];
	int64_t mA = excess_mA(j, row, now_us);

	if (w->is_over) {
		j->over_us += now_us - w->over_from_us;
		w->over_from_us = now_us;
	}
	/* What is counted may be old: only now is it worth the work to look at every point of the row. */
	if (mA > 0) {
		for (unsigned i = 0; i < j->n_points; i++)
			if (w->points >> i & 1)
				count_point(j, i, now_us);
		mA = excess_mA(j, row, now_us);
	}
	if (mA > 0 && !w->is_over) {
		w->over_from_us = now_us;
		j->n_over++;
	}
	w->is_over = mA > 0;
	if (mA > j->worst_mA)
		j->worst_mA = mA;
}

/* Limits that had to be met by now are judged at the moment when they had to. */
static void meet_falls(struct lease_judge *j, int64_t now_us)
{
	for (unsigned r = 0; r < j->n_rows; r++) {
		struct judge_row *w = &j->row[r];

		while (w->n_falls && w->fall[0].until_us <= now_us) {
			int64_t at_us = w->fall[0].until_us;

			w->n_falls--;
			memmove(&w->fall[0], &w->fall[1], w->n_falls * sizeof(w->fall[0]));
			check_row(j, r, at_us);
		}
	}
}

void lease_judge_limit(struct lease_judge *j, unsigned row, int32_t limit_mA, int64_t now_us)
{
	struct judge_row *w = &j->row[row];

	meet_falls(j, now_us);
	if (limit_mA < w->limit_mA) {
		/* Whatever was no larger need not be remembered: this one counts for longer. */
		while (w->n_falls && w->fall[w->n_falls - 1].mA <= w->limit_mA)
			w->n_falls--;
		if (w->n_falls == JUDGE_MAX_FALLS) {
			j->n_overflows++;
			w->n_falls--;
		}
		w->fall[w->n_falls].mA = w->limit_mA;
		w->fall[w->n_falls++].until_us = now_us + j->meet_us;
	}
	w->limit_mA = limit_mA;
	check_row(j, row, now_us);
}

/* Everything but one grant ends within the reaction time; what the point says of its draw counts for the rest. */
static void overtake(struct lease_judge *j, struct judge_point *p, uint64_t report, uint8_t revision,
		     int32_t said_mA, int64_t now_us)
{
	p->taken_report = report;
	p->taken_revision = revision;
	for (unsigned k = 0; k < p->n_claims; k++) {
		struct judge_claim *c = &p->claim[k];

		if (c->report == report && c->revision == revision)
			continue;
		if (c->report && c->until_us > now_us + j->reaction_us)
			c->until_us = now_us + j->reaction_us;
		c->report = 0;
		if (c->charge_mA > said_mA)
			c->charge_mA = said_mA;
	}
}

static void take_report(struct lease_judge *j, struct judge_point *p, const struct site_point_report *r,
			int64_t now_us)
{
	uint32_t acked = (r->number - r->ack_age) & 0xffffff;
	uint64_t at = p->n_reports % JUDGE_MAX_REPORTS;

	j->n_reports++;
	p->number[at] = r->number;
	p->sent_us[at] = now_us;
	p->n_reports++;
	if (r->ack_age == 255)
		return;
	for (unsigned k = 0; k < p->n_claims; k++) {
		const struct judge_claim *c = &p->claim[k];

		if (c->report && p->number[(c->report - 1) % JUDGE_MAX_REPORTS] == acked &&
		    c->revision == r->ack_revision) {
			overtake(j, p, c->report, c->revision, r->may_draw_mA, now_us);
			return;
		}
	}
}

/* Which of the point's reports, counted from 1, newest first; 0: none that it could remember. */
static uint64_t find_report(const struct judge_point *p, uint32_t number)
{
	uint64_t oldest = p->n_reports > JUDGE_MAX_REPORTS ? p->n_reports - JUDGE_MAX_REPORTS : 0;

	for (uint64_t k = p->n_reports; k > oldest; k--)
		if (p->number[(k - 1) % JUDGE_MAX_REPORTS] == number)
			return k;
	return 0;
}

static void take_grant(struct lease_judge *j, struct judge_point *p, const struct site_grant *g,
		       int64_t now_us)
{
	uint64_t report = find_report(p, g->number);
	int64_t lease_us = INT64_C(2000000) * g->duration, sent_us;
	struct judge_claim c = {report, g->revision, g->charge_current_mA, g->discharge_current_mA, 0};

	j->n_grants++;
	if (!report || report < p->taken_report ||
	    (report == p->taken_report && g->revision <= p->taken_revision))
		return;
	sent_us = p->sent_us[(report - 1) % JUDGE_MAX_REPORTS];
	c.until_us = sent_us + lease_us * 100 / 99 + j->reaction_us;
	if (now_us >= c.until_us - j->reaction_us)
		return;
	if (p->n_claims == JUDGE_MAX_CLAIMS) {
		j->n_overflows++;
		return;
	}
	p->claim[p->n_claims++] = c;
	/* A fast clock may find it too late: then it is not taken, and what was in force stays so. */
	if (now_us < sent_us + lease_us * 100 / 101)
		overtake(j, p, report, c.revision, INT32_MAX, now_us);
}

void lease_judge_frame(struct lease_judge *j, unsigned i, const struct can_frame *f, int64_t now_us)
{
	struct judge_point *p = &j->point[i];
	struct site_point_report r;
	struct site_grant g;

	meet_falls(j, now_us);
	switch (site_find(SITE_V1, msg_base_id(f->can_id))) {
	case SITE_POINT_REPORT:
		if (msg_from_frame(&site_layouts[SITE_V1][SITE_POINT_REPORT], &r, f, 8))
			take_report(j, p, &r, now_us);
		break;
	case SITE_GRANT:
		if (msg_from_frame(&site_layouts[SITE_V1][SITE_GRANT], &g, f, 8))
			take_grant(j, p, &g, now_us);
		break;
	default:
		return;
	}
	count_point(j, i, now_us);
	for (unsigned r_ = 0; r_ < j->n_rows; r_++)
		if (p->rows >> r_ & 1)
			check_row(j, r_, now_us);
}

int32_t lease_judge_may_draw_mA(struct lease_judge *j, unsigned i, int64_t now_us)
{
	count_point(j, i, now_us);
	return j->point[i].charge_mA;
}

int32_t lease_judge_may_discharge_mA(struct lease_judge *j, unsigned i, int64_t now_us)
{
	count_point(j, i, now_us);
	return j->point[i].discharge_mA;
}
