/* SPDX-License-Identifier: MIT */
/*
 * The charge-controller module's side of a real bus, for tests and benches of the evse-ctrl process: sends what
 * a module sends every 100 ms, keeps what the controller answers with the kernel's time stamps, and walks a whole
 * session. Waits on descriptors only, each time with a deadline. Interface 3.6; several pistols at once.
 */
#ifndef TESTS_PROC_MODULE_H
#define TESTS_PROC_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "evse_msgs.h"
#include "lib/can/can_bus.h"
#include "lib/core/deadline.h"

#define PROC_MAX_INDEX	   15
#define PROC_TEST_mV	   500000
#define PROC_BATTERY_mV	   350000
#define PROC_TRANSFER_mV   400000
#define PROC_TRANSFER_mA   100000
#define PROC_NO_CURRENT_mA 100 /* what counts as 0 A in a status */

/* Driver and operator of evse-ctrl without waiting times, so that a session takes about a second. */
#define PROC_FAST_OPTIONS                                                                                   \
	"--ccs-authorisation-duration=0", "--charge-parameters-negotiation-duration=0",                     \
		"--charge-duration=0", "--power-modules-wake-up-duration=0", "--power-modules-dead-time=0", \
		"--voltage-ramp-up-slope=100000", "--voltage-ramp-down-slope=100000",                       \
		"--current-ramp-up-slope=100000", "--current-ramp-down-slope=100000"

/* Steps of a session, in order. */
enum proc_step {
	PROC_IDLE,	    /* state 1 */
	PROC_AUTHORISATION, /* state 11 */
	PROC_SESSION,	    /* state 3, New_Charge_Session until System_Enable */
	PROC_STANDBY,	    /* state 4, one Standby */
	PROC_INSULATION,
	PROC_LOWERING,
	PROC_PRECHARGE, /* state 5 */
	PROC_FLOATING,	/* state 6, Standby */
	PROC_TRANSFER,	/* state 7, 100 A flow */
	PROC_ENDING,	/* state 8, Standby, contactors closed */
	PROC_OPEN,	/* contactors open, lowering */
	PROC_CLOSING,	/* state 10, Charge_Session_Finished was sent */
	PROC_N_STEPS,
};

struct proc_point {
	bool is_used;
	bool is_resting; /* proc_module_walk() leaves it alone */
	/* Sent every 100 ms. */
	bool sends_status, sends_session, sends_power, sends_emergency;
	uint8_t state;
	struct evse_dc_power_control power;
	int64_t sent_us; /* last change of what is sent */
	/* Heard; times are the kernel's, -1: never. */
	uint32_t n_status, n_sequence, n_parameters;
	int64_t first_us; /* of the first status */
	int64_t status_us, sequence_us, parameters_us;
	uint32_t n_disabled;  /* statuses with System_Enable 0; set to 0 by whoever counts */
	uint32_t n_powerless; /* the same for statuses with less than PROC_NO_CURRENT_mA */
	int64_t powerless_us; /* of the first of them */
	struct evse_power_modules_status status;
	struct evse_sequence_control sequence;
	struct evse_dc_power_parameters parameters;
};

struct proc_module {
	struct can_bus *bus;
	struct grid cycle;
	struct proc_point point[PROC_MAX_INDEX + 1];
	uint64_t n_sent;
	uint32_t n_lost; /* by our own socket */
	/* NULL, or told of every Power_Modules_Status. */
	void (*on_status)(void *ctx, unsigned index, int64_t time_us);
	void *ctx;
};

typedef bool (*proc_done_fn)(const struct proc_module *m, void *ctx);

/* Joins the bus as the module of the pistols first..last. 0 or a negative errno with a sentence. */
int proc_module_open(struct proc_module *m, const char *url, unsigned first, unsigned last, char *err,
		     size_t err_size);
void proc_module_close(struct proc_module *m);
/* One message, now. Returns the time just before it was sent. */
int64_t proc_module_send(struct proc_module *m, unsigned index, enum evse_msg msg, const void *content);
/* These two are sent at once and from then on every 100 ms. */
int64_t proc_module_state(struct proc_module *m, unsigned index, uint8_t state);
int64_t proc_module_power(struct proc_module *m, unsigned index, const struct evse_dc_power_control *power);
/* Keeps the cycle going until is_done or the time is over; true when it is done. is_done NULL: just that long. */
bool proc_module_wait(struct proc_module *m, int64_t timeout_us, proc_done_fn is_done, void *ctx);
/* Takes what has arrived, without waiting. */
void proc_module_receive(struct proc_module *m);
/*
 * From the step the pistols are in (-1: none) through each step up to `last`, all that do not rest side by side;
 * false: stuck in *at.
 */
bool proc_module_walk(struct proc_module *m, int from, enum proc_step last, int *at);
const char *proc_step_name(int step);

struct evse_dc_power_control proc_power_off(void);
struct evse_dc_power_control proc_power_standby(void); /* contactors closed */
struct evse_dc_power_control proc_power_transfer(void);

#endif
