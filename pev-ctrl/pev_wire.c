/* SPDX-License-Identifier: MIT */
/* Frames <-> events of the PEV generic interface, vehicle's side. Pure. */
#include "pev-ctrl/pev_wire.h"

#include <errno.h>
#include <string.h>

#include <linux/can/error.h>

#include <forecourt/units.h>

#define NO_FRAME 255

static const enum pev_msg received[PEV_RX_N] = {
	PEV_EVSE_INFORMATION,	   PEV_AC_CONTROL,	   PEV_DC_CONTROL,
	PEV_CCS_EXTRA_INFORMATION, PEV_ADM_CS_EVCC_INPUTS, PEV_EVCC_MEVC_DIAGNOSTIC_STATUS,
	PEV_MCS_EXTRA_INFORMATION,
};

static const enum pev_msg sent[PEV_TX_N] = {
	PEV_EV_INFORMATION,
	PEV_AC_STATUS,
	PEV_DC_STATUS1,
	PEV_DC_STATUS2,
	PEV_EV_ENERGY_REQUEST,
	PEV_EV_V2X_ENERGY_REQUEST,
	PEV_EV_EXTRA_BPT_INFORMATION,
	PEV_ADM_CS_EVCC_MEVC_OUTPUTS,
	PEV_EV_STATUS,
};

/* Where a received message is kept in struct pev_module. */
static const size_t kept_at[PEV_RX_N] = {
	offsetof(struct pev_module, information), offsetof(struct pev_module, ac_control),
	offsetof(struct pev_module, dc_control),  offsetof(struct pev_module, ccs),
	offsetof(struct pev_module, inputs),	  offsetof(struct pev_module, diagnostic),
	offsetof(struct pev_module, mcs),
};

static const struct msg_field *find_member(const struct msg_layout *l, const char *member)
{
	unsigned i;

	for (i = 0; i < l->n_fields; i++)
		if (strcmp(l->fields[i].member, member) == 0)
			return &l->fields[i];
	return NULL;
}

/* Our units per bit, and the largest value a signal carries. */
static void find_scale(const struct msg_layout *l, const char *member, int32_t *step, int32_t *max)
{
	const struct msg_field *f = find_member(l, member);
	int64_t raw_max;

	*step = 1;
	*max = 0;
	if (!f)
		return;
	raw_max = (INT64_C(1) << (f->length - (f->is_signed ? 1 : 0))) - 1;
	*step = f->num / f->den;
	*max = fc_clamp_i32(raw_max * f->num / f->den + f->add, 0, INT32_MAX);
}

int pev_wire_init(struct pev_wire *w, const struct pev_conf *conf)
{
	int32_t step_mV;
	unsigned i;

	if (conf->protocol < 0 || conf->protocol >= PEV_N_VERSIONS)
		return -EINVAL;
	memset(w, 0, sizeof(*w));
	w->version = (enum pev_version)conf->protocol;
	w->flags = conf->is_extended_forced ? CAN_EFF_FLAG : 0;
	w->is_order_swapped = conf->energy_order == PEV_ORDER_TARGET_MIN_MAX ||
			      (conf->energy_order == PEV_ORDER_AUTO && w->version == PEV_V2_0_EX);
	for (i = 0; i < PEV_RX_N; i++)
		w->rx[i] = &pev_layouts[w->version][received[i]];
	for (i = 0; i < PEV_TX_N; i++)
		w->tx[i] = &pev_layouts[w->version][sent[i]];
	memset(w->last_dlc, NO_FRAME, sizeof(w->last_dlc));
	find_scale(&pev_layouts[w->version][PEV_DC_STATUS1], "max_charge_current_mA", &w->current_step_mA,
		   &w->current_max_mA);
	w->has_emergency_stop =
		find_member(&pev_layouts[w->version][PEV_DC_STATUS2], "emergency_stop") != NULL;
	find_scale(&pev_layouts[w->version][PEV_DC_STATUS2], "inlet_voltage_mV", &step_mV,
		   &w->voltage_max_mV);
	return 0;
}

