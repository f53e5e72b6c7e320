/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the model share: who writes events, who watches for silence, who reads the contents of a side.
 * Nobody outside mon_model*.c includes this. Pure.
 */
#ifndef MONITOR_MON_MODEL_PRIV_H
#define MONITOR_MON_MODEL_PRIV_H

#include <stdio.h>
#include <string.h>

#include "evse_msgs.h"
#include "monitor/mon_model.h"
#include "pev_msgs.h"

#define MON_TIME_TEXT 24
/* Flags of EVCC_MEVC_Diagnostic_Status, and the ranges of its response code (pev-v2.md section 3). */
#define MON_N_PEV_DIAGNOSTICS 26
#define MON_PEV_FIRST_WARNING 6
#define MON_PEV_FIRST_FAILURE 22
#define MON_STEP_US	      INT64_C(100000)

/* Buffers for any message of either side; the layouts' sizes are checked against it in the tests. */
union mon_content {
	struct evse_power_modules_status pms;
	struct evse_dc_power_parameters parameters;
	struct evse_sequence_control sequence;
	struct evse_advantics_controller_status status;
	struct evse_new_charge_session session;
	struct evse_charge_status_change change;
	struct evse_dc_power_control power;
	struct evse_charge_session_finished finished;
	struct evse_emergency_stop emergency;
	struct evse_ev_information_battery battery;
	struct evse_ocpp_control ocpp;
	struct pev_evse_information info;
	struct pev_ac_control ac_control;
	struct pev_dc_control dc_control;
	struct pev_ccs_extra_information ccs;
	struct pev_adm_cs_evcc_inputs inputs;
	struct pev_evcc_mevc_diagnostic_status diagnostic;
	struct pev_ev_information vehicle;
	struct pev_ac_status ac_status;
	struct pev_dc_status1 dc1;
	struct pev_dc_status2 dc2;
	struct pev_ev_status ev_status;
	uint64_t any[16];
};

/* A frame whose content the side has to look at. */
struct mon_seen {
	unsigned point, msg;
	int64_t time_us;
	int64_t gap_us; /* since the frame before; 0 for the first */
	bool is_first;
	uint8_t old[8]; /* content before; equal when it did not change */
	uint8_t old_dlc;
};

static inline void mon_unpack(const struct mon_model *m, unsigned msg, const uint8_t data[8],
			      union mon_content *c)
{
	memset(c, 0, sizeof(*c));
	m->layouts[msg].unpack(c, data);
}

static inline bool mon_is_module(const struct mon_model *m, unsigned msg)
{
	return m->is_module >> msg & 1;
}

/* --- mon_model_event.c */
void mon_event_add(struct mon_model *m, int64_t time_us, unsigned point, enum mon_severity severity,
		   const char *format, ...) __attribute__((format(printf, 5, 6)));
/* "350 ms", "2.4 s", "12 min 05 s", "3 h 12 min"; returns text. */
const char *mon_time_text(int64_t us, char text[MON_TIME_TEXT]);
/* Name of the module's state as in the database, else "14 (unknown)"; returns a static text or text. */
const char *mon_state_label(const struct mon_model *m, int state, char text[MON_TIME_TEXT]);
void mon_tell_change(struct mon_model *m, const struct mon_seen *seen, uint64_t changed);

/* --- mon_model_watch.c */
/* Finds what became over-due until the model's now, in the order of time. */
void mon_watch(struct mon_model *m);
/* A frame of a message that was lost, or of a half that was silent. */
void mon_watch_back(struct mon_model *m, unsigned point, unsigned msg, int64_t time_us, int64_t gap_us);

/* --- mon_model_state.c: sessions, the same on both sides */
void mon_state_set(struct mon_model *m, unsigned point, int64_t time_us, unsigned state);
void mon_state_forget(struct mon_model *m, unsigned point);
/* end_us: of the session; time_us: of the event that tells it. */
void mon_session_end(struct mon_model *m, unsigned point, int64_t end_us, int64_t time_us, bool is_clean,
		     const char *reason);
/* Values last measured hold until the next, while they are fresh: each step of the history has them. */
void mon_sample_hold(struct mon_model *m, unsigned point, int64_t time_us);
/* Remembers what asked for the end of the session; the first one counts. */
void mon_session_cause(struct mon_model *m, unsigned point, const char *cause);
/* A fault of the session, told as an event once. */
void mon_session_note(struct mon_model *m, unsigned point, int64_t time_us, enum mon_severity severity,
		      const char *fault);
void mon_session_protocol(struct mon_model *m, unsigned point, unsigned msg, const char *signal,
			  unsigned number);
/* One measured point; gap_us is the distance to the frame before. battery_mV: for the power. */
void mon_sample(struct mon_model *m, const struct mon_seen *seen, int32_t shown_mV, int32_t power_mV,
		int32_t current_mA);
/* Below floor_mA (<= 0: nothing is wanted) and not rising: the time since is kept. */
void mon_watch_shortfall(struct mon_own *o, int64_t time_us, int32_t floor_mA, int32_t current_mA);
void mon_soc(struct mon_model *m, unsigned point, int64_t time_us, int32_t soc_permille);
void mon_emergency_begin(struct mon_model *m, unsigned point, int64_t time_us, const char *what);
void mon_emergency_end(struct mon_model *m, unsigned point, int64_t time_us);

/* --- mon_model_evse.c, mon_model_pev.c */
void mon_evse_init(struct mon_model *m);
void mon_evse_seen(struct mon_model *m, const struct mon_seen *seen);
/* Why a session ended of which nobody said it: from the state before closing. */
const char *mon_evse_reason(const struct mon_model *m, unsigned point, unsigned state);
void mon_pev_init(struct mon_model *m);
void mon_pev_seen(struct mon_model *m, const struct mon_seen *seen);
/* Diagnostic bit in words. */
const char *mon_pev_diagnostic(unsigned bit);
const char *mon_pev_reason(const struct mon_model *m, unsigned point, unsigned state);

#endif
