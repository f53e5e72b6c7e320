/* SPDX-License-Identifier: MIT */
/* Words of the control socket that change something, and the choice of the word. Pure. */
#include "site-ctrl/site_ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/ctl.h"
#include "site-ctrl/site_conf.h"
#include "site-ctrl/site_ctl_say.h"
#include "site-ctrl/site_priv.h"

#define MAX_AMPS_mA INT64_C(2000000000)
#define SECONDS_MAX 31622400 /* a year */

/* --- numbers of a request ---------------------------------------------------------------------------------- */

static int take_seconds(const struct ctl_words *w, size_t k, int64_t now_us, int64_t *until_us,
			struct ctl_answer *a)
{
	char *end;
	long n;

	*until_us = FC_NEVER;
	if (k >= w->n)
		return 0;
	n = strtol(w->word[k], &end, 10);
	if (*end || n < 1 || n > SECONDS_MAX)
		return ctl_refuse(a, -EINVAL, "%s: seconds are 1 to %d", w->word[k], SECONDS_MAX);
	*until_us = now_us + n * (int64_t)FC_US_PER_S;
	return 0;
}

/* "L1".."L3", "power", or nothing. */
static unsigned phase_of(const char *word)
{
	if (strcmp(word, "power") == 0)
		return SITE_PHASE_POWER;
	if (word[0] == 'L' && word[1] >= '1' && word[1] <= '3' && !word[2])
		return (unsigned)(word[1] - '0');
	return 0;
}

static int take_place(const struct site *s, const char *name, uint32_t *place, struct ctl_answer *a)
{
	*place = site_model_find_place(s->model, name);
	if (*place == UINT32_MAX)
		return ctl_refuse(a, -ENOENT, "no place %s; \"show\" lists them", name);
	return 0;
}

/* --- limits ------------------------------------------------------------------------------------------------ */

static int set_limit(struct site *s, enum site_limit_source source, uint32_t place, unsigned phase,
		     int64_t milli, int64_t until_us, struct ctl_answer *a)
{
	char err[200];
	int ret;

	if (milli < 0 || milli > MAX_AMPS_mA)
		return ctl_refuse(a, -ERANGE, "a limit is 0 to 2000000");
	if (phase == SITE_PHASE_POWER) /* thousandths of a kW */
		ret = site_limits_set_W(s->limits, source, place, (int32_t)milli, until_us, err, sizeof(err));
	else
		ret = site_limits_set(s->limits, source, place, phase, (int32_t)milli, until_us, err,
				      sizeof(err));
	return ret ? ctl_refuse(a, ret, "%s", err) : 0;
}

/* limit PLACE [L1|L2|L3|power] VALUE [SECONDS] */
static int do_limit(struct site *s, const struct ctl_words *w, enum site_limit_source source, int64_t now_us,
		    struct ctl_answer *a, struct out_queue *out)
{
	unsigned phase = w->n > 2 ? phase_of(w->word[2]) : 0;
	size_t k = phase ? 3 : 2;
	int64_t milli, until_us;
	uint32_t place;
	int ret;

	if (w->n < k + 1 || w->n > k + 2)
		return ctl_refuse(a, -EINVAL, "%s takes PLACE [L1|L2|L3|power] VALUE [SECONDS]", w->word[0]);
	ret = take_place(s, w->word[1], &place, a);
	if (ret)
		return ret;
	if (opts_parse_milli(w->word[k], &milli))
		return ctl_refuse(a, -EINVAL, "%s is no number; known phases are L1 L2 L3 power", w->word[k]);
	ret = take_seconds(w, k + 1, now_us, &until_us, a);
	if (!ret)
		ret = set_limit(s, source, place, phase, milli, until_us, a);
	if (ret)
		return ret;
	log_f(&s->log, LOG_NOTE, "limit: %s %s %s %s", w->word[0], w->word[1], w->word[2],
	      w->n > 3 ? w->word[3] : "");
	site_limits_changed(s, now_us, out);
	return 0;
}

