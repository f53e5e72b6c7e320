/* SPDX-License-Identifier: MIT */
/* Records of reports and grants. Pure. */
#include "gateways/gate_record.h"

#include <errno.h>
#include <string.h>

#define NO_NONE -1

/* Order of the text form. Units and unknown values: comments of the signals in dbc/site.dbc. */
const struct gate_key gate_keys[] = {
	{SITE_POINT_REPORT, "number", "number", 1, false, NO_NONE},
	{SITE_POINT_REPORT, "ack_age", "ack_age", 1, false, 255},
	{SITE_POINT_REPORT, "ack_revision", "ack_revision", 1, false, NO_NONE},
	{SITE_POINT_REPORT, "state", "state", 1, false, NO_NONE},
	{SITE_POINT_REPORT, "may_draw_mA", "may_draw_mA", 1, false, NO_NONE},
	{SITE_POINT_REPORT, "is_restarted", "is_restarted", 1, true, NO_NONE},
	{SITE_POINT_REPORT, "is_local", "is_local", 1, true, NO_NONE},
	{SITE_POINT_DEMAND, "requested_mA", "requested_mA", 1, false, NO_NONE},
	{SITE_POINT_DEMAND, "present_mA", "present_mA", 1, false, NO_NONE},
	{SITE_POINT_DEMAND, "maximum_mA", "maximum_mA", 1, false, NO_NONE},
	{SITE_POINT_DEMAND, "minimum_mA", "minimum_mA", 1, false, NO_NONE},
	{SITE_POINT_SESSION, "energy_wanted_Wh", "energy_wanted", 100, false, 65535},
	{SITE_POINT_SESSION, "departure_min", "departure", 1, false, 65535},
	{SITE_POINT_SESSION, "plugged_for_s", "plugged_for", 10, false, NO_NONE},
	{SITE_POINT_SESSION, "soc_percent", "state_of_charge", 1, false, 255},
	{SITE_POINT_SESSION, "priority", "priority", 1, false, NO_NONE},
	{SITE_POINT_METER, "energy_session_Wh", "energy_session", 10, false, NO_NONE},
	{SITE_POINT_METER, "discharge_maximum_mA", "discharge_maximum_mA", 1, false, NO_NONE},
	{SITE_POINT_METER, "output_voltage_mV", "output_voltage_mV", 1, false, NO_NONE},
	{SITE_GRANT, "number", "number", 1, false, NO_NONE},
	{SITE_GRANT, "revision", "revision", 1, false, NO_NONE},
	{SITE_GRANT, "duration_s", "duration", 2, false, NO_NONE},
	{SITE_GRANT, "charge_mA", "charge_current_mA", 1, false, NO_NONE},
	{SITE_GRANT, "discharge_mA", "discharge_current_mA", 1, false, NO_NONE},
	{SITE_GRANT_REASON, "reason", "reason", 1, false, NO_NONE},
	{SITE_GRANT_REASON, "row", "row", 1, false, 65535},
	{SITE_GRANT_REASON, "node", "node", 1, false, 65535},
	{SITE_GRANT_REASON, "phase", "phase", 1, false, NO_NONE},
	{SITE_GRANT_REASON, "aim_mA", "aim_mA", 1, false, NO_NONE},
};

const size_t gate_n_keys = sizeof(gate_keys) / sizeof(gate_keys[0]);

const char *gate_part_name(enum site_msg part)
{
	switch (part) {
	case SITE_POINT_DEMAND:
		return "demand";
	case SITE_POINT_SESSION:
		return "session";
	case SITE_POINT_METER:
		return "meter";
	case SITE_GRANT_REASON:
		return "why";
	case SITE_POINT_REPORT:
	case SITE_GRANT:
	case SITE_ROW_LOAD:
	case SITE_STATUS:
	case SITE_N_MSGS:
		break;
	}
	return NULL;
}

static const struct msg_layout *layout(enum site_msg part)
{
	return &site_layouts[SITE_V1][part];
}

