/* SPDX-License-Identifier: MIT */
/*
 * Inside of explain: a scene is what one look at the model tells about one point, a row is one situation
 * with its condition. The first row of a side whose states and condition fit is the answer, so the order is
 * the priority and the last row fits always. Pure.
 */
#ifndef MONITOR_EXPLAIN_PRIV_H
#define MONITOR_EXPLAIN_PRIV_H

#include <evse_msgs.h>
#include <pev_msgs.h>

#include "monitor/explain.h"

/* Bit of a state or stage; numbers that the interface version does not name share the last one. */
#define EXPLAIN_STATE(n)      (UINT32_C(1) << (n))
#define EXPLAIN_STATE_UNKNOWN 31
#define EXPLAIN_ANY	      UINT32_MAX

/* From when a limit counts. */
enum explain_since {
	EXPLAIN_NEVER,	    /* no limit */
	EXPLAIN_FIRST,	    /* first message of this point */
	EXPLAIN_STATE,	    /* the state began */
	EXPLAIN_COMMAND,    /* content of DC_Power_Control, DC_Control or AC_Control last changed */
	EXPLAIN_MODULE,	    /* last frame of DC_Power_Control (EVSE), DC_Control (PEV) */
	EXPLAIN_CONTROLLER, /* last frame of the controller that is supervised */
	EXPLAIN_FLAGS,	    /* state began or Sequence_Control changed, whichever is later */
};

struct explain_evse {
	struct evse_power_modules_status pms;
	struct evse_dc_power_parameters parameters;
	struct evse_sequence_control flags;
	struct evse_new_charge_session session;
	struct evse_charge_status_change vehicle;
	struct evse_dc_power_control power;
	struct evse_charge_session_finished finished;
	struct evse_emergency_stop emergency;
	int64_t pms_age_us, parameters_age_us, power_age_us, finished_age_us,
		emergency_age_us;    /* -1: never */
	bool has_power, has_started; /* DC_Power_Control and Charge_Started of this session */
	bool is_closed, is_lowering; /* commands of DC_Power_Control, whatever the version calls them */
};

/* What the faults of the vehicle's module are about; one situation each. */
enum explain_group {
	EXPLAIN_LOCK,
	EXPLAIN_UNLOCK,
	EXPLAIN_HOT,
	EXPLAIN_CONTACTOR,
	EXPLAIN_VOLTAGE,
	EXPLAIN_CURRENT,
	EXPLAIN_PRECHARGE,
	EXPLAIN_MATING,	   /* proximity, insertion */
	EXPLAIN_PILOT,	   /* line faults of CP, CE */
	EXPLAIN_PILOT_ODD, /* states and duty that should not be */
	EXPLAIN_LINK,	   /* power line, discovery */
	EXPLAIN_V2G,	   /* messages of the charging protocol */
	EXPLAIN_SEQUENCE_TIMEOUT,
	EXPLAIN_N_GROUPS,
};

struct explain_pev {
	struct pev_evse_information information;
	struct pev_ac_control ac_control;
	struct pev_dc_control dc_control;
	struct pev_ccs_extra_information lines;
	struct pev_adm_cs_evcc_inputs inputs;
	struct pev_evcc_mevc_diagnostic_status diagnostic;
	struct pev_ev_information battery;
	struct pev_ac_status ac_status;
	struct pev_dc_status1 current;
	struct pev_dc_status2 voltage;
	struct pev_ev_status status;
	int64_t control_age_us, lines_age_us, battery_age_us, diagnostic_age_us;
	bool is_ac;
	uint32_t groups; /* of the diagnostic bits that are set: enum explain_group */
	const char *group_fault[EXPLAIN_N_GROUPS]; /* in words, for each group */
};

struct explain_scene {
	const struct mon_model *m;
	const struct mon_point *point; /* NULL: unheard */
	int64_t now_us;
	int state;			     /* as it came; -1: never heard */
	unsigned state_bit;		     /* 0..31 */
	const char *state_name;		     /* NULL: without a name */
	int64_t state_us;		     /* began; -1: unknown */
	int64_t module_age_us;		     /* of the status or information; -1: never heard */
	int64_t controller_age_us;	     /* of the oldest supervised message; -1: one was never heard */
	int64_t since_us[EXPLAIN_FLAGS + 1]; /* -1: unknown */
	/* For the sentences; MON_UNKNOWN where nobody said. */
	int32_t present_mV, target_mV, battery_mV, present_mA, high_mA, low_mA, offer_mA;
	int32_t insulation_ohm, pass_ohm, soc_permille;
	const char *fault; /* in words; set by conditions that know one */
	union {
		struct explain_evse e;
		struct explain_pev v;
	};
};

struct explain_row {
	struct explain_situation s;
	uint32_t states;
	bool (*fits)(struct explain_scene *c); /* NULL: always */
	enum explain_since since;	       /* limit counts from here */
};

/* A side's table in two parts, one after the other; the last row of the second fits always. */
extern const struct explain_row explain_evse_rows[], explain_evse_power_rows[];
extern const struct explain_row explain_pev_rows[], explain_pev_power_rows[];
extern const size_t explain_n_evse_rows, explain_n_evse_power_rows, explain_n_pev_rows,
	explain_n_pev_power_rows;

/* --- explain_scene.c, explain_text.c ------------------------------------------------------------------- */

void explain_look(const struct mon_model *m, unsigned point, struct explain_scene *c);
/* Puts numbers in for {names}; the result is cut at the room, never inside a character. */
void explain_write(const struct explain_scene *c, int64_t left_us, const char *pattern,
		   char text[EXPLAIN_TEXT]);

/* Sets the groups of the diagnostic bits that are set, and their words. */
void explain_group_faults(const struct pev_evcc_mevc_diagnostic_status *d, struct explain_pev *v);

/* --- shared conditions --------------------------------------------------------------------------------- */

static inline bool explain_is_older(int64_t age_us, int64_t limit_us)
{
	return age_us < 0 || age_us > limit_us;
}

/* A current counts as flowing from 1 A on (evse-v3.md section 5, end of charge). */
static inline bool explain_is_flowing(const struct explain_scene *c)
{
	return c->present_mA != MON_UNKNOWN && (c->present_mA >= 1000 || c->present_mA <= -1000);
}

bool explain_is_bus_down(struct explain_scene *c);
bool explain_is_unheard(struct explain_scene *c);
bool explain_is_module_unheard(struct explain_scene *c);
/*
 * The state has lasted no more than the 20 s that a vehicle gives the set-up of a session (v2g section
 * 6.1).
 */
bool explain_is_setup(struct explain_scene *c);

#endif
