/* SPDX-License-Identifier: MIT */
/*
 * Last step of the parser: long names, parents of multiplexed signals. And the questions one asks a database.
 */
#include "dbc/dbc_lex.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const struct dbc_attr_def *find_def(const struct dbc_db *db, const char *name)
{
	for (const struct dbc_attr_def *d = db->attr_defs; d; d = d->next)
		if (strcmp(d->name, name) == 0)
			return d;
	return NULL;
}

static const char *long_name(const struct dbc_attr *list, const struct dbc_attr_def *def, const char *name)
{
	for (const struct dbc_attr *a = list; a; a = a->next)
		if (a->def == def)
			return a->value.text && a->value.text[0] ? a->value.text : name;
	return name;
}

static void link_signal_names(struct dbc_db *db, const struct dbc_attr_def *def)
{
	for (uint32_t i = 0; i < db->n_messages; i++) {
		struct dbc_message *m = &db->messages[i];

		for (uint32_t k = 0; k < m->n_signals; k++)
			m->signals[k].name = long_name(m->signals[k].attrs, def, m->signals[k].short_name);
	}
}

/* Lists of names share the text of their node, so that it can be told and replaced. */
static const char *const *rename_nodes(struct dbc_reader *r, const char *const *names, uint32_t n)
{
	const char **list = n ? dbc_arena_alloc(r->arena, n * sizeof(*list)) : NULL;

	if (!list)
		return names;
	for (uint32_t i = 0; i < n; i++) {
		list[i] = names[i];
		for (uint32_t k = 0; k < r->db->n_nodes; k++)
			if (names[i] == r->db->nodes[k].short_name)
				list[i] = r->db->nodes[k].name;
	}
	return list;
}

static void link_node_names(struct dbc_reader *r, const struct dbc_attr_def *def)
{
	struct dbc_db *db = r->db;

	for (uint32_t i = 0; i < db->n_nodes; i++)
		db->nodes[i].name = long_name(db->nodes[i].attrs, def, db->nodes[i].short_name);
	for (uint32_t i = 0; i < db->n_messages; i++) {
		struct dbc_message *m = &db->messages[i];

		for (uint32_t k = 0; k < db->n_nodes; k++)
			if (m->sender == db->nodes[k].short_name)
				m->sender = db->nodes[k].name;
		m->senders = rename_nodes(r, m->senders, m->n_senders);
		for (uint32_t k = 0; k < m->n_signals; k++)
			m->signals[k].receivers =
				rename_nodes(r, m->signals[k].receivers, m->signals[k].n_receivers);
	}
}

static void link_names(struct dbc_reader *r)
{
	struct dbc_db *db = r->db;
	const struct dbc_attr_def *def = find_def(db, "SystemSignalLongSymbol");

	if (def)
		link_signal_names(db, def);
	def = find_def(db, "SystemMessageLongSymbol");
	for (uint32_t i = 0; def && i < db->n_messages; i++)
		db->messages[i].name = long_name(db->messages[i].attrs, def, db->messages[i].short_name);
	def = find_def(db, "SystemEnvVarLongSymbol");
	for (struct dbc_env_var *v = db->env_vars; def && v; v = v->next)
		v->name = long_name(v->attrs, def, v->name);
	def = find_def(db, "SystemNodeLongSymbol");
	if (def)
		link_node_names(r, def);
}

/* Signals with a mark but without SG_MUL_VAL_ hang on the (first) plain multiplexor of their message. */
static void link_parents(struct dbc_message *m)
{
	int16_t root = DBC_NO_PARENT;

	for (uint32_t k = 0; k < m->n_signals && root < 0; k++)
		if (m->signals[k].is_multiplexor && m->signals[k].mux_parent < 0 && !m->signals[k].n_mux)
			root = (int16_t)k;
	for (uint32_t k = 0; k < m->n_signals; k++)
		if (m->signals[k].n_mux && m->signals[k].mux_parent < 0)
			m->signals[k].mux_parent = (int16_t)k == root ? DBC_NO_PARENT : root;
}

