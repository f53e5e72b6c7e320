/* SPDX-License-Identifier: MIT */
/*
 * The virtual plug: control pilot, proximity and the charging protocol as frames of dbc/plug.dbc. Pure.
 *
 * Shared by both virtual modules: the numbers of the charging protocol (v2g/messages.md section 6), the state
 * of the control pilot as both ends see it, and how a frame of the plug is recognised. The pistol index is in
 * bits 28..24 of every identifier.
 */
#ifndef SIM_PLUG_H
#define SIM_PLUG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/can.h>

#include "dbc/msg_map.h"
#include "plug_msgs.h"

/*
 * Frames of the pilot older than this count as a broken connection, that is control pilot state A. A plug that is
 * pulled is told at once by a frame; silence only means that the other process died, and must not be mistaken
 * for a busy machine.
 */
#define PLUG_STALE_US 1000000

/* Messages of the charging protocol by their ISO 15118-2 names, in the order of a session. */
enum v2g_msg {
	V2G_SUPPORTED_APP_PROTOCOL,
	V2G_SESSION_SETUP,
	V2G_SERVICE_DISCOVERY,
	V2G_PAYMENT_SERVICE_SELECTION,
	V2G_AUTHORIZATION,
	V2G_CHARGE_PARAMETER_DISCOVERY,
	V2G_CABLE_CHECK,
	V2G_PRE_CHARGE,
	V2G_POWER_DELIVERY,
	V2G_CURRENT_DEMAND,
	V2G_WELDING_DETECTION,
	V2G_SESSION_STOP,
	V2G_N_MSGS,
	V2G_NONE = V2G_N_MSGS, /* no message yet */
};

enum v2g_protocol {
	V2G_PROTOCOL_NONE = 0,
	V2G_PROTOCOL_DIN = 1,
	V2G_PROTOCOL_ISO2 = 2,
	V2G_PROTOCOL_ISO20 = 3,
	V2G_N_PROTOCOLS = 4,
};

/* Value table Response_Code of plug.dbc: the codes of ISO 15118-2, then the two that only DIN 70121 has. */
enum v2g_code {
	V2G_OK = 0,
	V2G_OK_NEW_SESSION = 1,
	V2G_OK_OLD_SESSION = 2,
	V2G_OK_CERTIFICATE_EXPIRES_SOON = 3,
	V2G_FAILED = 4,
	V2G_FAILED_SEQUENCE_ERROR = 5,
	V2G_FAILED_SERVICE_ID = 6,
	V2G_FAILED_UNKNOWN_SESSION = 7,
	V2G_FAILED_SERVICE_SELECTION = 8,
	V2G_FAILED_PAYMENT_SELECTION = 9,
	V2G_FAILED_WRONG_CHARGE_PARAMETER = 16,
	V2G_FAILED_POWER_DELIVERY_NOT_APPLIED = 17,
	V2G_FAILED_WRONG_ENERGY_TRANSFER_MODE = 22,
	V2G_FAILED_CONTACTOR = 23,
	V2G_N_CODES = 28,
};

enum v2g_processing { V2G_FINISHED = 0, V2G_ONGOING = 1, V2G_ONGOING_CUSTOMER = 2 };
enum v2g_notification { V2G_NOTIFY_NONE = 0, V2G_NOTIFY_STOP = 1 };
enum v2g_progress { V2G_PROGRESS_START = 0, V2G_PROGRESS_STOP = 1 };
enum v2g_ending { V2G_TERMINATE = 0, V2G_PAUSE = 1 };
enum v2g_isolation { V2G_ISO_INVALID = 0, V2G_ISO_VALID = 1, V2G_ISO_WARNING = 2, V2G_ISO_FAULT = 3 };
enum v2g_handshake { V2G_HANDSHAKE_OK = 0, V2G_HANDSHAKE_MINOR = 1, V2G_HANDSHAKE_FAILED = 2 };
enum v2g_payment { V2G_PAY_CONTRACT = 0, V2G_PAY_EXTERNAL = 1 };
enum v2g_transfer { V2G_DC_CORE = 2, V2G_DC_EXTENDED = 3 };

enum v2g_status {
	V2G_EVSE_NOT_READY = 0,
	V2G_EVSE_READY = 1,
	V2G_EVSE_SHUTDOWN = 2,
	V2G_EVSE_ISOLATION_MONITORING = 4,
	V2G_EVSE_EMERGENCY = 5,
	V2G_EVSE_MALFUNCTION = 6,
};

