/* SPDX-License-Identifier: MIT */
/* What the control socket is told. Pure. */
#include "site-ctrl/site_ctl_say.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "site-ctrl/site_ctl.h"
#include "site-ctrl/site_priv.h"
#include "site-ctrl/site_show.h"

const char *site_role_name(unsigned role)
{
	static const char *const names[] = {"silent", "out", "idle", "held", "asked"};

	return role < sizeof(names) / sizeof(names[0]) ? names[role] : "?";
}

const char *site_reason_name(unsigned reason)
{
	static const char *const names[] = {"none",   "own_maximum", "limit", "minimum_does_not_fit",
					    "policy", "ledger",	     "ramp",  "hold",
					    "silent", "fallback",    "start"};

	return reason < sizeof(names) / sizeof(names[0]) ? names[reason] : "?";
}

static const char *state_name(uint8_t state)
{
	static const char *const names[] = {"idle",	"waiting", "charging",	 "discharging",
					    "finished", "fault",   "unavailable"};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

static int check_fit(struct ctl_answer *a)
{
	return a->is_cut ? ctl_refuse(a, -EMSGSIZE, "the answer is too long; ask for single names") : 0;
}

/* --- status ------------------------------------------------------------------------------------------------ */

static void put_sums(const struct site *s, int64_t now_us, struct ctl_answer *a)
{
	uint32_t i, n_waiting = 0, n_charging = 0;
	int64_t granted_mA = 0, drawn_mA = 0, may_mA = 0;

	for (i = 0; i < s->model->n_points; i++) {
		n_waiting += s->slot[i].hold.wait_us != ALLOC_UNKNOWN;
		n_charging += s->slot[i].charge_mA > 0;
		granted_mA += s->slot[i].charge_mA;
		drawn_mA += s->drawn_mA[i];
		may_mA += lease_may_draw_mA(&s->ledger, i, now_us);
	}
	ctl_put(a, "points", "%u", s->model->n_points);
	ctl_put(a, "reporting", "%u", site_count_reporting(s, now_us));
	ctl_put(a, "charging", "%u", n_charging);
	ctl_put(a, "waiting", "%u", n_waiting);
	ctl_put(a, "granted_mA", "%lld", (long long)granted_mA);
	ctl_put(a, "drawn_mA", "%lld", (long long)drawn_mA);
	ctl_put(a, "may_draw_mA", "%lld", (long long)may_mA);
}

static const char *or_none(const char *name)
{
	return name ? name : "none";
}

int site_say_status(const struct site *s, int64_t now_us, struct ctl_answer *a)
{
	static const char *const alarms[] = {"limit_below_safe", "meter_stale", "overdrawn", "fallback",
					     "other_site"};
	int64_t quiet_us = s->ledger.quiet_until_us - now_us;
	char text[96] = "";
	unsigned k;

	ctl_put(a, "state", "%s",
		quiet_us > 0		   ? "starting"
		: s->fault != ALLOC_OK	   ? "fallback"
		: site_is_quiet(s, now_us) ? "quiet"
					   : "running");
	ctl_put(a, "grants_in_ms", "%lld", (long long)(quiet_us > 0 ? quiet_us / FC_US_PER_MS : 0));
	ctl_put(a, "policy", "%s", or_none(s->policy.name));
	ctl_put(a, "shadow", "%s", or_none(s->shadow_policy.name));
	put_sums(s, now_us, a);
	for (k = 0; k < sizeof(alarms) / sizeof(alarms[0]); k++)
		if (s->alarm >> k & 1)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", text[0] ? "," : "",
				 alarms[k]);
	ctl_put(a, "alarm", "%s", text[0] ? text : "none");
	return check_fit(a);
}

/* --- points ------------------------------------------------------------------------------------------------ */

static bool is_chosen(const struct ctl_words *w, size_t first, const char *name)
{
	size_t k;

	for (k = first; k < w->n; k++)
		if (strcmp(w->word[k], name) == 0)
			return true;
	return first >= w->n;
}

static void put_point(const struct site *s, uint32_t i, int64_t now_us, struct ctl_answer *a)
{
	const struct site_slot *slot = &s->slot[i];
	const struct site_heard *h = &slot->heard;
	char row[64] = "none";
	int64_t until_us;
	int32_t in_force_mA;
	bool has = lease_in_force(&s->ledger, i, now_us, &in_force_mA, &until_us);

	if (slot->row < s->model->site.n_rows)
		site_row_name(s->model, slot->row, row, sizeof(row));
	ctl_put(a, s->model->point[i].name,
		"state %s role %s requested_mA %d drawn_mA %d aim_mA %d granted_mA %d may_draw_mA %d "
		"lease_ms %lld reason %s row %s class %d soc %d waits_s %lld pinned_mA %d",
		h->report_us == ALLOC_UNKNOWN ? "never_heard" : state_name(h->state),
		site_role_name(slot->role), h->requested_mA, h->present_mA, slot->aim_mA,
		slot->charge_mA > 0 ? slot->charge_mA : -slot->discharge_mA,
		lease_may_draw_mA(&s->ledger, i, now_us),
		(long long)(has && until_us > now_us ? (until_us - now_us) / FC_US_PER_MS : 0),
		site_reason_name(slot->reason), row, s->want[i].class,
		h->soc_percent == 255 ? -1 : h->soc_percent,
		slot->hold.wait_us == ALLOC_UNKNOWN
			? 0LL
			: (long long)((now_us - slot->hold.wait_us) / FC_US_PER_S),
		slot->pin_mA);
}

static int refuse_name(const struct ctl_words *w, size_t k, const char *what, struct ctl_answer *a)
{
	return ctl_refuse(a, -ENOENT, "no %s %s; \"show\" lists them", what, w->word[k]);
}

