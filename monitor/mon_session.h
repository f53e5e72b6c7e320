/* SPDX-License-Identifier: MIT */
/*
 * The record of one charging session as a listener sees it. It begins when the module leaves waiting for a plug
 * (EVSE states 2, 11 and above; PEV stages 2 and above) and ends when it is back there, or has fallen silent. Pure.
 */
#ifndef MONITOR_MON_SESSION_H
#define MONITOR_MON_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#define MON_SESSION_STATES 32
#define MON_SESSION_FAULTS 8

struct mon_session {
	bool is_running;
	bool is_known; /* a session was seen at all; otherwise nothing here counts */
	int64_t start_us, end_us;
	int64_t energy_Wus; /* integral of power, W x us, trapezoids; charged minus discharged */
	int64_t charge_mAus;
	int32_t peak_mA, peak_mV, peak_W; /* largest magnitude */
	int32_t soc_start_permille, soc_end_permille; /* MON_UNKNOWN: never said */
	/* Ordered states of the module: the first ones, repeats of a neighbour left out. */
	uint8_t state[MON_SESSION_STATES];
	uint8_t n_states;
	uint8_t protocol; /* communication protocol as the interface numbers it; 0: none yet */
	bool is_clean;	  /* ended by the way of the interface: closing, then waiting for a plug */
	const char *reason; /* static text: "user stop", "vehicle finished", "emergency stop by PEV", "module silent"... */
	/* Static texts, in order of appearance; more are counted only. */
	const char *fault[MON_SESSION_FAULTS];
	uint32_t n_faults;
};

/* Energy in Wh, rounded to nearest. */
static inline int64_t mon_session_Wh(const struct mon_session *s)
{
	const int64_t Wus_per_Wh = INT64_C(3600000000);

	return (s->energy_Wus + (s->energy_Wus < 0 ? -Wus_per_Wh / 2 : Wus_per_Wh / 2)) / Wus_per_Wh;
}

#endif
