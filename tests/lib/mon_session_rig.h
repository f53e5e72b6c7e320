/* SPDX-License-Identifier: MIT */
/*
 * A whole session of the simulators in virtual time, heard by two models: [0] the charger's interface, [1]
 * the vehicle's.
 */
#ifndef TESTS_MON_SESSION_RIG_H
#define TESTS_MON_SESSION_RIG_H

#include "monitor/mon_model.h"

struct mon_session_rig {
	struct mon_model model[2];
	struct mon_sink sink[2]; /* set before the run; may be empty */
	int64_t next_us;
	/* Called every 100 ms, after both models were ticked. NULL: not. */
	void (*each)(void *ctx, struct mon_session_rig *r);
	void *ctx;
};

/*
 * settings: "secc.free_service=false" and the like, up to a NULL. Runs until the charger's module is idle
 * again.
 */
void mon_session_rig_run(struct mon_session_rig *r, const char *const *settings);

#endif
