/* SPDX-License-Identifier: MIT */
/* Frames of the site in, a picture of it out. Pure. */
#include "monitor/site_mon_model.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LEASE_UNIT_US INT64_C(2000000) /* of Grant.Duration, dbc/site.dbc */
#define NO_ACK	      255
#define NUMBER_MASK   0xffffffu
/*
 * A grant that moves less is no event, nor one that moves by less than 1/10: everybody's moves when somebody
 * comes.
 */
#define GRANT_NEWS_mA	500
#define GRANT_NEWS_PART 10
/*
 * Nor is a limit that moves less than 1/20, and not sooner than after half a minute unless it moves by 1/5:
 * with a meter it follows other loads all the time.
 */
#define LIMIT_NEWS_mA	 500
#define LIMIT_NEWS_PART	 20
#define LIMIT_NEWS_GREAT 5
#define LIMIT_NEWS_US	 (30 * FC_US_PER_S)
/* The site tells at most ten rows a second, and all of them within 5 s where they are fewer. */
#define ROWS_PER_S  10
#define ROUND_MIN_S 5

/* --- events -------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 4, 5))) static void tell(struct smon_model *m, struct smon_event about,
						       enum smon_severity severity, const char *format, ...)
{
	struct smon_event *e = &m->event[m->n_events % SMON_N_EVENTS];
	va_list args;

	*e = about;
	e->time_us = m->now_us;
	e->severity = (uint8_t)severity;
	va_start(args, format);
	vsnprintf(e->text, sizeof(e->text), format, args);
	va_end(args);
	m->n_events++;
	m->n_changes++;
	if (m->sink.event)
		m->sink.event(m->sink.ctx, e);
}

static struct smon_event site_as_a_whole(void)
{
	return (struct smon_event){.row = SMON_NO_ROW};
}

static struct smon_event of_point(const struct smon_point *p)
{
	return (struct smon_event){.bus = p->bus, .number = p->number, .row = SMON_NO_ROW};
}

/* With the row that limits its grant. */
static struct smon_event of_grant(const struct smon_point *p)
{
	return (struct smon_event){
		.kind = SMON_EVENT_GRANT, .bus = p->bus, .number = p->number, .row = p->reason.row};
}

const struct smon_event *smon_event(const struct smon_model *m, uint32_t i)
{
	if (i >= m->n_events || i >= SMON_N_EVENTS)
		return NULL;
	return &m->event[(m->n_events - 1 - i) % SMON_N_EVENTS];
}

/* Amperes with one decimal, as the wire has them. */
struct amps {
	char text[16];
};

static struct amps amps(int32_t mA)
{
	struct amps a;

	snprintf(a.text, sizeof(a.text), "%s%d.%d", mA < 0 ? "-" : "", fc_abs_i32(mA) / 1000,
		 fc_abs_i32(mA) / 100 % 10);
	return a;
}

/* --- leases -------------------------------------------------------------------------------------------- */

static int64_t sent_us(const struct smon_point *p, uint32_t number)
{
	unsigned i;

	for (i = 0; i < SMON_SENT; i++)
		if (p->sent_us[i] != SMON_NEVER && p->number_sent[i] == number)
			return p->sent_us[i];
	return SMON_NEVER;
}

static const struct smon_grant *recent_grant(const struct smon_point *p, uint32_t number, unsigned revision)
{
	unsigned i;

	for (i = 0; i < SMON_SENT; i++)
		if (p->recent[i].heard_us != SMON_NEVER && p->recent[i].grant.number == number &&
		    p->recent[i].grant.revision == revision)
			return &p->recent[i];
	return NULL;
}

static void note_force(struct smon_model *m, struct smon_point *p)
{
	bool had = p->in_force.heard_us != SMON_NEVER;
	const struct smon_grant *g = NULL;
	uint32_t number = (p->report.number - p->report.ack_age) & NUMBER_MASK;

	if (p->report.ack_age != NO_ACK)
		g = recent_grant(p, number, p->report.ack_revision);
	else if (had)
		tell(m, of_point(p), SMON_WARN, "lease over: back to its safe current");
	if (!g) {
		/* Still the one that we know, however many came since; or one that we did not hear. */
		if (p->report.ack_age == NO_ACK || p->in_force.grant.number != number ||
		    p->in_force.grant.revision != p->report.ack_revision)
			p->in_force.heard_us = SMON_NEVER;
		return;
	}
	if (had && p->in_force.grant.charge_current_mA != g->grant.charge_current_mA) {
		p->changed_us = m->now_us;
		m->n_changes++;
	}
	p->in_force = *g;
}

