/* SPDX-License-Identifier: MIT */
/* What the site says of itself once a second: its status, and one row after the other. Pure. */
#include "site-ctrl/site_priv.h"

#define ROWS_PER_TELL_MAX 10
#define TELLS_PER_ROUND	  5 /* all rows within 5 s, where they are not too many */

uint32_t site_count_reporting(const struct site *s, int64_t now_us)
{
	uint32_t i, n = 0;

	for (i = 0; i < s->model->n_points; i++)
		n += site_is_fresh(s, &s->slot[i], now_us);
	return n;
}

static uint8_t alarm_of(const struct site *s, int64_t now_us)
{
	uint32_t i, bits = 0;
	uint8_t alarm = 0;

	for (i = 0; i < s->model->site.n_rows; i++)
		bits |= s->limits->alarm[i];
	alarm |= bits & SITE_ALARM_BELOW_SAFE ? SITE_STATUS_BELOW_SAFE : 0;
	alarm |= bits & SITE_ALARM_METER_STALE ? SITE_STATUS_METER_STALE : 0;
	for (i = 0; i < s->model->n_points; i++)
		alarm |= s->slot[i].is_over ? SITE_STATUS_OVERDRAWN : 0;
	alarm |= s->fault != ALLOC_OK ? SITE_STATUS_FALLBACK : 0;
	if (s->other_us != ALLOC_UNKNOWN && now_us - s->other_us < SITE_OTHER_US)
		alarm |= SITE_STATUS_OTHER_SITE;
	return alarm;
}

static void log_alarm(struct site *s, uint8_t alarm)
{
	static const char *const names[] = {"limit_below_safe", "meter_stale", "overdrawn", "fallback",
					    "other_site"};
	unsigned k;

	for (k = 0; k < sizeof(names) / sizeof(names[0]); k++)
		if ((alarm ^ s->alarm) >> k & 1)
			log_f(&s->log, LOG_WARN, "alarm %s %s", names[k], alarm >> k & 1 ? "set" : "cleared");
	s->alarm = alarm;
}

static uint16_t saturate(uint64_t n, uint16_t most)
{
	return n < most ? (uint16_t)n : most;
}

static void fill_status(const struct site *s, int64_t now_us, uint8_t state, struct site_status *m)
{
	uint64_t n_faults = 0;
	unsigned k;

	for (k = ALLOC_OK + 1; k < ALLOC_N_FAULTS; k++)
		n_faults += s->run.n_faults[k];
	*m = (struct site_status){
		.state = state,
		.policy = s->policy.code,
		.shadow = s->shadow_policy.code,
		.points = saturate(s->model->n_points, 4095),
		.reporting = saturate(site_count_reporting(s, now_us), 4095),
		.policy_faults = saturate(n_faults, 4095),
		.alarm = s->alarm,
	};
}

/* On every bus, so that each controller knows that there is a site; rows are for the monitor, on bus 0. */
static void send_status(struct site *s, int64_t now_us, uint8_t state, struct out_queue *out)
{
	struct site_status m;
	struct can_frame f;
	unsigned bus;

	fill_status(s, now_us, state, &m);
	site_wire_status(&f, &m);
	for (bus = 0; bus < s->n_buses; bus++)
		site_send(s, out, bus, &f);
}

static void send_rows(struct site *s, struct out_queue *out)
{
	const struct alloc_site *site = &s->model->site;
	uint32_t n = (site->n_rows + TELLS_PER_ROUND - 1) / TELLS_PER_ROUND, k;
	struct can_frame f;

	n = n < ROWS_PER_TELL_MAX ? n : ROWS_PER_TELL_MAX;
	for (k = 0; k < n; k++) {
		uint32_t row = s->next_row;

		site_wire_row(&f, row, alloc_row_mA(site, row, s->drawn_mA, sizeof(s->drawn_mA[0]), false),
			      site_rows_mA(&s->taken, row), s->limits->limit_mA[row]);
		site_send(s, out, 0, &f);
		s->next_row = row + 1 < site->n_rows ? row + 1 : 0;
	}
}

void site_tell(struct site *s, int64_t now_us, struct out_queue *out)
{
	uint8_t state = now_us < s->ledger.quiet_until_us ? SITE_STATUS_STATE_STARTING
			: s->fault != ALLOC_OK		  ? SITE_STATUS_STATE_FALLBACK
							  : SITE_STATUS_STATE_RUNNING;
	uint32_t i;

	/* The last word of someone who is silent counts no longer than what he may draw. */
	for (i = 0; i < s->model->n_points; i++)
		if (!site_is_fresh(s, &s->slot[i], now_us))
			s->drawn_mA[i] = fc_min_i32(s->drawn_mA[i], s->may_draw_mA[i]);
	log_alarm(s, alarm_of(s, now_us));
	send_status(s, now_us, state, out);
	send_rows(s, out);
}

void site_tell_stop(struct site *s, struct out_queue *out)
{
	send_status(s, s->cycled_us, SITE_STATUS_STATE_STOPPING, out);
}
