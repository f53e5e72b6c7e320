/* SPDX-License-Identifier: MIT */
/*
 * Requests of the control socket to the vehicle controller: status, faults, get, set, stop, emergency, pause,
 * resume, clear-fault, help. Pure. Contract of machine_ops.command.
 */
#ifndef PEV_CTL_H
#define PEV_CTL_H

#include <stddef.h>
#include <stdint.h>

#include "pev-ctrl/pev_point.h"

int pev_ctl_command(struct pev_point *p, int64_t now_us, const char *line, char *answer, size_t size,
		    struct out_queue *out);

#endif
