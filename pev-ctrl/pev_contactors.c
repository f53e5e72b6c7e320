/* SPDX-License-Identifier: MIT */
/* Closing and opening of the contactors. Pure. */
#include "pev-ctrl/pev_contactors.h"

#include <forecourt/units.h>

#include "lib/core/deadline.h"

static const char *const names[] = {
	[PEV_K_OPEN] = "Open",	       [PEV_K_CLOSING] = "Closing", [PEV_K_CLOSED] = "Closed",
	[PEV_K_SHEDDING] = "Shedding", [PEV_K_OPENING] = "Opening",
};

const char *pev_contactors_name(enum pev_contactor_state state)
{
	return names[state];
}

static void move(struct pev_contactors *k, enum pev_contactor_state state, int64_t due_us)
{
	k->state = state;
	k->due_us = due_us;
	k->is_closed = state == PEV_K_CLOSING || state == PEV_K_CLOSED || state == PEV_K_SHEDDING;
}

static void start_opening(struct pev_contactors *k, int64_t now_us, bool is_urgent)
{
	k->is_urgent = is_urgent;
	move(k, PEV_K_OPENING, deadline_after(now_us, k->timeout_us));
}

void pev_contactors_init(struct pev_contactors *k, int64_t now_us, int64_t timeout_us, int64_t shed_wait_us)
{
	k->timeout_us = timeout_us;
	k->shed_wait_us = shed_wait_us;
	k->is_welded = false;
	start_opening(k, now_us, false);
}

void pev_contactors_refused(struct pev_contactors *k, int64_t now_us)
{
	if (k->is_closed)
		start_opening(k, now_us, true);
}

static uint32_t open_by_force(struct pev_contactors *k, int64_t now_us, const struct pev_contactor_input *in)
{
	start_opening(k, now_us, true);
	return in->is_current_low ? 0 : PEV_K_EV_FORCED;
}

static uint32_t step_open(struct pev_contactors *k, int64_t now_us, const struct pev_contactor_input *in)
{
	if (in->feedback == 1) {
		/* Whatever holds them, nothing may hold back the driver any more. */
		k->is_welded = true;
		k->is_urgent = true;
		return PEV_K_EV_WELDED;
	}
	if (in->feedback == 0) {
		k->is_welded = false;
		k->is_urgent = false;
	}
	/* Closing needs known feedback: otherwise nobody could see it fail. */
	if (in->want == PEV_WANT_CLOSED && in->feedback == 0)
		move(k, PEV_K_CLOSING, deadline_after(now_us, k->timeout_us));
	return 0;
}

static uint32_t step_closed(struct pev_contactors *k, int64_t now_us, const struct pev_contactor_input *in)
{
	if (in->want == PEV_WANT_OPEN_NOW)
		return open_by_force(k, now_us, in);
	if (in->feedback == 0) {
		start_opening(k, now_us, false);
		return PEV_K_EV_OPENED_BY_ITSELF;
	}
	if (in->want == PEV_WANT_OPEN) {
		if (in->is_current_low)
			start_opening(k, now_us, false);
		else
			move(k, PEV_K_SHEDDING, deadline_after(now_us, k->shed_wait_us));
	}
	return 0;
}

static uint32_t step_closing(struct pev_contactors *k, int64_t now_us, const struct pev_contactor_input *in)
{
	if (in->feedback == 1) {
		move(k, PEV_K_CLOSED, FC_NEVER);
		return step_closed(k, now_us, in);
	}
	if (in->want != PEV_WANT_CLOSED) {
		start_opening(k, now_us, in->want == PEV_WANT_OPEN_NOW);
		return 0;
	}
	if (now_us < k->due_us)
		return 0;
	start_opening(k, now_us, false);
	return PEV_K_EV_NOT_CLOSING;
}

/* There is no way back to closed from here: what was asked to open opens first (P-43). */
static uint32_t step_shedding(struct pev_contactors *k, int64_t now_us, const struct pev_contactor_input *in)
{
	if (in->is_current_low || in->feedback == 0) {
		start_opening(k, now_us, false);
		return 0;
	}
	if (in->want == PEV_WANT_OPEN_NOW || now_us >= k->due_us)
		return open_by_force(k, now_us, in);
	return 0;
}

static uint32_t step_opening(struct pev_contactors *k, int64_t now_us, const struct pev_contactor_input *in)
{
	if (in->want == PEV_WANT_OPEN_NOW)
		k->is_urgent = true;
	if (in->feedback == 0) {
		k->is_urgent = false;
		k->is_welded = false;
		move(k, PEV_K_OPEN, FC_NEVER);
		return 0;
	}
	if (now_us < k->due_us)
		return 0;
	move(k, PEV_K_OPEN, FC_NEVER);
	return in->feedback == 1 ? step_open(k, now_us, in) : 0;
}

uint32_t pev_contactors_step(struct pev_contactors *k, int64_t now_us, const struct pev_contactor_input *in)
{
	switch (k->state) {
	case PEV_K_OPEN:
		return step_open(k, now_us, in);
	case PEV_K_CLOSING:
		return step_closing(k, now_us, in);
	case PEV_K_CLOSED:
		return step_closed(k, now_us, in);
	case PEV_K_SHEDDING:
		return step_shedding(k, now_us, in);
	case PEV_K_OPENING:
		return step_opening(k, now_us, in);
	}
	return 0;
}
