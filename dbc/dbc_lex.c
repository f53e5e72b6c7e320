/* SPDX-License-Identifier: MIT */
/*
 * Words, numbers, strings and failures of a .dbc text. See dbc_lex.h.
 */
#include "dbc/dbc_lex.h"

#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define B DBC_C_BLANK
#define W DBC_C_WORD
#define D (DBC_C_WORD | DBC_C_DIGIT)
/* All above the blank is a word, but for  " ( ) , : ; @ [ ] |  */
/* clang-format off */
const unsigned char dbc_char_class[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, B, B, B, B, B, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	B, W, 0, W, W, W, W, W, 0, 0, W, W, 0, W, W, W, D, D, D, D, D, D, D, D, D, D, 0, 0, W, W, W, W,
	0, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, 0, W, 0, W, W,
	W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, 0, W, W, 0,
	W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W,
	W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W,
	W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W,
	W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W,
};
/* clang-format on */
#undef B
#undef W
#undef D

#define CHUNK_MIN 65536

void *dbc_arena_grow(struct dbc_arena *a, size_t size)
{
	size_t head = (sizeof(struct dbc_chunk) + 15) & ~(size_t)15;
	size_t room = size > CHUNK_MIN / 4 ? size : CHUNK_MIN - head;
	struct dbc_chunk *c = malloc(head + room);

	if (!c)
		return NULL;
	c->next = a->chunks;
	a->chunks = c;
	char *p = (char *)c + head;
	/* A large block of its own leaves the rest of the present chunk in use. */
	if (room == size)
		return p;
	a->next = p + size;
	a->end = p + room;
	return p;
}

void dbc_arena_free(struct dbc_arena *a)
{
	while (a->chunks) {
		struct dbc_chunk *next = a->chunks->next;

		free(a->chunks);
		a->chunks = next;
	}
}

uint32_t dbc_at(const struct dbc_reader *r, const char *p)
{
	return (uint32_t)(p - r->in->text);
}

static void stop(struct dbc_reader *r, int err)
{
	r->err = err;
	r->p = r->end;
}

bool dbc_fail_at(struct dbc_reader *r, uint32_t at, const char *format, ...)
{
	struct dbc_error *e = r->error;
	va_list ap;

	if (r->err)
		return false;
	dbc_locate(r->db, at, &e->line, &e->column);
	int n = snprintf(e->text, sizeof(e->text), "%.200s:%u:%u: ", r->db->file, e->line, e->column);
	va_start(ap, format);
	vsnprintf(e->text + n, sizeof(e->text) - (size_t)n, format, ap);
	va_end(ap);
	stop(r, -EINVAL);
	return false;
}

bool dbc_fail(struct dbc_reader *r, const char *expected)
{
	uint32_t at = dbc_at(r, r->p);

	if (r->p >= r->end)
		return dbc_fail_at(r, at, "expected %s, but the file ends", expected);
	struct dbc_word w;
	if (dbc_try_word(r, &w))
		return dbc_fail_at(r, at, "expected %s, not \"%.*s\"", expected, w.len > 40 ? 40 : (int)w.len,
				   w.s);
	if ((unsigned char)*r->p < ' ')
		return dbc_fail_at(r, at, "expected %s, not character 0x%02x", expected,
				   (unsigned char)*r->p);
	return dbc_fail_at(r, at, "expected %s, not \"%c\"", expected, *r->p);
}

bool dbc_no_memory(struct dbc_reader *r)
{
	if (!r->err) {
		*r->error = (struct dbc_error){0};
		snprintf(r->error->text, sizeof(r->error->text), "%.200s: out of memory", r->db->file);
		stop(r, -ENOMEM);
	}
	return false;
}

void dbc_note(struct dbc_reader *r, uint32_t at, const char *format, ...)
{
	char text[160];
	va_list ap;

	if (r->err || r->db->n_notes >= DBC_MAX_NOTES)
		return;
	va_start(ap, format);
	int n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n < 0)
		return;
	struct dbc_note *note = dbc_arena_alloc(r->arena, sizeof(*note));
	size_t len = (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
	char *copy = dbc_copy(r, (struct dbc_word){text, (uint32_t)len});
	if (!note || !copy)
		return;
	*note = (struct dbc_note){copy, at, NULL};
	*r->notes_tail = note;
	r->notes_tail = &note->next;
	r->db->n_notes++;
}

