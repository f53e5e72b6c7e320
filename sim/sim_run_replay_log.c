/* SPDX-License-Identifier: MIT */
/* The part of a log around now. Pure. */
#include "sim/sim_run_replay_log.h"

#include <string.h>

#include <forecourt/units.h>

#include "evse_msgs.h"
#include "pev_msgs.h"

#define HALF_CYCLE_US (50 * (int64_t)FC_US_PER_MS)

static int find_evse(unsigned version, canid_t id)
{
	return evse_find((enum evse_version)version, id);
}

static int find_pev(unsigned version, canid_t id)
{
	return pev_find((enum pev_version)version, id);
}

struct replay_side replay_side_evse(unsigned version, unsigned index)
{
	return (struct replay_side){
		.layouts = evse_layouts[version],
		.n_layouts = EVSE_N_MSGS,
		.first = EVSE_POWER_MODULES_STATUS,
		.last = EVSE_ADM_CS_SPCC_OUTPUTS,
		.index = index,
		.find = find_evse,
		.version = version,
	};
}

struct replay_side replay_side_pev(unsigned version)
{
	return (struct replay_side){
		.layouts = pev_layouts[version],
		.n_layouts = PEV_N_MSGS,
		.first = PEV_EV_INFORMATION,
		.last = PEV_EV_STATUS,
		.find = find_pev,
		.version = version,
	};
}

int replay_side_find(const struct replay_side *side, const struct can_frame *f)
{
	canid_t id = f->can_id;

	if (id & (CAN_ERR_FLAG | CAN_RTR_FLAG))
		return -1;
	if (!side->index) /* 11 bits, or the same number in 29 bits (rule P-02) */
		return (id & CAN_EFF_MASK) <= CAN_SFF_MASK ? side->find(side->version, id & CAN_SFF_MASK)
							   : -1;
	if (msg_index(id) != side->index)
		return -1;
	return side->find(side->version, msg_base_id(id));
}

bool replay_side_is_controllers(const struct replay_side *side, int msg)
{
	return msg >= (int)side->first && msg <= (int)side->last;
}

void replay_side_unpack(const struct replay_side *side, int msg, const struct can_frame *f, void *content)
{
	memset(content, 0, REPLAY_MAX_MSG_SIZE);
	msg_from_frame(&side->layouts[msg], content, f, 0);
}

void replay_log_init(struct replay_log *l, const struct replay_side *side)
{
	unsigned i;

	l->side = side;
	l->head = l->n = 0;
	for (i = 0; i < REPLAY_MAX_MSGS; i++)
		l->last[i].time_us = FC_NEVER;
}

bool replay_log_put(struct replay_log *l, const struct replay_entry *e)
{
	if (l->n == REPLAY_LOG_LEN)
		return false;
	l->entry[(l->head + l->n++) % REPLAY_LOG_LEN] = *e;
	return true;
}

const struct replay_entry *replay_log_peek(const struct replay_log *l)
{
	return l->n ? &l->entry[l->head] : NULL;
}

void replay_log_take(struct replay_log *l)
{
	const struct replay_entry *e = &l->entry[l->head];

	if (e->is_controllers)
		l->last[(unsigned)e->msg - l->side->first] = *e;
	l->head = (l->head + 1) % REPLAY_LOG_LEN;
	l->n--;
}

static const struct replay_entry *next_of(const struct replay_log *l, int msg, int64_t until_us)
{
	unsigned i;

	for (i = 0; i < l->n; i++) {
		const struct replay_entry *e = &l->entry[(l->head + i) % REPLAY_LOG_LEN];

		if (e->time_us > until_us)
			break;
		if (e->msg == msg)
			return e;
	}
	return NULL;
}

const struct can_frame *replay_log_nearest(const struct replay_log *l, int msg, int64_t now_us)
{
	const struct replay_entry *last = &l->last[(unsigned)msg - l->side->first];
	bool has_last = last->time_us != FC_NEVER;
	const struct replay_entry *next = next_of(l, msg, has_last ? now_us + HALF_CYCLE_US : FC_NEVER);

	if (!has_last)
		return next ? &next->frame : NULL;
	return next && next->time_us - now_us < now_us - last->time_us ? &next->frame : &last->frame;
}
