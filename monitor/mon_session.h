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
	bool is_known;		  /* a session was seen at all; otherwise nothing here counts */
	int64_t start_us, end_us; /* end: only when it is over */
	int64_t energy_Wus;	  /* integral of power, W x us, trapezoids; charged minus discharged */
	int64_t charge_mAus;
	int32_t peak_mA, peak_mV, peak_W;	      /* largest magnitude */
	int32_t soc_start_permille, soc_end_permille; /* MON_UNKNOWN: never said */
	/* Ordered states of the module: the first ones, repeats of a neighbour left out. */
	uint8_t state[MON_SESSION_STATES];
	uint8_t n_states;
	/* Communication protocol as the interface numbers it, and its name; "" and 0: none yet. EVSE: 0 is DIN, too. */
	uint8_t protocol;
	const char *protocol_name;
	bool is_clean; /* ended by closing, then waiting for a plug, and neither rushed nor by an emergency stop */
	/* Static text: "user stop", "vehicle finished", "emergency stop by PEV", "module silent"... "" while unknown. */
	const char *reason;
	/* Static texts, in order of appearance, each once; n_faults counts more than are kept. */
	const char *fault[MON_SESSION_FAULTS];
	uint32_t n_faults;
};

/* A measured point: integrates from the one before. A distance over this is a gap and counts nothing. */
#define MON_SESSION_GAP_US INT64_C(1000000)
/* How long the module must be silent until the session counts as ended. */
#define MON_SESSION_SILENCE_US INT64_C(5000000)

/* The rest is the model's business. A new record; what ended before is forgotten. */
void mon_session_begin(struct mon_session *s, int64_t now_us);
void mon_session_state(struct mon_session *s, unsigned state);
/* text: static; one that is known already is not counted again. True when it is new. */
bool mon_session_fault(struct mon_session *s, const char *text);
void mon_session_soc(struct mon_session *s, int32_t soc_permille);
void mon_session_peak(struct mon_session *s, int32_t voltage_mV, int32_t current_mA, int32_t power_W);
/* Trapezoid over dt_us (0 .. MON_SESSION_GAP_US) between two powers and currents; saturates. */
void mon_session_integrate(struct mon_session *s, int64_t dt_us, int64_t power0_mW, int64_t power1_mW,
			   int32_t current0_mA, int32_t current1_mA);
void mon_session_finish(struct mon_session *s, int64_t end_us, bool is_clean, const char *reason);

/* Energy in Wh, rounded to nearest. */
static inline int64_t mon_session_Wh(const struct mon_session *s)
{
	const int64_t Wus_per_Wh = INT64_C(3600000000);

	return (s->energy_Wus + (s->energy_Wus < 0 ? -Wus_per_Wh / 2 : Wus_per_Wh / 2)) / Wus_per_Wh;
}

#endif
