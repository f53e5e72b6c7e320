/* SPDX-License-Identifier: MIT */
/* The last gate to the bus and to the driver. Pure. */
#include "pev-ctrl/pev_guard.h"

#include <string.h>

#include <forecourt/units.h>

/* Identifiers of the interface, with room for later messages (pev-v2.md section 1). */
#define INTERFACE_FIRST 0x600u
#define INTERFACE_LAST	0x61Fu

#define TX_EV_INFORMATION 0u
#define TX_DC_STATUS1	  2u
#define TX_DC_STATUS2	  3u

#define SOC_FULL_permille 1000

void pev_guard_init(struct pev_guard *g, int64_t hold_us)
{
	memset(g, 0, sizeof(*g));
	g->hold_us = hold_us;
	g->lost_us = FC_NEVER;
}

bool pev_voltages_match(int32_t a_mV, int32_t b_mV, int32_t limit_mV)
{
	int64_t gap_mV = (int64_t)a_mV - b_mV;

	return gap_mV <= limit_mV && gap_mV >= -(int64_t)limit_mV;
}

/* Closing: everything must be good at this moment (pev-v2.md section 7, step 7; rules P-20, P-24, P-25). */
static bool may_close(const struct pev_guard_facts *facts)
{
	if (facts->permit != PEV_PERMIT_CLOSE || facts->is_held || !facts->is_ready)
		return false;
	if (!facts->is_control_fresh || !facts->is_close_asked)
		return false;
	if (!facts->is_readings_fresh || facts->battery_mV <= PEV_BATTERY_MIN_mV)
		return false;
	return pev_voltages_match(facts->inlet_mV, facts->battery_mV, facts->match_limit_mV);
}

/*
 * Staying closed: as long as the module says so. When it says Open, or we have a reason of our own, a bounded
 * time is left for the current to fall; none when the module is silent (P-11) or the stage forbids it (P-20).
 */
static bool may_stay_closed(struct pev_guard *g, const struct pev_guard_facts *facts)
{
	if (!facts->is_control_fresh || facts->permit == PEV_PERMIT_OPEN_NOW)
		return false;
	if (facts->permit >= PEV_PERMIT_HOLD && facts->is_close_asked && !facts->is_held) {
		g->lost_us = FC_NEVER;
		return true;
	}
	if (g->lost_us == FC_NEVER)
		g->lost_us = facts->now_us;
	return facts->now_us - g->lost_us < g->hold_us;
}

bool pev_guard_command(struct pev_guard *g, const struct pev_guard_facts *facts, struct vh_command *cmd,
		       struct out_queue *out)
{
	bool is_good = true;

	if (cmd->is_closed)
		is_good = g->is_closed ? may_stay_closed(g, facts) : may_close(facts);
	if (!is_good) {
		g->n_withheld++;
		cmd->is_closed = 0;
		cmd->is_urgent = 1;
	}
	if (!cmd->is_closed)
		g->lost_us = FC_NEVER;
	g->is_closed = cmd->is_closed != 0;
	out_queue_command(out, cmd);
	return is_good;
}

static void clip_i32(struct pev_guard *g, int32_t *value, int32_t low, int32_t high)
{
	int32_t clipped = fc_clamp_i32(*value, low, high);

	if (clipped != *value)
		g->n_clipped++;
	*value = clipped;
}

static void check_dc_status1(struct pev_guard *g, const struct pev_guard_facts *facts,
			     const struct pev_wire *w, struct pev_dc_status1 *m)
{
	int32_t max_mA = facts->may_request ? facts->max_request_mA : 0;

	clip_i32(g, &m->max_charge_current_mA, 0, fc_max_i32(max_mA, 0));
	/* The codec rounds to nearest; a maximum must not be rounded up (P-31). */
	m->max_charge_current_mA -= m->max_charge_current_mA % w->current_step_mA;
	clip_i32(g, &m->max_discharge_current_mA, 0, fc_max_i32(facts->max_discharge_mA, 0));
	if (facts->max_voltage_mV > 0)
		clip_i32(g, &m->target_voltage_mV, 0, facts->max_voltage_mV);
	if (!facts->is_readings_fresh) {
		/* Unknown current counts as high: nothing is unlocked or switched upon it. */
		g->n_masked++;
		m->present_current_mA = w->current_max_mA;
	}
}

static void check_dc_status2(struct pev_guard *g, const struct pev_guard_facts *facts,
			     const struct pev_wire *w, struct pev_dc_status2 *m)
{
	m->contactors_closed = facts->is_feedback_closed; /* P-24: by real feedback only */
	if (facts->is_readings_fresh)
		return;
	/* Battery 0, inlet high: no close command, no unlocking, and a stop while charging (P-26). */
	g->n_masked++;
	m->battery_voltage_mV = 0;
	m->inlet_voltage_mV = w->voltage_max_mV;
}

/* What really leaves, read back from the payload. */
static bool is_payload_good(const struct pev_guard_facts *facts, const struct pev_wire *w, unsigned tx,
			    const struct can_frame *f)
{
	struct pev_dc_status1 m = {0};

	if (f->can_id != ((PEV_TX_FIRST_ID + tx) | w->flags) || f->can_dlc != w->tx[tx]->dlc)
		return false;
	if (tx != TX_DC_STATUS1)
		return true;
	w->tx[tx]->unpack(&m, f->data);
	return m.max_charge_current_mA >= 0 &&
	       m.max_charge_current_mA <= (facts->may_request ? fc_max_i32(facts->max_request_mA, 0) : 0);
}

bool pev_guard_send(struct pev_guard *g, const struct pev_guard_facts *facts, struct pev_wire *w, unsigned tx,
		    void *msg, struct out_queue *out)
{
	struct pev_ev_information *info = msg;
	struct can_frame f;

	if (tx >= PEV_TX_N)
		return false;
	if (tx == TX_EV_INFORMATION)
		clip_i32(g, &info->state_of_charge_permille, 0, SOC_FULL_permille);
	else if (tx == TX_DC_STATUS1)
		check_dc_status1(g, facts, w, msg);
	else if (tx == TX_DC_STATUS2)
		check_dc_status2(g, facts, w, msg);
	if (!pev_wire_encode(w, tx, msg, &f))
		return false;
	if (!is_payload_good(facts, w, tx, &f)) {
		g->n_frames_withheld++;
		return false;
	}
	return out_queue_frame(out, 0, &f);
}

bool pev_guard_driver_frame(struct pev_guard *g, uint32_t bus, const struct can_frame *f,
			    struct out_queue *out)
{
	canid_t id = f->can_id & CAN_EFF_MASK;

	if (bus > UINT8_MAX || (bus == 0 && id >= INTERFACE_FIRST && id <= INTERFACE_LAST)) {
		g->n_frames_withheld++;
		return false;
	}
	return out_queue_frame(out, (uint8_t)bus, f);
}