static int do_unlimit(struct site *s, const struct ctl_words *w, int64_t now_us, struct ctl_answer *a,
		      struct out_queue *out)
{
	enum site_limit_source source = SITE_LIMIT_OPERATOR;
	uint32_t place;
	int ret;

	if (w->n == 3 && ctl_word_is(w, 2, "external"))
		source = SITE_LIMIT_EXTERNAL;
	else if (w->n != 2)
		return ctl_refuse(a, -EINVAL, "unlimit takes PLACE [external]");
	ret = take_place(s, w->word[1], &place, a);
	if (ret)
		return ret;
	site_limits_clear(s->limits, source, place);
	log_f(&s->log, LOG_NOTE, "limit: %s %s", w->word[0], w->word[1]);
	site_limits_changed(s, now_us, out);
	return 0;
}

static int do_meter(struct site *s, const struct ctl_words *w, int64_t now_us, struct ctl_answer *a,
		    struct out_queue *out)
{
	int32_t base_mA[3];
	uint32_t node;
	size_t k;

	if (w->n != 5)
		return ctl_refuse(a, -EINVAL, "meter takes NODE and three currents in A");
	node = site_model_find_node(s->model, w->word[1]);
	if (node == UINT32_MAX)
		return ctl_refuse(a, -ENOENT, "no node %s; \"show\" lists them", w->word[1]);
	if (!s->model->node[node].has_meter)
		return ctl_refuse(a, -EINVAL, "node %s has no meter in the site's file", w->word[1]);
	for (k = 0; k < 3; k++) {
		int64_t milli;

		if (opts_parse_milli(w->word[2 + k], &milli) || milli > MAX_AMPS_mA || milli < -MAX_AMPS_mA)
			return ctl_refuse(a, -EINVAL, "%s is no current in A", w->word[2 + k]);
		base_mA[k] = (int32_t)milli;
	}
	site_limits_meter(s->limits, node, base_mA, now_us);
	site_limits_changed(s, now_us, out);
	return 0;
}

/* --- policies and points ----------------------------------------------------------------------------------- */

static int do_policy(struct site *s, const struct ctl_words *w, bool is_shadow, struct ctl_answer *a)
{
	char err[400] = "", options[SITE_KV_TEXT_MAX] = "";
	size_t k, n = 0;
	int ret;

	if (w->n < 2)
		return ctl_refuse(a, -EINVAL, "%s takes NAME [KEY=VALUE...], or none", w->word[0]);
	if (!s->choose)
		return ctl_refuse(a, -EPERM, "policies cannot be changed here");
	for (k = 2; k < w->n; k++) {
		n += (size_t)snprintf(options + n, sizeof(options) - n, "%s ", w->word[k]);
		if (n >= sizeof(options))
			return ctl_refuse(a, -EINVAL, "the options are too long");
	}
	ret = s->choose(s->choose_ctx, w->word[1], options, is_shadow, err, sizeof(err));
	return ret ? ctl_refuse(a, ret, "%s", err) : 0;
}

static int do_priority(struct site *s, const struct ctl_words *w, int64_t now_us, struct ctl_answer *a)
{
	struct site_slot *slot;
	uint32_t i;
	char *end;
	long class;

	if (w->n != 3)
		return ctl_refuse(a, -EINVAL, "priority takes POINT CLASS|default");
	i = site_model_find_point(s->model, w->word[1]);
	if (i == UINT32_MAX)
		return ctl_refuse(a, -ENOENT, "no point %s; \"points\" lists them", w->word[1]);
	slot = &s->slot[i];
	class = strtol(w->word[2], &end, 10);
	if (strcmp(w->word[2], "default") != 0 && (*end || class < -1000 || class > 1000))
		return ctl_refuse(a, -EINVAL, "%s: a class is -1000 to 1000, or default", w->word[2]);
	slot->has_class = strcmp(w->word[2], "default") != 0;
	slot->class = (int32_t) class;
	s->early_us = fc_min_i64(s->early_us, now_us + SITE_EARLY_GAP_US);
	return 0;
}

