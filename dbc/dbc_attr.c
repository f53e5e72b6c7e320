/* SPDX-License-Identifier: MIT */
/*
 * Attributes of a .dbc file: definitions, defaults, and values set on the network, nodes, messages, signals,
 * environment variables and relations.
 */
#include "dbc/dbc_lex.h"

static struct dbc_attr_def *find_def(struct dbc_reader *r, const char *name)
{
	uint32_t key = dbc_hash_name(name, strlen(name));
	const struct dbc_index *x = &r->defs_by_name;

	for (uint32_t i = dbc_index_start(x, key); x->slots && x->slots[i].ref; i = (i + 1) & x->mask) {
		struct dbc_attr_def *d = ((struct dbc_attr_def **)r->defs.data)[x->slots[i].ref - 1];

		if (x->slots[i].key == key && strcmp(d->name, name) == 0)
			return d;
	}
	return NULL;
}

static struct dbc_attr_def *add_def(struct dbc_reader *r, const char *name, enum dbc_object object,
				    uint32_t at)
{
	struct dbc_attr_def *d = dbc_arena_alloc(r->arena, sizeof(*d));
	struct dbc_attr_def **place = dbc_vec_add(r, &r->defs, sizeof(*place));

	if (!d || !place) {
		dbc_no_memory(r);
		return NULL;
	}
	*d = (struct dbc_attr_def){.name = name, .object = object, .at = at};
	*place = d;
	dbc_index_add(r, &r->defs_by_name, dbc_hash_name(name, strlen(name)), (uint32_t)r->defs.n);
	return d;
}

static enum dbc_object object_of(struct dbc_word w)
{
	return DBC_WORD_IS(w, "BU_")   ? DBC_NODE
	       : DBC_WORD_IS(w, "BO_") ? DBC_MESSAGE
	       : DBC_WORD_IS(w, "SG_") ? DBC_SIGNAL
	       : DBC_WORD_IS(w, "EV_") ? DBC_ENV_VAR
				       : DBC_RELATION;
}

static bool parse_labels(struct dbc_reader *r, struct dbc_attr_def *d)
{
	r->words.n = 0;
	while (dbc_skip_blank(r) == '"' || *r->p == ',') {
		if (*r->p == ',') {
			r->p++;
			continue;
		}
		const char **label = dbc_vec_add(r, &r->words, sizeof(*label));
		if (!label || !dbc_string(r, "a label in quotes", label))
			return false;
	}
	d->n_labels = (uint32_t)r->words.n;
	d->labels = (const char *const *)dbc_vec_take(r, &r->words, sizeof(char *));
	return !r->err;
}

/* Some files leave the range out. */
static bool parse_range(struct dbc_reader *r, struct dbc_attr_def *d)
{
	struct dbc_num min, max;
	char c = dbc_skip_blank(r);

	if (c == ';' || c == '\0')
		return true;
	if (!dbc_number(r, "the minimum", &min) || !dbc_number(r, "the maximum", &max))
		return false;
	d->min = min.value;
	d->max = max.value;
	return true;
}

static bool parse_type(struct dbc_reader *r, struct dbc_attr_def *d)
{
	struct dbc_word w;

	if (!dbc_word(r, "the type of the attribute", &w))
		return false;
	if (DBC_WORD_IS(w, "STRING")) {
		d->type = DBC_ATTR_STRING;
		return true;
	}
	if (DBC_WORD_IS(w, "ENUM")) {
		d->type = DBC_ATTR_ENUM;
		return parse_labels(r, d);
	}
	if (DBC_WORD_IS(w, "INT"))
		d->type = DBC_ATTR_INT;
	else if (DBC_WORD_IS(w, "HEX"))
		d->type = DBC_ATTR_HEX;
	else if (DBC_WORD_IS(w, "FLOAT"))
		d->type = DBC_ATTR_FLOAT;
	else
		return dbc_fail_at(r, dbc_at(r, w.s),
				   "expected INT, HEX, FLOAT, STRING or ENUM, not \"%.*s\"",
				   w.len > 40 ? 40 : (int)w.len, w.s);
	return parse_range(r, d);
}