bool dbc_try_word(struct dbc_reader *r, struct dbc_word *w)
{
	dbc_skip_blank(r);
	char *p = r->p;
	while (dbc_is(*p, DBC_C_WORD))
		p++;
	*w = (struct dbc_word){r->p, (uint32_t)(p - r->p)};
	r->p = p;
	return w->len > 0;
}

bool dbc_word(struct dbc_reader *r, const char *what, struct dbc_word *w)
{
	return dbc_try_word(r, w) || dbc_fail(r, what);
}

bool dbc_name(struct dbc_reader *r, const char *what, const char **name)
{
	struct dbc_word w;

	if (!dbc_word(r, what, &w))
		return false;
	*name = dbc_copy(r, w);
	return *name != NULL;
}

char *dbc_copy(struct dbc_reader *r, struct dbc_word w)
{
	char *s = dbc_arena_alloc(r->arena, (size_t)w.len + 1);

	if (!s) {
		dbc_no_memory(r);
		return NULL;
	}
	memcpy(s, w.s, w.len);
	s[w.len] = '\0';
	return s;
}

/* The closing quote of a string that starts at p; NULL: none. has_escape: there is a \" in between. */
static char *find_quote(char *p, char *end, bool *has_escape)
{
	for (;;) {
		char *q = memchr(p, '"', (size_t)(end - p));

		if (!q)
			return NULL;
		char *b = q;
		while (b > p && b[-1] == '\\')
			b--;
		if ((q - b) % 2 == 0)
			return q;
		*has_escape = true;
		p = q + 1;
	}
}

/* \" becomes "; what is left over is filled, so that line ends keep their number. */
static void unescape(char *from, char *to)
{
	char *out = from;

	for (char *p = from; p < to; p++) {
		if (p[0] == '\\' && p + 1 < to && p[1] == '"')
			p++;
		*out++ = *p;
	}
	memset(out, '\0', (size_t)(to - out));
}

/* Strings end with the quote: it becomes the NUL. NULs inside would cut them short and become blanks. */
static void close_string(char *from, char *to, bool has_escape)
{
	for (char *p = from; (p = memchr(p, '\0', (size_t)(to - p))) != NULL; p++)
		*p = ' ';
	if (has_escape)
		unescape(from, to);
	*to = '\0';
}

bool dbc_string(struct dbc_reader *r, const char *what, const char **text)
{
	bool has_escape = false;

	if (dbc_skip_blank(r) != '"')
		return dbc_fail(r, what);
	char *from = r->p + 1;
	char *to = find_quote(from, r->end, &has_escape);
	if (!to)
		return dbc_fail_at(r, dbc_at(r, r->p), "the string that starts here has no end");
	close_string(from, to, has_escape);
	*text = from;
	r->p = to + 1;
	return true;
}

/* A comment may hold quotes that are not escaped: it ends where a semicolon or a new section follows. */
bool dbc_comment(struct dbc_reader *r, const char **text)
{
	bool has_escape = false;

	if (dbc_skip_blank(r) != '"')
		return dbc_fail(r, "a comment in quotes");
	char *from = r->p + 1, *first = NULL;
	for (char *to = from; (to = find_quote(to, r->end, &has_escape)) != NULL; to++) {
		if (!first)
			first = to;
		r->p = to + 1;
		char c = dbc_skip_blank(r);
		if (c != ';' && r->p < r->end && !dbc_at_keyword(r))
			continue;
		r->p = to + 1;
		close_string(from, to, has_escape);
		*text = from;
		return true;
	}
	if (!first)
		return dbc_fail_at(r, dbc_at(r, from - 1), "the comment that starts here has no end");
	r->p = first + 1;
	close_string(from, first, has_escape);
	*text = from;
	return true;
}

