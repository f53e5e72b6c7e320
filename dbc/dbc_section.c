/* SPDX-License-Identifier: MIT */
/*
 * The sections of a .dbc file that add to messages, signals and nodes: value names, comments, further
 * senders, number types, multiplexing ranges, groups, environment variables.
 */
#include "dbc/dbc_lex.h"

#define SHOWN(w) ((w).len > 60 ? 60 : (int)(w).len), (w).s

struct dbc_message *dbc_message_ref(struct dbc_reader *r, uint32_t raw_id)
{
	struct dbc_message *list = r->messages.data;
	struct dbc_index *x = &r->in->by_id;

	/* Entries come in runs about one message. */
	if (r->last_message && list[r->last_message - 1].raw_id == raw_id)
		return &list[r->last_message - 1];
	r->last_signal = 0;
	for (uint32_t i = dbc_index_start(x, raw_id); x->slots && x->slots[i].ref; i = (i + 1) & x->mask) {
		if (x->slots[i].key != raw_id)
			continue;
		r->last_message = x->slots[i].ref;
		return &list[r->last_message - 1];
	}
	dbc_note(r, r->number_at, "there is no message %u", raw_id);
	return NULL;
}

static bool is_named(const struct dbc_signal *s, struct dbc_word name)
{
	return strncmp(s->short_name, name.s, name.len) == 0 && s->short_name[name.len] == '\0';
}

struct dbc_signal *dbc_signal_ref(struct dbc_reader *r, uint32_t raw_id, struct dbc_word name)
{
	struct dbc_message *m = dbc_message_ref(r, raw_id);

	if (!m)
		return NULL;
	/* Mostly the same or the next one. */
	for (uint32_t i = 0; i < m->n_signals; i++) {
		uint32_t k = i + r->last_signal;

		k = k >= m->n_signals ? k - m->n_signals : k;
		if (is_named(&m->signals[k], name)) {
			r->last_signal = k;
			return &m->signals[k];
		}
	}
	dbc_note(r, dbc_at(r, name.s), "message %s has no signal %.*s", m->short_name, SHOWN(name));
	return NULL;
}

struct dbc_env_var *dbc_env_ref(struct dbc_reader *r, struct dbc_word name)
{
	for (struct dbc_env_var *v = r->db->env_vars; v; v = v->next)
		if (strncmp(v->name, name.s, name.len) == 0 && v->name[name.len] == '\0')
			return v;
	dbc_note(r, dbc_at(r, name.s), "there is no environment variable %.*s", SHOWN(name));
	return NULL;
}

/* Pairs of number and name up to the semicolon. */
static bool parse_pairs(struct dbc_reader *r, struct dbc_values *values)
{
	r->values.n = 0;
	for (;;) {
		struct dbc_num n;
		const char *name;
		char c = dbc_skip_blank(r);

		if (r->p >= r->end || (!dbc_is(c, DBC_C_DIGIT) && c != '-' && c != '+'))
			break;
		uint32_t at = dbc_at(r, r->p);
		if (!dbc_number(r, "a number", &n) || !dbc_string(r, "the name of a value in quotes", &name))
			return false;
		if (!n.is_integer) {
			dbc_note(r, at, "value %s is not a whole number", name);
			continue;
		}
		struct dbc_value *v = dbc_vec_add(r, &r->values, sizeof(*v));
		if (!v)
			return false;
		*v = (struct dbc_value){n.integer, name};
	}
	if (r->err)
		return false;
	values->n = (uint32_t)r->values.n;
	values->list = dbc_vec_take(r, &r->values, sizeof(struct dbc_value));
	return !r->err;
}

void dbc_parse_value_table(struct dbc_reader *r)
{
	struct dbc_table *t = dbc_arena_alloc(r->arena, sizeof(*t));

	if (!t) {
		dbc_no_memory(r);
		return;
	}
	*t = (struct dbc_table){0};
	if (!dbc_name(r, "the name of a value table", &t->name) || !parse_pairs(r, &t->values) || !dbc_end(r))
		return;
	*r->tables_tail = t;
	r->tables_tail = &t->next;
}

/* Some programs write the name of a table instead of the pairs. */
static bool parse_table_or_pairs(struct dbc_reader *r, struct dbc_values *values)
{
	struct dbc_word w;
	char c = dbc_skip_blank(r);

	if (r->p >= r->end || dbc_is(c, DBC_C_DIGIT) || !dbc_is(c, DBC_C_WORD) || c == '-' || c == '+' ||
	    dbc_at_keyword(r))
		return parse_pairs(r, values);
	dbc_try_word(r, &w);
	for (const struct dbc_table *t = r->db->tables; t; t = t->next) {
		if (strncmp(t->name, w.s, w.len) == 0 && t->name[w.len] == '\0') {
			*values = t->values;
			return true;
		}
	}
	dbc_note(r, dbc_at(r, w.s), "there is no value table %.*s", SHOWN(w));
	return true;
}

