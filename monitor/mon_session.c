/* SPDX-License-Identifier: MIT */
/* The record of one session. Pure. */
#include "monitor/mon_session.h"

#include <string.h>

#include <forecourt/units.h>

#include "monitor/mon_model.h"

void mon_session_begin(struct mon_session *s, int64_t now_us)
{
	memset(s, 0, sizeof(*s));
	s->is_running = true;
	s->is_known = true;
	s->start_us = now_us;
	s->end_us = now_us;
	s->soc_start_permille = MON_UNKNOWN;
	s->soc_end_permille = MON_UNKNOWN;
	s->protocol_name = "";
	s->reason = "";
}

void mon_session_state(struct mon_session *s, unsigned state)
{
	if (s->n_states > 0 && s->state[s->n_states - 1] == state)
		return;
	if (s->n_states < MON_SESSION_STATES)
		s->state[s->n_states++] = (uint8_t)state;
}

bool mon_session_fault(struct mon_session *s, const char *text)
{
	uint32_t i;

	for (i = 0; i < s->n_faults && i < MON_SESSION_FAULTS; i++)
		if (strcmp(s->fault[i], text) == 0)
			return false;
	if (s->n_faults < MON_SESSION_FAULTS)
		s->fault[s->n_faults] = text;
	s->n_faults++;
	return true;
}

void mon_session_soc(struct mon_session *s, int32_t soc_permille)
{
	if (s->soc_start_permille == MON_UNKNOWN)
		s->soc_start_permille = soc_permille;
	s->soc_end_permille = soc_permille;
}

/* The larger magnitude, with its sign. */
static int32_t peak(int32_t old, int32_t value)
{
	return fc_abs_i32(value) > fc_abs_i32(old) ? value : old;
}

void mon_session_peak(struct mon_session *s, int32_t voltage_mV, int32_t current_mA, int32_t power_W)
{
	s->peak_mV = peak(s->peak_mV, voltage_mV);
	s->peak_mA = peak(s->peak_mA, current_mA);
	s->peak_W = peak(s->peak_W, power_W);
}

static int64_t add_saturating(int64_t a, int64_t b)
{
	int64_t sum;

	if (!__builtin_add_overflow(a, b, &sum))
		return sum;
	return b > 0 ? INT64_MAX : INT64_MIN;
}

void mon_session_integrate(struct mon_session *s, int64_t dt_us, int64_t power0_mW, int64_t power1_mW,
			   int32_t current0_mA, int32_t current1_mA)
{
	/* mW and us: 4.3e11 mW x 1e6 us fit; the rounding of a step is below 1 uW s. */
	s->energy_Wus = add_saturating(s->energy_Wus, (power0_mW + power1_mW) * dt_us / 2000);
	s->charge_mAus = add_saturating(s->charge_mAus, ((int64_t)current0_mA + current1_mA) * dt_us / 2);
}

void mon_session_finish(struct mon_session *s, int64_t end_us, bool is_clean, const char *reason)
{
	s->is_running = false;
	s->end_us = end_us > s->start_us ? end_us : s->start_us;
	s->is_clean = is_clean;
	s->reason = reason;
}
