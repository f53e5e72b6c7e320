/* SPDX-License-Identifier: MIT */
/* What the files of the virtual SECC share among themselves; nobody else includes this. Pure. */
#ifndef SIM_SECC_PRIV_H
#define SIM_SECC_PRIV_H

#include "sim/secc.h"

#define SECC_SLOT_US (100 * FC_US_PER_MS)

/* Facts of a state; guard, time-outs, status and documentation read the same row. */
struct secc_state_row {
	const char *name;
	bool is_session;    /* belongs to a running session, Closing excluded */
	bool is_supervised; /* Power_Modules_Status is watched (from New_Charge_Session to the end) */
	bool is_energised;  /* power may flow: losing control pilot C is an emergency */
	uint32_t functions; /* bit per value of enum secc_function that may be asked for */
	size_t limit_at;    /* offset in struct secc_cfg of the longest stay in ms; 0: none of its own */
	enum secc_cause on_limit;
};

/* How a cause ends a session: towards the customer and in the answers to the vehicle. */
struct secc_cause_row {
	const char *name;
	bool is_rushed;
	uint8_t code;	/* enum v2g_code */
	uint8_t status; /* enum v2g_status */
};

const struct secc_state_row *secc_state_row(enum secc_state state);
const struct secc_cause_row *secc_cause_row(enum secc_cause cause);

/* secc.c: the only writer of the state. */
void secc_enter(struct secc *s, int64_t now_us, enum secc_state state, struct out_queue *out);
void secc_step(struct secc *s, int64_t now_us, enum secc_step step);
/* Ends the session: state 10, Charge_Session_Finished, safe setpoint. No effect outside a session. */
void secc_end(struct secc *s, int64_t now_us, enum secc_cause cause, struct out_queue *out);
void secc_emergency(struct secc *s, int64_t now_us, enum secc_cause cause, enum secc_origin origin,
		    struct out_queue *out);
/* A normal stop asked by the charger's side; the vehicle ends the session. */
void secc_request_stop(struct secc *s, const char *why);
/* Idle states: permits and plug looked at again. */
void secc_idle(struct secc *s, int64_t now_us, struct out_queue *out);

/* secc_plug.c: control pilot as seen now; reacts to a change. */
void secc_pilot_update(struct secc *s, int64_t now_us, struct out_queue *out);

/* secc_wire.c: frames of the generic interface and of the control pilot. */
void secc_wire_init(struct secc *s);
bool secc_wire_rx(struct secc *s, int64_t now_us, const struct can_frame *f, struct out_queue *out);
bool secc_wire_pilot_rx(struct secc *s, int64_t now_us, const struct can_frame *f, struct out_queue *out);
size_t secc_wire_filters(const struct secc *s, struct can_filter *f, size_t n);
void secc_wire_send(struct secc *s, int64_t now_us, enum evse_msg msg, const void *m, struct out_queue *out);
void secc_wire_status(struct secc *s, int64_t now_us, struct out_queue *out);
void secc_wire_pilot(struct secc *s, int64_t now_us, struct out_queue *out);
/* Prepares the frames that carry the control pilot; sends ours at once when it changed. */
void secc_wire_pilot_changed(struct secc *s, int64_t now_us, struct out_queue *out);
void secc_wire_new_session(struct secc *s, int64_t now_us, struct out_queue *out);
void secc_wire_info(struct secc *s, int64_t now_us, struct out_queue *out);
void secc_wire_charge_status(struct secc *s, int64_t now_us, bool is_started, struct out_queue *out);
void secc_wire_finished(struct secc *s, int64_t now_us, bool is_rushed, struct out_queue *out);
void secc_wire_emergency(struct secc *s, int64_t now_us, struct out_queue *out);
void secc_wire_inputs(struct secc *s, int64_t now_us, struct out_queue *out);
void secc_wire_ev_id(struct secc *s, int64_t now_us, struct out_queue *out);
void secc_wire_ocpp(struct secc *s, int64_t now_us, int32_t target_mA, struct out_queue *out);

/* Bits of secc.info_due. */
enum { SECC_INFO_BATTERY = 1, SECC_INFO_REST = 2, SECC_INFO_ALL = 3 };

/* secc_power.c: setpoints, limits, derating. */
enum secc_pace { SECC_ONCE, SECC_CYCLIC, SECC_PACED };
void secc_power_set(struct secc *s, int64_t now_us, const struct secc_power *p, enum secc_pace pace,
		    struct out_queue *out);
/* The vehicle's state of charge changed. */
void secc_power_refresh(struct secc *s);
void secc_power_slot(struct secc *s, int64_t now_us, struct out_queue *out);
/* PC(0, 0, 0, Standby, ...). */
void secc_power_standby(struct secc *s, int64_t now_us, bool is_closed, bool is_lowering, enum secc_pace pace,
			struct out_queue *out);
/* The setpoint of the present vehicle request; also after limits changed. */
void secc_power_transfer(struct secc *s, int64_t now_us, struct out_queue *out);
void secc_power_precharge(struct secc *s, int64_t now_us, struct out_queue *out);
int32_t secc_limit_voltage_mV(const struct secc *s);
/* Largest charge current at this voltage, all caps of section 11 except the vehicle's request. */
int32_t secc_limit_current_mA(const struct secc *s, int32_t v_mV);
int32_t secc_limit_power_W(const struct secc *s);
void secc_power_derate(struct secc *s);

/* secc_v2g.c: the charging protocol, server side. */
void secc_v2g_reset(struct secc *s);
void secc_v2g_send(struct secc *s, int64_t now_us, enum plug_msg msg, const void *m, struct out_queue *out);
/* A response that carries nothing but a failure. */
void secc_v2g_fail(struct secc *s, int64_t now_us, enum v2g_msg msg, uint8_t code, uint8_t status,
		   struct out_queue *out);
/* The same, and the session ends. */
void secc_v2g_refuse(struct secc *s, int64_t now_us, enum v2g_msg msg, uint8_t code, enum secc_cause cause,
		     struct out_queue *out);
bool secc_v2g_rx(struct secc *s, int64_t now_us, const struct can_frame *f, struct out_queue *out);
/* The session ended: a request that still waits for its answer gets the cause. */
void secc_v2g_abandon(struct secc *s, int64_t now_us, struct out_queue *out);
void secc_v2g_slot(struct secc *s, int64_t now_us, struct out_queue *out);

/* secc_v2g_answer.c: a request that is in order and belongs to the session. */
void secc_v2g_answer(struct secc *s, int64_t now_us, enum v2g_msg msg, const union v2g_any *q,
		     struct out_queue *out);

/* PowerDelivery's answer, at once or after the waiting time of state 6. */
void secc_v2g_answer_delivery(struct secc *s, int64_t now_us, struct out_queue *out);

/* secc_ctl.c */
int secc_command(void *self, int64_t now_us, const char *line, char *answer, size_t size,
		 struct out_queue *out);

#endif
