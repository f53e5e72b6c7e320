/* SPDX-License-Identifier: MIT */
/*
 * The virtual vehicle-side module (EVCC): the PEV generic interface v2 towards the vehicle's controller, the
 * charging protocol's client side towards the charger through the virtual plug. CCS, direct current. Pure; a
 * machine as in lib/core/machine.h.
 *
 * The stage numbers are those of EVSE_Information.Communication_Stage (pev-v2.md section 6); section 7 there
 * is the script. Decisions where the vendor is silent:
 *  - A normal stop first lowers the request to 0 until the current is small, then ends PowerDelivery. A fault
 *    stop ends PowerDelivery at once. An emergency goes to control pilot B and stage 10 without a word more.
 *  - A violated or silent charging protocol is an emergency in stages 5 to 7 and a plain end before; later the
 *    end goes on without the charger.
 *  - In stages 1 and 10 a monitor opens contactors that are still closed as soon as that is safe, and unlocks
 *    when rule P-44 holds.
 *  - Stage 10 lasts at least half a second, also when the plug is gone, so that its diagnostics can be read.
 */
#ifndef SIM_EVCC_H
#define SIM_EVCC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/can.h>

#include "lib/core/deadline.h"
#include "lib/core/log.h"
#include "lib/core/machine.h"
#include "lib/core/rx_watch.h"
#include "pev_msgs.h"
#include "sim/evcc_conf.h"
#include "sim/plug.h"
#include "sim/plug_tx.h"

enum evcc_stage {
	EVCC_INITIALISING = 0,
	EVCC_WAITING_FOR_EVSE = 1,
	EVCC_NEGOTIATING = 2,
	EVCC_FULL_INFO = 3,
	EVCC_INSULATION_TEST = 4,
	EVCC_PRECHARGE = 5,
	EVCC_WAITING_FOR_CHARGE = 6,
	EVCC_CHARGING = 7,
	EVCC_ENDING_CHARGE = 8,
	EVCC_WELDING_DETECTION = 9,
	EVCC_CLOSING = 10,
	EVCC_CHARGE_PAUSE = 11,
	EVCC_N_STAGES = 12,
};

/* Steps of stage 9. */
enum evcc_step {
	EVCC_STEP_NONE,
	EVCC_STEP_CURRENT, /* waits for a low current */
	EVCC_STEP_OPEN,	   /* waits for open contactors */
	EVCC_STEP_WELDING, /* waits for a dead inlet */
	EVCC_STEP_UNLOCK,
	EVCC_STEP_GOODBYE, /* SessionStop */
	EVCC_N_STEPS,
};

enum evcc_lock { EVCC_UNLOCKED, EVCC_LOCKING, EVCC_LOCKED, EVCC_UNLOCKING };

/* Why a session ends. Stable numbers, shown by status and documented in evcc-sim(1). */
enum evcc_cause {
	EVCC_CAUSE_NONE,
	/* Normal stops. */
	EVCC_CAUSE_CHARGER_STOP,
	EVCC_CAUSE_VEHICLE_STOP, /* Normal_End_of_Charge */
	EVCC_CAUSE_FULL,	 /* max_soc */
	EVCC_CAUSE_VOLTAGE,	 /* max_charge_voltage */
	EVCC_CAUSE_INPUT,	 /* stop input */
	EVCC_CAUSE_TEMPERATURE,
	EVCC_CAUSE_COMMAND,
	EVCC_CAUSE_PROGRAM_END,
	/* Faults. */
	EVCC_CAUSE_LOCK,
	EVCC_CAUSE_HOLD_OFF,
	EVCC_CAUSE_INCOMPATIBLE,
	EVCC_CAUSE_TRANSFER_MODE,
	EVCC_CAUSE_PRECHARGE,
	EVCC_CAUSE_CONTACTOR,
	EVCC_CAUSE_VOLTAGE_DEVIATION,
	EVCC_CAUSE_CURRENT_DEVIATION,
	/* The charging protocol is broken. */
	EVCC_CAUSE_NO_CHARGER, /* nobody answers the handshake */
	EVCC_CAUSE_NO_PROTOCOL,
	EVCC_CAUSE_AUTHORIZATION,
	EVCC_CAUSE_SERVICE,
	EVCC_CAUSE_SEQUENCE_ERROR,
	EVCC_CAUSE_SESSION_ID,
	EVCC_CAUSE_PAYLOAD,
	EVCC_CAUSE_FAILED, /* any other failure code */
	EVCC_CAUSE_TIMEOUT,
	EVCC_CAUSE_UNPLUGGED,
	EVCC_CAUSE_PILOT,
	EVCC_CAUSE_DUTY,
	/* Emergencies. */
	EVCC_CAUSE_VEHICLE_EMERGENCY, /* Emergency_Stop */
	EVCC_CAUSE_CAN_TIMEOUT,
	EVCC_CAUSE_CHARGER_EMERGENCY,
	EVCC_CAUSE_COMMAND_EMERGENCY,
	EVCC_N_CAUSES,
};

