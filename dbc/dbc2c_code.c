/* SPDX-License-Identifier: MIT */
/*
 * dbc2c: the functions of one layout. The payload is one 64-bit word; members are converted in straight
 * lines.
 */
#include "dbc/dbc2c.h"

#include <inttypes.h>

static uint64_t mask_of(unsigned length)
{
	return length >= 64 ? UINT64_MAX : ((uint64_t)1 << length) - 1;
}

static int64_t type_max(const struct gen_member *x)
{
	unsigned bits = x->size * 8 - x->is_signed;

	return bits >= 63 ? INT64_MAX : (int64_t)(((uint64_t)1 << bits) - 1);
}

static int64_t type_min(const struct gen_member *x)
{
	return x->is_signed ? -type_max(x) - 1 : 0;
}

/* Members outside of lo..hi are clipped; what rounds into the raw range is not. */
static int64_t field_lo(const struct gen_field *f)
{
	return f->raw_min * f->num + f->add - f->num / 2;
}

static int64_t field_hi(const struct gen_field *f)
{
	return f->raw_max * f->num + f->add + f->num - 1 - f->num / 2;
}

static bool is_plain(const struct gen_field *f)
{
	return f->num == 1 && f->add == 0;
}

static bool can_be_low(const struct gen_field *f)
{
	return type_min(f->member) < field_lo(f);
}

static bool can_be_high(const struct gen_field *f)
{
	/* An unsigned 64-bit signal has a member of its own size. */
	return f->signal->length < 64 && type_max(f->member) > field_hi(f);
}

static void clip_code(const struct gen *g, const struct gen_message *m, const struct gen_layout *l,
		      const char *name, struct text *t)
{
	text_add(t, "static unsigned %s_clip(struct %s_%s *c)\n{\n\tunsigned n = 0;\n\n", name, g->prefix,
		 m->snake);
	for (size_t i = 0; i < l->n_fields; i++) {
		const struct gen_field *f = &l->fields[i];
		const char *x = f->member->name, *other = "";

		if (can_be_low(f)) {
			text_add(t, "\tif (c->%s < %" PRId64 ") {\n\t\tc->%s = %" PRId64 ";\n\t\tn++;\n\t}",
				 x, field_lo(f), x, f->raw_min * f->num + f->add);
			other = " else ";
		}
		if (can_be_high(f))
			text_add(t,
				 "%sif (c->%s > %" PRId64 "%s) {\n\t\tc->%s = %" PRId64 "%s;\n\t\tn++;\n\t}",
				 *other ? other : "\t", x, field_hi(f), f->member->is_signed ? "" : "u", x,
				 f->raw_max * f->num + f->add, f->member->is_signed ? "" : "u");
		if (can_be_low(f) || can_be_high(f))
			text_add(t, "\n");
	}
	text_add(t, "\treturn n;\n}\n\n");
}

/* The raw value as an unsigned expression, moved into place; scaled members went through a variable first. */
static void raw_code(const struct gen_field *f, size_t i, struct text *t)
{
	const struct dbc_signal *s = f->signal;

	text_add(t, "\tw |= ");
	if (!is_plain(f)) {
		const char *word =
			(uint64_t)(f->raw_max - f->raw_min) * (uint64_t)f->num + (uint64_t)f->num <=
					UINT32_MAX
				? "(uint64_t)((uint32_t)"
				: "(";

		text_add(t, "%s", s->is_signed ? "(" : "");
		text_add(t, "%sx%zu / %" PRId64 "u)", word, i, f->num);
		if (s->is_signed)
			text_add(t, " ^ 0x%" PRIx64 "u)", (uint64_t)1 << (s->length - 1));
	} else if (s->is_signed) {
		text_add(t, "((uint64_t)m->%s & 0x%" PRIx64 "u)", f->member->name, mask_of(s->length));
	} else {
		text_add(t, "(uint64_t)m->%s", f->member->name);
	}
	text_add(t, s->start ? " << %u;\n" : ";\n", s->start);
}

static void check_code(const struct gen_field *f, size_t i, struct text *t)
{
	if (!is_plain(f)) {
		uint64_t top = (uint64_t)(f->raw_max - f->raw_min) * (uint64_t)f->num + (uint64_t)f->num - 1;
		int64_t move = -field_lo(f);

		text_add(t, "\tuint64_t x%zu = (uint64_t)(int64_t)m->%s %c %" PRIu64 "u;\n", i,
			 f->member->name, move < 0 ? '-' : '+', move < 0 ? (uint64_t)-move : (uint64_t)move);
		if (can_be_low(f) || can_be_high(f))
			text_add(t, "\tif (MSG_UNLIKELY(x%zu > %" PRIu64 "u))\n\t\tgoto clip;\n", i, top);
		return;
	}
	if (can_be_low(f))
		text_add(t, "\tif (MSG_UNLIKELY(m->%s < %" PRId64 "))\n\t\tgoto clip;\n", f->member->name,
			 field_lo(f));
	if (can_be_high(f))
		text_add(t, "\tif (MSG_UNLIKELY(m->%s > %" PRId64 "%s))\n\t\tgoto clip;\n", f->member->name,
			 field_hi(f), f->member->is_signed ? "" : "u");
}

