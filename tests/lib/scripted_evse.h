/* SPDX-License-Identifier: MIT */
/*
 * A scripted customer of the EVSE generic interface, for tests of the virtual SECC: behaves on the wire like
 * the vendor's EVSE simulator (docs: evse-v3.md section 14), as strict as it about lengths and numbers, and
 * as careless as it about everything else. Knobs let a test take over single signals.
 */
#ifndef TESTS_SCRIPTED_EVSE_H
#define TESTS_SCRIPTED_EVSE_H

#include <stdbool.h>
#include <stdint.h>

#include "evse_msgs.h"
#include "lib/core/deadline.h"
#include "lib/core/machine.h"

struct scripted_evse {
	/* Set before or while running. */
	enum evse_version version;
	unsigned index;
	int32_t authorisation_ms, parameters_ms, wake_up_ms, dead_ms, charge_ms; /* charge_ms -1: no stop */
	bool is_authorised, is_start_allowed;
	int32_t max_mV, max_charge_mA;
	int32_t insulation_ohm; /* reported from the first test frame on */
	bool sends_status, sends_parameters, sends_sequence;
	int32_t force_enable;  /* -1: by script */
	bool is_current_stuck; /* its current does not fall */
	bool is_voltage_stuck; /* its voltage does not fall */
	/* What it saw. */
	char raised[96]; /* why its receive handler died; empty: alive */
	int state;	 /* of the module; -1 unknown */
	uint8_t function;
	bool is_closed, is_lowering, is_range;
	int32_t target_mV, range_max_mA, range_min_mA;
	uint32_t n_states; /* changes */
	uint8_t states[64];
	/* Its own. */
	struct evse_sequence_control flags;
	bool is_enabled;
	double v_V, i_A, i_target_A;
	bool is_insulation_seen;
	int64_t state_us, function_us;
	bool was_flags_sent;
	struct evse_sequence_control flags_sent;
	struct grid grid;
};

void scripted_evse_init(struct scripted_evse *e, enum evse_version version, unsigned index, int64_t now_us);
struct machine scripted_evse_machine(struct scripted_evse *e);
/* True when exactly these states were passed, in order (ends with -1). */
bool scripted_evse_passed(const struct scripted_evse *e, const int *states);

#endif
