/* SPDX-License-Identifier: MIT */
/*
 * One cycle: limits without noise, what the points want, what is set aside, the policy's answer, and aims
 * that fit every row with the safe currents of all. Pure.
 *
 * Set aside, before the policy is asked: what those who are not asked may draw by the ledger (silent,
 * faulted, idle and not yet confirmed), and the minimum of those who are pinned (site_hold.h).
 */
#include "site-ctrl/site_priv.h"

#include <string.h>

/* A turn of a point without a minimum of its own. */
#define TURN_mA 6000

/* --- limits ------------------------------------------------------------------------------------------------ */

static void calm_limits(struct site *s)
{
	uint32_t row;

	for (row = 0; row < s->model->site.n_rows; row++)
		s->calm_mA[row] = site_calm_limit_mA(&s->calm[row], fc_max_i32(s->limits->limit_mA[row], 0),
						     s->is_trim);
	for (row = 0; s->has_export && row < s->model->site.n_rows; row++)
		s->calm_export_mA[row] = site_calm_limit_mA(
			&s->calm_export[row], fc_max_i32(s->limits->export_limit_mA[row], 0), s->is_trim);
}

/* What is left of the limits when that is taken off which is in s->aside. */
static void leave_rest(const struct site *s, const int32_t *limit_mA, int32_t *rest_mA)
{
	uint32_t row;

	for (row = 0; row < s->model->site.n_rows; row++) {
		int64_t rest = limit_mA[row] - site_rows_mA(&s->aside, row);

		rest_mA[row] = rest > 0 ? (int32_t)rest : 0;
	}
}

static bool is_asked(const struct site *s, uint32_t i)
{
	return s->slot[i].role == SITE_ROLE_ASKED;
}

static void leave_export(struct site *s)
{
	uint32_t i;

	if (!s->has_export)
		return;
	site_rows_clear(&s->aside);
	for (i = 0; i < s->model->n_points; i++)
		if (!is_asked(s, i))
			site_rows_add(&s->aside, i, s->may_feed_mA[i]);
	leave_rest(s, s->calm_export_mA, s->asked_export_mA);
}

/* --- pins -------------------------------------------------------------------------------------------------- */

static int32_t pin_size_mA(const struct site *s, uint32_t i)
{
	const struct alloc_point *w = &s->want[i];

	return w->min_mA > 0 ? w->min_mA
			     : site_round_down_mA(&s->model->point[i], fc_min_i32(w->max_mA, TURN_mA));
}

static bool fits_aside(const struct site *s, uint32_t i, int32_t mA)
{
	uint32_t row;

	return site_rows_room_mA(&s->aside, s->calm_mA, i, mA, &row) == mA;
}

/* From here on the policy shares what is beyond the pin. */
static void pin(struct site *s, uint32_t i)
{
	struct site_slot *slot = &s->slot[i];
	struct alloc_point *w = &s->want[i];
	int32_t mA = pin_size_mA(s, i);

	if (mA == 0 || !fits_aside(s, i, mA)) {
		slot->hold.pin_until_us = 0;
		s->count.n_pins_dropped++;
		return;
	}
	site_rows_add(&s->aside, i, mA);
	slot->pin_mA = mA;
	w->min_mA = 0;
	w->max_mA -= mA;
	w->max_discharge_mA = 0;
	w->grant_mA = fc_max_i32(w->grant_mA - mA, 0);
	w->drawn_mA = fc_max_i32(w->drawn_mA - mA, 0);
	/* With its minimum as its maximum there is nothing to ask the policy for. */
	if (w->max_mA == 0)
		w->state = ALLOC_IDLE;
}

static bool is_pinned(const struct site_slot *slot, int64_t now_us)
{
	return now_us < slot->hold.pin_until_us;
}

/*
 * Waits for a turn: wants, has nothing, and could have its minimum if it were alone with what is set aside.
 */
static bool is_in_queue(const struct site *s, uint32_t i, int64_t now_us)
{
	const struct site_slot *slot = &s->slot[i];

	return is_asked(s, i) && slot->hold.wait_us != ALLOC_UNKNOWN && !is_pinned(slot, now_us) &&
	       s->want[i].max_mA > 0;
}