static double slow_number(struct dbc_reader *r, const char *from, const char *to)
{
	char text[400];
	size_t n = (size_t)(to - from);

	/*
	 * Digits beyond that cannot matter: the longest exact decimal of a double has fewer in front of the
	 * point.
	 */
	if (n >= sizeof(text))
		n = sizeof(text) - 1;
	memcpy(text, from, n);
	text[n] = '\0';
	/* The program may have set a locale with a decimal comma. */
	if (!r->c_locale)
		r->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	return r->c_locale ? strtod_l(text, NULL, (locale_t)r->c_locale) : 0;
}

static const double powers[] = {1e0,  1e1,  1e2,  1e3,	1e4,  1e5,  1e6,  1e7,	1e8,  1e9,  1e10, 1e11,
				1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

struct digits {
	uint64_t mantissa;
	int n, exponent; /* significant digits so far; power of ten */
};

static char *take_digits(char *p, struct digits *d, int step)
{
	for (; dbc_is(*p, DBC_C_DIGIT); p++) {
		if (d->n < 19) {
			d->mantissa = d->mantissa * 10 + (uint64_t)(*p - '0');
			d->n += d->mantissa != 0;
			d->exponent -= step;
		} else {
			/* Too long for the quick way; the slow one reads the text again. */
			d->n = 20;
			d->exponent += 1 - step;
		}
	}
	return p;
}

static char *take_exponent(char *p, struct digits *d)
{
	char *q = p + 1;
	int sign = 1, e = 0;

	if (*q == '+' || *q == '-')
		sign = *q++ == '-' ? -1 : 1;
	if (!dbc_is(*q, DBC_C_DIGIT))
		return p;
	for (; dbc_is(*q, DBC_C_DIGIT); q++)
		e = e < 100000 ? e * 10 + (*q - '0') : e;
	d->exponent += sign * e;
	return q;
}

static uint8_t count_decimals(struct digits d)
{
	while (d.exponent < 0 && d.mantissa % 10 == 0 && d.mantissa) {
		d.mantissa /= 10;
		d.exponent++;
	}
	if (!d.mantissa || d.exponent >= 0)
		return 0;
	return d.exponent < -15 ? 255 : (uint8_t)-d.exponent;
}

static void make_number(struct dbc_reader *r, char *from, char *to, struct digits d, struct dbc_num *n)
{
	bool is_negative = *from == '-';

	if (d.n <= 19 && d.exponent == 0 && d.mantissa < (uint64_t)1 << 53) {
		n->integer = is_negative ? -(int64_t)d.mantissa : (int64_t)d.mantissa;
		n->value = (double)n->integer;
		n->is_integer = true;
		n->decimals = 0;
		return;
	}
	n->decimals = count_decimals(d);
	if (d.n <= 19 && d.mantissa < (uint64_t)1 << 53 && d.exponent >= -22 && d.exponent <= 22) {
		/* Both factors are exact, so the one rounding is the right one. */
		double m = (double)d.mantissa;
		double v = d.exponent < 0 ? m / powers[-d.exponent] : m * powers[d.exponent];
		n->value = is_negative ? -v : v;
	} else {
		n->value = slow_number(r, from, to);
	}
	n->is_integer = true;
	if (d.n <= 19 && d.exponent == 0)
		n->integer = is_negative ? (int64_t)(0 - d.mantissa) : (int64_t)d.mantissa;
	else if (n->value > -9e15 && n->value < 9e15 && n->value == (double)(int64_t)n->value)
		n->integer = (int64_t)n->value;
	else
		n->is_integer = false;
}

bool dbc_number(struct dbc_reader *r, const char *what, struct dbc_num *n)
{
	struct digits d = {0, 0, 0};

	dbc_skip_blank(r);
	char *from = r->p, *p = from;
	if (*p == '-' || *p == '+')
		p++;
	bool has_digit = dbc_is(*p, DBC_C_DIGIT);
	p = take_digits(p, &d, 0);
	if (*p == '.') {
		has_digit = has_digit || dbc_is(p[1], DBC_C_DIGIT);
		p = take_digits(p + 1, &d, 1);
	}
	if (!has_digit)
		return dbc_fail(r, what);
	if (*p == 'e' || *p == 'E')
		p = take_exponent(p, &d);
	make_number(r, from, p, d, n);
	r->p = p;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool dbc_u32(struct dbc_reader *r, const char *what, uint32_t max, uint32_t *value)
{
	uint64_t v = 0;

	dbc_skip_blank(r);
	char *from = r->p, *p = from;
	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X') && hex_digit(p[2]) >= 0) {
		for (p += 2; hex_digit(*p) >= 0; p++)
			v = v > UINT32_MAX ? v : v * 16 + (uint64_t)hex_digit(*p);
	} else {
		for (; dbc_is(*p, DBC_C_DIGIT); p++)
			v = v > UINT32_MAX ? v : v * 10 + (uint64_t)(*p - '0');
	}
	if (p == from)
		return dbc_fail(r, what);
	if (v > max)
		return dbc_fail_at(r, dbc_at(r, from), "%s is above %u", what, max);
	*value = (uint32_t)v;
	r->number_at = dbc_at(r, from);
	r->p = p;
	return true;
}

bool dbc_char(struct dbc_reader *r, char c, const char *what)
{
	if (dbc_skip_blank(r) != c || r->p >= r->end)
		return dbc_fail(r, what);
	r->p++;
	return true;
}

bool dbc_end(struct dbc_reader *r)
{
	if (dbc_skip_blank(r) == ';') {
		while (dbc_skip_blank(r) == ';')
			r->p++;
		return true;
	}
	if (r->err)
		return false;
	/* Whoever read before may have skipped the line end already. */
	const char *from = r->p;
	bool is_new_line = r->p >= r->end;
	while (from > r->in->text && dbc_is(from[-1], DBC_C_BLANK))
		is_new_line = *--from == '\n' || is_new_line;
	if (!is_new_line)
		return dbc_fail(r, "\";\"");
	dbc_note(r, dbc_at(r, from), "the semicolon is missing");
	return true;
}

void *dbc_vec_add(struct dbc_reader *r, struct dbc_vec *v, size_t size)
{
	if (v->n == v->cap) {
		size_t cap = v->cap ? v->cap * 2 : 64;
		void *data = realloc(v->data, cap * size);

		if (!data) {
			dbc_no_memory(r);
			return NULL;
		}
		v->data = data;
		v->cap = cap;
	}
	return (char *)v->data + v->n++ * size;
}

void *dbc_vec_take(struct dbc_reader *r, struct dbc_vec *v, size_t size)
{
	size_t n = v->n;

	v->n = 0;
	if (!n)
		return NULL;
	void *list = dbc_arena_alloc(r->arena, n * size);
	if (list)
		memcpy(list, v->data, n * size);
	else
		dbc_no_memory(r);
	return list;
}

static bool index_grow(struct dbc_reader *r, struct dbc_index *x)
{
	uint32_t cap = x->slots ? (x->mask + 1) * 2 : 64;
	struct dbc_index bigger = {calloc(cap, sizeof(struct dbc_slot)), 0, cap - 1};

	if (!bigger.slots)
		return dbc_no_memory(r);
	for (uint32_t i = 0; x->slots && i <= x->mask; i++)
		if (x->slots[i].ref)
			dbc_index_add(r, &bigger, x->slots[i].key, x->slots[i].ref);
	free(x->slots);
	*x = bigger;
	return true;
}

bool dbc_index_add(struct dbc_reader *r, struct dbc_index *x, uint32_t key, uint32_t ref)
{
	if ((!x->slots || x->n * 2 > x->mask) && !index_grow(r, x))
		return false;
	uint32_t i = dbc_index_start(x, key);
	while (x->slots[i].ref)
		i = (i + 1) & x->mask;
	x->slots[i] = (struct dbc_slot){key, ref};
	x->n++;
	return true;
}

uint32_t dbc_hash_name(const char *s, size_t len)
{
	uint64_t h = len * 0x9E3779B97F4A7C15u;

	for (; len >= 8; s += 8, len -= 8) {
		uint64_t w;

		memcpy(&w, s, 8);
		h = (h ^ w) * 0xD6E8FEB86659FD93u;
		h ^= h >> 32;
	}
	for (; len; s++, len--)
		h = (h ^ (unsigned char)*s) * 0xD6E8FEB86659FD93u;
	return (uint32_t)(h >> 32);
}
