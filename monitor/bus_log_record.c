/* SPDX-License-Identifier: MIT */
/*
 * bus-log record: writes what is on a bus into a log that candump, canplayer and log2asc read. Receive only: a frame
 * is never sent. Frames that the kernel dropped are written into the log as a comment, never lost silently.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <linux/sock_diag.h>

#include "lib/can/can_bus_rx.h"
#include "monitor/bus_log_args.h"
#include "monitor/bus_log_cmd.h"
#include "monitor/bus_log_filter.h"
#include "monitor/bus_log_rotate.h"
#include "monitor/bus_log_sync.h"
#include "monitor/log_write.h"

#define FLUSH_US     INT64_C(100000) /* what came is in the file after that */
#define NAP_MAX_US   INT64_C(20000)  /* between two looks at a busy bus */
#define NAP_FRAMES_S INT64_C(100000) /* that must fit into the receive buffer during a nap, twice */
#define BATCH	     4096	     /* frames between two looks at the clock */
#define LAST_BATCHES 16
#define SENTENCE_MAX 160

static volatile sig_atomic_t is_stopping, is_reopening;

static void on_signal(int number)
{
	if (number == SIGHUP)
		is_reopening = 1;
	else
		is_stopping = 1;
}

struct settings {
	char can[128], rotate_size[32], rotate_time[32];
	struct arg_list only;
	int32_t keep, is_append, duration_ms, is_quiet;
};

#define AT(member)   offsetof(struct settings, member)
#define SIZE(member) sizeof(((struct settings *)0)->member)

static const struct opt table[] = {
	{"can", 'i', OPT_TEXT, 0, "URL", 0, 0, "can0", AT(can), SIZE(can), NULL,
	 "can0, vcan0, udp, udp:GROUP:PORT (default can0)"},
	{"only", 0, OPT_TEXT, ARG_LIST, "LIST", 0, 0, "", AT(only), 0, NULL,
	 "identifiers 123, 0106B000, 123:7F0 (mask), or messages"},
	{"rotate-size", 0, OPT_TEXT, 0, "N", 0, 0, "", AT(rotate_size), SIZE(rotate_size), NULL,
	 "puts FILE aside at this size: 100M (k, M, G)"},
	{"rotate-time", 0, OPT_TEXT, 0, "T", 0, 0, "", AT(rotate_time), SIZE(rotate_time), NULL,
	 "puts FILE aside at this age: 1h (s, m, h, d)"},
	{"keep", 0, OPT_INT, 0, "N", 0, 99999, "10", AT(keep), 0, NULL,
	 "files put aside that are kept: FILE.1 is the newest (0: all)"},
	{"append", 0, OPT_BOOL, 0, "", 0, 0, "no", AT(is_append), 0, NULL,
	 "behind what FILE holds, not in its place"},
	{"duration", 0, OPT_MILLI, 0, "S", 0, 2000000000, "0", AT(duration_ms), 0, NULL,
	 "ends after that many seconds"},
	{"quiet", 'q', OPT_BOOL, 0, "", 0, 0, "no", AT(is_quiet), 0, NULL, "no last line with the counts"},
};

static const struct arg_command command = {
	.name = "record",
	.operands = "[FILE]",
	.purpose = "Writes every frame of a bus into FILE (standard output without one) in the log\n"
		   "format of candump -L, until SIGINT or SIGTERM. SIGHUP opens FILE again. Never\n"
		   "sends. Frames that were lost are noted in the log.\n",
	.notes = "",
	.table = table,
	.n_table = sizeof(table) / sizeof(table[0]),
	.min_operands = 0,
	.max_operands = 1,
};

struct recorder {
	struct can_bus *bus;
	const char *channel;
	struct rotate_file file; /* fd of standard output without a name */
	bool has_name;
	struct log_sync sync;
	struct log_writer writer;
	struct out out;
	int64_t wall_us;  /* real time minus monotonic */
	int64_t nap_us;	  /* between two looks */
	int64_t flush_us; /* last one */
	uint64_t n_frames, n_lost, n_bad;
	uint32_t n_dropped; /* the kernel's count */
	bool is_good;	    /* false after a failure that was told */
};

static int64_t clock_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static const char *name_of(const struct recorder *r)
{
	return r->has_name ? r->file.cfg.path : "standard output";
}

