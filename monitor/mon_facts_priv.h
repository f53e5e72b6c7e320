/* SPDX-License-Identifier: MIT */
/* What the two sides of the facts share. Nobody outside mon_facts*.c includes this. Pure. */
#ifndef MONITOR_MON_FACTS_PRIV_H
#define MONITOR_MON_FACTS_PRIV_H

#include "evse_msgs.h"
#include "monitor/mon_facts.h"
#include "monitor/mon_model_priv.h"
#include "pev_msgs.h"

/* Less than asked for must flow this long before it is called derating. */
#define FACTS_SHORT_US INT64_C(5000000)

/* Temperature signals: raw 0, that is -40 degrees, is no sensor. */
#define FACTS_NO_SENSOR_mdegC (-40000)
/* Where the curves of module and cable begin and where they stop the charge (evse-v3.md section 13). */
#define FACTS_CABLE_WARM_mdegC	60000
#define FACTS_CABLE_STOP_mdegC	90000
#define FACTS_MODULE_WARM_mdegC 75000
#define FACTS_MODULE_STOP_mdegC 85000

struct facts_sensor {
	const char *name, *warm, *stop; /* static texts; warm, stop: of the diagnostic */
	int32_t warm_mdegC, stop_mdegC;
};

void mon_facts_evse(const struct mon_model *m, unsigned point, struct mon_facts *f);
void mon_facts_pev(const struct mon_model *m, unsigned point, struct mon_facts *f);

/* Content of a message that was sent in the session that runs; false: none, *content is zeroed. */
bool facts_of_session(const struct mon_model *m, unsigned point, unsigned msg, void *content);
/* Older than the half's limit; without that message the newest of the half. */
bool facts_is_silent(const struct mon_model *m, unsigned point, unsigned msg, enum mon_half half);
void facts_limit(struct mon_facts *f, const char *name, int32_t mA);
/* The lowest limit binds; `request` is the index of what is asked for, which loses against an equal one. */
void facts_bind(struct mon_facts *f, int request);
/* Derating while charging: the charger lowered its limit, or gives less than it may for a while. */
void facts_derating(const struct mon_model *m, unsigned point, struct mon_facts *f, int32_t offered_mA,
		    bool is_at_voltage);
void facts_diagnostic(struct mon_facts *f, enum mon_severity severity, const char *name);
/* Remembers the hottest; warm and hot ones are diagnostics. */
void facts_temperature(struct mon_facts *f, const struct facts_sensor *sensor, int32_t mdegC);

#endif
