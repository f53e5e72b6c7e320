/* SPDX-License-Identifier: MIT */
/*
 * The decoder of the UDP bus under any bytes: it takes them or leaves them; what it takes is a valid frame
 * and survives being written and read again.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/can/can_udp_codec.h"

static void must(int is_true)
{
	if (!is_true)
		abort();
}

static void check_frame(const struct can_frame *f)
{
	canid_t id = f->can_id;
	uint8_t i;

	must(f->can_dlc <= CAN_MAX_DLEN);
	for (i = f->can_id & CAN_RTR_FLAG && !(id & CAN_ERR_FLAG) ? 0 : f->can_dlc; i < CAN_MAX_DLEN; i++)
		must(f->data[i] == 0);
	if (id & CAN_ERR_FLAG)
		must(!(id & (CAN_RTR_FLAG | CAN_EFF_FLAG)));
	else if (!(id & CAN_EFF_FLAG))
		must((id & CAN_EFF_MASK) <= CAN_SFF_MASK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[CAN_UDP_WRITE_MAX];
	struct can_frame f, g, untouched;
	size_t n;
	int rc;

	memset(&f, 0xee, sizeof(f));
	memset(&g, 0xee, sizeof(g));
	untouched = f;
	rc = can_udp_decode(data, size, &f);
	if (rc) {
		must(rc == -EINVAL || rc == -EPROTONOSUPPORT);
		must(memcmp(&f, &untouched, sizeof(f)) == 0);
		return 0;
	}
	check_frame(&f);
	n = can_udp_encode(&f, 1, again);
	must(n <= sizeof(again));
	must(can_udp_decode(again, n, &g) == 0);
	must(memcmp(&f, &g, sizeof(f)) == 0);
	return 0;
}
