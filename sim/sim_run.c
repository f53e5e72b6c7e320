/* SPDX-License-Identifier: MIT */
/*
 * sim-run: one complete charge point in one process in virtual time, or a log against a controller, or a lot of
 * charge points as energy models. The same seed gives the same trace byte for byte.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/core/frame_text.h"
#include "sim/sim_run_lot.h"
#include "sim/sim_run_point.h"
#include "sim/sim_run_replay.h"
#include "site-ctrl/policies/policies.h"

/* Virtual time starts here, so that a log has a plausible clock and traces of two runs compare equal. */
#define START_US  (1700000000 * (int64_t)FC_US_PER_S)
#define LOG_BYTES (1 << 20)

struct job {
	struct sim_point point;
	struct log_sink sink;
	FILE *log;
	bool is_log_failed;
	uint64_t n_frames;
	int64_t limit_us;
	int64_t peak_mA;
	bool is_json, is_quiet;
	uint64_t seed;
	struct replay_options replay;
	struct lot_options lot;
	const char *protocol; /* of --replay; NULL: the default */
	int64_t replay_us;    /* time of --replay, for log lines */
};

static const char usage[] =
	"usage: sim-run [--session dc] [options]\n"
	"       sim-run --replay LOG --against evse-ctrl|pev-ctrl [options]\n"
	"       sim-run --workload CSV --network BASE|--site FILE --policy NAME [options]\n"
	"Runs a charge point and its vehicle through a session in virtual time; or gives the\n"
	"module's half of a log to a controller and compares what it sends (0 same, 1 not); or\n"
	"shares the supply of a parking lot among many vehicles and says what each policy achieves.\n"
	"      --session KIND       dc: CCS direct current (default)\n"
	"      --seed N             seed of everything random (default 1)\n"
	"      --log FILE           candump log of every frame\n"
	"      --set MACHINE.KEY=V  an option of evse, secc, evcc, pev, stack or vehicle\n"
	"      --soc PERCENT        battery at the start (default 30)\n"
	"      --until PERCENT      charge until the battery has this much\n"
	"      --duration S         stop by the user after S seconds of charging\n"
	"      --limit S            give up after S simulated seconds (default 86400)\n"
	"      --json               summary as one JSON object on the last line\n"
	"  -v, --verbose            log lines of the machines on stderr\n"
	"  -q, --quiet              no summary\n"
	"  -h, --help  -V, --version\n"
	"Of a replay, besides --set, --json, -v, -q:\n"
	"      --protocol V, --index N  interface version, and pistol index of evse-ctrl\n"
	"      --operator WORDS     taken from the log: authorise,start,stop,pause,resume,\n"
	"                           emergency, or log: all but the last\n"
	"      --tolerance-ms N, --tolerance-mV N, --tolerance-mA N  (150, 500, 500)\n"
	"      --ignore MESSAGE[.SIGNAL], --all  leave out; show every difference\n"
	"Of a lot, besides --json, -v, -q:\n"
	"      --workload CSV       sessions: station,arrival_s,departure_s,energy_wh,...\n"
	"      --policy NAME[,NAME...]|all  by name, or a file NAME.so by its absolute path\n"
	"      --network BASE       energy models at BASE_stations.csv, BASE_constraints.csv\n"
	"      --limit-kw N, --continuous, --out FILE  transformer; any current; set-points\n"
	"      --site FILE          or full stacks at the points of site.conf, with site-ctrl\n"
	"      --site-loss PERCENT, --site-delay-ms N  of its frames; --seed, --log as above\n"
	"      --days N, --stated-departures  arrivals of the first days; as drivers said\n"
	"      --set policy.KEY=V, --set site.KEY=V  options of the policy, of site-ctrl's cycle\n"
	"Exit status: 0 the session ended cleanly, 1 it did not or failed, 2 wrong use.\n";

static void log_line(void *ctx, enum log_level level, const char *text)
{
	const struct job *job = ctx;
	int64_t ms = (job->replay.log ? job->replay_us : job->point.world.now_us - START_US) / 1000;

	(void)level;
	if (job->replay.log || job->point.world.now_us)
		fprintf(stderr, "%6lld.%03lld %s\n", (long long)(ms / 1000), (long long)(ms % 1000), text);
}

