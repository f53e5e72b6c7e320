/* SPDX-License-Identifier: MIT */
/*
 * EVSE generic interface v3 on the customer's side: frames <-> events and back. Pure.
 *
 * The interface version is chosen here and nowhere else. Layouts and identifiers come from the databases by
 * generated code; what differs in meaning between versions (3.0: Output_Bleed, no contactor bit) is mapped
 * here to one set of domain words. Source of every number: evse-v3.md sections 1 to 4.
 */
#ifndef EVSE_WIRE_H
#define EVSE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/can.h>

#include "evse_msgs.h"

#define EVSE_INDEX_MIN 1
#define EVSE_INDEX_MAX 15

/* Power_Function, one-hot on the wire; anything else is UNKNOWN and treated as Standby (rule E-04). */
enum evse_function {
	EVSE_FN_OFF = 0,
	EVSE_FN_STANDBY = 1,
	EVSE_FN_INSULATION_TEST = 2,
	EVSE_FN_PRECHARGE = 4,
	EVSE_FN_POWER_TRANSFER = 8,
	EVSE_FN_UNKNOWN = 16,
};

/* Advantics_Controller_Status.State, evse-v3.md section 6; other numbers pass through. */
enum evse_module_state {
	EVSE_MS_INITIALISING = 0,
	EVSE_MS_WAITING_FOR_PEV = 1,
	EVSE_MS_NEGOTIATING = 2,
	EVSE_MS_CONNECTED = 3,
	EVSE_MS_INSULATION_TEST = 4,
	EVSE_MS_PRECHARGE = 5,
	EVSE_MS_WAITING_FOR_CHARGE = 6,
	EVSE_MS_CHARGING = 7,
	EVSE_MS_ENDING = 8,
	EVSE_MS_WELDING_DETECTION = 9,
	EVSE_MS_CLOSING = 10,
	EVSE_MS_AUTHORISATION = 11,
	EVSE_MS_NOT_AVAILABLE = 12,
	EVSE_MS_PAUSE = 13,
	EVSE_MS_NONE = 255, /* not heard yet */
};

struct evse_power_command {
	enum evse_function function;
	int32_t v_mV;
	int32_t i_max_mA, i_min_mA;
	bool is_range;
	bool is_closed;
	bool is_lowering;
};

enum evse_event_kind {
	EVSE_EV_NONE, /* not for us, or dropped and counted */
	EVSE_EV_STATUS,
	EVSE_EV_NEW_SESSION,
	EVSE_EV_STATUS_CHANGE,
	EVSE_EV_POWER_CONTROL,
	EVSE_EV_SESSION_FINISHED,
	EVSE_EV_EMERGENCY,
	EVSE_EV_OCPP,
	EVSE_EV_VEHICLE_INFO, /* one of EV_Information_*: values are in the vehicle record */
};

struct evse_event {
	enum evse_event_kind kind;
	uint8_t number;		/* STATUS: state; STATUS_CHANGE: ready; FINISHED: how; EMERGENCY: origin */
	bool is_unknown_number; /* the profile has no name for it */
	struct evse_power_command power;
	int32_t ocpp_target_mA;
};

/* What the module told about the vehicle; 0 = not given. */
struct evse_vehicle {
	uint8_t protocol, pins;
	int32_t capacity_Wh;
	int32_t soc_permille, soc_target_permille;
	int32_t v_min_mV, v_max_mV, v_present_mV;
	int32_t i_charge_min_mA, i_charge_max_mA, i_discharge_max_mA;
	int32_t p_charge_max_W;
};

struct evse_counters {
	uint32_t n_accepted;
	uint32_t n_foreign; /* other identifier or index */
	uint32_t n_kind;    /* 11-bit, remote, error flag */
	uint32_t n_short;   /* shorter than the profile's minimum */
	uint32_t n_unknown; /* numbers without a name */
	uint32_t n_clipped; /* own values that did not fit their signal */
};

struct evse_wire {
	enum evse_version version;
	uint8_t index;
	struct evse_vehicle vehicle;
	struct evse_counters count;
};

/* What goes into the cyclic messages. */
struct evse_status_out {
	int32_t v_mV, i_mA;
	int32_t temp_hot_mdegC, temp_inlet_mdegC; /* PM_TEMP_NONE: not provided */
	bool is_enabled;			  /* System_Enable */
	int32_t insulation_ohm;
};

struct evse_parameters_out {
	int32_t max_voltage_mV;
	int32_t max_charge_mA, max_discharge_mA;
};

enum evse_flag { /* bits of the 24-bit word of Sequence_Control, evse-v3.md section 3 */
		 EVSE_FLAG_START = 0x000001,
		 EVSE_FLAG_AUTH_DONE = 0x000100,
		 EVSE_FLAG_AUTH_VALID = 0x000200,
		 EVSE_FLAG_PARAMETERS_DONE = 0x000400,
		 EVSE_FLAG_USER_STOP = 0x010000,
};

/* index 1..15 (rule E-06), else -EINVAL. */
int evse_wire_init(struct evse_wire *w, enum evse_version version, unsigned index);
/* Decodes one frame; EVSE_EV_NONE when it is not for us or malformed (counted). */
void evse_wire_decode(struct evse_wire *w, const struct can_frame *f, struct evse_event *ev);
void evse_wire_status(struct evse_wire *w, const struct evse_status_out *st, struct can_frame *f);
void evse_wire_parameters(struct evse_wire *w, const struct evse_parameters_out *p, struct can_frame *f);
void evse_wire_sequence(struct evse_wire *w, uint32_t flags, struct can_frame *f);
/* Exact receive filters of this point; returns how many. */
size_t evse_wire_filters(const struct evse_wire *w, struct can_filter *f, size_t n);
/* Forgets what was told about the vehicle. */
void evse_wire_forget_vehicle(struct evse_wire *w);
/* Name of a module state, or NULL where the profile has none. */
const char *evse_wire_state_name(const struct evse_wire *w, uint8_t state);

#endif