void dbc_link(struct dbc_reader *r)
{
	struct dbc_db *db = r->db;

	db->n_messages = (uint32_t)r->messages.n;
	db->messages = dbc_vec_take(r, &r->messages, sizeof(struct dbc_message));
	dbc_attr_finish(r);
	if (r->err)
		return;
	link_names(r);
	for (uint32_t i = 0; i < db->n_messages; i++)
		link_parents(&db->messages[i]);
}

const struct dbc_message *dbc_find_message(const struct dbc_db *db, uint32_t raw_id)
{
	const struct dbc_index *x = &db->inside->by_id;

	for (uint32_t i = dbc_index_start(x, raw_id); x->slots && x->slots[i].ref; i = (i + 1) & x->mask)
		if (x->slots[i].key == raw_id)
			return &db->messages[x->slots[i].ref - 1];
	return NULL;
}

const struct dbc_message *dbc_find_message_name(const struct dbc_db *db, const char *name)
{
	for (uint32_t i = 0; i < db->n_messages; i++)
		if (strcmp(db->messages[i].name, name) == 0)
			return &db->messages[i];
	for (uint32_t i = 0; i < db->n_messages; i++)
		if (strcmp(db->messages[i].short_name, name) == 0)
			return &db->messages[i];
	return NULL;
}

const struct dbc_signal *dbc_find_signal(const struct dbc_message *m, const char *name)
{
	for (uint32_t i = 0; i < m->n_signals; i++)
		if (strcmp(m->signals[i].name, name) == 0 || strcmp(m->signals[i].short_name, name) == 0)
			return &m->signals[i];
	return NULL;
}

const struct dbc_attr_value *dbc_find_attr(const struct dbc_db *db, const struct dbc_attr *attrs,
					   const char *name)
{
	for (const struct dbc_attr *a = attrs; a; a = a->next)
		if (strcmp(a->def->name, name) == 0)
			return &a->value;
	const struct dbc_attr_def *d = find_def(db, name);
	return d && d->has_default ? &d->def : NULL;
}

const char *dbc_value_name(const struct dbc_signal *s, int64_t number)
{
	for (uint32_t i = 0; i < s->values.n; i++)
		if (s->values.list[i].number == number)
			return s->values.list[i].name[0] ? s->values.list[i].name : NULL;
	return NULL;
}

unsigned dbc_cycle_ms(const struct dbc_db *db, const struct dbc_message *m)
{
	const struct dbc_attr_value *v = dbc_find_attr(db, m->attrs, "GenMsgCycleTime");

	return v && v->number >= 0 && v->number < 1e9 ? (unsigned)v->number : 0;
}

static int file_error(struct dbc_error *error, const char *path, int err)
{
	*error = (struct dbc_error){0};
	snprintf(error->text, sizeof(error->text), "%.200s: %s", path, strerror(err));
	return -err;
}

/* The file is read in steps that double, so that pipes work too. */
static int read_file(FILE *f, char **text, size_t *len)
{
	size_t cap = 0, n = 0;
	char *buf = NULL;

	for (;;) {
		if (n == cap) {
			char *more = realloc(buf, cap = cap ? cap * 2 : 65536);

			if (!more) {
				free(buf);
				return ENOMEM;
			}
			buf = more;
		}
		size_t got = fread(buf + n, 1, cap - n, f);
		n += got;
		if (got == 0)
			break;
	}
	if (ferror(f)) {
		int err = errno;

		free(buf);
		return err ? err : EIO;
	}
	*text = buf;
	*len = n;
	return 0;
}

int dbc_parse_file(const char *path, struct dbc_db **db, struct dbc_error *error)
{
	struct dbc_error ignored;
	char *text = NULL;
	size_t len = 0;

	if (!error)
		error = &ignored;
	FILE *f = fopen(path, "rb");
	if (!f)
		return file_error(error, path, errno);
	int err = read_file(f, &text, &len);
	fclose(f);
	if (err)
		return file_error(error, path, err);
	err = dbc_parse(text, len, path, db, error);
	free(text);
	return err;
}
