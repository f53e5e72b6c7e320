/* SPDX-License-Identifier: MIT */
/*
 * Driver contract of the charger's power stack: power modules, output relay, measurement, insulation monitor.
 *
 * The numbers and rules are those of the project's contract for six families of real modules. All currents
 * are totals of one pistol, positive into the vehicle. Nothing blocks; `set` and `status` may be called at
 * any time after init. Rules a driver must keep:
 *  - A set point expires: past valid_until_us the driver goes to off by itself (dead man).
 *  - Off returns at once and is reached when status says off_confirmed, by measurement.
 *  - Measurements carry the time of the sample; a last or a zero value never stands in for a missing one.
 *  - After a lost link the last set point is re-applied only while still valid.
 */
#ifndef FORECOURT_POWER_MODULE_H
#define FORECOURT_POWER_MODULE_H

#include <forecourt/plugin.h>

enum pm_mode {
	PM_OFF = 0,		/* no power; output floating */
	PM_STANDBY = 1,		/* no power, ready; no bleeding unless asked */
	PM_INSULATION_TEST = 2, /* constant voltage for the cable test; insulation is measured */
	PM_PRECHARGE = 3,	/* constant voltage, current at most i_max_mA */
	PM_TRANSFER = 4,	/* follow the window */
};

enum pm_range { PM_RANGE_AUTO = 0, PM_RANGE_LOW = 1, PM_RANGE_HIGH = 2 };

struct pm_setpoint {
	uint32_t size;
	int32_t mode;	  /* enum pm_mode */
	int32_t v_mV;	  /* target voltage, >= 0 */
	int32_t i_max_mA; /* window of total current; target mode: both equal */
	int32_t i_min_mA;
	int32_t p_max_W;	/* total power limit; 0 = none */
	int32_t v_load_mV;	/* voltage known behind the contactors; -1 unknown */
	int32_t is_closed;	/* output contactors as commanded: 1 closed, 0 open */
	int32_t is_bleeding;	/* 1: discharge the output to <= 20 V; only with standby */
	int32_t range;		/* enum pm_range */
	uint32_t clear_fault;	/* counter: each increment is one attempt to reset latched faults */
	int32_t is_urgent;	/* 1: stop without ramp; contactors may open above their limit */
	int64_t valid_until_us; /* past it the driver goes to off by itself */
	uint32_t seq;		/* echoed in pm_status.seq_done */
	uint32_t reserved;
};

enum pm_caps_flag {
	PM_CAP_BIDIRECTIONAL = 1 << 0,
	PM_CAP_BLEEDER = 1 << 1,
	PM_CAP_OUTPUT_RELAY = 1 << 2,
	PM_CAP_MEASURES_VI = 1 << 3,
	PM_CAP_MEASURES_INSULATION = 1 << 4,
};

struct pm_caps {
	uint32_t size;
	uint32_t flags; /* enum pm_caps_flag */
	int32_t v_min_mV, v_max_mV;
	int32_t i_charge_max_mA, i_discharge_max_mA; /* both >= 0 */
	int32_t p_max_W;
	int32_t v_step_mV, i_step_mA;
	int32_t i_lowest_mA; /* smallest non-zero current the hardware can give */
	int32_t ramp_mV_per_s, ramp_mA_per_s;
	int32_t off_current_mA;	 /* contactors may open below */
	int64_t wake_us, off_us; /* typical */
	int64_t watchdog_us;	 /* longest delivery after the bus died; INT64_MAX unlimited */
	int64_t range_change_us;
	uint32_t n_buses; /* CAN buses of its own */
	uint32_t bitrate; /* of those */
};

enum pm_state {
	PM_ST_ABSENT = 0,
	PM_ST_WAKING = 1,
	PM_ST_STANDBY = 2,
	PM_ST_RAMPING = 3,
	PM_ST_ON = 4,
	PM_ST_STOPPING = 5,
	PM_ST_OFF_UNCONFIRMED = 6,
	PM_ST_FAULT = 7,
};

enum pm_limit {
	PM_LIMIT_NONE = 0,
	PM_LIMIT_VOLTAGE = 1,
	PM_LIMIT_CURRENT = 2,
	PM_LIMIT_POWER = 3,
	PM_LIMIT_HEAT = 4,
	PM_LIMIT_MAINS = 5,
	PM_LIMIT_RANGE = 6,
	PM_LIMIT_MODULE_LOST = 7,
	PM_LIMIT_BELOW_MINIMUM = 8,
};

