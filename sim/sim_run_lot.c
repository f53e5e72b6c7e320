/* SPDX-License-Identifier: MIT */
/* Options and runs of a lot. */
#include "sim/sim_run_lot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/opts.h"
#include "sim/sim_run_lot_policy.h"
#include "site-ctrl/load_net.h"
#include "site-ctrl/site_conf.h"

#define ERR_MAX	    512
#define OUT_BYTES   (1 << 18)
#define LIMIT_MAX_W INT64_C(1000000000)

struct lot {
	const struct lot_options *o;
	struct site_load net;
	struct lot_workload work;
	struct lot_judge judge;
	struct lot_sim sim;
	struct lot_result result[LOT_MAX_POLICIES];
	char name[LOT_MAX_POLICIES][256];
	unsigned n, at; /* policies to run; the one that runs */
	struct lot_progress progress;
};

static int usage_error(const char *sentence, const char *word)
{
	fprintf(stderr, "sim-run: %s%s%s\n", sentence, *word ? " " : "", word);
	return 2;
}

void lot_defaults(struct lot_options *o)
{
	memset(o, 0, sizeof(*o));
	site_conf_defaults(&o->conf);
}

static int take_limit(struct lot_options *o, const char *text)
{
	int64_t W;

	if (opts_parse_milli(text, &W) == 0 && W > 0 && W <= LIMIT_MAX_W) {
		o->limit_W = W;
		return 0;
	}
	return usage_error("--limit-kw takes a number of kW above 0 with at most three decimals, not", text);
}

static int take_number(const char *text, const char *sentence, long low, long high, int32_t *value)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' && n >= low && n <= high) {
		*value = (int32_t)n;
		return 0;
	}
	return usage_error(sentence, text);
}

static int take_loss(struct lot_options *o, const char *text)
{
	int64_t milli;

	if (opts_parse_milli(text, &milli) == 0 && milli >= 0 && milli <= 100000) {
		o->loss_ppm = (int32_t)milli * 10;
		return 0;
	}
	return usage_error("--site-loss takes per cent from 0 to 100, not", text);
}

int lot_option(struct lot_options *o, const char *name, const char *value)
{
	if (strcmp(name, "workload") == 0)
		o->workload = value;
	else if (strcmp(name, "network") == 0)
		o->network = value;
	else if (strcmp(name, "policy") == 0)
		o->policy = value;
	else if (strcmp(name, "out") == 0)
		o->out = value;
	else if (strcmp(name, "continuous") == 0)
		o->is_continuous = true;
	else if (strcmp(name, "stated-departures") == 0)
		o->is_stated = true;
	else if (strcmp(name, "limit-kw") == 0)
		return take_limit(o, value);
	else if (strcmp(name, "days") == 0)
		return take_number(value, "--days takes a whole number above 0, not", 1,
				   LOT_MAX_TIME_S / 86400, &o->days);
	else if (strcmp(name, "site") == 0)
		o->site = value;
	else if (strcmp(name, "site-loss") == 0)
		return take_loss(o, value);
	else if (strcmp(name, "site-delay-ms") == 0)
		return take_number(value, "--site-delay-ms takes milliseconds up to 60000, not", 0, 60000,
				   &o->delay_ms);
	else
		return usage_error("unknown option", name);
	return 0;
}

bool lot_is_setting(const char *assignment)
{
	return strncmp(assignment, "policy.", 7) == 0 || strncmp(assignment, "site.", 5) == 0;
}

/* "KEY=VALUE" of site-ctrl; only what rules its cycle. */
static int set_site(struct lot_options *o, const char *assignment)
{
	struct site_settings settings = {.conf = o->conf};
	const char *is = strchr(assignment, '=');
	char key[64], err[ERR_MAX];
	int at = -1;

	if (is && (size_t)(is - assignment) < sizeof(key)) {
		memcpy(key, assignment, (size_t)(is - assignment));
		key[is - assignment] = '\0';
		at = opts_find(site_conf_table, site_conf_n_cycle, key);
	}
	if (at < 0)
		return usage_error("--set site.KEY=VALUE knows the times of site-ctrl's cycle, not",
				   assignment);
	if (opts_set(&site_conf_table[at], &settings, is + 1, err, sizeof(err)) != 0)
		return usage_error(err, "");
	o->conf = settings.conf;
	return 0;
}

int lot_set(struct lot_options *o, const char *assignment)
{
	const char *is;
	char *text = o->kv_text[o->n_kv];

	if (strncmp(assignment, "site.", 5) == 0)
		return set_site(o, assignment + 5);
	assignment += strlen("policy.");
	is = strchr(assignment, '=');
	if (!is || is == assignment)
		return usage_error("--set takes policy.KEY=VALUE, not policy.", assignment);
	if (o->n_kv == LOT_MAX_KV || (size_t)(is - assignment) >= sizeof(o->kv_text[0]))
		return usage_error("too many or too long options of the policy:", assignment);
	memcpy(text, assignment, (size_t)(is - assignment));
	text[is - assignment] = '\0';
	o->kv[o->n_kv++] = (struct forecourt_kv){text, is + 1};
	return 0;
}

/* --- policies ------------------------------------------------------------------------------------------------ */

