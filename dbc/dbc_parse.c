/* SPDX-License-Identifier: MIT */
/*
 * The parser of .dbc files: frame of a file, nodes, messages and signals. The other sections are in
 * dbc_section.c (comments, values ...) and dbc_attr.c; dbc_link.c ends the work.
 */
#include "dbc/dbc_lex.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX (1u << 30)

/* Sections that are valid but hold nothing that forecourt could use. */
static const char *const skipped[] = {"NS_DESC_",      "CAT_DEF_",	     "CAT_",
				      "FILTER",	       "EV_DATA_",	     "SGTYPE_",
				      "SGTYPE_VAL_",   "BA_SGTYPE_",	     "BA_DEF_SGTYPE_",
				      "SIG_TYPE_REF_", "BA_DEF_DEF_SGTYPE_", "SIGTYPE_VALTYPE_",
				      "BU_SG_REL_",    "BU_EV_REL_",	     "BU_BO_REL_"};

static void parse_version(struct dbc_reader *r)
{
	dbc_string(r, "the version in quotes", &r->db->version);
	dbc_skip_blank(r);
	if (*r->p == ';')
		r->p++;
}

/* The list of section names: each alone on its line. It says nothing about the file. */
static void parse_new_symbols(struct dbc_reader *r)
{
	if (dbc_skip_blank(r) == ':')
		r->p++;
	for (;;) {
		struct dbc_word w;

		dbc_skip_blank(r);
		char *from = r->p;
		if (!dbc_try_word(r, &w))
			return;
		char c = dbc_skip_spaces(r);
		if ((c != '\n' && c != '\r' && c != '\0') || DBC_WORD_IS(w, "BS_")) {
			r->p = from;
			return;
		}
	}
}

/* Old files: "BS_: 500000 : 1,2" or nothing after the colon. */
static void parse_bit_timing(struct dbc_reader *r)
{
	char *eol = memchr(r->p, '\n', (size_t)(r->end - r->p));

	r->p = eol ? eol : r->end;
}

static void parse_nodes(struct dbc_reader *r)
{
	struct dbc_word w;

	if (!dbc_char(r, ':', "\":\" after BU_"))
		return;
	for (;;) {
		while (dbc_skip_blank(r) == ',' || *r->p == ';')
			r->p++;
		char *from = r->p;
		if (!dbc_try_word(r, &w) || dbc_is_keyword(w)) {
			r->p = from;
			return;
		}
		struct dbc_node *n = dbc_vec_add(r, &r->words, sizeof(*n));
		if (!n)
			return;
		*n = (struct dbc_node){0};
		n->name = n->short_name = dbc_copy(r, w);
	}
}

static void take_nodes(struct dbc_reader *r)
{
	uint32_t n = (uint32_t)r->words.n;
	struct dbc_node *list = dbc_vec_take(r, &r->words, sizeof(*list));

	/* A second BU_ line is an oddity: the last counts, as attributes could not tell them apart. */
	if (list) {
		r->db->nodes = list;
		r->db->n_nodes = n;
	}
}

static const char *node_name(struct dbc_reader *r, struct dbc_word w)
{
	struct dbc_node *n = dbc_node_ref(r, w);

	return n ? n->name : dbc_copy(r, w);
}

static struct dbc_message *present_message(struct dbc_reader *r)
{
	return r->messages.n ? (struct dbc_message *)r->messages.data + r->messages.n - 1 : NULL;
}

/* The signals collected so far belong to the last message. */
static void close_message(struct dbc_reader *r)
{
	struct dbc_message *m = present_message(r);

	if (m && r->signals.n) {
		m->n_signals = (uint16_t)r->signals.n;
		m->signals = dbc_vec_take(r, &r->signals, sizeof(*m->signals));
		r->db->n_signals += m->n_signals;
	}
	r->signals.n = 0;
}

