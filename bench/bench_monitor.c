/* SPDX-License-Identifier: MIT */
/*
 * evse-monitor in a terminal of 160 x 50 on a UDP bus: processor time with no traffic, with one session and at the
 * load of a full 1 Mbit/s bus; memory, start, bytes to the terminal, time from a frame to its value on the screen,
 * and whether anything was lost or shown wrong. Beside it in the same rounds a floor (bench/proc_dump.h: candump's
 * work and nothing else) and, where python-can is installed, its can.viewer as a peer.
 *
 * The UDP bus costs more than SocketCAN: a datagram takes several times as long as a CAN frame. The floor pays the
 * same, so the ratio is what counts.
 *
 * usage: bench_monitor [--quick]
 */
#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench_time.h"
#include "bench/proc_dump.h"
#include "bench/proc_measure.h"
#include "bench/proc_traffic.h"
#include "evse_msgs.h"
#include "lib/can/can_bus.h"
#include "tests/lib/term_rig.h"

#define ROWS	  50
#define COLS	  160
#define TITLE	  "EVSE 3."
#define SETTLE_MS 1500
#define START_MS  5000
#define SHOWN_MS  2000
#define PAGE_SIZE (256 * 1024)
#define FIRST_DV  4000 /* voltages of the latency test, in 0.1 V: none of them comes by itself */
#define VIEWER	  "/usr/bin/python3"

/* The full bus twice: on the page of all its pistols, and on that of one. */
enum load { LOAD_NONE, LOAD_ONE, LOAD_FULL, LOAD_FULL_DETAIL, N_LOADS };
enum who { WHO_FLOOR, WHO_OURS, WHO_PEER, N_WHO };

struct plan {
	unsigned rounds, n_starts, n_latencies;
	int64_t window_ms;
};

struct result {
	bool is_there;
	struct samples cpu[N_LOADS], bytes_s[N_LOADS], wakes_s[N_LOADS]; /* percent, bytes, switches */
	struct samples start_ms, latency_ms[N_LOADS];
	unsigned n_unseen;		    /* values that never came to the screen */
	double rss_one_kB, rss_kB;	    /* highest so far: with one session, and at the end */
	int64_t n_sent, n_heard, n_dropped; /* while it ran, with its own count */
	unsigned n_compared, n_wrong;
};

struct bench {
	char url[64], metrics[32];
	struct traffic traffic;
	struct can_bus *bus;
	struct plan plan;
	struct result result[N_WHO];
	int32_t next_dV;
};

static unsigned rate_of(enum load load)
{
	return load == LOAD_NONE ? 0 : load == LOAD_ONE ? TRAFFIC_ONE_FPS : TRAFFIC_FULL_FPS;
}

static void set_load(struct bench *b, enum load load)
{
	traffic_set(&b->traffic, rate_of(load), load >= LOAD_FULL ? TRAFFIC_MAX_POINTS : 1);
}

/* --- one subject ------------------------------------------------------------------------------------------- */

static const char *const page_keys[N_LOADS] = {"1", "2", "1", "2"};

static bool is_never(struct term_rig *t, void *ctx)
{
	(void)t;
	(void)ctx;
	return false;
}

/* The terminal takes what comes; the floor has none. */
static void let_pass(struct term_rig *t, int64_t ms)
{
	if (t)
		term_wait(t, is_never, NULL, ms);
	else
		poll(NULL, 0, (int)ms);
}

static int64_t switches_of(pid_t pid)
{
	return proc_number(pid, "status", "voluntary_ctxt_switches");
}

