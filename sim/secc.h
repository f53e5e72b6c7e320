/* SPDX-License-Identifier: MIT */
/*
 * The virtual charger-side module (SECC): the EVSE generic interface v3 towards the customer's controller, the
 * charging protocol's server side towards the vehicle through the virtual plug. CCS, direct current, target
 * mode. Pure; a machine as in lib/core/machine.h.
 *
 * The state numbers are those of Advantics_Controller_Status.State (evse-v3.md section 6); section 7 there is
 * the script. Decisions where the vendor is silent:
 *  - A broken connection, control pilot B or an error code of the vehicle while power may flow is an emergency
 *    of origin PEV; a silent or disabling customer, an insulation alarm and the interlock are of origin EVSE.
 *  - Emergency_Stop is repeated until the cause is gone and the session has been closed; meanwhile no new one starts.
 *  - A vehicle that stays plugged after a session starts no other one until it was unplugged or toggles
 *    its control pilot B-C-B.
 *  - Clean_Stop: refused, stopped by user or vehicle. Rushed_Stop: every emergency, failed insulation test,
 *    violated protocol, time-out with power on.
 */
#ifndef SIM_SECC_H
#define SIM_SECC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/can.h>

#include "evse_msgs.h"
#include "lib/core/deadline.h"
#include "lib/core/log.h"
#include "lib/core/machine.h"
#include "sim/plug.h"
#include "sim/plug_tx.h"
#include "sim/secc_conf.h"

enum secc_state {
	SECC_INITIALISING = 0,
	SECC_WAITING_FOR_PEV = 1,
	SECC_NEGOTIATING = 2,
	SECC_FULL_INFO = 3,
	SECC_INSULATION_TEST = 4,
	SECC_PRECHARGE = 5,
	SECC_WAITING_FOR_CHARGE = 6,
	SECC_CHARGING = 7,
	SECC_ENDING_CHARGE = 8,
	SECC_WELDING_DETECTION = 9,
	SECC_CLOSING = 10,
	SECC_AUTHORISATION = 11,
	SECC_NOT_AVAILABLE = 12,
	SECC_CHARGE_PAUSE = 13,
	SECC_N_STATES = 14,
};

/* Steps inside a state. */
enum secc_step {
	SECC_STEP_NONE,
	/* Insulation_Test */
	SECC_STEP_WAKE,	  /* waits for System_Enable */
	SECC_STEP_READY,  /* one Standby was sent */
	SECC_STEP_TEST,	  /* test voltage on */
	SECC_STEP_LOWER,  /* output is brought down */
	SECC_STEP_PASSED, /* waits for PreCharge */
	/* Ending_Charge, goes on in Welding_Detection */
	SECC_STEP_END_CURRENT, /* Standby, closed: waits for low current */
	SECC_STEP_END_OPEN,    /* Standby, open: contactors move */
	SECC_STEP_END_LOWER,   /* Standby, open, lowering */
	SECC_N_STEPS,
};

enum secc_function {
	SECC_FN_OFF = 0,
	SECC_FN_STANDBY = 1,
	SECC_FN_INSULATION = 2,
	SECC_FN_PRECHARGE = 4,
	SECC_FN_TRANSFER = 8,
};

/* Why a session ended, or what the emergency is. Stable numbers, shown by status and documented in secc-sim(1). */
enum secc_cause {
	SECC_CAUSE_NONE,
	SECC_CAUSE_VEHICLE,	      /* SessionStop of the vehicle */
	SECC_CAUSE_REFUSED,	      /* authorisation invalid */
	SECC_CAUSE_NO_PROTOCOL,	      /* handshake failed */
	SECC_CAUSE_PARAMETERS,	      /* vehicle and charger do not fit */
	SECC_CAUSE_SETUP_TIMEOUT,     /* no SessionSetup in time */
	SECC_CAUSE_SEQUENCE_TIMEOUT,  /* vehicle silent */
	SECC_CAUSE_SEQUENCE_ERROR,    /* request out of order */
	SECC_CAUSE_UNKNOWN_SESSION,   /* wrong session tag */
	SECC_CAUSE_NOT_ENABLED,	      /* System_Enable not in time */
	SECC_CAUSE_UNAVAILABLE,	      /* System_Enable withdrawn before the loop */
	SECC_CAUSE_INSULATION_FAILED, /* test not passed */
	SECC_CAUSE_NOT_LOWERED,	      /* output stayed up after the test */
	SECC_CAUSE_PRECHARGE_TIMEOUT,
	SECC_CAUSE_UNPLUGGED, /* connection broken with no power on */
	SECC_CAUSE_STOPPED,   /* the program ends */
	/* Emergencies from here on. */
	SECC_CAUSE_DISABLED,	  /* System_Enable 0 in the loop */
	SECC_CAUSE_CUSTOMER_LOST, /* Power_Modules_Status missing */
	SECC_CAUSE_INSULATION_ALARM,
	SECC_CAUSE_INTERLOCK,	      /* command */
	SECC_CAUSE_VEHICLE_EMERGENCY, /* error code, pilot B or connection lost under power, or command */
	SECC_N_CAUSES,
};

enum secc_origin { SECC_ORIGIN_EVSE = 1, SECC_ORIGIN_PEV = 3 };