int64_t smon_lease_left_us(const struct smon_model *m, const struct smon_point *p)
{
	if (p->in_force.heard_us == SMON_NEVER || p->in_force.until_us <= m->now_us)
		return -1;
	return p->in_force.until_us - m->now_us;
}

bool smon_has_unheard_grant(const struct smon_point *p)
{
	return p->report_us != SMON_NEVER && p->report.ack_age != NO_ACK &&
	       p->in_force.heard_us == SMON_NEVER;
}

/* --- points -------------------------------------------------------------------------------------------- */

static bool is_known(const struct smon_model *m, unsigned bus, unsigned number)
{
	return bus < SMON_MAX_BUSES && number < SMON_N_NUMBERS && m->known[bus] >> number & 1;
}

static struct smon_point *point_at(struct smon_model *m, unsigned bus, unsigned number)
{
	struct smon_point *p = &m->point[bus][number];
	unsigned i;

	if (is_known(m, bus, number))
		return p;
	memset(p, 0, sizeof(*p));
	m->known[bus] |= 1u << number;
	p->bus = (uint8_t)bus;
	p->number = (uint8_t)number;
	p->report_us = p->demand_us = p->session_us = p->meter_us = p->reason_us = SMON_NEVER;
	p->sent.heard_us = p->in_force.heard_us = SMON_NEVER;
	p->changed_us = m->now_us - SMON_CHANGED_US;
	p->since_us = m->now_us;
	for (i = 0; i < SMON_SENT; i++)
		p->sent_us[i] = p->recent[i].heard_us = SMON_NEVER;
	if (bus >= m->n_buses)
		m->n_buses = bus + 1;
	m->n_changes++;
	return p;
}

static void tell_report(struct smon_model *m, const struct smon_point *p,
			const struct site_point_report *before, bool is_first)
{
	const struct site_point_report *r = &p->report;

	if (is_first)
		tell(m, of_point(p), r->state == SITE_POINT_REPORT_STATE_FAULT ? SMON_BAD : SMON_INFO,
		     "heard: %s", smon_state_name(r->state));
	else if (before->state != r->state)
		tell(m, of_point(p), r->state == SITE_POINT_REPORT_STATE_FAULT ? SMON_BAD : SMON_INFO, "%s",
		     smon_state_name(r->state));
	if (r->is_restarted && !before->is_restarted && !is_first)
		tell(m, of_point(p), SMON_WARN, "has started anew");
	if (r->is_local && !before->is_local)
		tell(m, of_point(p), SMON_WARN, "taken out of the site's hand by its operator");
	else if (before->is_local && !r->is_local)
		tell(m, of_point(p), SMON_GOOD, "back in the site's hand");
}

static void take_report(struct smon_model *m, struct smon_point *p, const struct site_point_report *r)
{
	bool is_first = p->report_us == SMON_NEVER;
	struct site_point_report before = p->report;
	uint32_t step = (r->number - before.number) & NUMBER_MASK;

	if (!is_first && step > 1 && step < 256)
		p->n_missed += step - 1;
	p->n_reports++;
	p->newest = (uint8_t)((p->newest + 1) % SMON_SENT);
	p->number_sent[p->newest] = r->number;
	p->sent_us[p->newest] = m->now_us;
	p->report = *r;
	p->report_us = m->now_us;
	if (p->is_silent) {
		p->is_silent = false;
		tell(m, of_point(p), SMON_GOOD, "reports again");
	}
	if (is_first || before.state != r->state)
		p->since_us = m->now_us;
	if (before.may_draw_mA != r->may_draw_mA)
		m->n_changes++;
	tell_report(m, p, &before, is_first);
	note_force(m, p);
}

static void take_grant(struct smon_model *m, struct smon_point *p, const struct site_grant *g)
{
	int64_t report_us = sent_us(p, g->number);

	p->n_grants++;
	if (p->sent.heard_us == SMON_NEVER) {
		p->told_mA = g->charge_current_mA;
		p->told_discharge_mA = g->discharge_current_mA;
	} else if (p->sent.grant.charge_current_mA != g->charge_current_mA) {
		p->changed_us = m->now_us;
		m->n_changes++;
	}
	p->sent.grant = *g;
	p->sent.heard_us = m->now_us;
	p->sent.until_us =
		report_us == SMON_NEVER ? SMON_NEVER : report_us + (int64_t)g->duration * LEASE_UNIT_US;
	p->newest_grant = (uint8_t)((p->newest_grant + 1) % SMON_SENT);
	p->recent[p->newest_grant] = p->sent;
}