enum v2g_ev_error { V2G_EV_OK = 0, V2G_EV_LOCK_FAULT = 3, V2G_EV_MALFUNCTION = 4, V2G_EV_INCOMPATIBLE = 10 };

/* The service that every charger offers, and how many bytes a vehicle's identifier has. */
#define V2G_SERVICE_CHARGING 1
#define V2G_EVCCID_LEN	     6

/* A decoded request or answer. */
union v2g_any {
	struct plug_supported_app_protocol_req supported_app_protocol_req;
	struct plug_supported_app_protocol_res supported_app_protocol_res;
	struct plug_session_setup_req session_setup_req;
	struct plug_session_setup_res session_setup_res;
	struct plug_service_discovery_req service_discovery_req;
	struct plug_service_discovery_res service_discovery_res;
	struct plug_payment_service_selection_req payment_service_selection_req;
	struct plug_payment_service_selection_res payment_service_selection_res;
	struct plug_authorization_req authorization_req;
	struct plug_authorization_res authorization_res;
	struct plug_charge_parameter_discovery_req charge_parameter_discovery_req;
	struct plug_charge_parameter_discovery_res charge_parameter_discovery_res;
	struct plug_cable_check_req cable_check_req;
	struct plug_cable_check_res cable_check_res;
	struct plug_pre_charge_req pre_charge_req;
	struct plug_pre_charge_res pre_charge_res;
	struct plug_power_delivery_req power_delivery_req;
	struct plug_power_delivery_res power_delivery_res;
	struct plug_current_demand_req current_demand_req;
	struct plug_current_demand_res current_demand_res;
	struct plug_welding_detection_req welding_detection_req;
	struct plug_welding_detection_res welding_detection_res;
	struct plug_session_stop_req session_stop_req;
	struct plug_session_stop_res session_stop_res;
};

/* Layout numbers of a message of the charging protocol: the database has them in the order of a session. */
static inline enum plug_msg v2g_request_layout(enum v2g_msg msg)
{
	return (enum plug_msg)(PLUG_SUPPORTED_APP_PROTOCOL_REQ + 2 * (int)msg);
}

static inline enum plug_msg v2g_answer_layout(enum v2g_msg msg)
{
	return (enum plug_msg)(PLUG_SUPPORTED_APP_PROTOCOL_RES + 2 * (int)msg);
}

/* Control pilot; order of the resistance value table, then the two states a charger can force. */
enum cp_state { CP_A, CP_B, CP_C, CP_D, CP_E_F };

/* Nominal high level in volts: the numbers of CP_State in both CAN interfaces. */
unsigned cp_nominal_V(enum cp_state state);
const char *cp_name(enum cp_state state);

/* Duty that demands digital communication: 3 to 7 % (IEC 61851-1), 5 % nominal. */
#define CP_DUTY_DIGITAL_PERMILLE 50
#define CP_DUTY_OFF_PERMILLE	 1000
static inline bool cp_is_digital(int32_t duty_permille)
{
	return duty_permille >= 30 && duty_permille <= 70;
}

/* Base of the identifiers of the plug, without index. */
#define PLUG_BASE_ID	0x000A0000u
#define PLUG_BASE_MASK	(CAN_EFF_FLAG | CAN_RTR_FLAG | CAN_ERR_FLAG | 0x00FF0000u)
#define PLUG_V2G_OFFSET 0x100u

/* True for a data frame of the plug with this pistol index. */
static inline bool plug_is_mine(const struct can_frame *f, unsigned index)
{
	return (f->can_id & (PLUG_BASE_MASK | 0x1F000000u)) ==
	       (CAN_EFF_FLAG | PLUG_BASE_ID | (canid_t)index << MSG_INDEX_SHIFT);
}

/* Low 16 bits: which frame of the plug. */
static inline unsigned plug_offset(const struct can_frame *f)
{
	return f->can_id & 0xFFFFu;
}

/* "SessionSetup", "FAILED_SequenceError", ...; "?" for a number that is not in the table. */
const char *v2g_msg_name(enum v2g_msg msg);
const char *v2g_code_name(unsigned code);
const char *v2g_protocol_name(enum v2g_protocol protocol);
const char *v2g_status_name(unsigned status);

static inline bool v2g_is_failure(unsigned code)
{
	return code > V2G_OK_CERTIFICATE_EXPIRES_SOON;
}

/*
 * Requests that may follow `last` (bit per enum v2g_msg), strict order of section 6.2. `is_finished` says that
 * the last answer was not Ongoing; `is_started` that PowerDelivery start was granted and not yet ended.
 */
uint32_t v2g_allowed_after(enum v2g_msg last, bool is_finished, bool is_started);

#endif
