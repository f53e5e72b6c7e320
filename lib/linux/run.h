/* SPDX-License-Identifier: MIT */
/*
 * Runs one pure machine on a bus in real time: frames in, tick when due, queue out, until the machine has
 * stopped. The process around evse-ctrl, pev-ctrl and the virtual modules.
 *
 * One wake-up is: epoll_wait, one reading of the clock, all frames that are there, the tick if due, the queue
 * in order with one send per bus, and the timer only if it must fire earlier than it is set. Nothing
 * allocates after run_open().
 *
 * run_step() is the wake-up without the waiting, for tests that bring their own clock and bus.
 */
#ifndef LINUX_RUN_H
#define LINUX_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/can/can_bus.h"
#include "lib/core/log.h"
#include "lib/core/machine.h"
#include "lib/linux/ctl_server.h"
#include "lib/linux/loop.h"
#include "lib/linux/notify.h"
#include "lib/linux/trace.h"

#define RUN_MAX_BUSES 17 /* the charge controller's and one for the driver of each pistol */
#define RUN_MAX_FDS   16

/* From the stop signal to the end; the machine's own limits are shorter. */
#define RUN_STOP_LIMIT_US (5 * INT64_C(1000000))

/* A frame of a driver's own bus. */
typedef void (*run_rx_fn)(void *ctx, int64_t now_us, uint32_t bus, const struct can_frame *frame,
			  struct out_queue *out);
/* A descriptor of a driver has input. */
typedef void (*run_io_fn)(void *ctx, int64_t now_us, struct out_queue *out);
/* Performs a queued item that is not a frame. May queue frames. */
typedef void (*run_perform_fn)(void *ctx, int64_t now_us, const struct out_item *item, struct out_queue *out);

struct run_bus {
	struct can_bus *bus;
	const char *name; /* in logs and traces: "can0" */
	run_rx_fn rx;	  /* NULL on bus 0: frames go to the machine */
	void *ctx;
	struct run *run;
	uint32_t number;
	bool is_readable;
	int64_t service_us;
	bool was_up;
	int rx_error; /* last result of receiving: 0 or a negative errno */
};

struct run_fd {
	int fd;
	run_io_fn io;
	void *ctx;
	struct run *run;
};

enum run_state { RUN_STARTING, RUN_RUNNING, RUN_STOPPING, RUN_STOPPED, RUN_FAILED };

/* Members are the runner's; the public ones are above the line. */
struct run {
	const struct machine *machine;
	struct log log;
	run_perform_fn perform; /* NULL: such items are counted as lost */
	void *perform_ctx;
	struct trace *trace;	/* NULL: none */
	struct ctl_server *ctl; /* NULL: none */
	struct notify *notify;	/* NULL: none */
	struct log_sink *sink;	/* for the request "log"; NULL: none */
	/* ---- */
	struct run_bus bus[RUN_MAX_BUSES];
	uint32_t n_buses;
	struct run_fd fd[RUN_MAX_FDS];
	uint32_t n_fds;
	enum run_state state;
	int64_t start_us;
	int64_t stop_by_us;  /* FC_NEVER until a stop was asked for */
	int64_t late_max_us; /* largest delay of a tick */
	uint64_t n_wakeups, n_ticks;
	uint64_t n_late;	/* ticks that left the machine overdue */
	uint32_t n_lost_logged; /* items lost, as last reported */
	uint32_t n_lost_items;
	struct loop loop;
	struct out_queue out;
	struct can_frame tx[OUT_QUEUE_LEN];
};

/* Clears the record. Then set the public members, add buses, and open. */
void run_init(struct run *r, const struct machine *machine, const struct log_sink *sink);
/* Adds a bus; the first is the charge controller's (rx NULL). Returns its number, or -ENOSPC. */
int run_add_bus(struct run *r, struct can_bus *bus, const char *name, run_rx_fn rx, void *ctx);
/* Adds a descriptor to poll for input. 0 or -ENOSPC. */
int run_add_fd(struct run *r, int fd, run_io_fn io, void *ctx);
/* Sets the machine's receive filters on bus 0. 0 or a negative errno. */
int run_set_filters(struct run *r);

/*
 * One wake-up at now_us. Frames are taken from the buses that poll found readable, or from all where is_all. Returns when the next one is due at the latest, FC_NEVER: only by input.
 */
int64_t run_step(struct run *r, int64_t now_us, bool is_all);
/* Asks for the ordered stop; a second time: gives up at once. */
void run_stop(struct run *r, int64_t now_us);
/*
 * One request line as of the control socket: "stats", "log LEVEL" and "quit" are the runner's, the rest goes to
 * the machine. Contract of machine_ops.command.
 */
int run_command(struct run *r, int64_t now_us, const char *line, char *answer, size_t size);
bool run_is_over(const struct run *r);

/* Real time: runs until over. 0 after an ordered stop, -ETIMEDOUT when it had to give up, or a negative errno. */
int run_loop(struct run *r, char *err, size_t err_size);

#endif