static void measure_load(struct bench *b, struct result *r, enum load load, pid_t pid, struct term_rig *t)
{
	int64_t cpu_ns, begin_us, switches;
	uint64_t n_bytes;
	double s;

	set_load(b, load);
	if (t)
		term_send(t, page_keys[load]);
	let_pass(t, SETTLE_MS);
	cpu_ns = proc_cpu_ns(pid);
	switches = switches_of(pid);
	n_bytes = t ? t->n_bytes : 0;
	begin_us = proc_now_us();
	let_pass(t, b->plan.window_ms);
	s = (double)(proc_now_us() - begin_us) / 1e6;
	samples_add(&r->cpu[load], (double)(proc_cpu_ns(pid) - cpu_ns) / 1e7 / s);
	samples_add(&r->wakes_s[load], (double)(switches_of(pid) - switches) / s);
	if (t)
		samples_add(&r->bytes_s[load], (double)(t->n_bytes - n_bytes) / s);
}

static bool measure_floor(struct bench *b)
{
	struct result *r = &b->result[WHO_FLOOR];
	struct proc_child c;
	int load;

	if (dump_start(&c, b->url))
		return false;
	for (load = 0; load < N_LOADS; load++)
		measure_load(b, r, (enum load)load, c.pid, NULL);
	set_load(b, LOAD_NONE);
	r->rss_kB = (double)proc_number(c.pid, "status", "VmHWM");
	r->is_there = c.pid > 0 && !proc_wait(&c, 0);
	proc_end(&c);
	return r->is_there;
}

static bool start_ours(const struct bench *b, struct term_rig *t)
{
	char path[PROC_PATH_MAX];
	const char *argv[] = {path, "--can", b->url, "--metrics", b->metrics, NULL};

	if (!proc_find_program("evse-monitor", path)) {
		fprintf(stderr, "bench_monitor: evse-monitor is not built\n");
		return false;
	}
	return term_start(t, argv, NULL, ROWS, COLS) == 0 && term_wait_text(t, TITLE);
}

/* --- what it shows ----------------------------------------------------------------------------------------- */

static void send_voltage(struct bench *b, int32_t dV)
{
	struct evse_power_modules_status m = {
		.present_voltage_mV = dV * 100, .present_current_mA = 65000, .system_enable = 1};
	struct can_frame f;

	msg_to_frame(&evse_layouts[EVSE_V3_6][EVSE_POWER_MODULES_STATUS], &m, 1, &f);
	can_bus_send(b->bus, &f);
	can_bus_service(b->bus, proc_now_us());
}

struct wanted {
	char text[32];
};

static bool is_shown(struct term_rig *t, void *ctx)
{
	const struct wanted *w = ctx;
	int row, col;

	return term_find(t, w->text, &row, &col);
}

/* A value of our own, and the time until it stands on the screen. */
static void measure_latency(struct bench *b, struct result *r, enum load load, struct term_rig *t)
{
	uint64_t random = 7;
	unsigned i;

	b->traffic.shared->is_status_ours = true;
	set_load(b, load);
	term_send(t, "2");
	let_pass(t, SETTLE_MS / 3);
	for (i = 0; i < b->plan.n_latencies; i++) {
		int32_t dV = b->next_dV++;
		struct wanted w;
		int64_t begin_us;

		snprintf(w.text, sizeof(w.text), "%d.%d V", dV / 10, dV % 10);
		let_pass(t, 100 + (int64_t)(bench_random(&random) % 100)); /* any phase of its drawing */
		begin_us = proc_now_us();
		send_voltage(b, dV);
		b->result[WHO_OURS].n_sent++;
		if (term_wait(t, is_shown, &w, SHOWN_MS))
			samples_add(&r->latency_ms[load], (double)(proc_now_us() - begin_us) / 1e3);
		else
			r->n_unseen++;
	}
	b->traffic.shared->is_status_ours = false;
}

/* The page of its metrics port; false: no answer. */
static bool get_metrics(const char *address, char *page, size_t size)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	static const char request[] = "GET /metrics HTTP/1.0\r\n\r\n";
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t n = 0;
	ssize_t got = 1;

	a.sin_port = htons((uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10));
	page[0] = '\0';
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 &&
	    write(fd, request, sizeof(request) - 1) > 0)
		while (got > 0 && n + 1 < size) {
			got = read(fd, page + n, size - 1 - n);
			n += got > 0 ? (size_t)got : 0;
			page[n] = '\0';
		}
	close(fd);
	return n > 0;
}