int site_say_points(const struct site *s, const struct ctl_words *w, size_t first, int64_t now_us,
		    struct ctl_answer *a)
{
	uint32_t i;
	size_t k;

	for (k = first; k < w->n; k++)
		if (site_model_find_point(s->model, w->word[k]) == UINT32_MAX)
			return refuse_name(w, k, "point", a);
	for (i = 0; i < s->model->n_points; i++)
		if (is_chosen(w, first, s->model->point[i].name))
			put_point(s, i, now_us, a);
	return check_fit(a);
}

/* --- rows -------------------------------------------------------------------------------------------------- */

static uint32_t place_of(const struct site_model *m, uint32_t row)
{
	const struct site_row_info *info = &m->info[row];

	return info->constraint != UINT32_MAX ? m->n_nodes + info->constraint : info->node;
}

static void put_row(const struct site *s, uint32_t row, struct ctl_answer *a)
{
	char name[64];

	site_row_name(s->model, row, name, sizeof(name));
	ctl_put(a, name, "drawn_mA %lld may_mA %lld limit_mA %d used_limit_mA %d alarm %u",
		(long long)alloc_row_mA(&s->model->site, row, s->drawn_mA, sizeof(s->drawn_mA[0]), false),
		(long long)site_rows_mA(&s->taken, row), s->limits->limit_mA[row], s->calm_mA[row],
		s->limits->alarm[row]);
}

int site_say_rows(const struct site *s, const struct ctl_words *w, size_t first, struct ctl_answer *a)
{
	uint32_t row;
	size_t k;

	for (k = first; k < w->n; k++)
		if (site_model_find_place(s->model, w->word[k]) == UINT32_MAX)
			return refuse_name(w, k, "place", a);
	for (row = 0; row < s->model->site.n_rows; row++)
		if (is_chosen(w, first, site_model_place_name(s->model, place_of(s->model, row))))
			put_row(s, row, a);
	return check_fit(a);
}

/* --- tree -------------------------------------------------------------------------------------------------- */

int site_say_tree(const struct site *s, struct ctl_answer *a)
{
	struct site_show show = {.limits = s->limits, .point_mA = s->drawn_mA};
	size_t n = site_show_write(s->model, &show, a->text, a->size);

	if (n >= a->size)
		return ctl_refuse(a, -EMSGSIZE, "the picture is too long; see site-ctrl --show, or \"rows\"");
	a->n = n;
	return 0;
}

/* --- counters ---------------------------------------------------------------------------------------------- */

int site_say_counters(const struct site *s, struct ctl_answer *a)
{
	const struct site_count *c = &s->count;
	const struct {
		const char *name;
		uint64_t n;
	} list[] = {
		{"cycles", c->n_cycles},
		{"early_cycles", c->n_early},
		{"passes", c->n_passes},
		{"reruns", c->n_reruns},
		{"reports", c->n_reports},
		{"refused_reports", c->n_refused_reports},
		{"bad_frames", c->n_bad_frames},
		{"unknown_points", c->n_unknown_points},
		{"grants", c->n_grants},
		{"changes", c->n_changes},
		{"lowered", c->n_lowered},
		{"raised", c->n_raised},
		{"not_granted", c->n_not_granted},
		{"not_queued", c->n_not_queued},
		{"turns", c->n_turns},
		{"pins_dropped", c->n_pins_dropped},
		{"shadow_calls", c->n_shadow_calls},
		{"shadow_different", c->n_shadow_different},
		{"other_site_frames", c->n_other_sites},
	};
	size_t k;

	for (k = 0; k < sizeof(list) / sizeof(list[0]); k++)
		ctl_put(a, list[k].name, "%llu", (unsigned long long)list[k].n);
	return check_fit(a);
}

static void put_run(const struct alloc_run *run, const struct site_policy *policy, const char *prefix,
		    struct ctl_answer *a)
{
	char key[64], text[256];
	unsigned k;

	if (policy->describe) {
		policy->describe(policy->ctx, text, sizeof(text));
		snprintf(key, sizeof(key), "%shost", prefix);
		ctl_put(a, key, "%s", text);
	}
	snprintf(key, sizeof(key), "%scalls", prefix);
	ctl_put(a, key, "%llu", (unsigned long long)run->n_calls);
	for (k = ALLOC_OK + 1; k < ALLOC_N_FAULTS; k++) {
		snprintf(key, sizeof(key), "%s%s", prefix, alloc_fault_name((enum alloc_fault)k));
		ctl_put(a, key, "%llu", (unsigned long long)run->n_faults[k]);
	}
}

int site_say_faults(const struct site *s, struct ctl_answer *a)
{
	const struct alloc_verdict *v = &s->run.last;
	uint32_t i;

	put_run(&s->run, &s->policy, "policy.", a);
	if (v->fault != ALLOC_OK) {
		ctl_put(a, "policy.last", "%s", alloc_fault_name(v->fault));
		ctl_put(a, "policy.last_point", "%s",
			v->point < s->model->n_points ? s->model->point[v->point].name : "none");
		ctl_put(a, "policy.last_value_mA", "%lld", (long long)v->value_mA);
		ctl_put(a, "policy.last_limit_mA", "%lld", (long long)v->limit_mA);
	}
	if (s->shadow_policy.allocate)
		put_run(&s->shadow.run, &s->shadow_policy, "shadow.", a);
	for (i = 0; i < s->model->n_points; i++)
		if (s->slot[i].is_over)
			ctl_put(a, s->model->point[i].name, "draws %d mA, may %d mA", s->drawn_mA[i],
				s->may_draw_mA[i]);
	return check_fit(a);
}
