/* SPDX-License-Identifier: MIT */
/*
 * Requests of the control socket. Pure.
 *
 *   [N] status | site | get [KEY...] | set KEY VALUE... | stop | emergency | clear-fault | authorise yes|no |
 *   start allow|deny | need KEY NUMBER...
 *
 * A leading number selects a pistol; without one a request concerns every pistol of the process. Keys that
 * the settings do not know are offered to the power driver (its live values).
 */
#include "evse-ctrl/evse_station.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/ctl.h"

static void put_power(struct ctl_answer *a, const char *px, const struct evse_session *s)
{
	const struct pm_status *st = &s->in.status;
	char key[40];

#define PUT(name, ...)                                        \
	do {                                                  \
		snprintf(key, sizeof(key), "%s%s", px, name); \
		ctl_put(a, key, __VA_ARGS__);                 \
	} while (0)
	PUT("voltage_mV", "%d", st->v_mV);
	PUT("current_mA", "%d", st->i_mA);
	PUT("target_voltage_mV", "%d", s->sp.v_mV);
	PUT("target_current_mA", "%d", s->sp.i_max_mA);
	PUT("limit", "%s", evse_limit_name(s->binds));
	PUT("contactors", "%s", st->is_closed ? "closed" : "open");
	PUT("system_enable", "%d", evse_session_is_enabled(s));
	PUT("insulation_ohm", "%d", st->insulation_valid ? st->insulation_ohm : 0);
	PUT("driver_faults", "0x%x", st->faults);
	PUT("modules_online", "%u", st->n_online);
}

static void put_session(struct ctl_answer *a, const char *px, const struct evse_session *s, int64_t now_us)
{
	const struct evse_record *r = &s->record;
	const char *name = evse_wire_state_name(&s->wire, s->module_state);
	int64_t end_us = r->end_us ? r->end_us : now_us;
	char key[40];

	PUT("state", "%s", evse_state_row(s->state)->name);
	PUT("module_state", "%u", s->module_state);
	PUT("module_state_name", "%s",
	    s->module_state == EVSE_MS_NONE ? "not_heard"
	    : name			    ? name
					    : "unknown");
	PUT("protocol", "%s", evse_version_names[s->conf.protocol]);
	PUT("soc_percent", "%d", s->wire.vehicle.soc_permille / 10);
	PUT("session_count", "%u", r->n_sessions);
	PUT("session_open", "%d", s->is_open);
	PUT("start_allowed", "%d", s->is_start_allowed);
	PUT("session_cause", "%s", evse_cause_name(r->cause));
	PUT("session_finished", "%s",
	    r->finished == 0   ? "Clean_Stop"
	    : r->finished == 1 ? "Rushed_Stop"
			       : "none");
	PUT("session_energy_Wh", "%.1f", (double)r->energy_mJ / 3.6e6);
	PUT("session_peak_mA", "%d", r->peak_mA);
	PUT("session_ms", "%lld", r->start_us ? (long long)((end_us - r->start_us) / 1000) : 0LL);
	PUT("module_gap_max_ms", "%lld", (long long)(r->max_status_gap_us / 1000));
	PUT("emergency", "%d", s->is_emergency);
}

static void put_faults(struct ctl_answer *a, const char *px, const struct evse_session *s)
{
	const struct evse_counters *c = &s->wire.count;
	char text[160] = "";
	char key[40];
	unsigned i;

	for (i = 1; i < EVSE_N_FAULTS; i++) {
		if (s->faults.latched & 1u << i) {
			size_t n = strlen(text);

			snprintf(text + n, sizeof(text) - n, "%s%s", n ? "," : "",
				 evse_fault_name((enum evse_fault)i));
		}
	}
	PUT("faults", "%s", text[0] ? text : "none");
	PUT("rx_accepted", "%u", c->n_accepted);
	PUT("rx_dropped", "%u", c->n_foreign + c->n_kind + c->n_short);
	PUT("rx_unknown_numbers", "%u", c->n_unknown);
	PUT("guard_withheld", "%u", s->guard.n_withheld);
}

static long long lease_left_ms(const struct evse_session *s, int64_t now_us)
{
	int64_t until_us = lease_hold_next_us(&s->site.grant.hold);

	return until_us == FC_NEVER || until_us < now_us ? 0 : (long long)((until_us - now_us) / 1000);
}

/* The few that everybody wants; all of it by "site". */
static void put_grant(struct ctl_answer *a, const char *px, const struct evse_session *s, int64_t now_us)
{
	const struct evse_grant *g = &s->site.grant;
	char key[40];

	if (!s->site.is_on)
		return;
	PUT("site_grant_mA", "%d", evse_grant_allowed_mA(g, now_us));
	PUT("site_lease_ms", "%lld", lease_left_ms(s, now_us));
	PUT("site_reason", "%s", g->has_why ? evse_grant_reason_name(g->why.reason) : "none");
	PUT("site_node", "%d", g->has_why && g->why.node != UINT16_MAX ? g->why.node : -1);
}