/* Client side of the charging protocol. */
struct evcc_v2g {
	bool is_open;  /* the handshake went out; requests may be sent */
	bool is_begun; /* 5 % duty seen in this session */
	uint16_t tag;
	enum v2g_protocol protocol;
	bool is_customer_wait; /* the charger waits for a person: no time limit */
	bool is_start_asked;   /* the last PowerDelivery was a start */
	enum v2g_msg chain;    /* what stage 2 asks next */
	enum v2g_msg asked;    /* waits for this answer; V2G_NONE: for none */
	enum v2g_msg last;     /* asked most recently */
	int64_t begun_us;      /* 5 % duty since */
	int64_t asked_us, raster_us;
	int64_t due_us;	   /* no request before */
	int64_t repeat_us; /* first of a repeated request */
	uint8_t transfer;  /* energy transfer mode agreed */
	uint8_t status;	   /* last EVSE status code */
	/* The charger's side. */
	bool has_limits;
	int32_t max_voltage_mV, max_current_mA, max_power_W; /* power 0: not given */
	int32_t present_mV, present_mA;
};

/* What the charger's end of the pilot says. */
struct evcc_pilot {
	int64_t last_us; /* FC_NEVER: nothing yet */
	bool is_mated;
	uint8_t fault;
	int32_t duty_permille;
};

struct evcc_count {
	uint64_t n_rx;
	uint64_t n_dropped;
	uint64_t n_clipped;
	uint64_t n_bus_errors;
	uint64_t n_loops; /* CurrentDemand answers */
	uint32_t n_sessions;
	uint32_t n_emergencies;
};

/* Prepared frames of the generic interface, in this order on the bus. */
enum evcc_frame {
	EVCC_F_INFORMATION,
	EVCC_F_AC,
	EVCC_F_DC,
	EVCC_F_CCS,
	EVCC_F_DIAGNOSTIC,
	EVCC_F_MCS,
	EVCC_N_FRAMES,
};

struct evcc {
	struct evcc_cfg cfg;
	struct log log;
	const struct msg_layout *pev;  /* of the profile, indexed by enum pev_msg */
	const struct msg_layout *plug; /* of the plug */
	struct plug_tx tx;
	struct evcc_count count;

	enum evcc_stage stage;
	enum evcc_step step;
	int64_t entered_us, step_us, started_us;
	enum evcc_cause cause;
	bool is_emergency; /* ended by one; kept until stage 1 */
	struct grid grid;  /* 100 ms: everything periodic, and all time-outs */
	uint8_t n_slots;

	/* The vehicle's controller. */
	struct pev_ev_information battery;
	struct pev_dc_status1 dc1;
	struct pev_dc_status2 dc2;
	struct pev_ev_energy_request energy;
	struct pev_ev_status flags;
	bool has_energy;
	struct rx_watch dc1_watch, dc2_watch;

	/* Commands to the vehicle and the lock. */
	bool is_close_commanded;
	int64_t close_us; /* since when the present command stands */
	bool is_io_closed;
	enum evcc_lock lock;
	bool is_lock_failed;
	int64_t lock_us;
	uint8_t outputs, leds[EVCC_N_OUTPUTS]; /* outputs: bit per output */

	/* Charging loop. */
	int32_t request_mA, target_mV;
	int64_t request_us;   /* when request_mA was formed */
	int64_t deviation_us; /* since when the current is off; FC_NEVER: it is not */
	bool is_lowering;     /* stage 8: zero current is being asked for */
	int32_t derate_permille;

	/* Plug. */
	bool was_unplugged; /* since the stage was entered */
	bool is_mated;
	enum cp_state resistance; /* B or C, while mated */
	struct evcc_pilot pilot;
	struct evcc_v2g v2g;
	bool was_connected; /* to show a change */

	/* Hardware. */
	bool input[EVCC_N_INPUTS], is_stop_input;
	bool is_input_changed;
	int32_t ptc_mdegC[3], cpu_mdegC;

	struct pev_evcc_mevc_diagnostic_status diagnostic;
	uint8_t evccid[V2G_EVCCID_LEN];
	bool is_lock_faked; /* fault injection: the lock does not move */
	bool is_plug_done;  /* plug_after has happened */
	bool is_stopping, is_stopped;
	int64_t stop_us;

	uint32_t dirty; /* bit per enum evcc_frame: repack before sending */
	struct can_frame frame[EVCC_N_FRAMES];
	struct can_frame pilot_frame;
	canid_t plug_bits;	/* pistol index in place */
	int32_t current_lsb_mA; /* of EVSE_Information.Max_Current */
};

void evcc_init(struct evcc *e, const struct evcc_cfg *cfg, const struct log_sink *sink, int64_t now_us);
/* The module restarts (power cycle): everything is forgotten but the plug, the lock and the contactors. */
void evcc_restart(struct evcc *e, int64_t now_us);
/* The machine record; e must outlive it. */
struct machine evcc_machine(struct evcc *e);

/* HLC_ResponseCode of the PEV interface for a response code of the plug; 0 for an unknown one. */
uint8_t evcc_hlc_code(unsigned code);
const char *evcc_stage_name(enum evcc_stage stage);
const char *evcc_step_name(enum evcc_step step);
const char *evcc_cause_name(enum evcc_cause cause);
const char *evcc_lock_name(enum evcc_lock lock);

#endif