static void parse_message(struct dbc_reader *r)
{
	struct dbc_word w;
	uint32_t raw_id, dlc;

	if (!dbc_u32(r, "the identifier of a message", UINT32_MAX, &raw_id))
		return;
	dbc_skip_blank(r);
	uint32_t at = dbc_at(r, r->p);
	if (!dbc_word(r, "the name of a message", &w) ||
	    !dbc_char(r, ':', "\":\" after the name of the message") ||
	    !dbc_u32(r, "the length of a message", UINT16_MAX, &dlc))
		return;
	struct dbc_message *m = dbc_vec_add(r, &r->messages, sizeof(*m));
	if (!m)
		return;
	*m = (struct dbc_message){.raw_id = raw_id, .at = at, .dlc = (uint16_t)dlc};
	m->is_extended = (raw_id & DBC_EXTENDED) != 0;
	m->is_independent = raw_id == DBC_INDEPENDENT_ID;
	m->id = raw_id & ~DBC_EXTENDED;
	m->name = m->short_name = dbc_copy(r, w);
	m->sender = "";
	char c = dbc_skip_spaces(r);
	if (c != '\n' && c != '\r' && dbc_try_word(r, &w))
		m->sender = node_name(r, w);
	dbc_index_add(r, &r->in->by_id, raw_id, (uint32_t)r->messages.n);
}

/* "M", "m3" or "m3M" between the name and the colon. */
static bool parse_mux_mark(struct dbc_reader *r, struct dbc_signal *s)
{
	char *p = r->p;
	uint32_t number;

	if (*p == 'm') {
		r->p++;
		if (!dbc_is(*r->p, DBC_C_DIGIT) ||
		    !dbc_u32(r, "the number of a multiplexed signal", UINT32_MAX, &number))
			return dbc_fail(r, "a number after \"m\"");
		struct dbc_range *range = dbc_arena_alloc(r->arena, sizeof(*range));
		if (!range)
			return dbc_no_memory(r);
		*range = (struct dbc_range){number, number};
		s->mux = range;
		s->n_mux = 1;
	}
	if (*r->p == 'M') {
		r->p++;
		s->is_multiplexor = true;
	}
	return r->p > p ? true
			: dbc_fail(r,
				   "\":\" or a multiplexing mark (M, m0, m0M) after the name of the signal");
}

/* start|length@order sign */
static bool parse_layout(struct dbc_reader *r, struct dbc_signal *s)
{
	uint32_t start, length, order;

	if (!dbc_u32(r, "the start bit", UINT16_MAX, &start) ||
	    !dbc_char(r, '|', "\"|\" after the start bit") ||
	    !dbc_u32(r, "the length in bits", UINT16_MAX, &length) ||
	    !dbc_char(r, '@', "\"@\" after the length"))
		return false;
	if (!dbc_u32(r, "the byte order (0 or 1)", 1, &order))
		return false;
	char sign = dbc_skip_blank(r);
	if (sign != '+' && sign != '-')
		return dbc_fail(r, "the sign (\"+\" or \"-\")");
	r->p++;
	s->start = (uint16_t)start;
	s->length = (uint16_t)length;
	s->is_motorola = order == 0;
	s->is_signed = sign == '-';
	return true;
}

/* (factor,offset) [min|max] */
static bool parse_scale(struct dbc_reader *r, struct dbc_signal *s)
{
	struct dbc_num factor, offset, min, max;

	if (!dbc_char(r, '(', "\"(\" in front of the factor") || !dbc_number(r, "the factor", &factor) ||
	    !dbc_char(r, ',', "\",\" after the factor") || !dbc_number(r, "the offset", &offset) ||
	    !dbc_char(r, ')', "\")\" after the offset") ||
	    !dbc_char(r, '[', "\"[\" in front of the minimum") || !dbc_number(r, "the minimum", &min) ||
	    !dbc_char(r, '|', "\"|\" after the minimum") || !dbc_number(r, "the maximum", &max) ||
	    !dbc_char(r, ']', "\"]\" after the maximum"))
		return false;
	s->factor = factor.value;
	s->offset = offset.value;
	s->min = min.value;
	s->max = max.value;
	s->decimals = factor.decimals > offset.decimals ? factor.decimals : offset.decimals;
	return true;
}

