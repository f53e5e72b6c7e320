/* SPDX-License-Identifier: MIT */
/*
 * The dictionary of bus-log decode: memory, texts, and finding a message by identifier.
 */
#include "monitor/bus_log_dict.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dbc/dbc_table.h"
#include "evse_msgs.h"
#include "monitor/bus_log_out.h"
#include "pev_msgs.h"
#include "plug_msgs.h"
#include "site_msgs.h"

#define BLOCK_SIZE ((size_t)64 * 1024)

struct dict_block {
	struct dict_block *next;
	size_t n, size;
	_Alignas(max_align_t) char bytes[];
};

void *dict_memory(struct dict *d, size_t size)
{
	struct dict_block *b = d->block;
	void *p;

	size = (size + 15) & ~(size_t)15;
	if (!b || b->size - b->n < size) {
		size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;

		b = calloc(1, sizeof(*b) + room);
		if (!b) {
			d->is_out_of_memory = true;
			return NULL;
		}
		b->size = room;
		b->next = d->block;
		d->block = b;
	}
	p = b->bytes + b->n;
	b->n += size;
	return p;
}

/* --- texts ------------------------------------------------------------------------------------------------ */

static const char nothing[OUT_SHORT];

/* A copy that put_short() can take. */
static struct dict_text keep(struct dict *d, const char *text)
{
	size_t n = strlen(text);
	char *copy = dict_memory(d, n + OUT_SHORT);
	struct dict_text t = {nothing, 0};

	if (copy) {
		memcpy(copy, text, n);
		t.p = copy;
		t.n = (uint32_t)n;
	}
	return t;
}

