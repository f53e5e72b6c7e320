/* SPDX-License-Identifier: MIT */
/*
 * Messages of any .dbc for the dictionary. Signals with decimal factors, which is nearly all of them, become integers
 * with a point like our own; the rest is left to the codec.
 */
#include "monitor/bus_log_dict.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dbc/dbc_table.h"

#define MAX_DECIMALS 9
#define MAX_LENGTH   32 /* bits */
#define MAX_NUMBER \
	1e14 /* as an integer; above, dbc_format_physical() prints as floating point, and so do we */

/* v * 10^decimals as an integer; false: it is none. */
static bool to_integer(double v, unsigned decimals, int64_t *integer)
{
	double scaled = v * pow(10, decimals), nearest = round(scaled);

	if (!(fabs(scaled) < MAX_NUMBER) || fabs(scaled - nearest) > 1e-9 * fmax(1, fabs(scaled)))
		return false;
	*integer = (int64_t)nearest;
	return true;
}

static bool make_fast(const struct dbc_codec_signal *s, struct dict_field *f)
{
	unsigned decimals = s->def->decimals;

	if (s->n_mux || s->parent != DBC_NO_PARENT || s->number != DBC_INTEGER || s->byte != 0 ||
	    s->has_ninth || s->length == 0 || s->length > MAX_LENGTH || decimals > MAX_DECIMALS ||
	    !to_integer(s->factor, decimals, &f->mul) || !to_integer(s->offset, decimals, &f->add) ||
	    fabs((double)f->mul) * ldexp(1, s->length) + fabs((double)f->add) >= MAX_NUMBER)
		return false;
	f->shift = s->shift;
	f->length = s->length;
	f->is_big = s->is_big;
	f->is_signed = s->is_signed;
	f->end = s->end > UINT8_MAX ? UINT8_MAX : (uint8_t)s->end;
	f->decimals = (uint8_t)decimals;
	return true;
}

static void add_labels(struct dict *d, struct dict_field *to, const struct dbc_signal *def)
{
	struct dict_label *label = dict_memory(d, def->values.n * sizeof(*label));
	uint32_t i, n = 0;

	for (i = 0; label && i < def->values.n; i++)
		if (def->values.list[i].name && def->values.list[i].name[0])
			dict_dress_label(d, &label[n++], def->values.list[i].number,
					 def->values.list[i].name);
	to->label = label;
	to->n_labels = n;
}

static void add_message(struct dict *d, const struct dbc_codec_message *cm)
{
	const struct dbc_message *def = cm->def;
	struct dict_msg *m;
	uint32_t i;

	if (def->is_independent)
		return;
	m = dict_add(d,
		     def->raw_id & DBC_EXTENDED ? (def->raw_id & CAN_EFF_MASK) | CAN_EFF_FLAG : def->raw_id,
		     def->name, def->n_signals);
	if (!m)
		return;
	m->has_index = d->cfg.is_indexed && (def->raw_id & DBC_EXTENDED);
	m->codec = cm;
	for (i = 0; i < m->n_fields; i++) {
		const struct dbc_codec_signal *s = &cm->signals[i];

		if (!make_fast(s, &m->field[i]))
			m->field[i].general = s;
		dict_dress(d, &m->field[i], s->def->name, s->def->unit);
		add_labels(d, &m->field[i], s->def);
	}
}

int dict_add_file(struct dict *d, const char *path, char *err, size_t err_size)
{
	struct dbc_error error;
	struct dbc_db *db;
	uint32_t i;
	int rc;

	if (d->n_files == DICT_MAX_FILES) {
		snprintf(err, err_size, "at most %d databases", DICT_MAX_FILES);
		return -E2BIG;
	}
	rc = dbc_parse_file(path, &db, &error);
	if (rc) {
		snprintf(err, err_size, "%s", error.text);
		return rc;
	}
	if (db->n_messages == 0) {
		dbc_free(db);
		snprintf(err, err_size, "%s: no messages in it", path);
		return -EINVAL;
	}
	d->db[d->n_files] = db;
	rc = dbc_codec_build(db, &d->codec[d->n_files]);
	if (rc) {
		dbc_free(db);
		snprintf(err, err_size, "%s: not enough memory", path);
		return rc;
	}
	for (i = 0; i < db->n_messages; i++)
		add_message(d, &d->codec[d->n_files]->messages[i]);
	d->n_files++;
	return 0;
}