static bool is_news(int32_t before_mA, int32_t now_mA)
{
	int32_t moved_mA = fc_abs_i32(now_mA - before_mA);

	if ((now_mA == 0) != (before_mA == 0))
		return true;
	return moved_mA >= GRANT_NEWS_mA && moved_mA >= before_mA / GRANT_NEWS_PART;
}

/* With its reason, which comes in the frame behind the grant. */
static void tell_grant(struct smon_model *m, struct smon_point *p)
{
	const struct site_grant *g = &p->sent.grant;

	if (p->sent.heard_us == SMON_NEVER)
		return;
	if (is_news(p->told_mA, g->charge_current_mA)) {
		tell(m, of_grant(p), SMON_INFO, "%s %s -> %s A: %s",
		     g->charge_current_mA < p->told_mA ? "lowered" : "raised", amps(p->told_mA).text,
		     amps(g->charge_current_mA).text, smon_reason_name(p->reason.reason));
		p->told_mA = g->charge_current_mA;
	}
	if (is_news(p->told_discharge_mA, g->discharge_current_mA)) {
		tell(m, of_grant(p), SMON_INFO, "may feed back %s -> %s A: %s",
		     amps(p->told_discharge_mA).text, amps(g->discharge_current_mA).text,
		     smon_reason_name(p->reason.reason));
		p->told_discharge_mA = g->discharge_current_mA;
	}
}

const struct smon_point *smon_point(const struct smon_model *m, unsigned bus, unsigned number)
{
	return is_known(m, bus, number) ? &m->point[bus][number] : NULL;
}

const struct smon_point *smon_next_point(const struct smon_model *m, unsigned bus, unsigned number)
{
	for (number++; bus < m->n_buses; bus++, number = 1)
		for (; number < SMON_N_NUMBERS; number++)
			if (is_known(m, bus, number))
				return &m->point[bus][number];
	return NULL;
}

/* --- the site ------------------------------------------------------------------------------------------ */

static bool is_limit_news(const struct smon_model *m, const struct smon_row *r, int32_t limit_mA)
{
	int32_t moved_mA = fc_abs_i32(limit_mA - r->told_limit_mA);

	if (moved_mA <= LIMIT_NEWS_mA || moved_mA < r->told_limit_mA / LIMIT_NEWS_PART)
		return false;
	return moved_mA >= r->told_limit_mA / LIMIT_NEWS_GREAT || m->now_us - r->told_us >= LIMIT_NEWS_US;
}

static void tell_row_numbers(struct smon_model *m, enum smon_event_kind kind, unsigned row,
			     enum smon_severity severity, int32_t a_mA, int32_t b_mA)
{
	const struct smon_event about = {
		.kind = (uint8_t)kind, .row = (uint16_t)row, .a_mA = a_mA, .b_mA = b_mA};

	tell(m, about, severity,
	     kind == SMON_EVENT_LIMIT ? "limit %s -> %s A" : "%s A may be drawn, limit %s A", amps(a_mA).text,
	     amps(b_mA).text);
}

static void tell_row(struct smon_model *m, struct smon_row *r, const struct site_row_load *load)
{
	bool is_over = load->taken_mA > load->limit_mA;

	if (is_limit_news(m, r, load->limit_mA)) {
		tell_row_numbers(m, SMON_EVENT_LIMIT, load->row,
				 load->limit_mA < r->told_limit_mA ? SMON_WARN : SMON_INFO, r->told_limit_mA,
				 load->limit_mA);
		r->told_limit_mA = load->limit_mA;
		r->told_us = m->now_us;
	}
	if (is_over && !r->is_over)
		tell_row_numbers(m, SMON_EVENT_OVER, load->row, SMON_BAD, load->taken_mA, load->limit_mA);
	else if (r->is_over && !is_over)
		tell(m, (struct smon_event){.row = load->row}, SMON_GOOD, "within its limit again");
	r->n_over += is_over && !r->is_over;
	r->is_over = is_over;
}

