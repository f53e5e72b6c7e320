/* SPDX-License-Identifier: MIT */
/*
 * A scripted vehicle on the PEV generic interface, for tests of the virtual EVCC: behaves on the wire like the
 * vendor's PEV simulator (docs: pev-v2.md section 14), as strict as it about lengths and numbers. Knobs let a
 * test take over single signals.
 */
#ifndef TESTS_SCRIPTED_PEV_H
#define TESTS_SCRIPTED_PEV_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/deadline.h"
#include "lib/core/machine.h"
#include "pev_msgs.h"

struct scripted_pev {
	/* Set before or while running. */
	enum pev_version version;
	int32_t soc_permille, battery_mV, request_mA, discharge_mA, target_mV;
	int64_t capacity_Wh;
	int32_t contactor_ms;
	bool sends_information, sends_dc1, sends_dc2;
	bool is_extended;  /* 29-bit frames */
	bool is_short_dc1; /* 4 bytes in 2.0-ex */
	bool is_not_closing, is_welded;
	int32_t force_inlet_mV; /* -1: by script */
	int32_t force_current_mA;
	bool has_hold_off_change;
	struct pev_ev_status flags;
	bool is_stop_requested, is_emergency_requested;
	/* What it saw. */
	char raised[96];
	int stage;
	uint8_t protocol, pins;
	int32_t max_current_mA;
	bool is_close_commanded;
	uint32_t n_stages;
	uint8_t stages[64];
	struct pev_ccs_extra_information ccs;
	struct pev_evcc_mevc_diagnostic_status diagnostic;
	/* Its own. */
	bool is_closed;
	double inlet_V;
	int64_t stage_us, command_us;
	struct grid grid;
};

void scripted_pev_init(struct scripted_pev *p, enum pev_version version, int64_t now_us);
struct machine scripted_pev_machine(struct scripted_pev *p);
/* True when exactly these stages were passed, in order (ends with -1). */
bool scripted_pev_passed(const struct scripted_pev *p, const int *stages);
/* Sends EV_Status with the present flags at the next slot. */
void scripted_pev_send_flags(struct scripted_pev *p);

#endif
