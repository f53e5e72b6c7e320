/* SPDX-License-Identifier: MIT */
/*
 * Decoded frames to text, at millions a second: every text around a number is ready in the dictionary, numbers are
 * integers, and the time is printed anew only where it changed.
 */
#include "monitor/bus_log_print.h"

#include <inttypes.h>
#include <stdio.h>

#include "dbc/dbc_text_out.h"

#define FRAME_ROOM 512	/* all but names and signals */
#define NAME_ROOM  320	/* one dressed text */
#define FIELD_ROOM 1024 /* name, number, unit, label */

/* What of a frame is shown. */
struct shown {
	const struct log_entry *e;
	const struct dict_slot *slot;
	uint64_t payload;	   /* zeros behind the end */
	uint64_t changed;	   /* bits; all of them: everything is shown */
	uint8_t wide[DBC_MAX_DLC]; /* the payload as dbc_codec.h wants it; of messages of a .dbc only */
};

void print_init(struct printer *p, struct out *out, struct dict *dict, const struct log_reader *log,
		bool is_changes)
{
	memset(p, 0, sizeof(*p));
	p->out = out;
	p->dict = dict;
	p->log = log;
	p->is_changes = is_changes;
	p->second = -1;
}

void print_begin(struct printer *p)
{
	static const char header[] = "time,channel,id,index,message,signal,value,unit,label\n";

	if (p->dict->cfg.format == DICT_CSV)
		out_text(p->out, header, sizeof(header) - 1);
}

/* "1436509052.249713". */
static char *put_time(struct printer *p, char *to, int64_t time_us)
{
	int64_t second = time_us / 1000000;
	uint32_t us = (uint32_t)(time_us - second * 1000000);

	if (time_us < 0)
		return put_seconds(to, time_us, 1);
	if (second != p->second) {
		p->second = second;
		p->n_second = (size_t)(put_unsigned(p->second_text, (uint64_t)second) - p->second_text);
		p->second_text[p->n_second++] = '.';
	}
	memcpy(to, p->second_text, sizeof(p->second_text));
	to += p->n_second;
	memcpy(to, out_pairs + 2 * (size_t)(us / 10000), 2);
	memcpy(to + 2, out_pairs + 2 * (size_t)(us / 100 % 100), 2);
	memcpy(to + 4, out_pairs + 2 * (size_t)(us % 100), 2);
	return to + 6;
}

static char *put_channel(const struct printer *p, char *to, unsigned channel)
{
	const char *name = log_channel(p->log, channel);

	return put_text(to, name, strlen(name));
}

static char *put_data(char *to, const struct can_frame *f)
{
	unsigned i;

	if (f->can_id & CAN_RTR_FLAG)
		return to;
	for (i = 0; i < f->can_dlc; i++)
		to = put_hex_byte(to, f->data[i]);
	return to;
}

/* --- signals ---------------------------------------------------------------------------------------------- */

static uint64_t word_of(const struct dict_field *f, uint64_t payload)
{
	return f->is_big ? __builtin_bswap64(payload) : payload;
}

static uint64_t mask_of(const struct dict_field *f)
{
	return (UINT64_MAX >> (64 - f->length)) << f->shift;
}

/* Is the signal in the frame, and does it belong to what is shown? */
static bool is_shown(const struct shown *s, const struct dict_msg *m, unsigned i)
{
	const struct dict_field *f = &m->field[i];

	if (!f->general)
		return s->e->frame.can_dlc >= f->end && (word_of(f, s->changed) & mask_of(f)) != 0;
	return dbc_is_present(m->codec, i, s->wide, s->e->frame.can_dlc);
}

static int64_t raw_of(const struct dict_field *f, const struct shown *s)
{
	uint64_t w;

	if (f->general)
		return (int64_t)dbc_raw_read(f->general, s->wide);
	w = word_of(f, s->payload) << (64 - f->length - f->shift);
	return f->is_signed ? (int64_t)w >> (64 - f->length) : (int64_t)(w >> (64 - f->length));
}

static char *put_number(char *to, const struct dict_field *f, int64_t raw, bool is_json)
{
	char text[DBC_NUMBER_MAX];

	if (!f->general)
		return put_decimal(to, raw * f->mul + f->add, f->decimals);
	dbc_format_physical(f->general, (uint64_t)raw, text);
	if (is_json && (strstr(text, "nan") || strstr(text, "inf")))
		strcpy(text, "null");
	return put_text(to, text, strlen(text));
}

/* --- text ------------------------------------------------------------------------------------------------- */

static void text_head(struct printer *p, const struct log_entry *e)
{
	char *to = out_begin(p->out, FRAME_ROOM);

	*to++ = '(';
	to = put_time(p, to, e->time_us);
	to = put_text(to, ") ", 2);
	to = put_channel(p, to, e->channel);
	*to++ = ' ';
	to = put_id(to, e->frame.can_id);
	out_end(p->out, to);
}