/* The number of the line that begins so; -1: there is none. */
static double metric(const char *page, const char *begin)
{
	const char *line = page;
	size_t n = strlen(begin);

	while ((line = strstr(line, begin)) != NULL) {
		if ((line == page || line[-1] == '\n') && line[n] == ' ')
			return strtod(line + n + 1, NULL);
		line += n;
	}
	return -1;
}

/* After the traffic has stopped: its counts beside what was sent, its values beside the last ones sent. */
static void compare(struct bench *b, struct result *r)
{
	static char page[PAGE_SIZE]; /* large */
	const struct traffic_shared *s = b->traffic.shared;
	unsigned i;
	char name[96];

	if (!get_metrics(b->metrics, page, sizeof(page)))
		return;
	r->n_heard += (int64_t)metric(page, "forecourt_bus_frames_total");
	r->n_dropped += (int64_t)metric(page, "forecourt_bus_dropped_frames_total");
	for (i = 1; i <= TRAFFIC_MAX_POINTS; i++) {
		snprintf(name, sizeof(name), "forecourt_present_volts{point=\"%u\"}", i);
		r->n_wrong += fabs(metric(page, name) * 1e3 - s->present_mV[i]) > 1;
		snprintf(name, sizeof(name), "forecourt_present_amperes{point=\"%u\"}", i);
		r->n_wrong += fabs(metric(page, name) * 1e3 - s->present_mA[i]) > 1;
		r->n_compared += 2;
	}
}

/* The last value of the first pistol must stand on its screen. */
static void compare_screen(struct bench *b, struct result *r, struct term_rig *t)
{
	struct wanted w;
	int32_t dV = b->traffic.shared->present_mV[1] / 100;

	snprintf(w.text, sizeof(w.text), "%d.%d V", dV / 10, dV % 10);
	r->n_compared++;
	if (!term_wait(t, is_shown, &w, SHOWN_MS))
		r->n_wrong++;
}

static bool measure_ours(struct bench *b)
{
	struct result *r = &b->result[WHO_OURS];
	uint64_t sent_before = b->traffic.shared->n_sent;
	struct term_rig t;
	int load;

	set_load(b, LOAD_NONE);
	r->is_there = start_ours(b, &t);
	for (load = 0; r->is_there && load < N_LOADS; load++) {
		measure_load(b, r, (enum load)load, t.pid, &t);
		if (load == LOAD_ONE)
			r->rss_one_kB = fmax(r->rss_one_kB, (double)proc_number(t.pid, "status", "VmHWM"));
	}
	if (r->is_there) {
		measure_latency(b, r, LOAD_ONE, &t);
		measure_latency(b, r, LOAD_FULL, &t);
		let_pass(&t, SETTLE_MS);
		set_load(b, LOAD_NONE);
		let_pass(&t, SETTLE_MS / 3);
		r->n_sent += (int64_t)(b->traffic.shared->n_sent - sent_before);
		compare_screen(b, r, &t);
		r->rss_kB = fmax(r->rss_kB, (double)proc_number(t.pid, "status", "VmHWM"));
		compare(b, r);
	}
	term_end(&t);
	return r->is_there;
}

static void measure_starts(struct bench *b)
{
	unsigned i;

	set_load(b, LOAD_ONE);
	for (i = 0; i < b->plan.n_starts; i++) {
		struct term_rig t;

		if (start_ours(b, &t))
			samples_add(&b->result[WHO_OURS].start_ms, (double)(t.byte_us - t.exec_us) / 1e3);
		term_end(&t);
	}
	set_load(b, LOAD_NONE);
}