/* Who waited longest and fits gets his turn, when one is due. */
static void give_turn(struct site *s, uint32_t n_waiting, int64_t now_us)
{
	int64_t turn_us = site_hold_turn_us(&s->conf, n_waiting);
	uint32_t i, best = UINT32_MAX;

	if (now_us - s->turn_us < turn_us)
		return;
	for (i = 0; i < s->model->n_points; i++) {
		const struct site_hold *h = &s->slot[i].hold;

		if (is_in_queue(s, i, now_us) && now_us - h->wait_us >= turn_us &&
		    (best == UINT32_MAX || h->wait_us < s->slot[best].hold.wait_us) &&
		    fits_aside(s, i, pin_size_mA(s, i)))
			best = i;
	}
	if (best == UINT32_MAX)
		return;
	s->slot[best].hold.pin_until_us = now_us + turn_us;
	s->turn_us = now_us;
	s->count.n_turns++;
	log_f(&s->log, LOG_INF, "turn: point %s waited_s=%d turn_s=%d waiting=%u", s->model->point[best].name,
	      (int)((now_us - s->slot[best].hold.wait_us) / FC_US_PER_S), (int)(turn_us / FC_US_PER_S),
	      n_waiting);
	pin(s, best);
}

static void set_aside(struct site *s, int64_t now_us)
{
	uint32_t i, n_waiting = 0;

	site_rows_clear(&s->aside);
	for (i = 0; i < s->model->n_points; i++)
		if (!is_asked(s, i))
			site_rows_add(&s->aside, i, s->may_draw_mA[i]);
		else /* safe currents beyond what it can use are nobody's */
			site_rows_add(&s->aside, i,
				      fc_max_i32(s->model->point[i].safe_mA - s->want[i].max_mA, 0));
	for (i = 0; s->conf.wait_max_ms > 0 && i < s->model->n_points; i++)
		n_waiting += is_in_queue(s, i, now_us) && fits_aside(s, i, pin_size_mA(s, i));
	for (i = 0; i < s->model->n_points; i++)
		if (is_asked(s, i) && is_pinned(&s->slot[i], now_us))
			pin(s, i);
	if (n_waiting > 0 && !site_is_quiet(s, now_us))
		give_turn(s, n_waiting, now_us);
	leave_rest(s, s->calm_mA, s->asked_mA);
}

/* --- asking ------------------------------------------------------------------------------------------------ */

static void fill_call(struct site *s, struct alloc_call *call, struct alloc_grant *grant, int64_t now_us)
{
	*call = (struct alloc_call){
		.size = sizeof(*call),
		.n_points = s->model->n_points,
		.now_us = now_us,
		.site = &s->model->site,
		.limit_mA = s->asked_mA,
		.export_limit_mA = s->has_export ? s->asked_export_mA : NULL,
		.point = s->want,
		.point_stride = sizeof(*s->want),
		.outlook_stride = sizeof(*s->outlook),
		.outlook = s->outlook,
		.n_outlook = s->n_outlook,
		.grant_stride = sizeof(*grant),
		.grant = grant,
		.again_us = FC_NEVER,
	};
	memset(grant, 0, s->model->n_points * sizeof(*grant));
}

static enum alloc_fault ask(struct site *s, const struct site_policy *policy, struct alloc_run *run,
			    struct alloc_grant *grant, int64_t now_us)
{
	struct alloc_call call;
	enum alloc_fault fault;

	fill_call(s, &call, grant, now_us);
	if (!policy->allocate)
		return alloc_run_cycle(run, NULL, NULL, &call);
	alloc_run_begin(run, &call);
	fault = alloc_run_finish(run, &call, policy->allocate(policy->ctx, &call));
	if (policy->judged)
		policy->judged(policy->ctx, fault, now_us);
	if (grant == s->grant && call.again_us < FC_NEVER)
		s->early_us = fc_min_i64(s->early_us, call.again_us > now_us + SITE_EARLY_GAP_US
							      ? call.again_us
							      : now_us + SITE_EARLY_GAP_US);
	return fault;
}

