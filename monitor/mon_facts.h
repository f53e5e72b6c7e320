/* SPDX-License-Identifier: MIT */
/*
 * The same handful of facts on both sides, worked out from the model when asked: where the session is, what is
 * wanted and what flows, which limit binds, what is wrong. For the view, the explanation, metrics and texts. Pure.
 */
#ifndef MONITOR_MON_FACTS_H
#define MONITOR_MON_FACTS_H

#include "monitor/mon_model.h"

#define MON_MAX_LIMITS	   8
#define MON_MAX_DIAGNOSTICS 32

struct mon_limit {
	const char *name; /* "vehicle limit", "charger limit", "request", "OCPP target", "vehicle power" ... */
	int32_t mA;	  /* MON_UNKNOWN: not given; in the direction of the present flow, as a magnitude */
};

struct mon_diagnostic {
	const char *name; /* in words: "connector lock failed", "response code 22: FAILED_..." */
	uint8_t severity;
};

struct mon_facts {
	bool is_heard; /* false: nothing else is set */
	enum mon_phase phase;
	int state;		/* the module's State (EVSE) or Communication_Stage (PEV); -1 unknown */
	const char *state_name; /* of the database, or "unknown" */
	int64_t state_for_us;	/* -1: unknown */
	const char *protocol, *pins; /* names, "" none yet */
	/* Ages of the newest frame of each half; -1: never heard. */
	int64_t module_age_us, controller_age_us;
	bool is_module_silent, is_controller_silent; /* over 1 s (EVSE), 500 ms (PEV): rules E-*, P-* name the limits */
	/* MON_UNKNOWN where nobody said. present_mV: charger output (EVSE), inlet (PEV). */
	int32_t target_mV, target_mA, present_mV, present_mA, battery_mV, power_W;
	int32_t soc_permille, target_soc_permille;
	int64_t capacity_Wh; /* 0: unknown */
	int32_t insulation_ohm;
	int32_t hottest_mdegC;
	const char *hottest; /* which sensor */
	bool are_contactors_closed, is_contactor_known;
	bool is_emergency;
	const char *emergency_origin;
	/* Why the current is what it is. */
	struct mon_limit limit[MON_MAX_LIMITS];
	uint32_t n_limits;
	int binding; /* index of limit, -1: none binds (no current is wanted, or it is not known) */
	bool is_derated; /* what flows, or is offered, is visibly less than limits and request allow */
	const char *derating; /* why, as far as it can be told: "charger lowered its limit", "hot", ... ; "" none */
	struct mon_diagnostic diagnostic[MON_MAX_DIAGNOSTICS];
	uint32_t n_diagnostics;
};

void mon_facts(const struct mon_model *m, unsigned point, struct mon_facts *f);

#endif