/* python-can's viewer on the same bus in the same terminal. It needs python3-can and python3-msgpack. */
static void measure_peer(struct bench *b)
{
	struct result *r = &b->result[WHO_PEER];
	char port[32];
	const char *argv[] = {VIEWER, "-m",	      "can.viewer", "-i", "udp_multicast",
			      "-c",   "239.74.163.2", port,	    NULL};
	struct term_rig t;
	int load;

	snprintf(port, sizeof(port), "--port=%s", strrchr(b->url, ':') + 1);
	if (access(VIEWER, X_OK))
		return;
	if (term_start(&t, argv, NULL, ROWS, COLS) == 0 && term_wait_text(&t, "Count")) {
		r->is_there = true;
		samples_add(&r->start_ms, (double)(t.byte_us - t.exec_us) / 1e3);
		for (load = 0; load < N_LOADS; load++)
			measure_load(b, r, (enum load)load, t.pid, &t);
		r->rss_kB = (double)proc_number(t.pid, "status", "VmHWM");
	}
	set_load(b, LOAD_NONE);
	term_end(&t);
}

/* --- output ------------------------------------------------------------------------------------------------ */

static void number(double v)
{
	if (isfinite(v))
		printf(" %9.3f", v);
	else
		printf(" %9s", "-");
}

static void row(const char *no, const char *what, const char *goal, double limit, double ours, double base,
		double peer)
{
	printf("%-4s %-46s %-9s", no, what, goal);
	number(ours);
	number(base);
	number(peer);
	number(ours / base);
	printf("  %s\n", isnan(limit) ? "" : ours <= limit ? "met" : "MISSED");
}

static void row_of(struct bench *b, const char *no, const char *what, const char *goal, double limit,
		   size_t offset)
{
	double v[N_WHO];
	int i;

	for (i = 0; i < N_WHO; i++)
		v[i] = samples_at((struct samples *)((char *)&b->result[i] + offset), 0.5);
	row(no, what, goal, limit, v[WHO_OURS], v[WHO_FLOOR], v[WHO_PEER]);
}

#define OF(member) offsetof(struct result, member)

static void print_all(struct bench *b)
{
	struct result *ours = &b->result[WHO_OURS], *base = &b->result[WHO_FLOOR],
		      *peer = &b->result[WHO_PEER];
	double ratio = samples_at(&ours->cpu[LOAD_FULL], 0.5) / samples_at(&base->cpu[LOAD_FULL], 0.5);

	printf("%-4s %-46s %-9s %9s %9s %9s %9s\n", "", "UDP bus on the loopback, terminal of 160 x 50",
	       "goal", "ours", "floor", "viewer", "to floor");
	row_of(b, "15", "no traffic, % of a core", "<= 0.05", 0.05, OF(cpu[LOAD_NONE]));
	row_of(b, "", "60 frames/s, % of a core", "<= 0.1", 0.1, OF(cpu[LOAD_ONE]));
	row_of(b, "", "7634 frames/s, 15 pistols, % of a core", "<= 2", 2.0, OF(cpu[LOAD_FULL]));
	row_of(b, "", "the same, page of one pistol", "<= 2", 2.0, OF(cpu[LOAD_FULL_DETAIL]));
	row("", "15 pistols, in proportion to the floor", "<= 1.3", 1.3, ratio, NAN, NAN);
	row_of(b, "", "wake-ups a second, no traffic", "", NAN, OF(wakes_s[LOAD_NONE]));
	row_of(b, "", "wake-ups a second, 60 frames/s", "", NAN, OF(wakes_s[LOAD_ONE]));
	row_of(b, "", "wake-ups a second, 7634 frames/s", "", NAN, OF(wakes_s[LOAD_FULL]));
	row("", "frames sent", "", NAN, (double)ours->n_sent, NAN, NAN);
	row("", "frames not counted by it", "0", 0.0, (double)(ours->n_sent - ours->n_heard), NAN, NAN);
	row("", "frames that it says it lost", "0", 0.0, (double)ours->n_dropped, NAN, NAN);
	row("", "values compared after full load", "", NAN, ours->n_compared, NAN, NAN);
	row("", "values wrong", "0", 0.0, ours->n_wrong, NAN, NAN);
	row("16", "resident memory, one session, kB", "<= 4096", 4096.0, ours->rss_one_kB, base->rss_kB, NAN);
	row("", "the same, after 15 pistols at full load", "<= 4096", 4096.0, ours->rss_kB, base->rss_kB,
	    peer->is_there ? peer->rss_kB : NAN);
	row_of(b, "", "exec to first screen, p50, ms", "<= 30", 30.0, OF(start_ms));
	row("", "exec to first screen, longest, ms", "", NAN, samples_at(&ours->start_ms, 1.0), NAN, NAN);
	row_of(b, "", "bytes/s to the terminal, no traffic", "<= 300", 300.0, OF(bytes_s[LOAD_NONE]));
	row_of(b, "", "bytes/s, 60 frames/s", "", NAN, OF(bytes_s[LOAD_ONE]));
	row_of(b, "", "bytes/s, 7634 frames/s, 15 pistols", "<= 6000", 6000.0, OF(bytes_s[LOAD_FULL]));
	row_of(b, "", "the same, page of one pistol", "<= 6000", 6000.0, OF(bytes_s[LOAD_FULL_DETAIL]));
	row("", "frame to screen, 60 frames/s, p50, ms", "", NAN,
	    samples_at(&ours->latency_ms[LOAD_ONE], 0.5), NAN, NAN);
	row("", "the same, longest", "<= 100", 100.0, samples_at(&ours->latency_ms[LOAD_ONE], 1.0), NAN, NAN);
	row("", "frame to screen, 7634 frames/s, p50, ms", "", NAN,
	    samples_at(&ours->latency_ms[LOAD_FULL], 0.5), NAN, NAN);
	row("", "the same, longest", "<= 100", 100.0, samples_at(&ours->latency_ms[LOAD_FULL], 1.0), NAN,
	    NAN);
	row("", "values that never came to the screen", "0", 0.0, ours->n_unseen, NAN, NAN);
}