static void put_site(struct ctl_answer *a, const char *px, const struct evse_session *s)
{
	const struct evse_grant *g = &s->site.grant;
	bool has_why = g->has_why;
	char key[40];

	PUT("site_safe_mA", "%d", g->hold.safe_mA);
	PUT("site_may_draw_mA", "%d", g->may_draw_mA);
	PUT("site_drawn_mA", "%d", evse_site_drawn_mA(s));
	PUT("site_state", "%s", evse_grant_state_name(g->told_state));
	PUT("site_row", "%d", has_why && g->why.row != UINT16_MAX ? g->why.row : -1);
	PUT("site_phase", "%d", has_why ? g->why.phase : 0);
	PUT("site_aim_mA", "%d", has_why ? g->why.aim_mA : 0);
	PUT("site_is_local", "%d", g->is_local);
	PUT("site_start_waits", "%d", s->site.is_holding && s->site.plugged_us != FC_NEVER);
	PUT("site_reports", "%u", g->n_reports);
	PUT("site_grants", "%u", g->hold.n_verdicts[LEASE_TAKEN]);
	PUT("site_dropped", "%u", evse_grant_n_dropped(g));
	PUT("site_expired", "%u", g->hold.n_expired);
#undef PUT
}

static int do_site(struct evse_point *p, const char *px, int64_t now_us, struct ctl_answer *a)
{
	if (!p->session.site.is_on)
		return ctl_refuse(a, -ENOTSUP, "no site: the setting is site = off");
	put_grant(a, px, &p->session, now_us);
	put_site(a, px, &p->session);
	return 0;
}

/* "need energy_kWh 20 departure_min 90 priority 1": any of them, in any order. */
static int do_need(struct evse_point *p, const struct ctl_words *w, size_t first, int64_t now_us,
		   struct ctl_answer *a)
{
	int64_t value, energy_Wh = EVSE_GRANT_UNKNOWN, departure_us = EVSE_GRANT_UNKNOWN;
	int32_t priority = -1;
	size_t i;

	if (w->n == first || (w->n - first) % 2)
		return ctl_refuse(a, -EINVAL,
				  "need takes energy_kWh, departure_min, priority with a number each");
	for (i = first; i < w->n; i += 2) {
		if (opts_parse_milli(w->word[i + 1], &value) || value < 0 || value > 100000000)
			return ctl_refuse(a, -EINVAL, "%s: not a number from 0 to 100000", w->word[i]);
		if (ctl_word_is(w, i, "energy_kWh"))
			energy_Wh = value;
		else if (ctl_word_is(w, i, "departure_min"))
			departure_us = now_us + value * 60 * FC_US_PER_MS;
		else if (ctl_word_is(w, i, "priority") && value <= UINT8_MAX * 1000 && value % 1000 == 0)
			priority = (int32_t)(value / 1000);
		else
			return ctl_refuse(a, -EINVAL,
					  "need knows energy_kWh, departure_min and priority 0 to 255");
	}
	if (evse_session_need(&p->session, energy_Wh, departure_us, priority))
		return ctl_refuse(a, -ENOTSUP, "no site: the setting is site = off");
	return 0;
}

static int do_status(struct evse_point *p, const char *px, int64_t now_us, struct ctl_answer *a)
{
	put_session(a, px, &p->session, now_us);
	put_power(a, px, &p->session);
	put_faults(a, px, &p->session);
	put_grant(a, px, &p->session, now_us);
	return 0;
}

/* Keys in the settings first, then the driver's live values. */
static int do_get(struct evse_point *p, const struct ctl_words *w, size_t first, int64_t now_us,
		  struct ctl_answer *a)
{
	char value[128];
	size_t i;

	if (w->n == first)
		return ctl_get(w, first, evse_conf_table, evse_conf_n, &p->session.conf, a);
	for (i = first; i < w->n; i++) {
		int found = opts_find(evse_conf_table, evse_conf_n, w->word[i]);

		if (found >= 0)
			ctl_put_option(a, "", &evse_conf_table[found], &p->session.conf);
		else if (p->ops->live &&
			 p->ops->live(p->driver_state, now_us, w->word[i], NULL, value, sizeof(value)) == 0)
			ctl_put(a, w->word[i], "%s", value);
		else
			return ctl_refuse(a, -ENOENT, "unknown key %s", w->word[i]);
	}
	return 0;
}

static int set_live(struct evse_point *p, const char *key, const char *value, int64_t now_us,
		    struct ctl_answer *a)
{
	char text[128] = "";
	int ret;

	if (!p->ops->live)
		return ctl_refuse(a, -ENOENT, "unknown key %s", key);
	ret = p->ops->live(p->driver_state, now_us, key, value, text, sizeof(text));
	if (ret == -ENOENT)
		return ctl_refuse(a, ret, "unknown key %s", key);
	if (ret)
		return ctl_refuse(a, ret, "%s %s: %s", key, value, text[0] ? text : "refused by the driver");
	return 0;
}

static int do_set(struct evse_point *p, const struct ctl_words *w, size_t first, int64_t now_us,
		  struct ctl_answer *a)
{
	struct evse_conf scratch;
	size_t i;