const char *const *dbc_name_list(struct dbc_reader *r, bool is_to_semicolon, uint32_t *n)
{
	for (;;) {
		struct dbc_word w;
		char c = is_to_semicolon ? dbc_skip_blank(r) : dbc_skip_spaces(r);

		if (c == ',') {
			r->p++;
			continue;
		}
		if (!dbc_is(c, DBC_C_WORD) || (is_to_semicolon && dbc_at_keyword(r)))
			break;
		dbc_try_word(r, &w);
		const char **name = dbc_vec_add(r, &r->words, sizeof(*name));
		if (!name)
			break;
		*name = node_name(r, w);
	}
	if (r->words.n > UINT16_MAX)
		dbc_fail_at(r, dbc_at(r, r->p), "more than %u names in one list", UINT16_MAX);
	*n = (uint32_t)r->words.n;
	return (const char *const *)dbc_vec_take(r, &r->words, sizeof(char *));
}

static void parse_signal(struct dbc_reader *r)
{
	struct dbc_word w;

	dbc_skip_blank(r);
	uint32_t at = dbc_at(r, r->p);
	if (!present_message(r)) {
		dbc_fail_at(r, at, "a signal in front of the first message");
		return;
	}
	if (present_message(r)->signals) {
		dbc_fail_at(r, at, "a signal that does not follow its message");
		return;
	}
	if (r->signals.n >= INT16_MAX) {
		dbc_fail_at(r, at, "more than %d signals in one message", INT16_MAX);
		return;
	}
	struct dbc_signal *s = dbc_vec_add(r, &r->signals, sizeof(*s));
	if (!s)
		return;
	*s = (struct dbc_signal){.at = at, .mux_parent = DBC_NO_PARENT};
	if (!dbc_word(r, "the name of a signal", &w))
		return;
	s->name = s->short_name = dbc_copy(r, w);
	if (dbc_skip_blank(r) != ':' && !parse_mux_mark(r, s))
		return;
	if (!dbc_char(r, ':', "\":\" after the name of the signal") || !parse_layout(r, s) ||
	    !parse_scale(r, s) || !dbc_string(r, "the unit in quotes", &s->unit))
		return;
	uint32_t n;
	s->receivers = dbc_name_list(r, false, &n);
	s->n_receivers = (uint16_t)n;
}

struct dbc_node *dbc_node_ref(struct dbc_reader *r, struct dbc_word name)
{
	for (uint32_t i = 0; i < r->db->n_nodes; i++) {
		const char *s = r->db->nodes[i].name;

		if (strncmp(s, name.s, name.len) == 0 && s[name.len] == '\0')
			return &r->db->nodes[i];
	}
	return NULL;
}

/* Anything else: to the semicolon, strings respected, or to a line that starts a known section. */
static void skip_section(struct dbc_reader *r, struct dbc_word w)
{
	bool is_known = false;

	for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++)
		is_known = is_known || dbc_word_is(w, skipped[i], strlen(skipped[i]));
	if (!is_known)
		dbc_note(r, dbc_at(r, w.s), "unknown section \"%.*s\" skipped", w.len > 40 ? 40 : (int)w.len,
			 w.s);
	while (r->p < r->end) {
		char c = *r->p++;

		if (c == ';')
			return;
		if (c == '"') {
			char *q = memchr(r->p, '"', (size_t)(r->end - r->p));
			r->p = q ? q + 1 : r->end;
		} else if (c == '\n' && dbc_at_keyword(r)) {
			return;
		}
	}
}

struct section {
	const char *name;
	void (*parse)(struct dbc_reader *r);
};

static void parse_attr_def(struct dbc_reader *r)
{
	dbc_parse_attr_def(r, false);
}

static void parse_rel_attr_def(struct dbc_reader *r)
{
	dbc_parse_attr_def(r, true);
}

static const struct section sections[] = {
	{"SG_", parse_signal},
	{"BO_", parse_message},
	{"BA_", dbc_parse_attr},
	{"CM_", dbc_parse_comment},
	{"VAL_", dbc_parse_values},
	{"VAL_TABLE_", dbc_parse_value_table},
	{"BO_TX_BU_", dbc_parse_senders},
	{"BA_DEF_", parse_attr_def},
	{"BA_DEF_DEF_", dbc_parse_attr_default},
	{"BA_DEF_REL_", parse_rel_attr_def},
	{"BA_DEF_DEF_REL_", dbc_parse_attr_default},
	{"BA_REL_", dbc_parse_rel_attr},
	{"SIG_VALTYPE_", dbc_parse_value_type},
	{"SG_MUL_VAL_", dbc_parse_mux_values},
	{"SIG_GROUP_", dbc_parse_signal_group},
	{"EV_", dbc_parse_env_var},
	{"ENVVAR_DATA_", dbc_parse_env_data},
	{"VERSION", parse_version},
	{"NS_", parse_new_symbols},
	{"BS_", parse_bit_timing},
	{"BU_", parse_nodes},
};