/* A port that is free now. */
static bool pick_metrics(char *address, size_t size)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_good = fd >= 0 && bind(fd, (const struct sockaddr *)&a, n) == 0 &&
		       getsockname(fd, (struct sockaddr *)&a, &n) == 0;

	if (fd >= 0)
		close(fd);
	snprintf(address, size, "127.0.0.1:%u", ntohs(a.sin_port));
	return is_good;
}

static bool open_all(struct bench *b)
{
	char err[160];

	b->next_dV = FIRST_DV;
	if (!proc_pick_bus(b->url, sizeof(b->url)) || !pick_metrics(b->metrics, sizeof(b->metrics)) ||
	    !traffic_start(&b->traffic, b->url))
		return false;
	if (can_bus_open(b->url, &b->bus, err, sizeof(err))) {
		fprintf(stderr, "bench_monitor: %s\n", err);
		return false;
	}
	can_bus_service(b->bus, proc_now_us());
	return true;
}

int main(int argc, char **argv)
{
	static const struct plan full = {.rounds = 2, .n_starts = 15, .n_latencies = 20, .window_ms = 10000};
	static const struct plan quick = {.rounds = 1, .n_starts = 3, .n_latencies = 3, .window_ms = 1000};
	static struct bench b; /* large */
	bool is_quick = argc == 2 && strcmp(argv[1], "--quick") == 0, is_good;
	unsigned i;

	if (argc > 1 && !is_quick) {
		fprintf(stderr, "usage: bench_monitor [--quick]\n");
		return 2;
	}
	b.plan = is_quick ? quick : full;
	signal(SIGPIPE, SIG_IGN);
	is_good = open_all(&b);
	for (i = 0; is_good && i < b.plan.rounds; i++) {
		is_good = measure_floor(&b) && measure_ours(&b);
		if (is_good && i == 0)
			measure_peer(&b);
	}
	if (is_good)
		measure_starts(&b);
	traffic_end(&b.traffic);
	if (b.bus)
		can_bus_close(b.bus);
	if (is_good)
		print_all(&b);
	return is_good ? 0 : 1;
}
