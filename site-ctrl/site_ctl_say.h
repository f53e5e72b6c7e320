/* SPDX-License-Identifier: MIT */
/* The answering half of the control socket's words: what is, without changing it. Pure. */
#ifndef SITE_SITE_CTL_SAY_H
#define SITE_SITE_CTL_SAY_H

#include "lib/core/ctl.h"
#include "site-ctrl/site.h"

int site_say_status(const struct site *s, int64_t now_us, struct ctl_answer *a);
/* Names are w->word[first] to the last; none: all. */
int site_say_points(const struct site *s, const struct ctl_words *w, size_t first, int64_t now_us,
		    struct ctl_answer *a);
int site_say_rows(const struct site *s, const struct ctl_words *w, size_t first, struct ctl_answer *a);
/* The picture of the tree, with what is drawn; not in lines of key=value. */
int site_say_tree(const struct site *s, struct ctl_answer *a);
int site_say_counters(const struct site *s, struct ctl_answer *a);
int site_say_faults(const struct site *s, struct ctl_answer *a);

#endif
