/* SPDX-License-Identifier: MIT */
/*
 * Driver contract of the vehicle's high-voltage side: battery, contactors, inlet measurement, BMS.
 *
 * Same shape and same rules as power_module.h. Current is positive when it charges the battery.
 *  - A command expires: past valid_until_us the driver opens the contactors by itself (dead man).
 *  - Contactor feedback is measured; a command never stands in for it.
 *  - Measurements carry the time of the sample.
 */
#ifndef FORECOURT_VEHICLE_HW_H
#define FORECOURT_VEHICLE_HW_H

#include <forecourt/plugin.h>

/* Where the charging session is, from the charge controller's stage; for information, no permission. */
enum vh_phase {
	VH_PHASE_IDLE = 0,	 /* not plugged in */
	VH_PHASE_CONNECTED = 1,	 /* plugged in, negotiating */
	VH_PHASE_INSULATION = 2, /* the charger tests the cable: high voltage on the inlet */
	VH_PHASE_PRECHARGE = 3,	 /* the charger brings the inlet to the battery voltage */
	VH_PHASE_TRANSFER = 4,	 /* about to charge, or charging */
	VH_PHASE_ENDING = 5,	 /* stopping, or stopped and still plugged in */
};

struct vh_command {
	uint32_t size;
	int32_t is_closed;     /* contactors: 1 close, 0 open */
	int32_t is_urgent;     /* 1: open at once, even under load */
	int32_t is_in_session; /* 1: plugged and talking; the HV system shall be or become ready */
	int32_t i_request_mA;  /* what is being asked of the charger, for information */
	uint32_t clear_fault;  /* counter */
	int64_t valid_until_us;
	int32_t phase; /* enum vh_phase; a host that does not know it hands a shorter struct */
	int32_t reserved;
};

struct vh_caps {
	uint32_t size;
	int32_t v_min_mV, v_max_mV;		     /* battery window */
	int32_t i_charge_max_mA, i_discharge_max_mA; /* both >= 0 */
	int64_t capacity_Wh;
	int64_t contactor_delay_us; /* command to feedback, typical */
	int32_t open_limit_mA;	    /* contactors are rated to open below */
	int32_t has_feedback;
};

enum vh_fault {
	VH_FAULT_BMS_LOST = 1 << 0,
	VH_FAULT_CONTACTOR_WELDED = 1 << 1,
	VH_FAULT_CONTACTOR_NOT_CLOSING = 1 << 2,
	VH_FAULT_OVER_VOLTAGE = 1 << 3,
	VH_FAULT_UNDER_VOLTAGE = 1 << 4,
	VH_FAULT_OVER_CURRENT = 1 << 5,
	VH_FAULT_OVER_TEMP = 1 << 6,
	VH_FAULT_INSULATION = 1 << 7,
	VH_FAULT_INTERNAL = 1 << 8,
};

struct vh_status {
	uint32_t size;
	int32_t is_hv_ready; /* 0: session must be held off before the insulation test */
	int32_t battery_mV;  /* pack voltage, battery side of the contactors */
	int32_t inlet_mV;    /* charger side of the contactors */
	int32_t current_mA;  /* measured battery current */
	int64_t t_vi_us;     /* when these three were sampled */
	int32_t is_closed;   /* contactor feedback: 1 closed, 0 open, -1 unknown */
	int64_t t_closed_us;
	/* From the BMS: */
	int32_t soc_permille;
	int64_t capacity_Wh;
	int32_t i_charge_max_mA;				/* wanted now, taper included; >= 0 */
	int32_t i_discharge_max_mA;				/* >= 0 */
	int32_t v_target_mV;					/* 0: none */
	int32_t temp_mdegC;					/* hottest cell; INT32_MIN unknown */
	int64_t t_bms_us;					/* when the BMS spoke last */
	uint32_t faults;					/* enum vh_fault */
	uint32_t faults_stop;					/* those that demand a stop */
	int32_t stop_request;					/* 1: the vehicle wants a normal end */
	int64_t energy_target_Wh, energy_max_Wh, energy_min_Wh; /* absolute levels; -1 none */
	int64_t v2x_min_Wh, v2x_max_Wh;
	int64_t departure_s; /* -1 none */
};

struct vehicle_hw_ops {
	int32_t (*init)(void *self, const struct forecourt_host *host, const struct forecourt_kv *kv,
			uint32_t n_kv, int64_t now_us, char *err, uint32_t err_size);
	void (*fini)(void *self);
	void (*caps)(void *self, struct vh_caps *caps);
	void (*set)(void *self, int64_t now_us, const struct vh_command *cmd);
	void (*status)(void *self, int64_t now_us, struct vh_status *st);
	void (*rx)(void *self, int64_t now_us, uint32_t bus, const struct can_frame *frame);
	void (*tick)(void *self, int64_t now_us);
	int64_t (*next_us)(void *self);
	uint32_t (*filters)(void *self, uint32_t bus, struct can_filter *f, uint32_t n);
	int32_t (*live)(void *self, int64_t now_us, const char *key, const char *value, char *answer,
			uint32_t answer_size);
	int32_t (*fd)(void *self);
	void (*io)(void *self, int64_t now_us);
};

#endif
