/* SPDX-License-Identifier: MIT */
/* Results of a lot as a table and as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sim/sim_run_lot.h"

#define COLUMN		 12
#define PROGRESS_AFTER_S 2.0
#define PROGRESS_EVERY_S 0.2

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void lot_progress_begin(struct lot_progress *p)
{
	*p = (struct lot_progress){.begin_s = now_s(), .is_terminal = isatty(STDERR_FILENO)};
}

void lot_progress_show(struct lot_progress *p, const char *name, int32_t at_s, int32_t end_s)
{
	double now = now_s();

	if (!p->is_terminal || now - p->begin_s < PROGRESS_AFTER_S || now - p->shown_s < PROGRESS_EVERY_S)
		return;
	p->shown_s = now;
	fprintf(stderr, "\r%s: day %d of %d, %d %%  ", name, at_s / 86400 + 1, end_s / 86400 + 1,
		(int)(at_s * INT64_C(100) / (end_s > 0 ? end_s : 1)));
}

void lot_progress_end(struct lot_progress *p)
{
	if (p->shown_s > 0)
		fprintf(stderr, "\r%60s\r", "");
	p->shown_s = 0;
}

static double percent(double part, double whole)
{
	return whole > 0 ? 100.0 * part / whole : 100.0;
}

static double energy_percent(const struct lot_result *r)
{
	return percent((double)r->delivered_uJ, (double)r->wanted_uJ);
}

static double full_percent(const struct lot_result *r)
{
	return percent(r->n_full, r->n_wanting);
}

static double per_session(const struct lot_result *r, uint64_t n)
{
	return r->n_sessions ? (double)n / r->n_sessions : 0;
}

static double kWh(int64_t uJ)
{
	return (double)uJ / (double)LOT_UJ_PER_WH / 1000.0;
}

enum line {
	LINE_DELIVERED,
	LINE_PERCENT,
	LINE_UNMET,
	LINE_FULL,
	LINE_JAIN,
	LINE_SHARE_5,
	LINE_PEAK_A,
	LINE_PEAK_KW,
	LINE_CHANGES,
	LINE_PAUSES,
	LINE_SHORTEST,
	LINE_VIOLATIONS,
	LINE_FAULTS,
	LINE_MEAN_US,
	LINE_MAX_US,
	LINE_WALL,
	N_LINES
};

static const struct {
	const char *name;
	int decimals;
} lines[N_LINES] = {
	[LINE_DELIVERED] = {"delivered kWh", 1},      [LINE_PERCENT] = {"  of what was wanted, %", 2},
	[LINE_UNMET] = {"unmet at departure kWh", 1}, [LINE_FULL] = {"fully met, % of sessions", 1},
	[LINE_JAIN] = {"Jain's index of shares", 3},  [LINE_SHARE_5] = {"5 % got a share below", 3},
	[LINE_PEAK_A] = {"peak A, sum of all", 1},    [LINE_PEAK_KW] = {"peak kW", 1},
	[LINE_CHANGES] = {"changes per session", 2},  [LINE_PAUSES] = {"pauses per session", 2},
	[LINE_SHORTEST] = {"shortest pause s", 0},    [LINE_VIOLATIONS] = {"violations", 0},
	[LINE_FAULTS] = {"faults of the policy", 0},  [LINE_MEAN_US] = {"cycle us, mean", 1},
	[LINE_MAX_US] = {"cycle us, longest", 0},     [LINE_WALL] = {"time s", 3},
};

static double value_of(const struct lot_result *r, enum line line)
{
	switch (line) {
	case LINE_DELIVERED:
		return kWh(r->delivered_uJ);
	case LINE_PERCENT:
		return energy_percent(r);
	case LINE_UNMET:
		return kWh(r->wanted_uJ - r->delivered_uJ);
	case LINE_FULL:
		return full_percent(r);
	case LINE_JAIN:
		return r->jain;
	case LINE_SHARE_5:
		return r->share_5;
	case LINE_PEAK_A:
		return (double)r->peak_mA / 1e3;
	case LINE_PEAK_KW:
		return (double)r->peak_mW / 1e6;
	case LINE_CHANGES:
		return per_session(r, r->n_changes);
	case LINE_PAUSES:
		return per_session(r, r->n_pauses);
	case LINE_SHORTEST:
		return r->shortest_pause_s;
	case LINE_VIOLATIONS:
		return (double)r->n_violations;
	case LINE_FAULTS:
		return (double)r->n_faults;
	case LINE_MEAN_US:
		return r->cycle_mean_us;
	case LINE_MAX_US:
		return r->cycle_max_us;
	case LINE_WALL:
		return r->wall_s;
	case N_LINES:
		break;
	}
	return 0;
}

void lot_print_table(const struct lot_options *o, const struct lot_result *result, unsigned n)
{
	unsigned i, k;

	if (n == 0)
		return;
	printf("%" PRIu32 " sessions that want %.1f kWh, %" PRIu64 " slots of %d s%s%s\n", result->n_sessions,
	       kWh(result->wanted_uJ), result->n_slots, LOT_SLOT_S, o->is_continuous ? ", continuous" : "",
	       o->is_stated ? ", departures as stated" : "");
	printf("%-25s", "");
	for (i = 0; i < n; i++)
		printf(" %*s", COLUMN - 1, result[i].policy);
	printf("\n");
	for (k = 0; k < N_LINES; k++) {
		printf("%-25s", lines[k].name);
		for (i = 0; i < n; i++)
			printf("%*.*f", COLUMN, lines[k].decimals, value_of(&result[i], (enum line)k));
		printf("\n");
	}
	for (i = 0; i < n; i++) {
		if (result[i].n_violations)
			printf("%s: most over a limit: %s by %.6f A at %d s\n", result[i].policy,
			       result[i].worst, result[i].worst_a, result[i].worst_s);
		if (result[i].n_faults)
			printf("%s: last fault: %s\n", result[i].policy, alloc_fault_name(result[i].fault));
	}
}

static void print_text(const char *text)
{
	const unsigned char *c;

	putchar('"');
	for (c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\')
			printf("\\%c", *c);
		else if (*c < ' ')
			printf("\\u%04x", *c);
		else
			putchar(*c);
	}
	putchar('"');
}

static void print_object(const struct lot_options *o, const struct lot_result *r)
{
	printf("{\"policy\":");
	print_text(r->policy);
	printf(",\"workload\":");
	print_text(o->workload);
	printf(o->site ? ",\"site\":" : ",\"network\":");
	print_text(o->site ? o->site : o->network);
	printf(",\"limit_W\":%" PRId64 ",\"is_continuous\":%s,\"is_stated_departures\":%s", o->limit_W,
	       o->is_continuous ? "true" : "false", o->is_stated ? "true" : "false");
	printf(",\"sessions\":%" PRIu32 ",\"slots\":%" PRIu64 ",\"cycles\":%" PRIu64
	       ",\"set_points\":%" PRIu64,
	       r->n_sessions, r->n_slots, r->n_cycles, r->n_rows);
	printf(",\"wanted_kWh\":%.6f,\"delivered_kWh\":%.6f,\"energy_percent\":%.4f,\"unmet_kWh\":%.6f",
	       kWh(r->wanted_uJ), kWh(r->delivered_uJ), energy_percent(r),
	       kWh(r->wanted_uJ - r->delivered_uJ));
	printf(",\"full_percent\":%.4f,\"jain\":%.6f,\"share_5_percent\":%.6f", full_percent(r), r->jain,
	       r->share_5);
	printf(",\"peak_A\":%.3f,\"peak_kW\":%.3f,\"changes_per_session\":%.4f,\"pauses_per_session\":%.4f",
	       (double)r->peak_mA / 1e3, (double)r->peak_mW / 1e6, per_session(r, r->n_changes),
	       per_session(r, r->n_pauses));
	printf(",\"shortest_pause_s\":%d,\"violations\":%" PRIu64 ",\"worst_violation_A\":%.6f",
	       r->shortest_pause_s, r->n_violations, r->worst_a);
	printf(",\"policy_faults\":%" PRIu64 ",\"cycle_mean_us\":%.3f,\"cycle_max_us\":%.3f,\"wall_s\":%.6f}",
	       r->n_faults, r->cycle_mean_us, r->cycle_max_us, r->wall_s);
}

void lot_print_json(const struct lot_options *o, const struct lot_result *result, unsigned n)
{
	unsigned i;

	if (n == 1) {
		print_object(o, result);
	} else {
		printf("{\"results\":[");
		for (i = 0; i < n; i++) {
			printf("%s", i ? "," : "");
			print_object(o, &result[i]);
		}
		printf("]}");
	}
	printf("\n");
}