/* One setpoint as in DC_Power_Control. */
struct secc_power {
	enum secc_function function;
	int32_t v_mV, i_max_mA, i_min_mA;
	bool is_closed, is_lowering, is_range;
};

/* What the vehicle told in the charging protocol. */
struct secc_vehicle {
	uint8_t evccid[V2G_EVCCID_LEN];
	bool has_evccid;
	int32_t soc_permille;
	int32_t v_max_mV, i_max_mA, p_max_W;
	int64_t capacity_Wh, energy_Wh;
	int32_t soc_full_permille, soc_bulk_permille;
	int32_t v_target_mV, i_target_mA; /* of the last PreCharge or CurrentDemand */
	uint8_t error;
};

/* Server side of the charging protocol. */
struct secc_v2g {
	uint16_t tag; /* 0: no session */
	uint32_t n_tags;
	enum v2g_protocol protocol;
	enum v2g_msg last;
	bool is_finished;      /* the last answer was not Ongoing */
	bool is_started;       /* PowerDelivery start granted */
	bool is_start_pending; /* its answer waits for the end of state 6's waiting time */
	int64_t last_rx_us;
	uint8_t isolation; /* enum v2g_isolation */
	bool v_limited, i_limited, p_limited;
	int64_t limits_us; /* when EVSE_Limits was sent */
	struct plug_evse_limits limits;
};

struct secc_count {
	uint64_t n_rx;
	uint64_t n_dropped; /* kind, index, identifier or length */
	uint64_t n_clipped;
	uint64_t n_bus_errors;
	uint32_t n_sessions;
	uint32_t n_emergencies;
};

struct secc_layouts {
	const struct msg_layout *evse; /* of the profile, indexed by enum evse_msg */
	const struct msg_layout *plug;
};

struct secc {
	struct secc_cfg cfg;
	struct log log;
	struct secc_layouts layout;
	struct plug_tx tx;
	struct secc_count count;

	enum secc_state state;
	enum secc_step step;
	int64_t entered_us, step_us, session_us;
	enum secc_cause cause; /* of the last end of a session */
	struct grid grid;      /* 100 ms: everything periodic, and all time-outs */
	uint8_t n_slots;       /* of the grid, modulo 10: every tenth is the 1 s slot */

	/* Customer. */
	struct evse_power_modules_status pms;
	struct evse_dc_power_parameters parameters;
	struct evse_sequence_control flags;
	bool is_pms_armed; /* supervised since the first one after New_Charge_Session */
	bool is_pms_new;   /* since the last insulation sample */
	int64_t pms_us;	   /* FC_NEVER: none yet */
	canid_t pms_id, parameters_id, flags_id, secc_outputs_id, spcc_outputs_id;

	/* Session towards the customer. */
	bool is_session_announced; /* New_Charge_Session was sent */
	bool is_session_sending;   /* and still is */
	uint8_t info_due;	   /* EV_Information messages still to be sent, bit per message */
	bool was_enabled;	   /* System_Enable was 1 in this session */
	bool is_charge_started;
	bool is_power_used;    /* some DC_Power_Control was sent in this session */
	bool is_power_cyclic;  /* the present one is repeated */
	bool is_vehicle_paced; /* by the vehicle's requests */
	int64_t power_us;      /* last sent */
	int64_t status_us;     /* Advantics_Controller_Status last sent */
	struct secc_power power;
	int32_t n_good; /* consecutive insulation samples */
	bool is_stop_requested;

	/* Emergency. */
	enum secc_cause emergency; /* SECC_CAUSE_NONE: none */
	enum secc_origin origin;
	struct grid emergency_grid;
	bool is_interlock; /* as commanded */

	/* Plug. */
	bool is_mated;	       /* our half */
	bool is_plug_consumed; /* the vehicle had its session and did not unplug since */
	enum cp_state cp;
	bool is_toggling; /* first half of a B-C-B toggle seen */
	int64_t toggle_us;
	int64_t pilot_us; /* of the last Pilot_EV; FC_NEVER: none */
	bool is_locked;	  /* as the vehicle reports */
	bool is_ev_mated;
	uint8_t resistance;
	int32_t duty_permille;
	uint8_t pilot_fault;

	struct secc_v2g v2g;
	struct secc_vehicle vehicle;

	/* Hardware. */
	bool input[SECC_N_INPUTS];
	bool is_input_changed;
	uint8_t output[SECC_N_OUTPUTS];
	uint8_t led[SECC_N_LEDS];
	int32_t ptc_mdegC[2], cpu_mdegC;
	int32_t derate_current_permille, derate_cable_permille; /* what is left */

	bool is_insulation_faked;  /* fault injection: readings count as 0 */
	enum v2g_msg faked_answer; /* fault injection: this answer carries faked_code; V2G_NONE: none */
	uint8_t faked_code;
	bool is_stopping, is_stopped;
	int64_t stop_us; /* asked to end */

	/* Prepared frames, repacked when their content changed. */
	struct can_frame status_frame, extra_frame, pilot_frame, power_frame;
};

void secc_init(struct secc *s, const struct secc_cfg *cfg, const struct log_sink *sink, int64_t now_us);
/* The machine record; s must outlive it. */
struct machine secc_machine(struct secc *s);

const char *secc_state_name(enum secc_state state);
const char *secc_step_name(enum secc_step step);
const char *secc_cause_name(enum secc_cause cause);

#endif
