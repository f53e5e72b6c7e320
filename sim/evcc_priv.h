/* SPDX-License-Identifier: MIT */
/* What the files of the virtual EVCC share among themselves; nobody else includes this. Pure. */
#ifndef SIM_EVCC_PRIV_H
#define SIM_EVCC_PRIV_H

#include "sim/evcc.h"

#define EVCC_SLOT_US (100 * FC_US_PER_MS)

static inline int64_t evcc_ms(int32_t milliseconds)
{
	return (int64_t)milliseconds * FC_US_PER_MS;
}

/* Facts of a stage. */
struct evcc_stage_row {
	const char *name;
	bool is_session;    /* between plug-in and Closing */
	bool is_supervised; /* DC_Status1 and DC_Status2 must be fresh (rule P-13) */
	bool is_energised; /* the charger may be connected to the battery: faults of the link are emergencies */
	enum cp_state pilot; /* resistance shown while in it */
};

enum evcc_severity { EVCC_STOP, EVCC_FAULT, EVCC_LINK, EVCC_EMERGENCY };

/* Facts of a way to end. */
struct evcc_cause_row {
	const char *name;
	enum evcc_severity severity;
	size_t diagnostic; /* offset of the flag in struct pev_evcc_mevc_diagnostic_status; EVCC_NO_FLAG: none */
};

#define EVCC_NO_FLAG SIZE_MAX

const struct evcc_stage_row *evcc_stage_row(enum evcc_stage stage);
const struct evcc_cause_row *evcc_cause_row(enum evcc_cause cause);

/* evcc.c */
void evcc_enter(struct evcc *e, int64_t now_us, enum evcc_stage stage, struct out_queue *out);
void evcc_step(struct evcc *e, int64_t now_us, enum evcc_step step);
/* Ends the session in the way that cause and stage ask for; sets the diagnostic flag. */
void evcc_finish(struct evcc *e, int64_t now_us, enum evcc_cause cause, struct out_queue *out);
/* The connection as seen now; reacts to a change. */
void evcc_pilot_update(struct evcc *e, int64_t now_us, struct out_queue *out);
void evcc_set_mated(struct evcc *e, int64_t now_us, bool is_mated, struct out_queue *out);
/* In the inlet, as the proximity line says; a charger that never spoke may be at the other end. */
bool evcc_is_plugged(const struct evcc *e);
bool evcc_is_connected(const struct evcc *e, int64_t now_us);

/* evcc_wire.c: frames of the generic interface and of the control pilot. */
void evcc_wire_init(struct evcc *e);
bool evcc_wire_rx(struct evcc *e, int64_t now_us, const struct can_frame *f, struct out_queue *out);
bool evcc_wire_pilot_rx(struct evcc *e, int64_t now_us, const struct can_frame *f, struct out_queue *out);
size_t evcc_wire_filters(const struct evcc *e, struct can_filter *f, size_t n);
void evcc_wire_slot(struct evcc *e, int64_t now_us, struct out_queue *out);
void evcc_wire_inputs(struct evcc *e, int64_t now_us, struct out_queue *out);
void evcc_wire_pilot(struct evcc *e, int64_t now_us, struct out_queue *out);
/* Pilot_EV at once when it changed. */
void evcc_wire_pilot_changed(struct evcc *e, int64_t now_us, struct out_queue *out);

static inline void evcc_touch(struct evcc *e, enum evcc_frame frame)
{
	e->dirty |= UINT32_C(1) << frame;
}

/* evcc_power.c: what is asked of the charger, and what is watched while it flows. */
int32_t evcc_power_request_mA(struct evcc *e, int64_t now_us);
int32_t evcc_power_target_mV(const struct evcc *e);
int32_t evcc_power_precharge_mV(const struct evcc *e);
void evcc_power_start(struct evcc *e, int64_t now_us);
void evcc_power_derate(struct evcc *e, int64_t now_us, struct out_queue *out);
/* Stop conditions of stage 7; after every vehicle frame and every slot. */
void evcc_power_watch(struct evcc *e, int64_t now_us, struct out_queue *out);

/* evcc_safety.c: lock, contactor command, and the monitor. */
bool evcc_is_closed(const struct evcc *e);
bool evcc_is_matched(const struct evcc *e);
void evcc_command_contactors(struct evcc *e, int64_t now_us, bool is_closed);
void evcc_lock(struct evcc *e, int64_t now_us, bool is_locked, struct out_queue *out);
bool evcc_is_locked(const struct evcc *e);
bool evcc_is_held(const struct evcc *e); /* the plug cannot be pulled */
bool evcc_may_unlock(const struct evcc *e, int64_t now_us);
void evcc_safety_slot(struct evcc *e, int64_t now_us, struct out_queue *out);
/* Precharge: close when matched, open again when the match is lost (rules P-21, P-22). */
void evcc_match(struct evcc *e, int64_t now_us, struct out_queue *out);

/* evcc_v2g.c: the charging protocol, client side. */
void evcc_v2g_reset(struct evcc *e);
/* No request any more in this session. */
void evcc_v2g_close(struct evcc *e, int64_t now_us, struct out_queue *out);
/* When the next request is due; FC_NEVER: none is. */
int64_t evcc_v2g_next_us(const struct evcc *e);
bool evcc_v2g_rx(struct evcc *e, int64_t now_us, const struct can_frame *f, struct out_queue *out);
/* Sends the request that is due. */
void evcc_v2g_tick(struct evcc *e, int64_t now_us, struct out_queue *out);
/* Time-outs. */
void evcc_v2g_slot(struct evcc *e, int64_t now_us, struct out_queue *out);

void evcc_v2g_send(struct evcc *e, int64_t now_us, enum plug_msg msg, const void *m, struct out_queue *out);

/* evcc_v2g_ask.c: fills the request; sends the frame that goes before it where there is one. */
void evcc_v2g_fill(struct evcc *e, int64_t now_us, enum v2g_msg msg, union v2g_any *m, struct out_queue *out);

/* evcc_ctl.c */
int evcc_command(void *self, int64_t now_us, const char *line, char *answer, size_t size,
		 struct out_queue *out);

#endif