static void tap(void *ctx, int64_t time_us, unsigned sender, const struct can_frame *f)
{
	struct job *job = ctx;
	char line[FRAME_LOG_LINE_MAX];
	size_t n;

	(void)sender;
	job->n_frames++;
	if (!job->log)
		return;
	n = frame_log_write(time_us, "sim0", f, line);
	line[n++] = '\n';
	if (fwrite(line, 1, n, job->log) != n)
		job->is_log_failed = true;
}

static bool is_over(void *ctx)
{
	return sim_point_is_session_over(&((struct job *)ctx)->point);
}

static const char *result_of(const struct job *job)
{
	const struct evse_record *r = &job->point.evse.session.record;

	if (!sim_point_is_session_over(&job->point))
		return "timeout";
	if (r->n_sessions == 0)
		return "no_session";
	return r->finished == 0 && job->point.evse.session.faults.latched == 0 ? "clean" : "rushed";
}

static double duration_s(const struct evse_record *r)
{
	return r->end_us > r->start_us ? (double)(r->end_us - r->start_us) / 1e6 : 0.0;
}

/* Booting is not part of a session. */
static unsigned first_state(const struct sim_point_states *s)
{
	return s->n && s->state[0] == SECC_INITIALISING;
}

static void print_json(const struct job *job)
{
	const struct evse_record *r = &job->point.evse.session.record;
	const struct sim_point_states *s = &job->point.secc_states;
	unsigned i;

	printf("{\"result\":\"%s\",\"reason\":\"%s\",\"energy_Wh\":%.1f,\"duration_s\":%.1f,\"peak_A\":%.1f,"
	       "\"soc_percent\":%.1f,\"frames\":%llu,\"states\":[",
	       result_of(job), evse_cause_name(r->cause), (double)r->energy_mJ / 3.6e6, duration_s(r),
	       r->peak_mA / 1000.0, sim_vehicle_battery(&job->point.vehicle)->soc * 100.0,
	       (unsigned long long)job->n_frames);
	for (i = first_state(s); i < s->n; i++)
		printf("%s%u", i > first_state(s) ? "," : "", s->state[i]);
	printf("]}\n");
}

static void print_text(const struct job *job, double wall_s)
{
	const struct evse_record *r = &job->point.evse.session.record;
	const struct sim_point_states *s = &job->point.secc_states;
	double simulated_s = (double)(job->point.world.now_us - START_US) / 1e6;
	unsigned i;

	printf("result    %s (%s)\n", result_of(job), evse_cause_name(r->cause));
	printf("energy    %.1f Wh in %.1f s, peak %.1f A\n", (double)r->energy_mJ / 3.6e6, duration_s(r),
	       r->peak_mA / 1000.0);
	printf("battery   %.1f %%\n", sim_vehicle_battery(&job->point.vehicle)->soc * 100.0);
	printf("states   ");
	for (i = first_state(s); i < s->n; i++)
		printf(" %u", s->state[i]);
	printf("\nsimulated %.1f s in %.3f s (%.0f times real time), %llu frames\n", simulated_s, wall_s,
	       wall_s > 0 ? simulated_s / wall_s : 0.0, (unsigned long long)job->n_frames);
}

static int set(struct job *job, const char *key, const char *value)
{
	char text[128], err[160];

	if (*key == '\0' && lot_is_setting(value))
		return lot_set(&job->lot, value);
	if (snprintf(text, sizeof(text), "%s%s", key, value) >= (int)sizeof(text)) {
		fprintf(stderr, "sim-run: value too long: %s\n", value);
		return 2;
	}
	if (sim_point_set(&job->point, text, err, sizeof(err)) == 0)
		return 0;
	fprintf(stderr, "sim-run: %s\n", err);
	return 2;
}

enum {
	OPT_SESSION = 256,
	OPT_SEED,
	OPT_LOG,
	OPT_SET,
	OPT_SOC,
	OPT_UNTIL,
	OPT_DURATION,
	OPT_LIMIT,
	OPT_JSON,
	OPT_PROTOCOL,
	OPT_REPLAY,
	OPT_LOT
};

