/* SPDX-License-Identifier: MIT */
/*
 * PEV generic interface v2 on the vehicle's side: frames <-> events and back. Pure.
 *
 * The interface version is chosen here and nowhere else. Layouts, identifiers, lengths and periods come from
 * the databases by generated code. Source of every number: pev-v2.md sections 1 to 4.
 */
#ifndef PEV_WIRE_H
#define PEV_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/can.h>

#include "pev_msgs.h"

#include "pev-ctrl/pev_conf.h"

#define PEV_RX_FIRST_ID 0x600u /* EVSE_Information */
#define PEV_RX_N	7u     /* 0x600 .. 0x606 */
#define PEV_TX_FIRST_ID 0x610u /* EV_Information */
#define PEV_TX_N	9u     /* 0x610 .. 0x618 */

#define PEV_STAGE_NONE 256 /* EVSE_Information not heard yet */

/* Communication_Stage, pev-v2.md section 6; other numbers pass through (rule P-07). */
enum pev_stage {
	PEV_STAGE_INITIALISING = 0,
	PEV_STAGE_WAITING_FOR_EVSE = 1,
	PEV_STAGE_NEGOTIATING = 2,
	PEV_STAGE_CONNECTED = 3,
	PEV_STAGE_INSULATION_TEST = 4,
	PEV_STAGE_PRECHARGE = 5,
	PEV_STAGE_WAITING_FOR_CHARGE = 6,
	PEV_STAGE_CHARGING = 7,
	PEV_STAGE_ENDING = 8,
	PEV_STAGE_WELDING_DETECTION = 9,
	PEV_STAGE_CLOSING = 10,
	PEV_STAGE_PAUSE = 11,
};

enum pev_event_kind {
	PEV_EV_NONE, /* not for us, or dropped and counted */
	PEV_EV_SAME, /* as the last one of its kind: only its age changes */
	PEV_EV_NEW,
	PEV_EV_BUS_DOWN,
	PEV_EV_BUS_UP,
};

struct pev_event {
	enum pev_event_kind kind;
	unsigned rx; /* SAME, NEW: identifier minus PEV_RX_FIRST_ID */
};

/* What the module said last, in our units. */
struct pev_module {
	struct pev_evse_information information;
	struct pev_ac_control ac_control;
	struct pev_dc_control dc_control;
	struct pev_ccs_extra_information ccs;
	struct pev_adm_cs_evcc_inputs inputs;
	struct pev_evcc_mevc_diagnostic_status diagnostic;
	struct pev_mcs_extra_information mcs;
};

struct pev_counters {
	uint32_t n_accepted;
	uint32_t n_foreign; /* other identifier */
	uint32_t n_kind;    /* remote frames */
	uint32_t n_short;   /* shorter than the profile's length */
	uint32_t n_unknown; /* numbers without a name */
	uint32_t n_errors;  /* error frames of the bus */
	uint32_t n_clipped; /* own values that did not fit their signal */
};

struct pev_wire {
	enum pev_version version;
	canid_t flags;		 /* CAN_EFF_FLAG with force_extended_ids */
	bool is_order_swapped;	 /* EV_Energy_Request: target, minimum, maximum */
	bool has_emergency_stop; /* DC_Status2 has the bit: profiles 2.0 and later */
	int32_t current_step_mA; /* one bit of DC_Status1.Max_Charge_Current */
	int32_t current_max_mA;	 /* largest raw value of it */
	int32_t voltage_max_mV;	 /* largest raw value of DC_Status2.Inlet_Voltage */
	const struct msg_layout *rx[PEV_RX_N];
	const struct msg_layout *tx[PEV_TX_N];
	struct pev_module module;
	uint8_t last_dlc[PEV_RX_N]; /* 255: none */
	uint8_t last[PEV_RX_N][8];
	struct pev_counters count;
};

/* 0, or -EINVAL for an unknown version. */
int pev_wire_init(struct pev_wire *w, const struct pev_conf *conf);
/* Decodes one frame into w->module and says what it was. */
struct pev_event pev_wire_decode(struct pev_wire *w, const struct can_frame *f);
/* True when the frame would be PEV_EV_NEW; changes nothing. */
bool pev_wire_is_new(const struct pev_wire *w, const struct can_frame *f);
/* False when this version has no such message. `tx` is the identifier minus PEV_TX_FIRST_ID. */
bool pev_wire_encode(struct pev_wire *w, unsigned tx, const void *msg, struct can_frame *f);
/* Receive filters, 11-bit and 29-bit (rule P-02); returns how many. */
size_t pev_wire_filters(const struct pev_wire *w, struct can_filter *f, size_t n);
/* Name of a number of EVSE_Information (field by member name), or NULL. */
const char *pev_wire_name(const struct pev_wire *w, const char *member, int64_t number);
/* "2.5"; NULL outside the table. */
const char *pev_wire_version_name(int32_t version);

#endif