static int do_set(struct site *s, const struct ctl_words *w, struct ctl_answer *a)
{
	struct site_conf next = s->conf, scratch;
	char err[160];
	int ret = ctl_set(w, 1, site_conf_table, site_conf_n_cycle, &next, &scratch, sizeof(scratch), a);

	if (ret)
		return ret;
	ret = site_conf_check(&next, err, sizeof(err));
	if (ret)
		return ctl_refuse(a, ret, "%s", err);
	site_set_conf(s, &next);
	return 0;
}

/* --- the word ---------------------------------------------------------------------------------------------- */

enum word {
	WORD_STATUS,
	WORD_POINTS,
	WORD_ROWS,
	WORD_SHOW,
	WORD_COUNTERS,
	WORD_FAULTS,
	WORD_LIMIT,
	WORD_EXTERNAL,
	WORD_UNLIMIT,
	WORD_METER,
	WORD_POLICY,
	WORD_SHADOW,
	WORD_PRIORITY,
	WORD_GET,
	WORD_SET,
	N_WORDS,
};

static const char *const words[N_WORDS] = {
	"status",  "points", "rows",   "show",	 "counters", "faults", "limit", "external",
	"unlimit", "meter",  "policy", "shadow", "priority", "get",    "set",
};

static int refuse_word(struct ctl_answer *a)
{
	char known[160] = "";
	unsigned k;

	for (k = 0; k < N_WORDS; k++)
		snprintf(known + strlen(known), sizeof(known) - strlen(known), " %s", words[k]);
	return ctl_refuse(a, -ENOENT, "unknown request; known:%s", known);
}

static int do_word(struct site *s, enum word word, const struct ctl_words *w, int64_t now_us,
		   struct ctl_answer *a, struct out_queue *out)
{
	switch (word) {
	case WORD_STATUS:
		return site_say_status(s, now_us, a);
	case WORD_POINTS:
		return site_say_points(s, w, 1, now_us, a);
	case WORD_ROWS:
		return site_say_rows(s, w, 1, a);
	case WORD_SHOW:
		return site_say_tree(s, a);
	case WORD_COUNTERS:
		return site_say_counters(s, a);
	case WORD_FAULTS:
		return site_say_faults(s, a);
	case WORD_LIMIT:
		return do_limit(s, w, SITE_LIMIT_OPERATOR, now_us, a, out);
	case WORD_EXTERNAL:
		return do_limit(s, w, SITE_LIMIT_EXTERNAL, now_us, a, out);
	case WORD_UNLIMIT:
		return do_unlimit(s, w, now_us, a, out);
	case WORD_METER:
		return do_meter(s, w, now_us, a, out);
	case WORD_POLICY:
		return do_policy(s, w, false, a);
	case WORD_SHADOW:
		return do_policy(s, w, true, a);
	case WORD_PRIORITY:
		return do_priority(s, w, now_us, a);
	case WORD_GET:
		return ctl_get(w, 1, site_conf_table, site_conf_n_cycle, &s->conf, a);
	case WORD_SET:
		return do_set(s, w, a);
	case N_WORDS:
		break;
	}
	return refuse_word(a);
}

int site_ctl_command(void *self, int64_t now_us, const char *line, char *answer, size_t size,
		     struct out_queue *out)
{
	struct ctl_answer a;
	struct ctl_words w;
	unsigned k = 0;

	ctl_answer_init(&a, answer, size);
	if (ctl_split(line, &w))
		return ctl_refuse(&a, -EINVAL, "request too long");
	while (k < N_WORDS && !ctl_word_is(&w, 0, words[k]))
		k++;
	return do_word(self, (enum word)k, &w, now_us, &a, out);
}