static void text_unknown(struct printer *p, const struct can_frame *f)
{
	char *to = out_begin(p->out, FRAME_ROOM);

	*to++ = '#';
	to = put_data(to, f);
	if (f->can_id & CAN_ERR_FLAG) {
		to = put_text(to, " error frame", 12);
	} else if (f->can_id & CAN_RTR_FLAG) {
		*to++ = 'R';
		to = put_text(put_unsigned(to, f->can_dlc), " remote frame", 13);
	} else {
		to = put_text(to, " unknown", 8);
	}
	out_end(p->out, to);
}

static void text_field(struct printer *p, const struct shown *s, const struct dict_field *f)
{
	int64_t raw = raw_of(f, s);
	const struct dict_text *label = f->n_labels ? dict_label(f, raw) : NULL;
	char *to = out_begin(p->out, FIELD_ROOM);

	to = put_short(to, f->before.p, f->before.n);
	if (label) {
		to = put_short(to, label->p, label->n);
		to = put_number(to, f, raw, false);
		*to++ = ')';
	} else {
		to = put_number(to, f, raw, false);
		to = put_short(to, f->unit.p, f->unit.n);
	}
	out_end(p->out, to);
}

static void text_entry(struct printer *p, const struct shown *s)
{
	const struct dict_msg *m = s->slot->msg;
	char *to;
	unsigned i;

	text_head(p, s->e);
	if (m) {
		to = out_begin(p->out, NAME_ROOM);
		*to++ = ' ';
		out_end(p->out, put_short(to, m->text.p, m->text.n));
		for (i = 0; i < m->n_fields; i++)
			if (is_shown(s, m, i))
				text_field(p, s, &m->field[i]);
	} else {
		text_unknown(p, &s->e->frame);
	}
	out_end(p->out, put_text(out_begin(p->out, 1), "\n", 1));
}

/* --- CSV -------------------------------------------------------------------------------------------------- */

/* A channel name is what a log says: anything but blanks. */
static char *csv_channel(const struct printer *p, char *to, unsigned channel)
{
	const char *name = log_channel(p->log, channel);

	if (!strpbrk(name, ",\""))
		return put_channel(p, to, channel);
	*to++ = '"';
	for (; *name; name++) {
		if (*name == '"')
			*to++ = '"';
		*to++ = *name;
	}
	*to++ = '"';
	return to;
}

/* "time,channel,id,index,message," */
static char *csv_head(struct printer *p, const struct shown *s)
{
	const struct dict_msg *m = s->slot->msg;
	canid_t id = s->e->frame.can_id;
	char *to = out_begin(p->out, FRAME_ROOM + NAME_ROOM + FIELD_ROOM);

	to = put_time(p, to, s->e->time_us);
	*to++ = ',';
	to = csv_channel(p, to, s->e->channel);
	*to++ = ',';
	to = put_id(to, id);
	*to++ = ',';
	if (m && m->has_index)
		to = put_unsigned(to, msg_index(id));
	*to++ = ',';
	if (m)
		to = put_short(to, m->text.p, m->text.n);
	*to++ = ',';
	return to;
}

/* A row for each signal; what is not known has one row with its payload. */
static void csv_entry(struct printer *p, const struct shown *s)
{
	const struct dict_msg *m = s->slot->msg;
	char *to;
	unsigned i;

	if (!m) {
		to = put_text(csv_head(p, s), "data,", 5);
		to = put_text(put_data(to, &s->e->frame), ",,\n", 3);
		out_end(p->out, to);
		return;
	}
	for (i = 0; i < m->n_fields; i++) {
		const struct dict_field *f = &m->field[i];
		const struct dict_text *label;
		int64_t raw;

		if (!is_shown(s, m, i))
			continue;
		raw = raw_of(f, s);
		label = f->n_labels ? dict_label(f, raw) : NULL;
		to = csv_head(p, s);
		to = put_short(to, f->before.p, f->before.n);
		*to++ = ',';
		to = put_number(to, f, raw, false);
		*to++ = ',';
		to = put_short(to, f->unit.p, f->unit.n);
		*to++ = ',';
		if (label)
			to = put_short(to, label->p, label->n);
		*to++ = '\n';
		out_end(p->out, to);
	}
}

/* --- JSON ------------------------------------------------------------------------------------------------- */

static char *json_channel(const struct printer *p, char *to, unsigned channel)
{
	const char *name = log_channel(p->log, channel);

	*to++ = '"';
	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;

		if (c < ' ' || c >= 0x7f)
			to += sprintf(to, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			to = put_text(put_text(to, "\\", 1), name, 1);
		else
			*to++ = *name;
	}
	*to++ = '"';
	return to;
}

#define PUT(to, text) put_text((to), (text), sizeof(text) - 1)