/* Nobody is switched off within his minimum time on, as long as his minimum fits beside the others'. */
static bool pin_fixed(struct site *s, int64_t now_us)
{
	bool is_any = false;
	uint32_t i;

	for (i = 0; i < s->model->n_points; i++) {
		struct site_slot *slot = &s->slot[i];

		if (!is_asked(s, i) || s->grant[i].mA > 0 || slot->pin_mA > 0 || slot->charge_mA == 0 ||
		    s->want[i].min_mA == 0 || !site_hold_is_fixed_on(&slot->hold, &s->conf, now_us))
			continue;
		slot->hold.pin_until_us = site_hold_fixed_until_us(&slot->hold, &s->conf, now_us);
		pin(s, i);
		is_any = is_any || slot->pin_mA > 0;
	}
	return is_any;
}

static void log_fault(struct site *s, enum alloc_fault was, int64_t now_us)
{
	const struct alloc_verdict *v = &s->run.last;

	if (s->fault == ALLOC_OK) {
		if (was != ALLOC_OK)
			log_f(&s->log, LOG_NOTE, "policy %s: good again", s->policy.name);
		return;
	}
	if (s->logged_fault_us != ALLOC_UNKNOWN && now_us - s->logged_fault_us < SITE_LOG_GAP_US)
		return;
	s->logged_fault_us = now_us;
	log_f(&s->log, LOG_ERR_LEVEL,
	      "policy %s: %s, equal share instead; point=%d row=%d value_mA=%lld limit_mA=%lld",
	      s->policy.name, alloc_fault_name(s->fault), (int)v->point, (int)v->row, (long long)v->value_mA,
	      (long long)v->limit_mA);
}

static void ask_live(struct site *s, int64_t now_us)
{
	enum alloc_fault was = s->fault;

	set_aside(s, now_us);
	s->fault = ask(s, &s->policy, &s->run, s->grant, now_us);
	if (pin_fixed(s, now_us)) {
		s->count.n_reruns++;
		leave_rest(s, s->calm_mA, s->asked_mA);
		s->fault = ask(s, &s->policy, &s->run, s->grant, now_us);
	}
	log_fault(s, was, now_us);
}

/* The other policy on the same question. Differences are collected and told once a minute. */
static void ask_shadow(struct site *s, int64_t now_us)
{
	struct site_shadow *sh = &s->shadow;
	int64_t live_mA = 0, shadow_mA = 0;
	uint32_t i, n = 0;

	if (!s->shadow_policy.allocate)
		return;
	ask(s, &s->shadow_policy, &sh->run, sh->grant, now_us);
	s->count.n_shadow_calls++;
	for (i = 0; i < s->model->n_points; i++) {
		live_mA += s->grant[i].mA;
		shadow_mA += sh->grant[i].mA;
		if (s->grant[i].mA == sh->grant[i].mA)
			continue;
		n++;
		sh->most_mA = fc_max_i32(sh->most_mA, fc_abs_i32(s->grant[i].mA - sh->grant[i].mA));
	}
	if (n == 0)
		return;
	s->count.n_shadow_different++;
	sh->n_different++;
	if (sh->logged_us != ALLOC_UNKNOWN && now_us - sh->logged_us < SITE_LOG_GAP_US)
		return;
	log_f(&s->log, LOG_INF,
	      "shadow %s differs: points=%u live_mA=%lld shadow_mA=%lld; since the last line cycles=%u most_mA=%d",
	      s->shadow_policy.name, n, (long long)live_mA, (long long)shadow_mA, sh->n_different,
	      sh->most_mA);
	sh->logged_us = now_us;
	sh->n_different = 0;
	sh->most_mA = 0;
}

/* --- aims -------------------------------------------------------------------------------------------------- */

static void aim_asked(struct site *s, uint32_t i)
{
	const struct alloc_grant *g = &s->grant[i];
	struct site_slot *slot = &s->slot[i];

	slot->aim_mA = g->mA + slot->pin_mA;
	slot->aim_reason = (uint8_t)g->reason;
	slot->aim_row = g->row;
	if (slot->aim_mA > 0)
		slot->aim_mA = site_round_down_mA(&s->model->point[i], slot->aim_mA);
	if (slot->pin_mA > 0 && g->mA == 0)
		slot->aim_reason = s->want[i].max_mA == 0 ? ALLOC_REASON_MAXIMUM : ALLOC_REASON_HOLD;
	else if (s->fault != ALLOC_OK && g->reason != ALLOC_REASON_MAXIMUM)
		slot->aim_reason = ALLOC_REASON_FALLBACK;
}

