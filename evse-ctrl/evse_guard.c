/* SPDX-License-Identifier: MIT */
/* The last gate to the bus and to the power driver. Pure. */
#include "evse-ctrl/evse_guard.h"

#include <string.h>

#include <forecourt/units.h>

#include "evse_msgs.h"

/* The customer sends these and nothing else (evse-v3.md section 2, C->M). */
static const enum evse_msg sent[4] = {
	EVSE_POWER_MODULES_STATUS,
	EVSE_DC_POWER_PARAMETERS,
	EVSE_SEQUENCE_CONTROL,
	EVSE_ADM_CS_SECC_OUTPUTS,
};

void evse_guard_init(struct evse_guard *g, unsigned version, unsigned index)
{
	unsigned i;

	memset(g, 0, sizeof(*g));
	for (i = 0; i < 4; i++)
		evse_guard_allow(g, &evse_layouts[version][sent[i]], index, 0);
}

void evse_guard_allow(struct evse_guard *g, const struct msg_layout *l, unsigned index, uint8_t bus)
{
	canid_t id = l->id | (canid_t)index << MSG_INDEX_SHIFT;
	unsigned i = 0;

	while (i < g->n_tx && g->tx_id[i] != id)
		i++;
	if (i == EVSE_GUARD_MAX_TX)
		return;
	g->tx_id[i] = id;
	g->tx_dlc[i] = l->dlc;
	g->tx_bus[i] = bus;
	if (i == g->n_tx)
		g->n_tx++;
}

static bool is_power_mode(int32_t mode)
{
	return mode == PM_INSULATION_TEST || mode == PM_PRECHARGE || mode == PM_TRANSFER;
}

static bool is_mode_permitted(const struct evse_guard_facts *facts, int32_t mode)
{
	if (mode < PM_OFF || mode > PM_TRANSFER)
		return false;
	if (!(evse_state_row(facts->state)->modes & EVSE_MODE_BIT(mode)))
		return false;
	if (!is_power_mode(mode))
		return true;
	return facts->is_status_fresh && facts->is_reading_fresh && !facts->is_emergency &&
	       !facts->has_latched_fault;
}

/* Closing needs a permitting state; staying closed is always allowed while current still flows. */
static bool may_be_closed(const struct evse_guard_facts *facts)
{
	const struct evse_state_row *row = evse_state_row(facts->state);

	if (facts->is_closed)
		return row->may_close;
	return row->may_close && facts->state != EVSE_ST_SHUTDOWN && facts->is_status_fresh &&
	       !facts->is_emergency && !facts->has_latched_fault;
}

static bool may_open(const struct evse_guard_facts *facts)
{
	if (!facts->is_closed || facts->may_force_open)
		return true;
	return facts->is_reading_fresh && fc_abs_i32(facts->i_mA) < facts->open_limit_mA;
}

/*
 * Voltage that the output will have: where we make it, the set point; in transfer the battery makes it, and
 * the set point may be far above.
 */
static int32_t output_mV(const struct evse_guard_facts *facts, const struct pm_setpoint *sp)
{
	return sp->mode == PM_TRANSFER ? facts->grant_v_mV : sp->v_mV;
}

/*
 * Set point times voltage stays within the grant; the power modules hold it too, whatever the voltage does.
 */
static void clip_to_grant(const struct evse_guard_facts *facts, struct pm_setpoint *sp, int32_t *i_max,
			  int32_t *i_min)
{
	int32_t charge_mA, feed_mA, limit_W;

	if (!facts->has_grant || !is_power_mode(sp->mode))
		return;
	charge_mA = fc_current_at_power_mA(facts->grant_W, output_mV(facts, sp));
	feed_mA = fc_current_at_power_mA(facts->grant_feed_W, output_mV(facts, sp));
	*i_max = fc_clamp_i32(*i_max, -feed_mA, charge_mA);
	*i_min = fc_clamp_i32(*i_min, -feed_mA, *i_max);
	/* The limit of the power modules has no direction; 0 would mean none. */
	limit_W = fc_max_i32(*i_max < 0 ? facts->grant_feed_W : facts->grant_W, 1);
	sp->p_max_W = sp->p_max_W > 0 ? fc_min_i32(sp->p_max_W, limit_W) : limit_W;
}

static void clip(struct evse_guard *g, const struct evse_guard_facts *facts, struct pm_setpoint *sp)
{
	int32_t v = fc_clamp_i32(sp->v_mV, 0, facts->max_voltage_mV);
	int32_t i_max = fc_clamp_i32(sp->i_max_mA, -facts->max_discharge_mA, facts->max_charge_mA);
	int32_t i_min = fc_clamp_i32(sp->i_min_mA, -facts->max_discharge_mA, i_max);

	clip_to_grant(facts, sp, &i_max, &i_min);
	if (v != sp->v_mV || i_max != sp->i_max_mA || i_min != sp->i_min_mA)
		g->n_clipped++;
	sp->v_mV = v;
	sp->i_max_mA = i_max;
	sp->i_min_mA = i_min;
}

static void make_safe(const struct evse_guard_facts *facts, struct pm_setpoint *sp)
{
	sp->mode = PM_OFF;
	sp->v_mV = 0;
	sp->i_max_mA = 0;
	sp->i_min_mA = 0;
	sp->is_bleeding = 0;
	sp->is_closed = !may_open(facts);
}

bool evse_guard_setpoint(struct evse_guard *g, const struct evse_guard_facts *facts, struct pm_setpoint *sp,
			 struct out_queue *out)
{
	bool is_good = is_mode_permitted(facts, sp->mode);

	if (sp->is_closed && !may_be_closed(facts))
		is_good = false;
	if (!sp->is_closed && !may_open(facts))
		is_good = false;
	if (is_power_mode(sp->mode) && !sp->is_closed)
		is_good = false;
	if (sp->is_bleeding && (sp->mode != PM_STANDBY || sp->i_max_mA != 0))
		is_good = false;
	if (!is_good) {
		g->n_withheld++;
		make_safe(facts, sp);
	}
	clip(g, facts, sp);
	out_queue_setpoint(out, sp);
	return is_good;
}

bool evse_guard_frame(struct evse_guard *g, const struct can_frame *f, struct out_queue *out)
{
	unsigned i;

	for (i = 0; i < g->n_tx; i++) {
		if (f->can_id == g->tx_id[i] && f->can_dlc == g->tx_dlc[i] && f->can_dlc > 0) {
			out_queue_frame(out, g->tx_bus[i], f);
			return true;
		}
	}
	g->n_frames_withheld++;
	return false;
}