/* Place of a data frame in our table, whatever its identifier's length; PEV_RX_N: not for us. */
static unsigned rx_index(const struct pev_wire *w, const struct can_frame *f)
{
	canid_t id = f->can_id & (f->can_id & CAN_EFF_FLAG ? CAN_EFF_MASK : CAN_SFF_MASK);
	canid_t i = id - PEV_RX_FIRST_ID;

	return i < PEV_RX_N && msg_exists(w->rx[i]) ? i : PEV_RX_N;
}

static bool is_same(const struct pev_wire *w, unsigned i, const struct can_frame *f)
{
	uint8_t dlc = w->rx[i]->dlc;

	return w->last_dlc[i] == dlc && f->can_dlc >= dlc && memcmp(w->last[i], f->data, dlc) == 0;
}

static struct pev_event decode_error(struct pev_wire *w, const struct can_frame *f)
{
	struct pev_event ev = {PEV_EV_NONE, 0};

	w->count.n_errors++;
	if (f->can_id & CAN_ERR_BUSOFF)
		ev.kind = PEV_EV_BUS_DOWN;
	else if (f->can_id & CAN_ERR_RESTARTED)
		ev.kind = PEV_EV_BUS_UP;
	return ev;
}

static void count_unknown(struct pev_wire *w, const struct msg_layout *l, const void *msg)
{
	if (l->unknown && l->unknown(msg))
		w->count.n_unknown++;
}

struct pev_event pev_wire_decode(struct pev_wire *w, const struct can_frame *f)
{
	struct pev_event ev = {PEV_EV_NONE, 0};
	unsigned i;
	void *msg;

	if (f->can_id & CAN_ERR_FLAG)
		return decode_error(w, f);
	if (f->can_id & CAN_RTR_FLAG) {
		w->count.n_kind++;
		return ev;
	}
	i = rx_index(w, f);
	if (i == PEV_RX_N) {
		w->count.n_foreign++;
		return ev;
	}
	ev.rx = i;
	if (is_same(w, i, f)) {
		w->count.n_accepted++;
		ev.kind = PEV_EV_SAME;
		return ev;
	}
	msg = (uint8_t *)&w->module + kept_at[i];
	if (!msg_from_frame(w->rx[i], msg, f, w->rx[i]->dlc)) {
		w->count.n_short++;
		return ev;
	}
	w->count.n_accepted++;
	count_unknown(w, w->rx[i], msg);
	w->last_dlc[i] = w->rx[i]->dlc;
	memcpy(w->last[i], f->data, sizeof(w->last[i]));
	ev.kind = PEV_EV_NEW;
	return ev;
}

bool pev_wire_is_new(const struct pev_wire *w, const struct can_frame *f)
{
	unsigned i;

	if (f->can_id & (CAN_ERR_FLAG | CAN_RTR_FLAG))
		return false;
	i = rx_index(w, f);
	return i < PEV_RX_N && !is_same(w, i, f);
}

bool pev_wire_encode(struct pev_wire *w, unsigned tx, const void *msg, struct can_frame *f)
{
	const struct msg_layout *l = w->tx[tx];

	if (!msg_exists(l))
		return false;
	w->count.n_clipped += msg_to_frame(l, msg, 0, f);
	f->can_id |= w->flags;
	return true;
}

size_t pev_wire_filters(const struct pev_wire *w, struct can_filter *f, size_t n)
{
	size_t used = 0;
	unsigned i;

	for (i = 0; i < PEV_RX_N && used + 2 <= n; i++) {
		if (!msg_exists(w->rx[i]))
			continue;
		f[used].can_id = w->rx[i]->id;
		f[used++].can_mask = CAN_SFF_MASK | CAN_EFF_FLAG | CAN_RTR_FLAG;
		f[used].can_id = w->rx[i]->id | CAN_EFF_FLAG;
		f[used++].can_mask = CAN_EFF_MASK | CAN_EFF_FLAG | CAN_RTR_FLAG;
	}
	return used;
}

const char *pev_wire_name(const struct pev_wire *w, const char *member, int64_t number)
{
	const struct msg_field *f = find_member(w->rx[0], member);
	unsigned i;

	for (i = 0; f && i < f->n_values; i++)
		if (f->values[i].number == number)
			return f->values[i].name;
	return NULL;
}

const char *pev_wire_version_name(int32_t version)
{
	return version >= 0 && version < PEV_N_VERSIONS ? pev_version_names[version] : NULL;
}
