/* SPDX-License-Identifier: MIT */
/*
 * dbc2c PREFIX OUTDIR VERSION=FILE...: C code for all versions of one interface, oldest first. Writes
 * OUTDIR/PREFIX_msgs.h and PREFIX_msgs.c as described in dbc/msg_map.h. Files that would not change stay
 * untouched.
 */
#include "dbc/dbc2c.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void gen_fail(const char *format, ...)
{
	va_list ap;

	fputs("dbc2c: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

void *gen_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p)
		gen_fail("out of memory");
	return p;
}

static void text_add_list(struct text *t, const char *format, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (n < 0)
		gen_fail("cannot format \"%s\"", format);
	if (t->len + (size_t)n + 1 > t->cap) {
		t->cap = (t->len + (size_t)n + 1) * 2;
		t->s = realloc(t->s, t->cap);
		if (!t->s)
			gen_fail("out of memory");
	}
	vsnprintf(t->s + t->len, (size_t)n + 1, format, ap);
	t->len += (size_t)n;
}

void text_add(struct text *t, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	text_add_list(t, format, ap);
	va_end(ap);
}

char *gen_format(const char *format, ...)
{
	struct text t = {0};
	va_list ap;

	va_start(ap, format);
	text_add_list(&t, format, ap);
	va_end(ap);
	return t.s;
}

/* A name that camel-case rules would tear apart. */
static size_t whole_word(const char *s)
{
	return strncmp(s, "CHAdeMO", 7) == 0 ? 7 : 0;
}

/* Does a new word start at s[i] within a name like "ResponseCode" or "TLSError"? */
static bool is_word_start(const char *s, size_t i)
{
	if (i == 0 || !isupper((unsigned char)s[i]))
		return false;
	if (islower((unsigned char)s[i - 1]))
		return true;
	return isupper((unsigned char)s[i - 1]) && islower((unsigned char)s[i + 1]);
}

char *gen_snake(const char *name)
{
	char *out = gen_alloc(2 * strlen(name) + 2);
	size_t n = 0, whole_end = 0;

	if (isdigit((unsigned char)name[0]))
		out[n++] = '_';
	for (size_t i = 0; name[i]; i++) {
		if (i >= whole_end && whole_word(name + i))
			whole_end = i + whole_word(name + i);
		if (!isalnum((unsigned char)name[i])) {
			if (n && out[n - 1] != '_')
				out[n++] = '_';
			continue;
		}
		if (i >= whole_end && n && out[n - 1] != '_' && is_word_start(name, i))
			out[n++] = '_';
		out[n++] = (char)tolower((unsigned char)name[i]);
	}
	while (n > 1 && out[n - 1] == '_')
		n--;
	out[n] = '\0';
	return out;
}

char *gen_upper(const char *snake)
{
	char *s = gen_format("%s", snake);

	for (char *p = s; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return s;
}

bool gen_is_reserved_word(const char *name)
{
	static const char *const words[] = {
		"auto",	   "break",  "case",	 "char",   "const",    "continue", "default",
		"do",	   "double", "else",	 "enum",   "extern",   "float",	   "for",
		"goto",	   "if",     "inline",	 "int",	   "long",     "register", "restrict",
		"return",  "short",  "signed",	 "sizeof", "static",   "struct",   "switch",
		"typedef", "union",  "unsigned", "void",   "volatile", "while",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i], name) == 0)
			return true;
	return false;
}

static bool is_same(const char *path, const struct text *t)
{
	FILE *f = fopen(path, "rb");
	char *old = gen_alloc(t->len + 1);

	if (!f)
		return false;
	size_t n = fread(old, 1, t->len + 1, f);
	bool same = n == t->len && memcmp(old, t->s, n) == 0;
	fclose(f);
	free(old);
	return same;
}

static void write_file(const char *path, const struct text *t)
{
	if (is_same(path, t))
		return;
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(t->s, 1, t->len, f) != t->len || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

static void read_version(struct gen_version *v, char *arg)
{
	char *eq = strchr(arg, '=');
	struct dbc_error error;

	if (!eq || eq == arg)
		gen_fail("expected VERSION=FILE, not \"%s\"", arg);
	*eq = '\0';
	v->text = arg;
	v->path = eq + 1;
	/* "v3.6" -> v3_6; the v is no part of the version's text. */
	v->lower = gen_snake(gen_format("v%s", arg));
	v->upper = gen_upper(v->lower);
	if (dbc_parse_file(v->path, &v->db, &error)) {
		fprintf(stderr, "%s\n", error.text);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct gen g = {0};
	struct text header = {0}, source = {0};

	if (argc < 4 || argc - 3 > GEN_MAX_VERSIONS) {
		fprintf(stderr, "usage: dbc2c PREFIX OUTDIR VERSION=FILE... (1 to %d, oldest first)\n",
			GEN_MAX_VERSIONS);
		return 2;
	}
	g.prefix = argv[1];
	g.upper = gen_upper(g.prefix);
	g.n_versions = argc - 3;
	for (int i = 0; i < g.n_versions; i++)
		read_version(&g.versions[i], argv[i + 3]);
	gen_build(&g);
	gen_emit_source(&g, &source);
	gen_emit_header(&g, &header);
	write_file(gen_format("%s/%s_msgs.h", argv[2], g.prefix), &header);
	write_file(gen_format("%s/%s_msgs.c", argv[2], g.prefix), &source);
	return 0;
}