void gen_code_pack(const struct gen *g, const struct gen_message *m, const struct gen_layout *l,
		   const char *name, struct text *t)
{
	bool can_clip = false;

	for (size_t i = 0; i < l->n_fields; i++)
		can_clip = can_clip || can_be_low(&l->fields[i]) || can_be_high(&l->fields[i]);
	if (can_clip)
		clip_code(g, m, l, name, t);
	text_add(t, "static unsigned %s(uint8_t data[8], const void *msg)\n{\n", name);
	text_add(t, "\tconst struct %s_%s *m = msg;\n\tuint64_t w = 0;\n\n", g->prefix, m->snake);
	if (l->n_fields == 0)
		text_add(t, "\t(void)m;\n");
	/* All checks first: the compiler may then convert without branches in between. */
	for (size_t i = 0; i < l->n_fields; i++)
		check_code(&l->fields[i], i, t);
	for (size_t i = 0; i < l->n_fields; i++)
		raw_code(&l->fields[i], i, t);
	text_add(t, "\tmsg_store64(data, w);\n\treturn 0;\n");
	if (can_clip) {
		/* Once clipped nothing clips again. */
		text_add(t, "clip:;\n\tstruct %s_%s c = *m;\n\tunsigned n = %s_clip(&c);\n", g->prefix,
			 m->snake, name);
		text_add(t, "\t%s(data, &c);\n\treturn n;\n", name);
	}
	text_add(t, "}\n\n");
}

static void value_code(const struct gen_field *f, struct text *t)
{
	const struct dbc_signal *s = f->signal;
	bool is_wide = f->raw_max * f->num > INT32_MAX || f->raw_min * f->num < INT32_MIN ||
		       f->raw_max * f->num + f->add > INT32_MAX || f->raw_min * f->num + f->add < INT32_MIN;
	const char *calc = is_wide ? "int64_t" : "int32_t";

	text_add(t, "\tm->%s = (%s)(", f->member->name, f->member->type);
	if (!is_plain(f) || s->is_signed)
		text_add(t, "(%s)", calc);
	if (s->is_signed && (s->length == 8 || s->length == 16 || s->length == 32))
		text_add(t, "(int%u_t)(w >> %u)", s->length, s->start);
	else if (s->is_signed)
		text_add(t, "((int64_t)(w << %u) >> %u)", 64 - s->start - s->length, 64 - s->length);
	else if (s->start + s->length == 64)
		text_add(t, "(w >> %u)", s->start);
	else
		text_add(t, "(w >> %u & 0x%" PRIx64 "u)", s->start, mask_of(s->length));
	if (f->num != 1)
		text_add(t, " * %" PRId64, f->num);
	if (f->add)
		text_add(t, " %c %" PRId64, f->add < 0 ? '-' : '+', f->add < 0 ? -f->add : f->add);
	text_add(t, ");\n");
}

void gen_code_unpack(const struct gen *g, const struct gen_message *m, const struct gen_layout *l,
		     const char *name, struct text *t)
{
	text_add(t, "static void %s(void *msg, const uint8_t data[8])\n{\n", name);
	text_add(t, "\tstruct %s_%s *m = msg;\n\tuint64_t w = msg_load64(data);\n\n", g->prefix, m->snake);
	if (l->n_fields == 0)
		text_add(t, "\t(void)m;\n\t(void)w;\n");
	for (size_t i = 0; i < l->n_fields; i++)
		value_code(&l->fields[i], t);
	text_add(t, "}\n\n");
}

static bool is_dense(const struct dbc_values *v, int64_t *top)
{
	*top = -1;
	for (uint32_t i = 0; i < v->n; i++) {
		if (v->list[i].number < 0)
			return false;
		*top = v->list[i].number > *top ? v->list[i].number : *top;
	}
	for (int64_t k = 0; k <= *top; k++) {
		bool found = false;

		for (uint32_t i = 0; i < v->n; i++)
			found = found || v->list[i].number == k;
		if (!found)
			return false;
	}
	return true;
}

static void test_code(const struct gen_field *f, size_t i, struct text *t)
{
	const struct dbc_values *v = &f->signal->values;
	const char *x = f->member->name;
	int64_t top;

	if (is_dense(v, &top)) {
		if (top < type_max(f->member))
			text_add(t, "\tbits |= (uint32_t)(m->%s > %" PRId64 "%s", x, top,
				 f->member->is_signed ? "" : "u");
		else
			return;
		if (f->member->is_signed)
			text_add(t, " || m->%s < 0", x);
		text_add(t, ") << %zu;\n", i);
		return;
	}
	text_add(t, "\tbits |= (uint32_t)(");
	for (uint32_t k = 0; k < v->n; k++)
		text_add(t, "%sm->%s != %" PRId64 "%s", k ? " && " : "", x, v->list[k].number,
			 f->member->is_signed ? "" : "u");
	text_add(t, ") << %zu;\n", i);
}

void gen_code_unknown(const struct gen *g, const struct gen_message *m, const struct gen_layout *l,
		      const char *name, struct text *t)
{
	bool has_values = false;

	for (size_t i = 0; i < l->n_fields; i++) {
		const struct gen_field *f = &l->fields[i];

		if (!f->signal->values.n)
			continue;
		has_values = true;
		if (i >= 32 || !is_plain(f))
			gen_fail("%s.%s: value names need one of the first 32 members, without scale",
				 m->name, f->signal->name);
	}
	text_add(t, "static uint32_t %s(const void *msg)\n{\n", name);
	if (!has_values) {
		text_add(t, "\t(void)msg;\n\treturn 0;\n}\n\n");
		return;
	}
	text_add(t, "\tconst struct %s_%s *m = msg;\n\tuint32_t bits = 0;\n\n", g->prefix, m->snake);
	for (size_t i = 0; i < l->n_fields; i++)
		if (l->fields[i].signal->values.n)
			test_code(&l->fields[i], i, t);
	text_add(t, "\treturn bits;\n}\n\n");
}
