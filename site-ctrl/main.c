/* SPDX-License-Identifier: MIT */
/*
 * site-ctrl: distributes the current of a site over its charge points. Wires the site's file, the buses, the
 * policies and the machine together; no decisions.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/linux/app.h"
#include "site-ctrl/load_conf.h"
#include "site-ctrl/load_schedule.h"
#include "site-ctrl/policies/policies.h"
#include "site-ctrl/policy_host.h"
#include "site-ctrl/site.h"
#include "site-ctrl/site_conf.h"
#include "site-ctrl/site_show.h"

/* The live one, the shadow, and one that takes the place of either. */
#define N_HOSTS 3
/* A policy that is chosen while running must be ready within so long: the loop waits. */
#define CHOOSE_MS     500
#define SHOW_TEXT_MAX (1u << 20)
/* What policies that plan see of prices and forecasts. */
#define OUTLOOK_MAX 512
#define OUTLOOK_S   (48 * 3600)
#define MINUTE_S    60

static struct app app;
static struct site_settings settings;
static struct site_load load;
static struct site_limits limits;
static struct site site;
static struct policy_host host[N_HOSTS];
static struct policy_host *live, *shadow;
static struct can_filter filter[SITE_WIRE_FILTERS];
static struct load_schedule schedule;
static struct alloc_outlook outlook[OUTLOOK_MAX];
static int clock_fd = -1;

/* --- policies ---------------------------------------------------------------------------------------------- */

static struct policy_host *free_host(void)
{
	unsigned k = 0;

	while (k < N_HOSTS - 1 && (&host[k] == live || &host[k] == shadow))
		k++;
	return &host[k];
}

static struct plug_source policy_source(void)
{
	return (struct plug_source){.builtin = alloc_policies, .dir = settings.policy_dir};
}

/* Opens the policy and puts it in the place of the former one; "none" leaves equal share, or no shadow. */
static int put_policy(const char *name, const char *options, bool is_shadow, int32_t open_ms, char *err,
		      size_t err_size)
{
	struct policy_host_conf conf = {
		.source = policy_source(),
		.isolate = (enum site_isolate)settings.isolate,
		.deadline_ms = settings.policy_deadline_ms,
		.open_ms = open_ms,
		.site = &load.model.site,
		.sink = app_log_sink(&app),
	};
	struct policy_host **place = is_shadow ? &shadow : &live, *next = NULL, *former = *place;
	struct site_policy policy;

	if (strcmp(name, "none") != 0) {
		int ret;

		next = free_host();
		ret = policy_host_open(next, &conf, name, options, err, err_size);
		if (ret)
			return ret;
		policy = policy_host_policy(next);
	}
	*place = next;
	if (is_shadow)
		site_set_shadow(&site, next ? &policy : NULL);
	else
		site_set_policy(&site, next ? &policy : NULL);
	if (former)
		policy_host_close(former);
	log_f(&site.log, LOG_NOTE, "%s: %s%s", is_shadow ? "shadow" : "policy", name,
	      next && next->is_isolated ? " in a process of its own" : "");
	return 0;
}

static int choose(void *ctx, const char *name, const char *options, bool is_shadow, char *err,
		  size_t err_size)
{
	(void)ctx;
	return put_policy(name, options, is_shadow, CHOOSE_MS, err, err_size);
}

/* --- buses ------------------------------------------------------------------------------------------------- */

static void bus_rx(void *ctx, int64_t now_us, uint32_t bus, const struct can_frame *f, struct out_queue *out)
{
	site_bus_rx(ctx, now_us, bus, f, out);
}

static int open_buses(struct app *a, char *err, size_t err_size)
{
	char urls[SITE_KV_TEXT_MAX], *word, *rest = urls;
	size_t n = site_wire_filters(filter, SITE_WIRE_FILTERS);
	uint32_t n_buses = 1, i;

	snprintf(urls, sizeof(urls), "%s", settings.more_can);
	while ((word = strtok_r(rest, " \t,", &rest)) != NULL) {
		int ret = app_add_bus(a, word, filter, n, bus_rx, &site, err, err_size);

		if (ret < 0)
			return ret;
		n_buses++;
	}
	for (i = 0; i < load.model.n_points; i++)
		if (load.model.point[i].bus >= n_buses)
			return app_error(-EINVAL, err, err_size,
					 "point %s is on bus %u, but --more-can names %u further buses",
					 load.model.point[i].name, load.model.point[i].bus, n_buses - 1);
	return 0;
}

/* --- schedule ---------------------------------------------------------------------------------------------- */

static const char *schedule_path(void)
{
	return settings.schedule[0] ? settings.schedule : load.schedule;
}

/* Limits and outlook as of now; then again at the next full minute, or when somebody sets the clock. */
static void follow_schedule(int64_t now_us)
{
	struct itimerspec at = {.it_value = {0}};
	int64_t wall_s = (int64_t)time(NULL), next_s = 0;
	char err[256];

	if (load_schedule_apply(&schedule, &limits, wall_s, &next_s, err, sizeof(err)) < 0)
		log_f(&site.log, LOG_ERR_LEVEL, "schedule: %s", err);
	site_set_outlook(&site, outlook,
			 load_schedule_outlook(&schedule, wall_s, now_us, OUTLOOK_S, outlook, OUTLOOK_MAX));
	at.it_value.tv_sec = next_s > wall_s && next_s < wall_s + MINUTE_S ? next_s : wall_s + MINUTE_S;
	timerfd_settime(clock_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, NULL);
}

