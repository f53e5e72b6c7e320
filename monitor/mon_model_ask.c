/* SPDX-License-Identifier: MIT */
/* Questions to the model. Pure. */
#include "monitor/mon_model_priv.h"

#define CHANGED_US INT64_C(1000000)

const struct mon_point *mon_point(const struct mon_model *m, unsigned point)
{
	return point < MON_N_POINTS && m->heard >> point & 1 ? &m->point[point] : NULL;
}

static const struct mon_msg *heard_msg(const struct mon_model *m, unsigned point, unsigned msg)
{
	const struct mon_point *p = mon_point(m, point);

	return p && msg < m->n_msgs && p->msg[msg].n > 0 ? &p->msg[msg] : NULL;
}

int mon_field_find(const struct mon_model *m, unsigned msg, const char *signal)
{
	unsigned i;

	if (msg >= m->n_msgs)
		return -1;
	for (i = 0; i < m->layouts[msg].n_fields; i++)
		if (strcmp(m->layouts[msg].fields[i].signal, signal) == 0)
			return (int)i;
	return -1;
}

const char *mon_label(const struct mon_model *m, unsigned msg, const char *signal, int64_t number,
		      const char *none)
{
	int field = mon_field_find(m, msg, signal);
	const char *name = field < 0 ? NULL : msg_value_name(&m->layouts[msg].fields[field], number);

	return name ? name : none;
}

struct mon_value mon_field(const struct mon_model *m, unsigned point, unsigned msg, unsigned field)
{
	const struct mon_msg *g = heard_msg(m, point, msg);
	struct mon_value v = {.age_us = -1};
	union mon_content c;
	uint64_t mask;

	if (msg >= m->n_msgs || field >= m->layouts[msg].n_fields)
		return v;
	v.field = &m->layouts[msg].fields[field];
	if (!g)
		return v;
	v.age_us = m->now_us - g->last_us;
	v.is_stale = v.age_us > m->stale_us[msg];
	v.is_known = v.field->start_bit + v.field->length <= 8u * g->dlc;
	if (!v.is_known)
		return v;
	mon_unpack(m, msg, g->data, &c);
	v.number = msg_field_read(v.field, &c);
	v.label = msg_value_name(v.field, v.number);
	mask = v.field->length < 64 ? (UINT64_C(1) << v.field->length) - 1 : UINT64_MAX;
	v.is_changed = m->now_us - g->changed_us <= CHANGED_US &&
		       (g->recent[0] | g->recent[1] | g->recent[2]) & mask << v.field->start_bit;
	return v;
}

int64_t mon_get(const struct mon_model *m, unsigned point, unsigned msg, void *content)
{
	const struct mon_msg *g = heard_msg(m, point, msg);

	if (msg >= m->n_msgs)
		return -1;
	memset(content, 0, m->layouts[msg].msg_size);
	if (!g)
		return -1;
	m->layouts[msg].unpack(content, g->data);
	return m->now_us - g->last_us;
}

bool mon_is_stale(const struct mon_model *m, unsigned point, unsigned msg)
{
	const struct mon_msg *g = heard_msg(m, point, msg);

	return !g || m->now_us - g->last_us > m->stale_us[msg];
}

int64_t mon_stale_after_us(const struct mon_model *m, unsigned msg)
{
	return msg < m->n_msgs ? m->stale_us[msg] : FC_NEVER;
}

int64_t mon_silence_limit_us(const struct mon_model *m, enum mon_half half)
{
	if (m->cfg.side == MON_EVSE)
		return half == MON_MODULE ? INT64_C(200000) : INT64_C(500000);
	return half == MON_MODULE ? INT64_C(1000000) : INT64_C(500000);
}

int64_t mon_half_age_us(const struct mon_model *m, unsigned point, enum mon_half half)
{
	const struct mon_point *p = mon_point(m, point);

	return p && p->own.half_us[half] >= 0 ? m->now_us - p->own.half_us[half] : -1;
}

enum mon_half mon_half(const struct mon_model *m, unsigned msg)
{
	return mon_is_module(m, msg) ? MON_MODULE : MON_CONTROLLER;
}

const char *mon_side_name(enum mon_side side)
{
	return side == MON_EVSE ? "EVSE" : "PEV";
}

const char *mon_version_name(enum mon_side side, unsigned version)
{
	if (side == MON_EVSE)
		return version < EVSE_N_VERSIONS ? evse_version_names[version] : "";
	return version < PEV_N_VERSIONS ? pev_version_names[version] : "";
}

const char *mon_phase_name(enum mon_phase phase)
{
	switch (phase) {
	case MON_PHASE_NONE:
		return "none";
	case MON_PHASE_LINK:
		return "link";
	case MON_PHASE_PLUG:
		return "plug";
	case MON_PHASE_NEGOTIATION:
		return "negotiation";
	case MON_PHASE_INSULATION:
		return "insulation";
	case MON_PHASE_PRECHARGE:
		return "precharge";
	case MON_PHASE_CHARGING:
		return "charging";
	case MON_PHASE_ENDING:
		return "ending";
	case MON_N_PHASES:
		break;
	}
	return "unknown";
}

const char *mon_severity_name(enum mon_severity severity)
{
	switch (severity) {
	case MON_INFO:
		return "info";
	case MON_NOTICE:
		return "notice";
	case MON_WARNING:
		return "warning";
	case MON_FAULT:
		return "fault";
	}
	return "unknown";
}
