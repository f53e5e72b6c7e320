/* SPDX-License-Identifier: MIT */
/*
 * The same handful of facts on both sides, worked out from the model when asked: where the session is, what is
 * wanted and what flows, which limit binds, what is wrong. For the view, the explanation, metrics and texts. Pure.
 */
#ifndef MONITOR_MON_FACTS_H
#define MONITOR_MON_FACTS_H

#include "monitor/mon_model.h"

#define MON_MAX_LIMITS	    8
#define MON_MAX_DIAGNOSTICS 32

struct mon_limit {
	const char *name; /* static: "vehicle limit", "charger limit", "request", "OCPP target" ... */
	int32_t mA;	  /* MON_UNKNOWN: not given; in the direction of the present flow, as a magnitude */
};

struct mon_diagnostic {
	const char *name; /* static, in words: "connector lock failed", "response code 22: FAILED" */
	uint8_t severity;
};

struct mon_facts {
	bool is_heard; /* false: nothing of the point; the rest is unknown */
	enum mon_phase phase;
	int state;		     /* the module's State (EVSE) or Communication_Stage (PEV); -1 unknown */
	const char *state_name;	     /* of the database, or "unknown" */
	int64_t state_for_us;	     /* -1: unknown */
	const char *protocol, *pins; /* names, "" none yet */
	/* Ages of the newest frame of each half; -1: never heard. */
	int64_t module_age_us, controller_age_us;
	/*
	 * By the messages that the rules watch, else by the newest of the half; never heard is not silent. Limits:
	 * mon_silence_limit_us(). EVSE: Advantics_Controller_Status, Power_Modules_Status; PEV: DC_Control, the older
	 * one of DC_Status1 and DC_Status2.
	 */
	bool is_module_silent, is_controller_silent;
	/*
	 * MON_UNKNOWN where nobody said; what was said of the vehicle counts for its session only. Old values stay: the
	 * silence above tells how old. present_mV: charger output (EVSE), inlet (PEV); power: of the battery (PEV).
	 * target: the operating point; with EVSE Range_Mode that of OCPP, else the upper end.
	 */
	int32_t target_mV, target_mA, present_mV, present_mA, battery_mV, power_W;
	int32_t soc_permille, target_soc_permille;
	int64_t capacity_Wh; /* 0: unknown */
	int32_t insulation_ohm;
	int32_t hottest_mdegC;
	const char *hottest; /* which sensor */
	bool are_contactors_closed, is_contactor_known;
	bool is_emergency;
	const char *emergency_origin;
	/*
	 * Why the current is what it is. Of limits that are as good as equal the one behind the request binds: the
	 * request follows it, not the other way round.
	 */
	struct mon_limit limit[MON_MAX_LIMITS];
	uint32_t n_limits;
	int binding;	 /* index of limit, -1: none binds (no current is wanted, or it is not known) */
	bool is_derated; /* what flows, or is offered, is visibly less than limits and request allow */
	/* Why, as far as it can be told: "charger lowered its limit", "hot" ... ; "" none. */
	const char *derating;
	struct mon_diagnostic diagnostic[MON_MAX_DIAGNOSTICS]; /* severest first */
	uint32_t n_diagnostics;
};

void mon_facts(const struct mon_model *m, unsigned point, struct mon_facts *f);

#endif
