/* SPDX-License-Identifier: MIT */
/* Options of a replay. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <forecourt/units.h>

#include "evse-ctrl/evse_wire.h"
#include "sim/sim_run_replay.h"

void replay_defaults(struct replay_options *o)
{
	memset(o, 0, sizeof(*o));
	o->tolerance = (struct replay_tolerance){150 * (int64_t)FC_US_PER_MS, 500, 500};
	o->index = 1;
}

static int take_number(const char *name, const char *text, long high, long *value)
{
	char *end;

	errno = 0;
	*value = strtol(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' && *value >= 0 && *value <= high)
		return 0;
	fprintf(stderr, "sim-run: --%s takes a whole number from 0 to %ld, not %s\n", name, high, text);
	return 2;
}

static int take_words(struct replay_options *o, const char *list)
{
	static const struct {
		const char *name;
		uint32_t words;
	} known[] = {
		{"authorise", REPLAY_WORD_AUTHORISE},
		{"start", REPLAY_WORD_START},
		{"stop", REPLAY_WORD_STOP},
		{"pause", REPLAY_WORD_PAUSE},
		{"resume", REPLAY_WORD_RESUME},
		{"emergency", REPLAY_WORD_EMERGENCY},
		{"log", REPLAY_WORD_AUTHORISE | REPLAY_WORD_START | REPLAY_WORD_STOP | REPLAY_WORD_PAUSE |
				REPLAY_WORD_RESUME},
		{"config", 0},
	};
	const char *at = list;

	for (;;) {
		size_t n = strcspn(at, ","), i;

		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (strlen(known[i].name) == n && strncmp(at, known[i].name, n) == 0)
				break;
		if (i == sizeof(known) / sizeof(known[0])) {
			fprintf(stderr,
				"sim-run: --operator %s: config, log, or of authorise,start,stop,pause,resume,"
				"emergency\n",
				list);
			return 2;
		}
		o->words |= known[i].words;
		if (!at[n])
			return 0;
		at += n + 1;
	}
}

static int take_against(struct replay_options *o, const char *value)
{
	if (strcmp(value, "evse-ctrl") == 0)
		o->against = REPLAY_EVSE;
	else if (strcmp(value, "pev-ctrl") == 0)
		o->against = REPLAY_PEV;
	else {
		fprintf(stderr, "sim-run: --against takes evse-ctrl or pev-ctrl, not %s\n", value);
		return 2;
	}
	return 0;
}

static int take_ignored(struct replay_options *o, const char *value)
{
	if (o->n_ignored == REPLAY_MAX_IGNORED) {
		fprintf(stderr, "sim-run: too many --ignore\n");
		return 2;
	}
	o->ignored[o->n_ignored++] = value;
	return 0;
}

int replay_option(struct replay_options *o, const char *name, const char *value)
{
	long n = 0;
	int ret = 0;

	if (strcmp(name, "replay") == 0)
		o->log = value;
	else if (strcmp(name, "against") == 0)
		ret = take_against(o, value);
	else if (strcmp(name, "all") == 0)
		o->is_all = true;
	else if (strcmp(name, "ignore") == 0)
		ret = take_ignored(o, value);
	else if (strcmp(name, "operator") == 0)
		ret = take_words(o, value);
	else if (strcmp(name, "index") == 0) {
		ret = take_number(name, value, EVSE_INDEX_MAX, &n);
		o->index = (unsigned)n;
	} else if (strcmp(name, "tolerance-ms") == 0) {
		ret = take_number(name, value, 5000, &n);
		o->tolerance.time_us = n * (int64_t)FC_US_PER_MS;
	} else if (strcmp(name, "tolerance-mV") == 0) {
		ret = take_number(name, value, 1000000, &n);
		o->tolerance.voltage_mV = (int32_t)n;
	} else if (strcmp(name, "tolerance-mA") == 0) {
		ret = take_number(name, value, 1000000, &n);
		o->tolerance.current_mA = (int32_t)n;
	}
	return ret;
}