static void take_row(struct smon_model *m, const struct site_row_load *load)
{
	struct smon_row *r;
	bool is_first;

	if (load->row >= SMON_MAX_ROWS) {
		m->n_bad++;
		return;
	}
	r = &m->row[load->row];
	is_first = r->heard_us == SMON_NEVER;
	if (is_first) {
		r->told_limit_mA = load->limit_mA;
		r->told_us = m->now_us - LIMIT_NEWS_US;
	}
	if (load->row >= m->n_rows)
		m->n_rows = load->row + 1u;
	if (is_first || load->drawn_mA != r->load.drawn_mA || load->taken_mA != r->load.taken_mA ||
	    load->limit_mA != r->load.limit_mA)
		m->n_changes++;
	tell_row(m, r, load);
	r->load = *load;
	r->heard_us = m->now_us;
	smon_history_row(m, load->row, is_first);
}

const struct smon_row *smon_row(const struct smon_model *m, uint32_t row)
{
	return row < m->n_rows && m->row[row].heard_us != SMON_NEVER ? &m->row[row] : NULL;
}

bool smon_row_is_old(const struct smon_model *m, const struct smon_row *r)
{
	int64_t round_s = (int64_t)m->n_rows / ROWS_PER_S;

	return m->is_site_silent ||
	       m->now_us - r->heard_us > 2 * (round_s > ROUND_MIN_S ? round_s : ROUND_MIN_S) * FC_US_PER_S;
}

static void take_status(struct smon_model *m, const struct site_status *s)
{
	struct site_status before = m->status;
	bool is_first = m->status_us == SMON_NEVER;
	unsigned i;

	m->status = *s;
	m->status_us = m->now_us;
	if (m->is_site_silent) {
		m->is_site_silent = false;
		tell(m, site_as_a_whole(), SMON_GOOD, "speaks again");
	}
	if (is_first || before.state != s->state)
		tell(m, site_as_a_whole(), s->state == SITE_STATUS_STATE_FALLBACK ? SMON_WARN : SMON_INFO,
		     "%s", smon_site_state_name(s->state));
	if (is_first || before.policy != s->policy)
		tell(m, site_as_a_whole(), SMON_INFO, "policy %s", smon_policy_name(s->policy));
	if (before.shadow != s->shadow)
		tell(m, site_as_a_whole(), SMON_INFO, "policy %s in the shadow", smon_policy_name(s->shadow));
	for (i = 0; i < SMON_N_ALARMS; i++) {
		bool was = !is_first && (before.alarm >> i & 1), is = s->alarm >> i & 1;

		if (is != was)
			tell(m, site_as_a_whole(), is ? SMON_BAD : SMON_GOOD, "%s%s",
			     is ? "" : "over: ", smon_alarm_text(i));
	}
}

/* --- frames -------------------------------------------------------------------------------------------- */

union smon_msg {
	struct site_point_report report;
	struct site_point_demand demand;
	struct site_point_session session;
	struct site_point_meter meter;
	struct site_grant grant;
	struct site_grant_reason reason;
	struct site_row_load row;
	struct site_status status;
};

static void take_point(struct smon_model *m, unsigned bus, unsigned number, enum site_msg msg,
		       const union smon_msg *u)
{
	struct smon_point *p = point_at(m, bus, number);

	if (msg == SITE_POINT_REPORT) {
		take_report(m, p, &u->report);
	} else if (msg == SITE_POINT_DEMAND) {
		m->n_changes += memcmp(&p->demand, &u->demand, sizeof(p->demand)) != 0;
		p->demand = u->demand;
		p->demand_us = m->now_us;
	} else if (msg == SITE_POINT_SESSION) {
		m->n_changes += memcmp(&p->session, &u->session, sizeof(p->session)) != 0;
		p->session = u->session;
		p->session_us = m->now_us;
	} else if (msg == SITE_POINT_METER) {
		m->n_changes += memcmp(&p->meter, &u->meter, sizeof(p->meter)) != 0;
		p->meter = u->meter;
		p->meter_us = m->now_us;
	} else if (msg == SITE_GRANT) {
		take_grant(m, p, &u->grant);
	} else if (msg == SITE_GRANT_REASON) {
		m->n_changes += memcmp(&p->reason, &u->reason, sizeof(p->reason)) != 0;
		p->reason = u->reason;
		p->reason_us = m->now_us;
		tell_grant(m, p);
	}
}