/* A line that could be written only in part is taken back, so that the log ends with a whole one. */
static void cut_last_line(const struct recorder *r, uint64_t n_before)
{
	uint64_t n = r->out.n_before - n_before, n_whole = n;
	off_t end = lseek(r->file.fd, 0, SEEK_CUR);
	struct stat st;

	while (n_whole > 0 && r->out.buffer[n_whole - 1] != '\n')
		n_whole--;
	/* Standard output may stand behind what others wrote: counted from its end, and only where that is ours. */
	if (fstat(r->file.fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == end)
		(void)!ftruncate(r->file.fd, end - (off_t)(n - n_whole));
}

static void flush(struct recorder *r, int64_t now_us)
{
	uint64_t n_before = r->out.n_before;
	int rc = out_flush(&r->out);

	r->flush_us = now_us;
	if (rc && r->is_good) {
		r->is_good = false;
		cut_last_line(r, n_before);
		if (rc == -EPIPE && !r->has_name)
			is_stopping = 1; /* nobody reads any more: no failure */
		else
			args_fail(command.name, "cannot write to %s: %s", name_of(r), strerror(-rc));
		return;
	}
	r->file.bytes += r->out.n_before - n_before;
	rc = log_sync_error(&r->sync);
	if (rc && r->is_good) {
		r->is_good = false;
		args_fail(command.name, "%s does not reach the disk: %s", name_of(r), strerror(-rc));
	}
}

/* To the next file, or to the one that has our name now. */
static void change_file(struct recorder *r, int (*change)(struct rotate_file *, int64_t, int *),
			int64_t now_us)
{
	int old_fd, rc;

	flush(r, now_us);
	rc = change(&r->file, now_us, &old_fd);
	if (rc) {
		/* A log that is too long is better than none. */
		args_fail(command.name, "%s: no new file: %s; the log goes on in the old one",
			  r->file.cfg.path, strerror(-rc));
		r->file.cfg.max_bytes = 0;
		r->file.cfg.max_us = 0;
		return;
	}
	r->out.fd = r->file.fd;
	log_sync_file(&r->sync, r->file.fd, old_fd);
}

static void note_lost(struct recorder *r, uint32_t n)
{
	r->n_lost += n;
	out_end(&r->out,
		r->out.buffer + r->out.n + log_write_lost(&r->writer, n, out_begin(&r->out, LOG_WRITE_MAX)));
}

/* Datagrams on the bus that are no frames: told, so that a gap in the log has an explanation. */
static void note_bad(struct recorder *r)
{
	uint64_t n = r->bus->stats.n_rx_bad - r->n_bad;
	char *p;

	if (!n)
		return;
	r->n_bad += n;
	p = put_unsigned(put_text(out_begin(&r->out, SENTENCE_MAX), "# ", 2), n);
	out_end(&r->out, put_text(p, " malformed messages left out\n", 29));
}

/* Puts into the buffer what is waiting, a batch at most; true when there may be more. */
static bool take_waiting(struct recorder *r)
{
	struct can_rx_info info;
	struct log_entry e = {0};
	unsigned n;
	char *p;
	int rc = 0;

	for (n = 0; n < BATCH && (rc = can_bus_recv(r->bus, &e.frame, &info)) > 0; n++) {
		if (info.n_dropped != r->n_dropped)
			note_lost(r, info.n_dropped - r->n_dropped);
		r->n_dropped = info.n_dropped;
		e.time_us = info.time_us + r->wall_us;
		p = out_begin(&r->out, LOG_WRITE_MAX);
		out_end(&r->out, p + log_write_entry(&r->writer, &e, r->channel, p));
		r->n_frames++;
	}
	note_bad(r);
	if (rc < 0) {
		args_fail(command.name, "cannot receive: %s", strerror(-rc));
		r->is_good = false;
	}
	return rc > 0;
}

/* What the kernel dropped behind the last frame shows in no frame; the socket itself knows. */
static void note_last_drops(struct recorder *r)
{
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t len = sizeof(info);

	if (getsockopt(can_bus_fd(r->bus), SOL_SOCKET, SO_MEMINFO, info, &len) != 0 || len < sizeof(info))
		return;
	if (info[SK_MEMINFO_DROPS] != r->n_dropped)
		note_lost(r, info[SK_MEMINFO_DROPS] - r->n_dropped);
}

static void record(struct recorder *r, int64_t end_us)
{
	int64_t now_us = clock_us(CLOCK_MONOTONIC);
	unsigned i;

	while (!is_stopping && r->is_good && now_us < end_us) {
		struct pollfd p = {.fd = can_bus_fd(r->bus), .events = POLLIN};
		const struct timespec nap = {0, (long)r->nap_us * 1000};
		int64_t wait_us = end_us - now_us < FLUSH_US ? end_us - now_us : FLUSH_US;

		if (poll(&p, 1, (int)(wait_us / 1000) + 1) > 0 && r->nap_us)
			clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
		now_us = clock_us(CLOCK_MONOTONIC);
		take_waiting(r);
		can_bus_service(r->bus, now_us);
		if (is_reopening && r->has_name)
			change_file(r, rotate_reopen, now_us);
		is_reopening = 0;
		if (now_us - r->flush_us >= FLUSH_US || r->out.n > OUT_SIZE / 2)
			flush(r, now_us);
		if (r->has_name && rotate_is_due(&r->file, now_us))
			change_file(r, rotate_turn, now_us);
	}
	/* What came before the end; a bus that is never silent has to stop somewhere. */
	for (i = 0; i < LAST_BATCHES && r->is_good && take_waiting(r); i++)
		;
	note_last_drops(r);
	flush(r, now_us);
}

/* --- start and end ---------------------------------------------------------------------------------------- */

/* -1, or the exit status. Opens nothing. */
static int configure(struct recorder *r, const struct settings *s, const char *path)
{
	struct rotate_cfg *cfg = &r->file.cfg;

	cfg->path = path;
	cfg->keep = (unsigned)s->keep;
	r->has_name = path && strcmp(path, "-") != 0;
	if (s->rotate_size[0] && rotate_parse_size(s->rotate_size, &cfg->max_bytes))
		return args_refuse(&command, "--rotate-size: \"%s\" is no size such as 100M", s->rotate_size);
	if (s->rotate_time[0] && rotate_parse_time(s->rotate_time, &cfg->max_us))
		return args_refuse(&command, "--rotate-time: \"%s\" is no time such as 1h", s->rotate_time);
	if (!r->has_name && (cfg->max_bytes || cfg->max_us))
		return args_refuse(&command, "standard output cannot be put aside: give a FILE");
	if (r->has_name && strlen(path) > ROTATE_PATH_MAX - 16)
		return args_refuse(&command, "the name of the file is too long");
	return -1;
}

static int open_file(struct recorder *r, const struct settings *s)
{
	const struct rotate_cfg cfg = r->file.cfg;
	int rc;

	if (!r->has_name) {
		r->file.fd = STDOUT_FILENO;
		return -1;
	}
	rc = rotate_open(&r->file, &cfg, s->is_append, clock_us(CLOCK_MONOTONIC));
	return rc ? args_fail(command.name, "%s: %s", cfg.path, strerror(-rc)) : -1;
}

static int open_bus(struct recorder *r, const struct settings *s)
{
	struct id_filter ids;
	const struct can_filter all = can_filter_all();
	char err[SENTENCE_MAX];
	int64_t nap_us;
	int rc;

	if (filter_take(&ids, &s->only, err, sizeof(err)))
		return args_refuse(&command, "--only: %s", err);
	if (can_bus_open_rx(s->can, &r->bus, err, sizeof(err)))
		return args_fail(command.name, "%s", err);
	rc = can_bus_set_filters(r->bus, ids.n ? ids.rule : &all, ids.n ? ids.n : 1);
	if (rc) {
		can_bus_close(r->bus);
		return args_fail(command.name, "%s: %s", s->can, strerror(-rc));
	}
	nap_us = can_bus_rx_room(r->bus) * INT64_C(1000000) / (2 * NAP_FRAMES_S);
	r->nap_us = nap_us < NAP_MAX_US ? nap_us : NAP_MAX_US;
	r->wall_us = clock_us(CLOCK_REALTIME) - clock_us(CLOCK_MONOTONIC);
	r->channel = strchr(s->can, ':') || strcmp(s->can, "udp") == 0 ? "udp" : s->can;
	if (strncmp(s->can, "socketcan:", 10) == 0)
		r->channel = s->can + 10;
	return -1;
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static int run(struct recorder *r, const struct settings *s)
{
	int rc = out_init(&r->out, r->file.fd);

	if (rc == 0)
		rc = log_sync_start(&r->sync);
	if (rc)
		return args_fail(command.name, "%s", strerror(-rc));
	log_sync_file(&r->sync, r->file.fd, -1);
	log_write_init(&r->writer, LOG_CANDUMP);
	r->is_good = true;
	record(r, s->duration_ms ? clock_us(CLOCK_MONOTONIC) + s->duration_ms * INT64_C(1000) : INT64_MAX);
	rc = log_sync_stop(&r->sync);
	if (rc && r->is_good) {
		args_fail(command.name, "%s does not reach the disk: %s", name_of(r), strerror(-rc));
		r->is_good = false;
	}
	if (r->out.error == -EPIPE && !r->has_name)
		r->is_good = true;
	if (!s->is_quiet)
		fprintf(stderr, "bus-log record: %llu frames, %llu lost\n", (unsigned long long)r->n_frames,
			(unsigned long long)r->n_lost);
	out_finish(&r->out);
	return r->is_good ? EXIT_OK : EXIT_FAILED;
}

int bus_log_record(int argc, char **argv)
{
	struct settings s = {0};
	struct recorder r = {0};
	const char *path[2];
	int status = args_take(&command, &s, argc, argv, path);

	if (status < 0)
		status = configure(&r, &s, path[0]);
	if (status < 0)
		status = open_bus(&r, &s);
	if (status >= 0)
		return status;
	status = open_file(&r, &s);
	if (status < 0) {
		catch_signals();
		status = run(&r, &s);
		if (r.has_name && close(r.file.fd) != 0 && status == EXIT_OK)
			status = args_fail(command.name, "%s: %s", path[0], strerror(errno));
	}
	can_bus_close(r.bus);
	return status;
}