enum pm_fault {
	PM_FAULT_COMM_LOST = 1 << 0,
	PM_FAULT_COMM_PARTIAL = 1 << 1,
	PM_FAULT_HARDWARE = 1 << 2,
	PM_FAULT_OVER_TEMP = 1 << 3,
	PM_FAULT_OVER_VOLTAGE_DC = 1 << 4,
	PM_FAULT_UNDER_VOLTAGE_DC = 1 << 5,
	PM_FAULT_OVER_CURRENT = 1 << 6,
	PM_FAULT_SHORT_CIRCUIT = 1 << 7,
	PM_FAULT_MAINS_VOLTAGE = 1 << 8,
	PM_FAULT_MAINS_PHASE = 1 << 9,
	PM_FAULT_FAN = 1 << 10,
	PM_FAULT_IMBALANCE = 1 << 11,
	PM_FAULT_DUPLICATE_ADDRESS = 1 << 12,
	PM_FAULT_UNEXPECTED_MODULE = 1 << 13,
	PM_FAULT_WRONG_GROUP = 1 << 14,
	PM_FAULT_SETPOINT_REFUSED = 1 << 15,
	PM_FAULT_STUCK_ON = 1 << 16,
	PM_FAULT_DISCHARGE_FAILED = 1 << 17,
	PM_FAULT_INTERLOCK = 1 << 18,
	PM_FAULT_RANGE_FAILED = 1 << 19,
	PM_FAULT_INTERNAL = 1 << 20,
	PM_FAULT_VALUE_INVALID = 1 << 21,
	PM_FAULT_WELDED_CONTACTOR = 1 << 22,
};

#define PM_TEMP_NONE INT32_MIN

struct pm_status {
	uint32_t size;
	int32_t state; /* enum pm_state */
	int32_t v_mV;  /* measured at the output, before the output contactors */
	int32_t i_mA;
	int64_t t_vi_us; /* when v and i were sampled */
	int32_t avail_v_min_mV, avail_v_max_mV;
	int32_t avail_i_max_mA,
		avail_i_min_mA; /* window now, at the present voltage; min <= 0 where bidirectional */
	int32_t avail_p_W;
	int32_t temp_hot_mdegC, temp_inlet_mdegC; /* PM_TEMP_NONE: unknown */
	int64_t t_avail_us;
	int32_t insulation_ohm; /* valid only with insulation_valid */
	int32_t insulation_valid;
	int64_t t_iso_us;
	int32_t is_ready;	  /* may go to a power mode within 1 s */
	int32_t is_off_confirmed; /* current below off_current_mA by measurement and all modules report off */
	int32_t is_v_reached;	  /* within 2 % or 5 V of the target */
	int32_t is_closed;	  /* output contactors, by feedback */
	int32_t limit_by;	  /* enum pm_limit */
	uint32_t faults;	  /* enum pm_fault, all present ones */
	uint32_t faults_stop;	  /* those that demand a stop */
	uint32_t faults_latched;  /* those that stay until clear_fault */
	int32_t demand_mains_cut; /* 1: modules cannot be stopped by their bus */
	uint16_t n_expected, n_online, n_on, n_derated, n_faulted, n_silent;
	uint32_t seq_done;
	uint32_t vendor_code;
	int64_t rx_age_us;
	uint32_t tx_fail;
	uint32_t reserved;
};

/* One module of the stack; for monitors and tests, no decision depends on it. */
struct pm_module {
	uint32_t size;
	uint32_t address;
	int32_t state;
	int32_t v_mV, i_mA, avail_i_mA;
	int32_t temp_mdegC;
	uint32_t faults;
	int64_t rx_age_us;
	char serial[24];
};

struct power_module_ops {
	/* 0, or a negative errno with a reason in err (always terminated). Keys not in `options` never arrive. */
	int32_t (*init)(void *self, const struct forecourt_host *host, const struct forecourt_kv *kv,
			uint32_t n_kv, int64_t now_us, char *err, uint32_t err_size);
	void (*fini)(void *self);
	void (*caps)(void *self, struct pm_caps *caps);
	void (*set)(void *self, int64_t now_us, const struct pm_setpoint *sp);
	void (*status)(void *self, int64_t now_us, struct pm_status *st);
	/* Optional from here on. Sans-IO: frames in, host->send out, the next deadline asked for. */
	void (*rx)(void *self, int64_t now_us, uint32_t bus, const struct can_frame *frame);
	void (*tick)(void *self, int64_t now_us);
	int64_t (*next_us)(void *self); /* absolute; INT64_MAX: nothing due */
	/* Receive filters wanted on a bus; returns how many, at most n. */
	uint32_t (*filters)(void *self, uint32_t bus, struct can_filter *f, uint32_t n);
	/* 0, or -ENOENT past the last one. */
	int32_t (*module)(void *self, uint32_t i, struct pm_module *m);
	/* Live value of an option: value NULL reads it into answer. 0, -ENOENT unknown key, -EINVAL bad value. */
	int32_t (*live)(void *self, int64_t now_us, const char *key, const char *value, char *answer,
			uint32_t answer_size);
	/* For hardware that is not on CAN: a descriptor to poll for input, and what to do then. */
	int32_t (*fd)(void *self);
	void (*io)(void *self, int64_t now_us);
};

#endif
