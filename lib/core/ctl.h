/* SPDX-License-Identifier: MIT */
/*
 * Helpers for a machine's `command` operation: words of a request, lines of the answer, and the two requests
 * that every machine has, "get [KEY...]" and "set KEY VALUE [KEY VALUE...]" on an option table. Pure.
 */
#ifndef CORE_CTL_H
#define CORE_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/opts.h"

#define CTL_WORDS_MAX 64
#define CTL_TEXT_MAX  1024

/* A request cut into words. */
struct ctl_words {
	size_t n;
	const char *word[CTL_WORDS_MAX]; /* point into text */
	char text[CTL_TEXT_MAX];
};

/* An answer under construction; always terminated, and never more than `size`. */
struct ctl_answer {
	char *text;
	size_t size;
	size_t n;
	bool is_cut; /* a line did not fit and is missing */
};

/* Cuts at blanks. 0, or -E2BIG: too long or too many words. */
int ctl_split(const char *line, struct ctl_words *w);
/* w->word[i] is the word. False past the end. */
bool ctl_word_is(const struct ctl_words *w, size_t i, const char *word);

void ctl_answer_init(struct ctl_answer *a, char *text, size_t size);
/* Appends "key=value\n"; line ends in the value become blanks. A line that does not fit is left out whole. */
void ctl_put(struct ctl_answer *a, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Replaces what is there by a reason and returns the error: for "return ctl_refuse(...)". */
int ctl_refuse(struct ctl_answer *a, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * "get": every option of the table; "get KEY...": those. Keys are word[first] to the last. 0, -ENOENT, -EMSGSIZE
 * when the answer does not fit. A machine with several tables calls it for each, see ctl_put_option.
 */
int ctl_get(const struct ctl_words *w, size_t first, const struct opt *table, size_t n, const void *settings,
	    struct ctl_answer *a);
/*
 * "set KEY VALUE [KEY VALUE...]": all are checked before the first one counts. Only OPT_LIVE options; scratch is
 * room for one copy of the settings (scratch_size bytes, their sizeof). 0, -ENOENT unknown, -EPERM not while
 * running, -EINVAL, -ERANGE bad value; on failure the settings are untouched.
 */
int ctl_set(const struct ctl_words *w, size_t first, const struct opt *table, size_t n, void *settings,
	    void *scratch, size_t scratch_size, struct ctl_answer *a);
/* The live operation of a driver (power_module.h, vehicle_hw.h). */
typedef int32_t ctl_live_fn(void *self, int64_t now_us, const char *key, const char *value, char *answer,
			    uint32_t answer_size);
/* "KEY" and "KEY VALUE" on a driver's live values, from word[first] on; live may be NULL. 0 or what the driver says. */
int ctl_live(const struct ctl_words *w, size_t first, ctl_live_fn *live, void *self, int64_t now_us,
	     struct ctl_answer *a);
/* One option as a line, its name prefixed ("2." for a pistol; "" for none). */
void ctl_put_option(struct ctl_answer *a, const char *prefix, const struct opt *opt, const void *settings);

#endif