	if (w->n == first || (w->n - first) % 2)
		return ctl_refuse(a, -EINVAL, "set takes KEY VALUE pairs");
	for (i = first; i < w->n; i += 2) {
		int ret;

		if (opts_find(evse_conf_table, evse_conf_n, w->word[i]) >= 0) {
			struct ctl_words pair = {.n = 2, .word = {w->word[i], w->word[i + 1]}};

			ret = ctl_set(&pair, 0, evse_conf_table, evse_conf_n, &p->session.conf, &scratch,
				      sizeof(scratch), a);
		} else {
			ret = set_live(p, w->word[i], w->word[i + 1], now_us, a);
		}
		if (ret)
			return ret;
	}
	evse_power_update(&p->session, now_us, false, &p->inner); /* a lowered limit counts at once */
	return 0;
}

static int yes_or_no(const struct ctl_words *w, size_t i, const char *yes, const char *no)
{
	if (ctl_word_is(w, i, yes))
		return 1;
	return ctl_word_is(w, i, no) ? 0 : -EINVAL;
}

static int do_word(struct evse_point *p, const struct ctl_words *w, size_t i, int64_t now_us,
		   struct ctl_answer *a)
{
	struct evse_session *s = &p->session;
	int choice;

	if (ctl_word_is(w, i, "stop")) {
		evse_session_user_stop(s, now_us, &p->inner);
		return 0;
	}
	if (ctl_word_is(w, i, "emergency")) {
		evse_session_emergency(s, now_us, &p->inner);
		return 0;
	}
	if (ctl_word_is(w, i, "clear-fault")) {
		if (evse_session_clear_faults(s, now_us, &p->inner))
			return ctl_refuse(
				a, -EBUSY,
				"the cause of a fault is still present, or power is being shut down");
		return 0;
	}
	if (ctl_word_is(w, i, "authorise")) {
		choice = yes_or_no(w, i + 1, "yes", "no");
		if (choice < 0)
			return ctl_refuse(a, -EINVAL, "authorise takes yes or no");
		evse_session_authorise(s, choice, &p->inner);
		return 0;
	}
	if (ctl_word_is(w, i, "start")) {
		choice = yes_or_no(w, i + 1, "allow", "deny");
		if (choice < 0)
			return ctl_refuse(a, -EINVAL, "start takes allow or deny");
		evse_session_allow_start(s, choice, &p->inner);
		return 0;
	}
	return ctl_refuse(
		a, -ENOENT,
		"unknown request; known: status site get set stop emergency clear-fault authorise start need");
}

static int command_point(struct evse_point *p, const struct ctl_words *w, size_t i, const char *px,
			 int64_t now_us, struct ctl_answer *a)
{
	if (ctl_word_is(w, i, "status"))
		return do_status(p, px, now_us, a);
	if (ctl_word_is(w, i, "site"))
		return do_site(p, px, now_us, a);
	if (ctl_word_is(w, i, "need"))
		return do_need(p, w, i + 1, now_us, a);
	if (ctl_word_is(w, i, "get"))
		return do_get(p, w, i + 1, now_us, a);
	if (ctl_word_is(w, i, "set"))
		return do_set(p, w, i + 1, now_us, a);
	return do_word(p, w, i, now_us, a);
}

static int select_pistol(const struct evse_station *st, const struct ctl_words *w, unsigned *only)
{
	char *end;
	unsigned long n;

	*only = 0;
	if (w->n == 0 || w->word[0][0] < '0' || w->word[0][0] > '9')
		return 0;
	n = strtoul(w->word[0], &end, 10);
	if (*end || n < EVSE_INDEX_MIN || n > EVSE_INDEX_MAX || !st->point[n])
		return -ENOENT;
	*only = (unsigned)n;
	return 1;
}

/* "need 2 energy_kWh 20" is said as well as "2 need ...". */
static void allow_number_second(struct ctl_words *w)
{
	if (w->n < 2 || !ctl_word_is(w, 0, "need") || w->word[1][0] < '0' || w->word[1][0] > '9')
		return;
	w->word[0] = w->word[1];
	w->word[1] = "need";
}

int evse_ctl_command(void *self, int64_t now_us, const char *line, char *answer, size_t size,
		     struct out_queue *out)
{
	struct evse_station *st = self;
	struct ctl_answer a;
	struct ctl_words w;
	unsigned i, only;
	int first, ret = 0;

	ctl_answer_init(&a, answer, size);
	if (ctl_split(line, &w))
		return ctl_refuse(&a, -EINVAL, "request too long");
	allow_number_second(&w);
	first = select_pistol(st, &w, &only);
	if (first < 0)
		return ctl_refuse(&a, first, "no pistol %s here", w.word[0]);
	for (i = EVSE_INDEX_MIN; i <= EVSE_INDEX_MAX && ret == 0; i++) {
		struct evse_point *p = st->point[i];
		char px[8] = "";

		if (!p || (only && i != only))
			continue;
		if (st->n_points > 1)
			snprintf(px, sizeof(px), "%u.", i);
		ret = command_point(p, &w, (size_t)first, px, now_us, &a);
		evse_point_settle(p, now_us, out);
		st->next_us[i] = evse_point_next_us(p);
	}
	return ret;
}