static const struct section *find_section(struct dbc_word w)
{
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		if (strncmp(sections[i].name, w.s, w.len) == 0 && sections[i].name[w.len] == '\0')
			return &sections[i];
	return NULL;
}

bool dbc_is_keyword(struct dbc_word w)
{
	/* Cheap refusal first: all of them end with "_" but one. */
	if (w.len < 3 || (w.s[w.len - 1] != '_' && w.s[0] != 'V' && w.s[0] != 'F'))
		return false;
	if (find_section(w))
		return true;
	for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++)
		if (dbc_word_is(w, skipped[i], strlen(skipped[i])))
			return true;
	return false;
}

bool dbc_at_keyword(struct dbc_reader *r)
{
	struct dbc_word w;
	char *from = r->p;
	bool is_keyword = dbc_try_word(r, &w) && dbc_is_keyword(w);

	r->p = from;
	return is_keyword;
}

static void parse_sections(struct dbc_reader *r)
{
	struct dbc_word w;

	while (dbc_skip_blank(r), r->p < r->end) {
		if (*r->p == ';') {
			r->p++;
			continue;
		}
		if (!dbc_try_word(r, &w)) {
			dbc_fail(r, "a section such as BO_, CM_ or VAL_");
			return;
		}
		const struct section *s = find_section(w);
		if (!s) {
			skip_section(r, w);
			continue;
		}
		/*
		 * Entries that refer to messages may come between messages: the list has to be complete then.
		 */
		if (s->parse != parse_signal)
			close_message(r);
		s->parse(r);
		if (s->parse == parse_nodes)
			take_nodes(r);
	}
	close_message(r);
}

static void read_all(struct dbc_reader *r, const char *text, size_t len)
{
	if (!dbc_text_load(r, text, len))
		return;
	r->p = r->in->text;
	r->end = r->in->text + r->in->len;
	parse_sections(r);
	if (!r->err)
		dbc_link(r);
}

int dbc_parse(const char *text, size_t len, const char *file, struct dbc_db **db, struct dbc_error *error)
{
	struct dbc_inside *in = calloc(1, sizeof(*in) + sizeof(struct dbc_db) + strlen(file) + 1);
	struct dbc_error ignored;

	if (!error)
		error = &ignored;
	*error = (struct dbc_error){0};
	if (!in || len >= FILE_MAX) {
		int err = in ? -EFBIG : -ENOMEM;

		snprintf(error->text, sizeof(error->text), "%.200s: %s", file,
			 in ? "too large" : "out of memory");
		free(in);
		return err;
	}
	struct dbc_db *d = (struct dbc_db *)(in + 1);
	d->inside = in;
	d->file = strcpy((char *)(d + 1), file);
	d->version = "";
	struct dbc_reader r = {.db = d, .in = in, .arena = &in->arena, .error = error};
	r.notes_tail = &d->notes;
	r.tables_tail = &d->tables;
	r.groups_tail = &d->groups;
	r.env_tail = &d->env_vars;
	r.rel_tail = &d->rel_attrs;
	read_all(&r, text, len);
	free(r.messages.data);
	free(r.signals.data);
	free(r.words.data);
	free(r.values.data);
	free(r.ranges.data);
	free(r.defs.data);
	free(r.defs_by_name.slots);
	if (r.c_locale)
		freelocale((locale_t)r.c_locale);
	if (r.err) {
		dbc_free(d);
		return r.err;
	}
	*db = d;
	return 0;
}

void dbc_free(struct dbc_db *db)
{
	if (!db)
		return;
	struct dbc_inside *in = db->inside;
	dbc_arena_free(&in->arena);
	free(in->by_id.slots);
	free(in);
}
