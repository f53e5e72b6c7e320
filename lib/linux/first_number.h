/* SPDX-License-Identifier: MIT */
/* Where a process of a charge point begins to number its reports to a site (lib/core/lease_hold.h). */
#ifndef LINUX_FIRST_NUMBER_H
#define LINUX_FIRST_NUMBER_H

#include <stdint.h>

/*
 * Behind all numbers that earlier processes of this boot used, whatever happened to the wall clock; after a reboot
 * somewhere else. Where the kernel has no boot id: from the wall clock.
 */
uint32_t first_number_now(void);

#endif