void dbc_parse_values(struct dbc_reader *r)
{
	struct dbc_values values = {0};
	struct dbc_word w;
	uint32_t raw_id;

	if (!dbc_is(dbc_skip_blank(r), DBC_C_DIGIT)) {
		if (!dbc_word(r, "a message identifier or an environment variable", &w))
			return;
		struct dbc_env_var *v = dbc_env_ref(r, w);
		if (parse_pairs(r, v ? &v->values : &values))
			dbc_end(r);
		return;
	}
	if (!dbc_u32(r, "a message identifier", UINT32_MAX, &raw_id) ||
	    !dbc_word(r, "the name of a signal", &w))
		return;
	struct dbc_signal *s = dbc_signal_ref(r, raw_id, w);
	if (parse_table_or_pairs(r, &values) && dbc_end(r) && s)
		s->values = values;
}

static void comment_of(struct dbc_reader *r, const char **place)
{
	const char *text;

	if (dbc_comment(r, &text) && dbc_end(r) && place)
		*place = text;
}

void dbc_parse_comment(struct dbc_reader *r)
{
	struct dbc_word kind, name;
	uint32_t raw_id;

	if (dbc_skip_blank(r) == '"') {
		comment_of(r, &r->db->comment);
		return;
	}
	if (!dbc_word(r, "a comment or BU_, BO_, SG_ or EV_", &kind))
		return;
	if (DBC_WORD_IS(kind, "SG_")) {
		if (!dbc_u32(r, "a message identifier", UINT32_MAX, &raw_id) ||
		    !dbc_word(r, "the name of a signal", &name))
			return;
		struct dbc_signal *s = dbc_signal_ref(r, raw_id, name);
		comment_of(r, s ? &s->comment : NULL);
	} else if (DBC_WORD_IS(kind, "BO_")) {
		if (!dbc_u32(r, "a message identifier", UINT32_MAX, &raw_id))
			return;
		struct dbc_message *m = dbc_message_ref(r, raw_id);
		comment_of(r, m ? &m->comment : NULL);
	} else if (DBC_WORD_IS(kind, "BU_")) {
		if (!dbc_word(r, "the name of a node", &name))
			return;
		struct dbc_node *n = dbc_node_ref(r, name);
		if (!n)
			dbc_note(r, dbc_at(r, name.s), "there is no node %.*s", SHOWN(name));
		comment_of(r, n ? &n->comment : NULL);
	} else if (DBC_WORD_IS(kind, "EV_")) {
		if (!dbc_word(r, "the name of an environment variable", &name))
			return;
		struct dbc_env_var *v = dbc_env_ref(r, name);
		comment_of(r, v ? &v->comment : NULL);
	} else {
		dbc_fail_at(r, dbc_at(r, kind.s), "expected a comment or BU_, BO_, SG_ or EV_, not \"%.*s\"",
			    SHOWN(kind));
	}
}

void dbc_parse_senders(struct dbc_reader *r)
{
	uint32_t raw_id, n;

	if (!dbc_u32(r, "a message identifier", UINT32_MAX, &raw_id))
		return;
	struct dbc_message *m = dbc_message_ref(r, raw_id);
	if (!dbc_char(r, ':', "\":\" after the message identifier"))
		return;
	const char *const *list = dbc_name_list(r, true, &n);
	if (dbc_end(r) && m) {
		m->senders = list;
		m->n_senders = (uint16_t)n;
	}
}

/* EV_ name: type [min|max] "unit" initial id access nodes; */
void dbc_parse_env_var(struct dbc_reader *r)
{
	struct dbc_env_var *v = dbc_arena_alloc(r->arena, sizeof(*v));
	struct dbc_num min, max, initial;

	if (!v) {
		dbc_no_memory(r);
		return;
	}
	*v = (struct dbc_env_var){0};
	if (!dbc_name(r, "the name of an environment variable", &v->name) ||
	    !dbc_char(r, ':', "\":\" after the name") || !dbc_u32(r, "the type", UINT32_MAX, &v->type) ||
	    !dbc_char(r, '[', "\"[\" in front of the minimum") || !dbc_number(r, "the minimum", &min) ||
	    !dbc_char(r, '|', "\"|\" after the minimum") || !dbc_number(r, "the maximum", &max) ||
	    !dbc_char(r, ']', "\"]\" after the maximum") || !dbc_string(r, "the unit in quotes", &v->unit) ||
	    !dbc_number(r, "the initial value", &initial) || !dbc_u32(r, "the number", UINT32_MAX, &v->id) ||
	    !dbc_name(r, "the kind of access", &v->access))
		return;
	v->min = min.value;
	v->max = max.value;
	v->initial = initial.value;
	v->nodes = dbc_name_list(r, true, &v->n_nodes);
	if (!dbc_end(r))
		return;
	*r->env_tail = v;
	r->env_tail = &v->next;
}

