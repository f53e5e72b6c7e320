/* SPDX-License-Identifier: MIT */
/* Where a process begins to number its reports: the kernel's boot id and the time since boot. */
#include "lib/linux/first_number.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <forecourt/units.h>

#include "lib/core/lease_hold.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static int64_t clock_us(clockid_t clock)
{
	struct timespec t = {0};

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * FC_US_PER_S + t.tv_nsec / 1000;
}

uint32_t first_number_now(void)
{
	char id[64];
	int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, id, sizeof(id));
	uint32_t hash = 2166136261u; /* FNV-1a */

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return lease_hold_first_number(0, clock_us(CLOCK_REALTIME));
	for (ssize_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)id[i]) * 16777619u;
	return lease_hold_first_number(hash, clock_us(CLOCK_BOOTTIME));
}
