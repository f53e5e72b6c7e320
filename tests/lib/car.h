/* SPDX-License-Identifier: MIT */
/*
 * A pev-ctrl in virtual time between a scripted charge-controller module and a scripted vehicle. The test car sends
 * what the module sends, keeps every frame and command that comes out, and after every event checks what must
 * hold always: contactors closed only when permitted, requests within limits, frames as the profile says.
 */
#ifndef TESTS_PEV_CAR_H
#define TESTS_PEV_CAR_H

#include <stdbool.h>
#include <stdint.h>

#include "pev-ctrl/pev_point.h"

#define CAR_N_FRAMES 8192
#define CAR_MS(ms)   ((int64_t)(ms)*1000)
#define CAR_START_US 1000000

/* The vehicle: a driver of our own. Set members at any time; the next reading shows them. */
struct car_hw {
	struct vh_status st;
	struct vh_caps caps;
	int64_t delay_us;					       /* contactors: command to feedback */
	bool has_frozen_readings, has_frozen_feedback, has_frozen_bms; /* time stamps stand still */
	bool is_stuck_open, is_stuck_closed;
	bool does_send_on_set; /* sends a frame on bus 1 and one on bus 0 with each command */
	bool does_fail_init;
	int64_t now_us;
	int64_t change_us; /* feedback follows the command then; FC_NEVER: not pending */
	struct vh_command cmd;
	uint32_t n_set, n_closes, n_rx, n_io;
	int64_t opened_us, closed_us; /* last change of the command */
	int64_t cmd_us;
	int32_t live_value;
	const struct forecourt_host *host;
	struct can_filter filter;
	bool has_filter;
};

struct car_frame {
	int64_t time_us;
	struct can_frame f;
};

struct car {
	struct car_hw vehicle;
	struct pev_point point;
	struct machine m;
	struct pev_conf conf;
	int64_t now_us;
	struct out_queue out;
	/* The module. */
	struct pev_evse_information info;
	struct pev_dc_control control;
	bool is_info_sent, is_control_sent; /* cyclically */
	bool is_extended;
	int64_t module_us; /* next cycle */
	int64_t control_rx_us;
	struct pev_evse_information heard; /* last that was accepted */
	uint16_t stage_seen;
	bool close_seen, open_seen;
	int64_t open_since_us; /* Open said since; FC_NEVER: says Close */
	int64_t low_stage_us;  /* stage 0 to 4 said since; FC_NEVER: is not */
	/* What came out. */
	struct car_frame frame[CAR_N_FRAMES];
	uint32_t n_frames;
	uint32_t n_broken; /* invariants */
	const char *broken;
};

/* Settings are the defaults with this protocol. */
void car_init(struct car *r, int32_t protocol);
/* The same with settings edited. */
void car_init_conf(struct car *r, const struct pev_conf *conf);
void car_conf(struct pev_conf *conf, int32_t protocol);
/* Runs virtual time. */
void car_run(struct car *r, int64_t us);
void car_run_ms(struct car *r, int64_t ms);
/* The module says it at once, and from now on. */
void car_stage(struct car *r, uint8_t stage);
void car_close(struct car *r, bool is_close);
void car_send(struct car *r, const struct can_frame *f);
void car_tick(struct car *r);
int car_command(struct car *r, const char *line);
int car_command_answer(struct car *r, const char *line, char *answer, size_t size);
void car_stop(struct car *r);
/* A good session up to this stage (1 .. 10), 300 ms in each; contactors closed in 5, open in 9. */
void car_to_stage(struct car *r, uint8_t stage);
/* Inlet follows the battery, or is 0. */
void car_match(struct car *r, bool is_match);

/* Last frame of an identifier (11-bit number); NULL: none. */
const struct can_frame *car_last(const struct car *r, canid_t id);
uint32_t car_count(const struct car *r, canid_t id, int64_t since_us);
struct pev_dc_status1 car_status1(const struct car *r);
struct pev_dc_status2 car_status2(const struct car *r);
struct pev_ev_status car_ev_status(const struct car *r);
enum pev_state car_state(const struct car *r);
bool car_has_fault(const struct car *r, enum pev_fault fault);
/* Longest time the bit stayed 1 in DC_Status2, from the first frame with 1 to the first with 0 after it. */
int64_t car_bit_time_us(const struct car *r, unsigned bit, int64_t since_us);
/* Fails the test with the broken invariant. */
void car_check(const struct car *r);

extern const struct forecourt_plugin car_plugin;
extern const struct vehicle_hw_ops car_ops;

#endif