void dbc_parse_attr_def(struct dbc_reader *r, bool is_relation)
{
	enum dbc_object object = is_relation ? DBC_RELATION : DBC_NETWORK;
	struct dbc_word w;
	const char *name;

	if (dbc_skip_blank(r) != '"') {
		if (!dbc_word(r, "the name of an attribute in quotes or BU_, BO_, SG_ or EV_", &w))
			return;
		object = is_relation ? DBC_RELATION : object_of(w);
		if (object == DBC_RELATION && !is_relation) {
			dbc_fail_at(r, dbc_at(r, w.s), "expected BU_, BO_, SG_ or EV_, not \"%.*s\"",
				    w.len > 40 ? 40 : (int)w.len, w.s);
			return;
		}
	}
	dbc_skip_blank(r);
	uint32_t at = dbc_at(r, r->p);
	if (!dbc_string(r, "the name of an attribute in quotes", &name))
		return;
	struct dbc_attr_def *d = find_def(r, name);
	if (d)
		dbc_note(r, at, "attribute %.60s is defined again", name);
	else
		d = add_def(r, name, object, at);
	if (d && parse_type(r, d))
		dbc_end(r);
}

static bool parse_value(struct dbc_reader *r, struct dbc_attr_value *v)
{
	struct dbc_num n;

	*v = (struct dbc_attr_value){NULL, 0};
	if (dbc_skip_blank(r) == '"')
		return dbc_string(r, "a value", &v->text);
	if (!dbc_number(r, "a number or a text in quotes", &n))
		return false;
	v->number = n.value;
	return true;
}

/* An ENUM has both a number and a label; a number given in quotes is one. */
static void complete_value(const struct dbc_attr_def *d, struct dbc_attr_value *v)
{
	if (d->type == DBC_ATTR_ENUM && v->text) {
		for (uint32_t i = 0; i < d->n_labels; i++) {
			if (strcmp(d->labels[i], v->text) == 0) {
				v->number = i;
				break;
			}
		}
	} else if (d->type == DBC_ATTR_ENUM) {
		if (v->number >= 0 && v->number < d->n_labels)
			v->text = d->labels[(uint32_t)v->number];
	} else if (d->type == DBC_ATTR_STRING && !v->text && d->is_implicit == false) {
		v->text = "";
	}
}

void dbc_parse_attr_default(struct dbc_reader *r)
{
	struct dbc_attr_value v;
	const char *name;

	dbc_skip_blank(r);
	uint32_t at = dbc_at(r, r->p);
	if (!dbc_string(r, "the name of an attribute in quotes", &name))
		return;
	struct dbc_attr_def *d = find_def(r, name);
	if (!parse_value(r, &v) || !dbc_end(r))
		return;
	if (!d) {
		dbc_note(r, at, "default of attribute %.60s, which is not defined", name);
		return;
	}
	complete_value(d, &v);
	d->def = v;
	d->has_default = true;
}

static const struct dbc_attr_def *def_for_value(struct dbc_reader *r, const char *name,
						enum dbc_object object, const struct dbc_attr_value *v,
						uint32_t at)
{
	struct dbc_attr_def *d = find_def(r, name);

	if (d)
		return d;
	dbc_note(r, at, "attribute %.60s is not defined", name);
	d = add_def(r, name, object, at);
	if (d) {
		d->is_implicit = true;
		d->type = v->text ? DBC_ATTR_STRING : DBC_ATTR_FLOAT;
	}
	return d;
}

/*
 * Place of the list that an attribute belongs to; NULL: the object is unknown (or, after a failure,
 * anything).
 */
static const struct dbc_attr **list_of(struct dbc_reader *r, struct dbc_word kind)
{
	struct dbc_word name;
	uint32_t raw_id;

	if (DBC_WORD_IS(kind, "SG_")) {
		if (!dbc_u32(r, "a message identifier", UINT32_MAX, &raw_id) ||
		    !dbc_word(r, "the name of a signal", &name))
			return NULL;
		struct dbc_signal *s = dbc_signal_ref(r, raw_id, name);
		return s ? &s->attrs : NULL;
	}
	if (DBC_WORD_IS(kind, "BO_")) {
		if (!dbc_u32(r, "a message identifier", UINT32_MAX, &raw_id))
			return NULL;
		struct dbc_message *m = dbc_message_ref(r, raw_id);
		return m ? &m->attrs : NULL;
	}
	if (DBC_WORD_IS(kind, "BU_")) {
		if (!dbc_word(r, "the name of a node", &name))
			return NULL;
		struct dbc_node *n = dbc_node_ref(r, name);
		if (!n)
			dbc_note(r, dbc_at(r, name.s), "there is no node %.*s",
				 name.len > 60 ? 60 : (int)name.len, name.s);
		return n ? &n->attrs : NULL;
	}
	if (DBC_WORD_IS(kind, "EV_")) {
		if (!dbc_word(r, "the name of an environment variable", &name))
			return NULL;
		struct dbc_env_var *v = dbc_env_ref(r, name);
		return v ? &v->attrs : NULL;
	}
	dbc_fail_at(r, dbc_at(r, kind.s), "expected a value or BU_, BO_, SG_ or EV_, not \"%.*s\"",
		    kind.len > 40 ? 40 : (int)kind.len, kind.s);
	return NULL;
}