static void clock_io(void *ctx, int64_t now_us, struct out_queue *out)
{
	uint64_t n;

	/* ECANCELED says that the clock was set: what matters is that the table is looked at again. */
	if (read(clock_fd, &n, sizeof(n)) < 0 && errno == EAGAIN)
		return;
	follow_schedule(now_us);
	site_limits_changed(ctx, now_us, out);
}

static int open_schedule(struct app *a, char *err, size_t err_size)
{
	int ret;

	if (!schedule_path()[0])
		return 0;
	ret = load_schedule_open(&schedule, schedule_path(), &load.model, err, err_size);
	if (ret)
		return ret;
	clock_fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (clock_fd < 0)
		return app_error(-errno, err, err_size, "timer of the schedule: %s", strerror(errno));
	follow_schedule(app_now_us(a));
	return app_add_fd(a, clock_fd, clock_io, &site);
}

static int check_schedule(char *err, size_t err_size)
{
	int ret;

	if (!schedule_path()[0])
		return 0;
	ret = load_schedule_open(&schedule, schedule_path(), &load.model, err, err_size);
	load_schedule_close(&schedule);
	return ret;
}

/* --- settings ---------------------------------------------------------------------------------------------- */

static int check_policy(const char *name, const char *options, char *err, size_t err_size)
{
	struct plug_source source = policy_source();

	return strcmp(name, "none") == 0 ? 0 : policy_host_check(&source, name, options, err, err_size);
}

/* Also for --check-config: the site's file and the policies must be good. */
static int check(struct app *a, char *err, size_t err_size)
{
	int ret = site_conf_check(&settings.conf, err, err_size);

	if (ret || a->mode == APP_DUMP)
		return ret;
	if (!settings.site[0])
		return app_error(-EINVAL, err, err_size, "no site: --site FILE, see site.conf(5)");
	ret = site_load_conf(&load, settings.site, err, err_size);
	if (!ret)
		ret = check_schedule(err, err_size);
	if (!ret)
		ret = check_policy(settings.policy, settings.policy_options, err, err_size);
	if (!ret)
		ret = check_policy(settings.shadow, settings.shadow_options, err, err_size);
	return ret;
}

/* --- start and end ----------------------------------------------------------------------------------------- */

static int build(struct app *a, struct machine *machine, char *err, size_t err_size)
{
	void *limits_block = app_memory(a, site_limits_size(&load.model));
	void *block = app_memory(a, site_size(&load.model));
	int ret;

	if (!limits_block || !block)
		return app_error(-ENOMEM, err, err_size, "not enough memory for %u points",
				 load.model.n_points);
	site_limits_init(&limits, &load.model, limits_block);
	ret = site_init(&site, &settings.conf, &load.model, &limits, block, app_log_sink(a), app_now_us(a),
			err, err_size);
	if (!ret)
		ret = open_buses(a, err, err_size);
	if (!ret)
		ret = open_schedule(a, err, err_size);
	if (!ret)
		ret = put_policy(settings.policy, settings.policy_options, false, 0, err, err_size);
	if (!ret)
		ret = put_policy(settings.shadow, settings.shadow_options, true, 0, err, err_size);
	site.choose = choose;
	machine->ops = &site_ops;
	machine->self = &site;
	machine->name = "site-ctrl";
	return ret;
}

static void fini(struct app *a)
{
	(void)a;
	if (live)
		policy_host_close(live);
	if (shadow)
		policy_host_close(shadow);
	if (clock_fd >= 0)
		close(clock_fd);
	load_schedule_close(&schedule);
	site_load_free(&load);
}

static int print_tree(void)
{
	struct site_show show = {.limits = NULL};
	size_t n = site_show_write(&load.model, &show, NULL, 0);
	char *text = n < SHOW_TEXT_MAX ? malloc(n + 1) : NULL;
	int status = 1;

	if (text) {
		site_show_write(&load.model, &show, text, n + 1);
		status = fputs(text, stdout) < 0 || fflush(stdout) ? 1 : 0;
	}
	free(text);
	site_load_free(&load);
	return status;
}

int main(int argc, char **argv)
{
	struct app_spec spec = {
		.program = "site-ctrl",
		.purpose = "distributes the current of a site over its charge points",
		.table = site_conf_table,
		.n_table = site_conf_n,
		.settings = &settings,
		.check = check,
		.build = build,
		.fini = fini,
	};
	char err[1024];

	if (app_configure(&app, &spec, argc, argv, err, sizeof(err)) == 0 && app.mode == APP_RUN &&
	    settings.is_shown)
		return print_tree();
	/* Once more from the beginning: errors are told there. */
	site_load_free(&load);
	memset(&app, 0, sizeof(app));
	return app_main(&app, &spec, argc, argv);
}