static void *part_of(struct gate_record *r, enum site_msg part)
{
	void *const parts[GATE_N_PARTS] = {&r->report, &r->demand, &r->session,
					   &r->meter,  &r->grant,  &r->reason};

	return parts[part];
}

static const void *const_part_of(const struct gate_record *r, enum site_msg part)
{
	const void *const parts[GATE_N_PARTS] = {&r->report, &r->demand, &r->session,
						 &r->meter,  &r->grant,	 &r->reason};

	return parts[part];
}

int gate_frame_part(const struct can_frame *f, unsigned *index)
{
	int part;

	if (f->can_id & (CAN_ERR_FLAG | CAN_RTR_FLAG))
		return -1;
	part = site_find(SITE_V1, msg_base_id(f->can_id));
	if (part < 0 || part >= GATE_N_PARTS || f->can_dlc < layout((enum site_msg)part)->dlc)
		return -1;
	*index = msg_index(f->can_id);
	return part;
}

void gate_record_put(struct gate_record *r, enum site_msg part, const struct can_frame *f)
{
	const struct msg_layout *l = layout(part);

	if (msg_from_frame(l, part_of(r, part), f, l->dlc))
		r->parts |= GATE_PART(part);
}

size_t gate_record_frames(const struct gate_record *r, unsigned index, struct can_frame f[GATE_MAX_FRAMES])
{
	size_t n = 0;
	unsigned i;

	for (i = 0; i < GATE_N_PARTS && n < GATE_MAX_FRAMES; i++)
		if (r->parts & GATE_PART(i))
			msg_to_frame(layout((enum site_msg)i), const_part_of(r, (enum site_msg)i), index,
				     &f[n++]);
	return n;
}

static const struct msg_field *field_of(const struct gate_key *k)
{
	const struct msg_layout *l = layout(k->part);
	unsigned i;

	for (i = 0; i < l->n_fields - 1u; i++)
		if (strcmp(l->fields[i].member, k->member) == 0)
			break;
	return &l->fields[i];
}

bool gate_key_read(const struct gate_key *k, const struct gate_record *r, int64_t *value)
{
	int64_t number = msg_field_read(field_of(k), const_part_of(r, k->part));

	if (k->none >= 0 && number == k->none)
		return false;
	*value = number * k->unit;
	return true;
}

int gate_key_write(const struct gate_key *k, struct gate_record *r, int64_t value)
{
	const struct msg_field *f = field_of(k);
	int64_t low = f->is_signed ? -(INT64_C(1) << (f->length - 1)) : 0;
	int64_t high = (INT64_C(1) << (f->is_signed ? f->length - 1 : f->length)) - 1;
	int64_t number = value / k->unit, raw;

	/* Values beyond 32 bits fit nowhere; the products below do not overflow then. */
	if (value < INT32_MIN || value > UINT32_MAX || value % k->unit != 0)
		return -ERANGE;
	raw = (number - f->add) * f->den / f->num;
	if (raw * f->num != (number - f->add) * f->den || raw < low || raw > high)
		return -ERANGE;
	if (k->none >= 0 && number == k->none)
		return -ERANGE;
	msg_field_write(f, part_of(r, k->part), number);
	return 0;
}

int gate_key_write_unknown(const struct gate_key *k, struct gate_record *r)
{
	if (k->none < 0)
		return -EINVAL;
	msg_field_write(field_of(k), part_of(r, k->part), k->none);
	return 0;
}

bool gate_key_has_names(const struct gate_key *k)
{
	return field_of(k)->n_values > 0;
}

const char *gate_key_value_name(const struct gate_key *k, int64_t value)
{
	return msg_value_name(field_of(k), value);
}

int64_t gate_key_value_number(const struct gate_key *k, const char *name)
{
	const struct msg_field *f = field_of(k);
	unsigned i;

	for (i = 0; i < f->n_values; i++)
		if (strcmp(f->values[i].name, name) == 0)
			return f->values[i].number;
	return -1;
}