static int take_names(struct lot *l)
{
	const char *at = l->o->policy, *end;
	const struct forecourt_plugin *const *p;

	if (strcmp(at, "all") == 0) {
		for (p = l->o->builtin; p && *p && l->n < LOT_MAX_POLICIES; p++)
			snprintf(l->name[l->n++], sizeof(l->name[0]), "%s", (*p)->name);
		return 0;
	}
	for (;; at = end + 1) {
		end = strchrnul(at, ',');
		if (l->n == LOT_MAX_POLICIES || end == at || (size_t)(end - at) >= sizeof(l->name[0]))
			return usage_error("--policy takes names with commas between, not", l->o->policy);
		memcpy(l->name[l->n], at, (size_t)(end - at));
		l->name[l->n++][end - at] = '\0';
		if (*end == '\0')
			return 0;
	}
}

/* Looks the policy up and runs all days with it. */
static int run_policy(struct lot *l, const char *name, FILE *out, struct lot_result *result)
{
	const struct lot_policy_setup setup = {l->o->builtin, l->o->kv, l->o->n_kv, l->o->is_verbose};
	struct lot_policy p;
	int ret = lot_policy_open(&p, name, &setup);

	if (!ret && !lot_policy_arena(&p, &l->net.model.site)) {
		fprintf(stderr, "sim-run: policy %s: not enough memory\n", name);
		ret = 1;
	}
	if (!ret) {
		lot_sim_run(&l->sim, &p.plug.ops.policy, p.self, p.arena, out, result);
		result->policy = p.name;
	}
	lot_policy_close(&p);
	return ret;
}

/* --- the whole ----------------------------------------------------------------------------------------------- */

static void show_progress(void *ctx, int32_t at_s, int32_t end_s)
{
	struct lot *l = ctx;

	lot_progress_show(&l->progress, l->name[l->at], at_s, end_s);
}

static int load(struct lot *l)
{
	const struct lot_options *o = l->o;
	int32_t end_s = o->days ? o->days * 86400 : INT32_MAX;
	char err[ERR_MAX];
	int r = site_load_net(&l->net, o->network, o->limit_W, o->is_continuous, err, sizeof(err));

	if (!r)
		r = lot_judge_load(&l->judge, &l->net.model, o->network, (double)o->limit_W / 1000.0,
				   o->is_continuous, err, sizeof(err));
	if (!r)
		r = lot_workload_load(&l->work, &l->net.model, o->workload, end_s, err, sizeof(err));
	if (!r && o->is_stated && !l->work.has_stated) {
		snprintf(err, sizeof(err), "%s:1: there is no column user_departure_s", o->workload);
		r = -EINVAL;
	}
	if (!r)
		r = lot_sim_init(&l->sim, &l->net.model, &l->work, &l->judge, o->is_stated, err, sizeof(err));
	if (r)
		fprintf(stderr, "sim-run: %s\n", err);
	return r ? 1 : 0;
}

static int run_all(struct lot *l)
{
	FILE *out = NULL;
	bool is_failed;
	int ret = 0;

	if (l->o->out) {
		out = fopen(l->o->out, "w");
		if (!out) {
			fprintf(stderr, "sim-run: %s: %s\n", l->o->out, strerror(errno));
			return 1;
		}
		setvbuf(out, NULL, _IOFBF, OUT_BYTES);
	}
	l->sim.progress = show_progress;
	l->sim.ctx = l;
	lot_progress_begin(&l->progress);
	for (l->at = 0; l->at < l->n && ret == 0; l->at++)
		ret = run_policy(l, l->name[l->at], out, &l->result[l->at]);
	lot_progress_end(&l->progress);
	if (out) {
		is_failed = ferror(out) != 0;
		if ((fclose(out) != 0 || is_failed) && ret == 0) {
			fprintf(stderr, "sim-run: %s: cannot be written\n", l->o->out);
			ret = 1;
		}
	}
	return ret;
}

bool lot_is_complete(const struct lot_options *o)
{
	bool is_light = o->network || o->out || o->limit_W || o->is_continuous;
	bool is_full = o->site || o->loss_ppm || o->delay_ms;

	if (!is_light && !is_full && !o->workload && !o->policy && !o->days && !o->is_stated && !o->n_kv)
		return true;
	if (!o->workload || !o->policy || !(o->network || o->site))
		usage_error("a lot needs --workload CSV, --network BASE or --site FILE, and --policy NAME",
			    "");
	else if (is_light && is_full)
		usage_error("--network, --limit-kw, --continuous and --out do not go with --site", "");
	else
		return true;
	return false;
}

int lot_run(const struct lot_options *o)
{
	struct lot *l = calloc(1, sizeof(*l));
	unsigned i;
	int ret = l ? 0 : 1;

	if (!l) {
		fprintf(stderr, "sim-run: not enough memory\n");
		return ret;
	}
	l->o = o;
	ret = take_names(l);
	if (!ret && (o->out || o->log) && l->n > 1)
		ret = usage_error("--out and --log take what happens with one policy, not with", o->policy);
	if (!ret && o->log && !o->site)
		ret = usage_error("--log is of a session or of --site FILE", "");
	for (l->at = 0; !ret && o->site && l->at < l->n; l->at++)
		ret = lot_run_site(o, l->name[l->at], &l->result[l->at]);
	if (!ret && !o->site)
		ret = load(l);
	if (!ret && !o->site)
		ret = run_all(l);
	if (!ret && o->is_json)
		lot_print_json(o, l->result, l->n);
	else if (!ret && !o->is_quiet)
		lot_print_table(o, l->result, l->n);
	for (i = 0; !ret && i < l->n; i++)
		if (l->result[i].n_violations)
			ret = 1;
	lot_sim_free(&l->sim);
	lot_workload_free(&l->work);
	lot_judge_free(&l->judge);
	site_load_free(&l->net);
	free(l);
	return ret;
}
