/* SPDX-License-Identifier: MIT */
/* Requests and answers of the control socket. Pure. */
#include "lib/core/ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define VALUE_MAX 512

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int ctl_split(const char *line, struct ctl_words *w)
{
	size_t len = strlen(line);
	char *p = w->text;

	w->n = 0;
	if (len >= sizeof(w->text))
		return -E2BIG;
	memcpy(w->text, line, len + 1);
	for (;;) {
		while (is_blank(*p))
			*p++ = '\0';
		if (!*p)
			return 0;
		if (w->n == CTL_WORDS_MAX)
			return -E2BIG;
		w->word[w->n++] = p;
		while (*p && !is_blank(*p))
			p++;
	}
}

bool ctl_word_is(const struct ctl_words *w, size_t i, const char *word)
{
	return i < w->n && strcmp(w->word[i], word) == 0;
}

void ctl_answer_init(struct ctl_answer *a, char *text, size_t size)
{
	a->text = text;
	a->size = size;
	a->n = 0;
	a->is_cut = size == 0;
	if (size > 0)
		text[0] = '\0';
}

void ctl_put(struct ctl_answer *a, const char *key, const char *format, ...)
{
	char value[VALUE_MAX];
	va_list args;
	char *p;
	int n;

	va_start(args, format);
	n = vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(value) || a->is_cut) {
		a->is_cut = true;
		return;
	}
	for (p = value; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	n = snprintf(a->text + a->n, a->size - a->n, "%s=%s\n", key, value);
	if (n < 0 || (size_t)n >= a->size - a->n) {
		a->text[a->n] = '\0';
		a->is_cut = true;
		return;
	}
	a->n += (size_t)n;
}

int ctl_refuse(struct ctl_answer *a, int error, const char *format, ...)
{
	va_list args;
	int n;

	if (a->size == 0)
		return error;
	va_start(args, format);
	n = vsnprintf(a->text, a->size, format, args);
	va_end(args);
	a->n = n < 0 ? 0 : (size_t)n < a->size ? (size_t)n : a->size - 1;
	return error;
}

void ctl_put_option(struct ctl_answer *a, const char *prefix, const struct opt *opt, const void *settings)
{
	char key[128], value[VALUE_MAX];

	snprintf(key, sizeof(key), "%s%s", prefix, opt->name);
	opts_get(opt, settings, value, sizeof(value));
	ctl_put(a, key, "%s", value);
}

static int check_fit(struct ctl_answer *a)
{
	return a->is_cut ? ctl_refuse(a, -EMSGSIZE, "the answer is too long; ask for single keys") : 0;
}

int ctl_get(const struct ctl_words *w, size_t first, const struct opt *table, size_t n, const void *settings,
	    struct ctl_answer *a)
{
	size_t i;

	if (first >= w->n)
		for (i = 0; i < n; i++)
			ctl_put_option(a, "", &table[i], settings);
	for (i = first; i < w->n; i++) {
		int found = opts_find(table, n, w->word[i]);

		if (found < 0)
			return ctl_refuse(a, -ENOENT, "no such key: %s", w->word[i]);
		ctl_put_option(a, "", &table[found], settings);
	}
	return check_fit(a);
}

int ctl_set(const struct ctl_words *w, size_t first, const struct opt *table, size_t n, void *settings,
	    void *scratch, size_t scratch_size, struct ctl_answer *a)
{
	size_t i;

	if (first >= w->n || (w->n - first) % 2)
		return ctl_refuse(a, -EINVAL, "set needs pairs of KEY VALUE");
	memcpy(scratch, settings, scratch_size);
	for (i = first; i < w->n; i += 2) {
		int found = opts_find(table, n, w->word[i]);
		char err[160];
		int r;

		if (found < 0)
			return ctl_refuse(a, -ENOENT, "no such key: %s", w->word[i]);
		if (!(table[found].flags & OPT_LIVE))
			return ctl_refuse(a, -EPERM, "%s cannot be changed while running", table[found].name);
		r = opts_set(&table[found], scratch, w->word[i + 1], err, sizeof(err));
		if (r)
			return ctl_refuse(a, r, "%s", err);
	}
	memcpy(settings, scratch, scratch_size);
	return 0;
}

int ctl_live(const struct ctl_words *w, size_t first, ctl_live_fn *live, void *self, int64_t now_us,
	     struct ctl_answer *a)
{
	const char *value = w->n == first + 2 ? w->word[first + 1] : NULL;
	char text[256] = "";
	int32_t r;

	if (!live || w->n < first + 1 || w->n > first + 2)
		return ctl_refuse(a, -EINVAL, "%s takes KEY [VALUE]", first ? w->word[first - 1] : "request");
	r = live(self, now_us, w->word[first], value, text, sizeof(text));
	if (r)
		return ctl_refuse(a, r, "%s", text[0] ? text : "no such live option");
	ctl_put(a, w->word[first], "%s", value ? value : text);
	return 0;
}
