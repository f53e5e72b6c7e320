/* SPDX-License-Identifier: MIT */
/*
 * The contactors as a machine of their own: closing with a time limit, opening in order (request 0 A, wait for
 * low current, open; by force when the wait ends), welding found by feedback. Pure.
 *
 * It decides what to command; whether a close command may leave is the guard's decision, not this one's.
 */
#ifndef PEV_CONTACTORS_H
#define PEV_CONTACTORS_H

#include <stdbool.h>
#include <stdint.h>

enum pev_contactor_state {
	PEV_K_OPEN,
	PEV_K_CLOSING, /* commanded closed, feedback not there yet */
	PEV_K_CLOSED,
	PEV_K_SHEDDING, /* still closed; 0 A is requested and low current awaited */
	PEV_K_OPENING,	/* commanded open, feedback not there yet */
};

enum pev_contactor_want {
	PEV_WANT_OPEN,	   /* in order */
	PEV_WANT_OPEN_NOW, /* under load too */
	PEV_WANT_HOLD,	   /* stay closed, but do not close */
	PEV_WANT_CLOSED,
};

enum pev_contactor_event { /* bits: what one step found */
			   PEV_K_EV_NOT_CLOSING = 1 << 0,
			   PEV_K_EV_WELDED = 1 << 1,
			   PEV_K_EV_OPENED_BY_ITSELF = 1 << 2,
			   PEV_K_EV_FORCED = 1 << 3, /* opened above the current limit */
};

struct pev_contactor_input {
	enum pev_contactor_want want;
	int32_t feedback;    /* 1 closed, 0 open, -1 unknown or stale */
	bool is_current_low; /* measured, fresh and below the opening limit */
};

struct pev_contactors {
	enum pev_contactor_state state;
	int64_t due_us;	      /* end of the present wait; FC_NEVER: none */
	int64_t timeout_us;   /* command to feedback */
	int64_t shed_wait_us; /* longest wait for low current */
	bool is_closed;	      /* commanded */
	bool is_urgent;	      /* the open command may act under load */
	bool is_welded;	      /* feedback closed although open */
};

/* Starts with an open command whose feedback is awaited: what was before us is unknown. */
void pev_contactors_init(struct pev_contactors *k, int64_t now_us, int64_t timeout_us, int64_t shed_wait_us);
/* One step; returns enum pev_contactor_event bits. is_closed and is_urgent hold the new command. */
uint32_t pev_contactors_step(struct pev_contactors *k, int64_t now_us, const struct pev_contactor_input *in);
/* The guard refused to close or to stay closed: back to open at once. */
void pev_contactors_refused(struct pev_contactors *k, int64_t now_us);
const char *pev_contactors_name(enum pev_contactor_state state);

#endif