void dbc_parse_attr(struct dbc_reader *r)
{
	enum dbc_object object = DBC_NETWORK;
	const struct dbc_attr **list = &r->db->attrs;
	struct dbc_attr_value v;
	const char *name;

	dbc_skip_blank(r);
	uint32_t at = dbc_at(r, r->p);
	if (!dbc_string(r, "the name of an attribute in quotes", &name))
		return;
	char c = dbc_skip_blank(r);
	if (dbc_is(c, DBC_C_WORD) && !dbc_is(c, DBC_C_DIGIT) && c != '-' && c != '+' && c != '.') {
		struct dbc_word kind;

		dbc_try_word(r, &kind);
		object = object_of(kind);
		list = list_of(r, kind);
	}
	if (!parse_value(r, &v) || !dbc_end(r))
		return;
	const struct dbc_attr_def *d = def_for_value(r, name, object, &v, at);
	struct dbc_attr *a = dbc_arena_alloc(r->arena, sizeof(*a));
	if (!a)
		dbc_no_memory(r);
	if (!a || !d || !list)
		return;
	complete_value(d, &v);
	*a = (struct dbc_attr){d, v, *list};
	*list = a;
}

/*
 * BA_REL_ "name" BU_SG_REL_ node SG_ id signal value; BU_BO_REL_ node id value; BU_EV_REL_ node variable
 * value;
 */
void dbc_parse_rel_attr(struct dbc_reader *r)
{
	struct dbc_rel_attr *a = dbc_arena_alloc(r->arena, sizeof(*a));
	struct dbc_word kind, w;
	const char *name;

	if (!a) {
		dbc_no_memory(r);
		return;
	}
	*a = (struct dbc_rel_attr){.object = ""};
	dbc_skip_blank(r);
	uint32_t at = dbc_at(r, r->p);
	if (!dbc_string(r, "the name of an attribute in quotes", &name) ||
	    !dbc_word(r, "BU_SG_REL_, BU_BO_REL_ or BU_EV_REL_", &kind) ||
	    !dbc_name(r, "the name of a node", &a->node))
		return;
	if (DBC_WORD_IS(kind, "BU_SG_REL_")) {
		if (!dbc_word(r, "SG_", &w) || !dbc_u32(r, "a message identifier", UINT32_MAX, &a->raw_id) ||
		    !dbc_name(r, "the name of a signal", &a->object))
			return;
	} else if (DBC_WORD_IS(kind, "BU_BO_REL_")) {
		if (!dbc_u32(r, "a message identifier", UINT32_MAX, &a->raw_id))
			return;
	} else if (DBC_WORD_IS(kind, "BU_EV_REL_")) {
		if (!dbc_name(r, "the name of an environment variable", &a->object))
			return;
	} else {
		dbc_fail_at(r, dbc_at(r, kind.s),
			    "expected BU_SG_REL_, BU_BO_REL_ or BU_EV_REL_, not \"%.*s\"",
			    kind.len > 40 ? 40 : (int)kind.len, kind.s);
		return;
	}
	if (!parse_value(r, &a->value) || !dbc_end(r))
		return;
	a->def = def_for_value(r, name, DBC_RELATION, &a->value, at);
	if (!a->def)
		return;
	complete_value(a->def, &a->value);
	*r->rel_tail = a;
	r->rel_tail = &a->next;
}

/* Definitions as a list in the order of the file. */
void dbc_attr_finish(struct dbc_reader *r)
{
	struct dbc_attr_def **list = r->defs.data;

	for (size_t i = 0; i + 1 < r->defs.n; i++)
		list[i]->next = list[i + 1];
	r->db->attr_defs = r->defs.n ? list[0] : NULL;
}