static void json_head(struct printer *p, const struct shown *s)
{
	const struct dict_msg *m = s->slot->msg;
	canid_t id = s->e->frame.can_id;
	bool is_wide = (id & CAN_EFF_FLAG) != 0;
	char *to = out_begin(p->out, FRAME_ROOM + NAME_ROOM);

	to = put_time(p, PUT(to, "{\"time\": "), s->e->time_us);
	to = json_channel(p, PUT(to, ", \"channel\": "), s->e->channel);
	to = put_unsigned(PUT(to, ", \"id\": "), id & (is_wide ? CAN_EFF_MASK : CAN_SFF_MASK));
	to = is_wide ? PUT(to, ", \"extended\": true") : PUT(to, ", \"extended\": false");
	if (m && m->has_index)
		to = put_unsigned(PUT(to, ", \"index\": "), msg_index(id));
	if (id & CAN_ERR_FLAG)
		to = PUT(to, ", \"error\": true");
	if (id & CAN_RTR_FLAG)
		to = PUT(to, ", \"remote\": true");
	to = put_data(PUT(to, ", \"data\": \""), &s->e->frame);
	to = PUT(to, "\", \"message\": ");
	to = m ? put_short(to, m->text.p, m->text.n) : PUT(to, "null");
	out_end(p->out, to);
}

/* Numbers of all signals, or names of those values that have one. */
static void json_fields(struct printer *p, const struct shown *s, bool is_labels)
{
	const struct dict_msg *m = s->slot->msg;
	bool has_one = false;
	unsigned i;

	for (i = 0; m && i < m->n_fields; i++) {
		const struct dict_field *f = &m->field[i];
		const struct dict_text *label = NULL;
		int64_t raw;
		char *to;

		if ((is_labels && !f->n_labels) || !is_shown(s, m, i))
			continue;
		raw = raw_of(f, s);
		if (is_labels && !(label = dict_label(f, raw)))
			continue;
		to = out_begin(p->out, FIELD_ROOM);
		if (has_one)
			to = PUT(to, ", ");
		has_one = true;
		to = put_short(to, f->before.p, f->before.n);
		to = label ? put_short(to, label->p, label->n) : put_number(to, f, raw, true);
		out_end(p->out, to);
	}
}

static void json_entry(struct printer *p, const struct shown *s)
{
	json_head(p, s);
	out_end(p->out, PUT(out_begin(p->out, NAME_ROOM), ", \"signals\": {"));
	json_fields(p, s, false);
	out_end(p->out, PUT(out_begin(p->out, NAME_ROOM), "}, \"labels\": {"));
	json_fields(p, s, true);
	out_end(p->out, PUT(out_begin(p->out, NAME_ROOM), "}}\n"));
}

/* --- all formats ------------------------------------------------------------------------------------------ */

/* channel: LOG_MAX_CHANNELS: of none. */
static void print_lost(struct printer *p, int64_t time_us, unsigned channel, uint32_t n)
{
	char *to = out_begin(p->out, FRAME_ROOM);

	switch (p->dict->cfg.format) {
	case DICT_TEXT:
		to = put_unsigned(PUT(to, "# "), n);
		to = n == 1 ? PUT(to, " frame") : PUT(to, " frames");
		to = PUT(to, " lost before the next one\n");
		break;
	case DICT_CSV:
		to = csv_channel(p, PUT(put_time(p, to, time_us), ","), channel);
		to = put_unsigned(PUT(to, ",,,,lost,"), n);
		to = PUT(to, ",frames,\n");
		break;
	case DICT_JSON:
		to = put_time(p, PUT(to, "{\"time\": "), time_us);
		to = put_unsigned(PUT(to, ", \"lost\": "), n);
		to = PUT(to, "}\n");
		break;
	}
	out_end(p->out, to);
}

/* False: the same as before. */
static bool find_changes(struct printer *p, struct dict_slot *slot, struct shown *s)
{
	struct dict_last *last = dict_last(p->dict, slot, s->e->channel);

	if (!last)
		return true;
	if (last->is_known && last->dlc == s->e->frame.can_dlc) {
		s->changed = last->payload ^ s->payload;
		if (!s->changed)
			return false;
	}
	last->is_known = true;
	last->dlc = s->e->frame.can_dlc;
	last->payload = s->payload;
	return true;
}

void print_entry(struct printer *p, const struct log_entry *e)
{
	struct dict_slot *slot = dict_slot(p->dict, e->frame.can_id);
	struct shown s;

	if (e->n_lost)
		print_lost(p, e->time_us, e->channel, e->n_lost);
	if (!slot->is_wanted)
		return;
	if (!slot->msg && !(e->frame.can_id & (CAN_ERR_FLAG | CAN_RTR_FLAG)))
		p->n_unknown++;
	s.e = e;
	s.slot = slot;
	s.payload = msg_load64(e->frame.data);
	s.changed = UINT64_MAX;
	if (slot->msg && slot->msg->codec) {
		memset(s.wide, 0, sizeof(s.wide));
		memcpy(s.wide, e->frame.data, sizeof(e->frame.data));
	}
	if (p->is_changes && (!slot->msg || !find_changes(p, slot, &s)))
		return;
	switch (p->dict->cfg.format) {
	case DICT_TEXT:
		text_entry(p, &s);
		break;
	case DICT_CSV:
		csv_entry(p, &s);
		break;
	case DICT_JSON:
		json_entry(p, &s);
		break;
	}
}

void print_end(struct printer *p)
{
	if (p->log->lost_next)
		print_lost(p, p->log->last_us, LOG_MAX_CHANNELS, p->log->lost_next);
}
