/* SPDX-License-Identifier: MIT */
/*
 * The metrics port: answers GET /metrics in the loop of the monitor, and little else. Each connection
 * carries one request and is closed after the answer. A client may be slow, rude or silent: it costs one of
 * eight places, for five seconds at most, and never the loop's time.
 *
 * Own code and not libmicrohttpd: Debian's one brings GnuTLS and its friends into a process whose memory
 * goal is 4 MB, and what is needed of HTTP here is one request line.
 */
#ifndef MONITOR_MON_SERVE_H
#define MONITOR_MON_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/linux/loop.h"

#define MON_SERVE_CLIENTS    8
#define MON_SERVE_REQUEST    4096   /* bytes of a request, all header lines included */
#define MON_SERVE_BODY	     262144 /* mon_metrics.h: what a page needs at most */
#define MON_SERVE_HEAD	     256
#define MON_SERVE_TIMEOUT_US INT64_C(5000000) /* from the connection to its end */

/* Writes the page; returns its length, at most size. */
typedef size_t (*mon_serve_fn)(void *ctx, int64_t now_us, char *text, size_t size);

enum mon_serve_state {
	MON_SERVE_FREE,
	MON_SERVE_READING,
	MON_SERVE_WRITING,
	/*
	 * All is written and our half closed: what still comes is thrown away, else the answer could be
	 * lost by it.
	 */
	MON_SERVE_DRAINING,
};

struct mon_serve;

struct mon_serve_client {
	struct mon_serve *serve;
	enum mon_serve_state state;
	int fd;
	bool waits_for_output; /* as the loop was told */
	int64_t end_us;
	size_t n_in, at, n_out;
	char in[MON_SERVE_REQUEST];
	char out[MON_SERVE_HEAD + MON_SERVE_BODY]; /* touched by those who ask for the page only */
};

struct mon_serve {
	int fd; /* -1: closed */
	struct loop *loop;
	mon_serve_fn page;
	void *ctx;
	const char *program; /* for the page at / */
	bool is_listening;   /* false while all places are taken: the others wait in the kernel */
	int64_t retry_us;    /* when to listen again after accept() failed; FC_NEVER: it did not */
	uint32_t n_served;   /* pages of /metrics */
	uint32_t n_refused;  /* requests that were not one, or not for us */
	uint32_t n_dropped;  /* connections ended by their time, or by an error */
	struct mon_serve_client client[MON_SERVE_CLIENTS];
};

/* Where to listen: "9100", ":9100", "127.0.0.1:9100", "localhost:9100", "[::1]:9100". */
struct mon_serve_address {
	bool is_v6, is_loopback;
	uint8_t ip[16];
	uint16_t port; /* 0: the system chooses */
};

/* 0, or -EINVAL with a sentence in err. Names other than localhost are not looked up. */
int mon_serve_parse(const char *text, struct mon_serve_address *a, char *err, size_t err_size);

/* s->fd is -1 before. Opens and begins to listen. 0, or a negative errno with a sentence in err. */
int mon_serve_open(struct mon_serve *s, const struct mon_serve_address *a, struct loop *loop,
		   const char *program, mon_serve_fn page, void *ctx, char *err, size_t err_size);
void mon_serve_close(struct mon_serve *s);
/* The port that it listens on, or 0. */
uint16_t mon_serve_port(const struct mon_serve *s);
/* Ends connections whose time is over; returns when the next one's is, FC_NEVER: there is none. */
int64_t mon_serve_service(struct mon_serve *s, int64_t now_us);

#endif