static int open_log(struct job *job, const char *name)
{
	job->log = fopen(name, "w");
	if (!job->log) {
		fprintf(stderr, "sim-run: %s: %s\n", name, strerror(errno));
		return 1;
	}
	setvbuf(job->log, NULL, _IOFBF, LOG_BYTES);
	return 0;
}

static int take_number(const char *text, const char *what, long long low, long long high, long long *value)
{
	char *end;

	errno = 0;
	*value = strtoll(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' && *value >= low && *value <= high)
		return 0;
	fprintf(stderr, "sim-run: --%s takes a whole number from %lld to %lld, not %s\n", what, low, high,
		text);
	return 2;
}

static int take_until(struct job *job, const char *percent)
{
	int ret = set(job, "evse.charge_duration=", "0");

	return ret ? ret : set(job, "pev.stop_soc_pct=", percent);
}

static int take_option(struct job *job, int c, const char *name)
{
	long long n;
	int ret;

	switch (c) {
	case OPT_SESSION:
		if (strcmp(optarg, "dc") == 0)
			return 0;
		fprintf(stderr, "sim-run: unknown session %s (known: dc)\n", optarg);
		return 2;
	case OPT_SEED:
		ret = take_number(optarg, "seed", 0, INT32_MAX, &n);
		job->seed = (uint64_t)n;
		return ret ? ret : set(job, "secc.seed=", optarg);
	case OPT_LOG:
		return open_log(job, optarg);
	case OPT_SET:
		return set(job, "", optarg);
	case OPT_SOC:
		return set(job, "vehicle.ev_battery_soc=", optarg);
	case OPT_UNTIL:
		return take_until(job, optarg);
	case OPT_DURATION:
		return set(job, "evse.charge_duration=", optarg);
	case OPT_LIMIT:
		ret = take_number(optarg, "limit", 1, 100000000, &n);
		job->limit_us = n * FC_US_PER_S;
		return ret;
	case OPT_JSON:
		job->is_json = true;
		return 0;
	case OPT_PROTOCOL:
		job->protocol = optarg;
		return 0;
	case OPT_REPLAY:
		return replay_option(&job->replay, name, optarg);
	case OPT_LOT:
		return lot_option(&job->lot, name, optarg);
	case 'v':
		job->point.sink = &job->sink;
		job->lot.is_verbose = true;
		return 0;
	case 'q':
		job->is_quiet = true;
		return 0;
	default:
		fprintf(stderr, "sim-run: try --help\n");
		return 2;
	}
}

static int parse(struct job *job, int argc, char **argv)
{
	static const struct option options[] = {
		{"session", required_argument, NULL, OPT_SESSION},
		{"seed", required_argument, NULL, OPT_SEED},
		{"log", required_argument, NULL, OPT_LOG},
		{"set", required_argument, NULL, OPT_SET},
		{"soc", required_argument, NULL, OPT_SOC},
		{"until", required_argument, NULL, OPT_UNTIL},
		{"duration", required_argument, NULL, OPT_DURATION},
		{"limit", required_argument, NULL, OPT_LIMIT},
		{"json", no_argument, NULL, OPT_JSON},
		{"protocol", required_argument, NULL, OPT_PROTOCOL},
		{"replay", required_argument, NULL, OPT_REPLAY},
		{"against", required_argument, NULL, OPT_REPLAY},
		{"index", required_argument, NULL, OPT_REPLAY},
		{"operator", required_argument, NULL, OPT_REPLAY},
		{"ignore", required_argument, NULL, OPT_REPLAY},
		{"tolerance-ms", required_argument, NULL, OPT_REPLAY},
		{"tolerance-mV", required_argument, NULL, OPT_REPLAY},
		{"tolerance-mA", required_argument, NULL, OPT_REPLAY},
		{"all", no_argument, NULL, OPT_REPLAY},
		{"workload", required_argument, NULL, OPT_LOT},
		{"network", required_argument, NULL, OPT_LOT},
		{"policy", required_argument, NULL, OPT_LOT},
		{"limit-kw", required_argument, NULL, OPT_LOT},
		{"days", required_argument, NULL, OPT_LOT},
		{"continuous", no_argument, NULL, OPT_LOT},
		{"stated-departures", no_argument, NULL, OPT_LOT},
		{"out", required_argument, NULL, OPT_LOT},
		{"site", required_argument, NULL, OPT_LOT},
		{"site-loss", required_argument, NULL, OPT_LOT},
		{"site-delay-ms", required_argument, NULL, OPT_LOT},
		{"verbose", no_argument, NULL, 'v'},
		{"quiet", no_argument, NULL, 'q'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int c, ret, at = 0;

	while ((c = getopt_long(argc, argv, "vqhV", options, &at)) != -1) {
		if (c == 'h' || c == 'V') {
			printf("%s", c == 'h' ? usage : "sim-run " FORECOURT_VERSION "\n");
			exit(0);
		}
		ret = take_option(job, c, options[at].name);
		if (ret)
			return ret;
	}
	if (optind < argc) {
		fprintf(stderr, "sim-run: unexpected argument %s\n", argv[optind]);
		return 2;
	}
	return 0;
}

static int run(struct job *job)
{
	struct can_hub_cfg bus = {.seed = job->seed};
	struct timespec begin, end;
	char err[160];

	if (sim_point_start(&job->point, &bus, START_US, err, sizeof(err))) {
		fprintf(stderr, "sim-run: %s\n", err);
		return 1;
	}
	can_hub_set_tap(&job->point.world.hub, tap, job);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	world_run(&job->point.world, START_US + job->limit_us, is_over, job);
	if (job->log && (fclose(job->log) != 0 || job->is_log_failed)) {
		fprintf(stderr, "sim-run: cannot write the log: %s\n", strerror(errno));
		return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (!job->is_quiet && !job->is_json)
		print_text(job,
			   (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
	if (job->is_json)
		print_json(job);
	return strcmp(result_of(job), "clean") == 0 ? 0 : 1;
}

static int replay(struct job *job)
{
	struct replay_options *o = &job->replay;
	int ret;

	if (job->protocol) {
		ret = set(job, o->against == REPLAY_PEV ? "pev.protocol=" : "evse.protocol=", job->protocol);
		if (ret)
			return ret;
	}
	o->evse_conf = job->point.evse_conf;
	o->pev_conf = job->point.pev_conf;
	o->is_json = job->is_json;
	o->is_quiet = job->is_quiet || job->is_json;
	o->sink = job->point.sink;
	o->now_us = &job->replay_us;
	return replay_run(o);
}

static int run_lot(struct job *job)
{
	int ret;

	job->lot.is_json = job->is_json;
	job->lot.is_quiet = job->is_quiet;
	job->lot.builtin = alloc_policies;
	job->lot.seed = job->seed;
	job->lot.log = job->log;
	ret = lot_run(&job->lot);
	if (job->log && fclose(job->log) != 0 && ret == 0) {
		fprintf(stderr, "sim-run: cannot write the log: %s\n", strerror(errno));
		ret = 1;
	}
	return ret;
}

int main(int argc, char **argv)
{
	static struct job job;
	int ret;

	sim_point_defaults(&job.point);
	job.sink = (struct log_sink){.line = log_line, .ctx = &job, .level = LOG_INF};
	job.limit_us = 86400 * (int64_t)FC_US_PER_S;
	job.seed = 1;
	replay_defaults(&job.replay);
	lot_defaults(&job.lot);
	ret = parse(&job, argc, argv);
	if (ret == 0 && !job.replay.log && (job.replay.against != REPLAY_NOBODY || job.protocol)) {
		fprintf(stderr, "sim-run: %s needs --replay LOG\n",
			job.protocol ? "--protocol" : "--against");
		return 2;
	}
	if (ret)
		return ret;
	if (!lot_is_complete(&job.lot))
		return 2;
	if (job.lot.workload)
		return run_lot(&job);
	return job.replay.log ? replay(&job) : run(&job);
}