/* Text inside a pair of quotes, of JSON or CSV: what would end them is escaped. */
static void escape(const char *text, enum dict_format format, char *out, size_t size)
{
	size_t n = 0;

	for (; *text && n + 8 < size; text++) {
		unsigned char c = (unsigned char)*text;

		if (format == DICT_TEXT)
			out[n++] = c < ' ' ? ' ' : (char)c;
		else if (format == DICT_CSV && c == '"')
			n += (size_t)snprintf(out + n, size - n, "\"\"");
		else if (format == DICT_JSON && (c == '"' || c == '\\'))
			n += (size_t)snprintf(out + n, size - n, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			n += (size_t)snprintf(out + n, size - n, format == DICT_JSON ? "\\u%04x" : " ", c);
		else
			out[n++] = (char)c;
	}
	out[n] = '\0';
}

/* A text of a database as one field of CSV: in quotes only where it must be. */
static void csv_field(const char *text, char *out, size_t size)
{
	char inside[DICT_NAME_MAX * 2];
	bool needs_quotes = strpbrk(text, ",\"\r\n") != NULL;

	escape(text, DICT_CSV, inside, sizeof(inside));
	snprintf(out, size, needs_quotes ? "\"%s\"" : "%s", inside);
}

static struct dict_text dress(struct dict *d, const char *text, const char *text_form, const char *json_form)
{
	char inside[DICT_NAME_MAX * 2], out[DICT_NAME_MAX * 2 + 16];

	if (d->cfg.format == DICT_CSV) {
		csv_field(text, out, sizeof(out));
		return keep(d, out);
	}
	escape(text, d->cfg.format, inside, sizeof(inside));
	/* One %s each. */
	const char *form = d->cfg.format == DICT_JSON ? json_form : text_form;
	const char *mark = strstr(form, "%s");
	snprintf(out, sizeof(out), "%.*s%s%s", (int)(mark - form), form, inside, mark + 2);
	return keep(d, out);
}

void dict_dress(struct dict *d, struct dict_field *f, const char *name, const char *unit)
{
	f->before = dress(d, name, " %s=", "\"%s\": ");
	f->unit = dress(d, unit, "%s", "%s");
}

void dict_dress_label(struct dict *d, struct dict_label *l, int64_t raw, const char *label)
{
	l->raw = raw;
	l->text = dress(d, label, "%s(", "\"%s\"");
}

struct dict_msg *dict_add(struct dict *d, canid_t id, const char *name, unsigned n_fields)
{
	struct dict_msg *m;

	if (d->n_msgs == d->n_room) {
		unsigned room = d->n_room ? 2 * d->n_room : 128;

		m = realloc(d->msg, room * sizeof(*m));
		if (!m) {
			d->is_out_of_memory = true;
			return NULL;
		}
		d->msg = m;
		d->n_room = room;
	}
	m = &d->msg[d->n_msgs++];
	memset(m, 0, sizeof(*m));
	m->id = id;
	m->name = name;
	m->text = dress(d, name, "%s", "\"%s\"");
	m->field = dict_memory(d, n_fields * sizeof(*m->field));
	if (m->field)
		m->n_fields = (uint16_t)n_fields;
	return m;
}

/* --- finding ---------------------------------------------------------------------------------------------- */

const struct dict_text *dict_label(const struct dict_field *f, int64_t raw)
{
	uint32_t i;

	/* Most tables are 0, 1, 2 ... */
	if (raw >= 0 && raw < (int64_t)f->n_labels && f->label[raw].raw == raw)
		return &f->label[raw].text;
	for (i = 0; i < f->n_labels; i++)
		if (f->label[i].raw == raw)
			return &f->label[i].text;
	return NULL;
}

/* The first one that was added counts. The vehicle's own messages may come with 29 bits, too (rule P-02). */
static const struct dict_msg *resolve(const struct dict *d, canid_t id)
{
	canid_t number = id & CAN_EFF_MASK, narrow = number <= CAN_SFF_MASK ? number : id;
	unsigned i;

	if (id & (CAN_ERR_FLAG | CAN_RTR_FLAG))
		return NULL;
	for (i = 0; i < d->n_msgs; i++)
		if (d->msg[i].id == (d->msg[i].has_index ? msg_base_id(id) : d->msg[i].codec ? id : narrow))
			return &d->msg[i];
	return NULL;
}

static bool is_wanted(const struct dict *d, canid_t id, const struct dict_msg *m)
{
	const struct dict_cfg *cfg = &d->cfg;
	unsigned i;

	/* As dbc decode has it: identifiers of 11 bits have no index. */
	if (cfg->index >= 0 && (id & CAN_EFF_FLAG) && msg_index(id) != (unsigned)cfg->index)
		return false;
	if (cfg->ids.n == 0 && cfg->names.n == 0)
		return true;
	if (filter_fits(&cfg->ids, id & ~CAN_RTR_FLAG))
		return true;
	for (i = 0; m && i < cfg->names.n; i++)
		if (strcasecmp(cfg->names.item[i], m->name) == 0)
			return true;
	return false;
}

struct dict_slot *dict_find(struct dict *d, canid_t id)
{
	uint32_t i = id * 0x9E3779B1u >> 19;
	struct dict_slot *s;

	for (; d->slot[i].is_used; i = (i + 1) % DICT_MAX_SLOTS)
		if (d->slot[i].id == id)
			return &d->slot[i];
	s = d->n_slots < DICT_MAX_SLOTS / 2 ? &d->slot[i] : &d->overflow;
	if (s != &d->overflow)
		d->n_slots++;
	s->is_used = true;
	s->id = id;
	s->msg = resolve(d, id);
	s->is_wanted = is_wanted(d, id, s->msg);
	return s;
}

struct dict_last *dict_last(struct dict *d, struct dict_slot *slot, unsigned channel)
{
	if (slot == &d->overflow)
		return NULL;
	if (!slot->last)
		slot->last = dict_memory(d, LOG_MAX_CHANNELS * sizeof(*slot->last));
	return slot->last ? &slot->last[channel] : NULL;
}

/* --- from start to end ------------------------------------------------------------------------------------ */

int dict_build(struct dict *d, const struct dict_cfg *cfg, char *err, size_t err_size)
{
	unsigned i;
	int rc = 0;

	memset(d, 0, sizeof(*d));
	d->cfg = *cfg;
	d->slot = calloc(DICT_MAX_SLOTS, sizeof(*d->slot));
	for (i = 0; i < cfg->files.n && rc == 0; i++)
		rc = dict_add_file(d, cfg->files.item[i], err, err_size);
	if (rc)
		return rc;
	if (cfg->has_evse)
		dict_add_layouts(d, evse_layouts[cfg->evse_version], EVSE_N_MSGS);
	if (cfg->has_pev)
		dict_add_layouts(d, pev_layouts[cfg->pev_version], PEV_N_MSGS);
	if (cfg->has_plug)
		dict_add_layouts(d, plug_layouts[0], PLUG_N_MSGS);
	if (cfg->has_site)
		dict_add_layouts(d, site_layouts[0], SITE_N_MSGS);
	if (!d->slot || d->is_out_of_memory) {
		snprintf(err, err_size, "not enough memory");
		return -ENOMEM;
	}
	return 0;
}

void dict_free(struct dict *d)
{
	unsigned i;

	while (d->block) {
		struct dict_block *next = d->block->next;

		free(d->block);
		d->block = next;
	}
	for (i = 0; i < d->n_files; i++) {
		dbc_codec_free(d->codec[i]);
		dbc_free(d->db[i]);
	}
	free(d->msg);
	free(d->slot);
	memset(d, 0, sizeof(*d));
}