static void aim(struct site *s, uint32_t i)
{
	struct site_slot *slot = &s->slot[i];

	slot->aim_row = ALLOC_NO_ROW;
	slot->aim_mA = 0;
	switch ((enum site_role)slot->role) {
	case SITE_ROLE_ASKED:
		aim_asked(s, i);
		break;
	case SITE_ROLE_HELD:
		slot->aim_reason = ALLOC_REASON_HOLD;
		break;
	case SITE_ROLE_SILENT:
		/* It may only be the rest of its reports that is missing: what it has is renewed. */
		slot->aim_mA = slot->charge_mA;
		slot->aim_reason = ALLOC_REASON_SILENT;
		break;
	case SITE_ROLE_OUT:
		slot->aim_reason = ALLOC_REASON_NONE;
		break;
	case SITE_ROLE_IDLE:
		slot->aim_reason = site_wants(slot) ? ALLOC_REASON_MAXIMUM : ALLOC_REASON_NONE;
		break;
	}
}

/* As much of the aim as fits beside the safe currents of all and the aims before it. */
static void fit_aim(struct site *s, uint32_t i)
{
	const struct site_point_conf *p = &s->model->point[i];
	struct site_slot *slot = &s->slot[i];
	int32_t over_mA = slot->aim_mA - p->safe_mA, room_mA;
	uint32_t row;

	if (over_mA <= 0)
		return;
	room_mA = site_rows_room_mA(&s->aside, s->limits->limit_mA, i, over_mA, &row);
	if (room_mA < over_mA) {
		slot->aim_mA = site_round_down_mA(p, p->safe_mA + room_mA);
		if (slot->aim_mA < slot->minimum_mA)
			slot->aim_mA = 0;
		slot->aim_reason = ALLOC_REASON_ROW;
		slot->aim_row = row;
	}
	site_rows_add(&s->aside, i, fc_max_i32(slot->aim_mA - p->safe_mA, 0));
}

/*
 * The ledger's rule needs aims that fit every row with the safe currents counted (lease.h). Policies see
 * minima that are not below them, so this hardly ever takes anything away; what it does not know are those
 * who cannot be asked.
 */
static void fit_aims(struct site *s)
{
	uint32_t i;

	site_rows_clear(&s->aside);
	for (i = 0; i < s->model->n_points; i++)
		site_rows_add(&s->aside, i, s->model->point[i].safe_mA);
	for (i = 0; i < s->model->n_points; i++)
		if (s->slot[i].role == SITE_ROLE_SILENT)
			fit_aim(s, i);
	for (i = 0; i < s->model->n_points; i++)
		if (is_asked(s, i))
			fit_aim(s, i);
}

/* Who has nothing and the policy means to give him something, waits. */
static void count_wait(struct site *s, uint32_t i, int64_t now_us)
{
	struct site_slot *slot = &s->slot[i];
	bool is_waiting = (slot->role == SITE_ROLE_ASKED || slot->role == SITE_ROLE_HELD) &&
			  slot->charge_mA == 0 && slot->discharge_mA == 0 &&
			  slot->aim_reason != ALLOC_REASON_POLICY;

	if (slot->role == SITE_ROLE_SILENT || site_is_quiet(s, now_us))
		return;
	if (!is_waiting)
		slot->hold.wait_us = ALLOC_UNKNOWN;
	else if (slot->hold.wait_us == ALLOC_UNKNOWN)
		slot->hold.wait_us = now_us;
}

void site_cycle(struct site *s, int64_t now_us)
{
	uint32_t i;

	s->count.n_cycles++;
	s->early_us = FC_NEVER;
	calm_limits(s);
	site_refresh(s, now_us);
	for (i = 0; i < s->model->n_points; i++)
		site_want(s, i, now_us);
	leave_export(s);
	ask_live(s, now_us);
	ask_shadow(s, now_us);
	for (i = 0; i < s->model->n_points; i++) {
		aim(s, i);
		count_wait(s, i, now_us);
	}
	fit_aims(s);
	s->is_trim = false;
}