void smon_rx(struct smon_model *m, int64_t now_us, unsigned bus, const struct can_frame *f)
{
	union smon_msg u = {0};
	unsigned number;
	int msg;

	if (now_us > m->now_us)
		m->now_us = now_us;
	m->n_frames++;
	if (f->can_id & CAN_ERR_FLAG) {
		m->n_errors++;
		return;
	}
	if (bus >= SMON_MAX_BUSES || !(f->can_id & CAN_EFF_FLAG) || f->can_id & CAN_RTR_FLAG)
		return;
	msg = site_find(SITE_V1, msg_base_id(f->can_id));
	if (msg < 0)
		return;
	m->n_ours++;
	number = msg_index(f->can_id);
	if (!msg_from_frame(&site_layouts[SITE_V1][msg], &u, f, site_layouts[SITE_V1][msg].dlc)) {
		m->n_bad++;
		return;
	}
	if (msg == SITE_ROW_LOAD)
		take_row(m, &u.row);
	else if (msg == SITE_STATUS)
		take_status(m, &u.status);
	else if (number > 0)
		take_point(m, bus, number, (enum site_msg)msg, &u);
	else
		m->n_bad++;
}

void smon_dropped(struct smon_model *m, int64_t now_us, uint32_t n)
{
	if (now_us > m->now_us)
		m->now_us = now_us;
	m->n_dropped += n;
	tell(m, site_as_a_whole(), SMON_WARN, "%u frames lost by this listener", n);
}

/* --- totals and time ----------------------------------------------------------------------------------- */

static void add_point(const struct smon_model *m, const struct smon_point *p, struct smon_totals *t)
{
	t->n_points++;
	t->may_draw_mA += p->report.may_draw_mA;
	if (smon_lease_left_us(m, p) >= 0)
		t->granted_mA += p->in_force.grant.charge_current_mA;
	if (p->is_silent || p->report_us == SMON_NEVER)
		return;
	t->n_reporting++;
	t->n_charging += p->report.state == SITE_POINT_REPORT_STATE_CHARGING;
	t->n_discharging += p->report.state == SITE_POINT_REPORT_STATE_DISCHARGING;
	t->n_waiting += p->report.state == SITE_POINT_REPORT_STATE_WAITING;
	t->n_faulted += p->report.state == SITE_POINT_REPORT_STATE_FAULT;
	t->drawn_mA += fc_max_i32(p->demand.present_mA, 0);
	t->fed_mA += fc_max_i32(-p->demand.present_mA, 0);
	t->requested_mA += p->demand.requested_mA;
}

struct smon_totals smon_totals(const struct smon_model *m)
{
	const struct smon_point *p = NULL;
	struct smon_totals t = {0};
	uint32_t i;

	while ((p = smon_next_point(m, p ? p->bus : 0, p ? p->number : 0)) != NULL)
		add_point(m, p, &t);
	for (i = 0; i < m->n_rows; i++) {
		t.n_rows += m->row[i].heard_us != SMON_NEVER;
		t.n_rows_over += m->row[i].is_over;
	}
	return t;
}

void smon_init(struct smon_model *m, const struct smon_sink *sink, int64_t now_us)
{
	uint32_t i;

	memset(m, 0, offsetof(struct smon_model, row));
	if (sink)
		m->sink = *sink;
	m->start_us = m->now_us = now_us;
	m->status_us = SMON_NEVER;
	for (i = 0; i < SMON_MAX_ROWS; i++)
		m->row[i] = (struct smon_row){.heard_us = SMON_NEVER};
	smon_history_init(m);
}

void smon_tick(struct smon_model *m, int64_t now_us)
{
	const struct smon_point *known = NULL;

	if (now_us > m->now_us)
		m->now_us = now_us;
	while ((known = smon_next_point(m, known ? known->bus : 0, known ? known->number : 0)) != NULL) {
		struct smon_point *p = &m->point[known->bus][known->number];

		if (p->is_silent || p->report_us == SMON_NEVER || m->now_us - p->report_us < SMON_SILENT_US)
			continue;
		p->is_silent = true;
		tell(m, of_point(p), SMON_WARN, "silent: its safe current is set aside");
	}
	if (m->status_us != SMON_NEVER && !m->is_site_silent && m->now_us - m->status_us >= SMON_SILENT_US) {
		m->is_site_silent = true;
		tell(m, site_as_a_whole(), SMON_BAD, "silent: leases run out");
	}
	smon_history_advance(m);
}