/* ENVVAR_DATA_ name: size; */
void dbc_parse_env_data(struct dbc_reader *r)
{
	struct dbc_word w;
	uint32_t size;

	if (!dbc_word(r, "the name of an environment variable", &w))
		return;
	struct dbc_env_var *v = dbc_env_ref(r, w);
	if (dbc_char(r, ':', "\":\" after the name") && dbc_u32(r, "the size", UINT32_MAX, &size) &&
	    dbc_end(r) && v)
		v->data_size = size;
}

/* SIG_GROUP_ id name repetitions : signals; */
void dbc_parse_signal_group(struct dbc_reader *r)
{
	struct dbc_signal_group *g = dbc_arena_alloc(r->arena, sizeof(*g));

	if (!g) {
		dbc_no_memory(r);
		return;
	}
	*g = (struct dbc_signal_group){0};
	if (!dbc_u32(r, "a message identifier", UINT32_MAX, &g->raw_id) ||
	    !dbc_name(r, "the name of a signal group", &g->name) ||
	    !dbc_u32(r, "the number of repetitions", UINT32_MAX, &g->repetitions) ||
	    !dbc_char(r, ':', "\":\" in front of the signals"))
		return;
	g->signals = dbc_name_list(r, true, &g->n_signals);
	if (!dbc_end(r))
		return;
	*r->groups_tail = g;
	r->groups_tail = &g->next;
}

/* SIG_VALTYPE_ id signal : 0..2; */
void dbc_parse_value_type(struct dbc_reader *r)
{
	struct dbc_word w;
	uint32_t raw_id, type;

	if (!dbc_u32(r, "a message identifier", UINT32_MAX, &raw_id) ||
	    !dbc_word(r, "the name of a signal", &w))
		return;
	struct dbc_signal *s = dbc_signal_ref(r, raw_id, w);
	if (dbc_skip_blank(r) == ':')
		r->p++;
	if (dbc_u32(r, "the number type", DBC_FLOAT64, &type) && dbc_end(r) && s)
		s->number = (uint8_t)type;
}

/* "3-3, 5-9" */
static bool parse_ranges(struct dbc_reader *r)
{
	r->ranges.n = 0;
	while (dbc_is(dbc_skip_blank(r), DBC_C_DIGIT)) {
		uint32_t first, last;

		if (!dbc_u32(r, "a number of the multiplexor", UINT32_MAX, &first))
			return false;
		last = first;
		if (dbc_skip_blank(r) == '-') {
			r->p++;
			if (!dbc_u32(r, "the last number of a range", UINT32_MAX, &last))
				return false;
		}
		struct dbc_range *range = dbc_vec_add(r, &r->ranges, sizeof(*range));
		if (!range)
			return false;
		*range = (struct dbc_range){first, last};
		if (dbc_skip_blank(r) == ',')
			r->p++;
	}
	return r->ranges.n && r->ranges.n <= UINT16_MAX ? true : dbc_fail(r, "a range such as 3-3");
}

/* SG_MUL_VAL_ id signal multiplexor ranges; */
void dbc_parse_mux_values(struct dbc_reader *r)
{
	struct dbc_word w, parent;
	uint32_t raw_id;

	if (!dbc_u32(r, "a message identifier", UINT32_MAX, &raw_id) ||
	    !dbc_word(r, "the name of a signal", &w) || !dbc_word(r, "the name of a multiplexor", &parent))
		return;
	struct dbc_signal *s = dbc_signal_ref(r, raw_id, w);
	struct dbc_signal *p = s ? dbc_signal_ref(r, raw_id, parent) : NULL;
	if (!parse_ranges(r))
		return;
	uint16_t n = (uint16_t)r->ranges.n;
	const struct dbc_range *list = dbc_vec_take(r, &r->ranges, sizeof(*list));
	if (!dbc_end(r) || !p)
		return;
	s->mux = list;
	s->n_mux = n;
	s->mux_parent = (int16_t)(p - dbc_message_ref(r, raw_id)->signals);
}
