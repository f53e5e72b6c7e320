/* SPDX-License-Identifier: MIT */
/*
 * Length of a classical frame on the wire and its rank in arbitration (ISO 11898-1). Pure; header only.
 */
#ifndef CAN_CAN_FRAME_BITS_H
#define CAN_CAN_FRAME_BITS_H

#include <stdint.h>

#include <linux/can.h>

/* Between frames: the bus counts as busy for this long after the end of one. */
#define CAN_INTERFRAME_BITS 3

enum can_stuffing {
	CAN_STUFFING_NONE,  /* nominal length, no stuff bits: the shortest a frame can be */
	CAN_STUFFING_WORST, /* a stuff bit wherever one is possible: the longest */
};

/*
 * Bits from start of frame to end of frame, interframe space not included. Fixed part: 44 (11-bit identifier)
 * or 64 (29-bit); stuffing covers start of frame to the check sum, 34 or 54 bits and the data, one bit in
 * four after the first.
 */
static inline unsigned can_frame_bits(const struct can_frame *f, enum can_stuffing stuffing)
{
	unsigned n_data = f->can_id & CAN_RTR_FLAG ? 0 : 8u * f->can_dlc;
	unsigned fixed = f->can_id & CAN_EFF_FLAG ? 64 : 44;
	unsigned stuffed = fixed - 10 + n_data;

	return fixed + n_data + (stuffing == CAN_STUFFING_WORST ? (stuffed - 1) / 4 : 0);
}

/*
 * The arbitration field as a number: the lower one wins. The eleven base bits come first; then a data frame
 * beats a remote frame beats a 29-bit frame with the same base.
 */
static inline uint32_t can_frame_rank(canid_t id)
{
	uint32_t rtr = (id & CAN_RTR_FLAG) != 0;

	if (!(id & CAN_EFF_FLAG))
		return (id & CAN_SFF_MASK) << 21 | rtr << 20;
	return (id >> 18 & CAN_SFF_MASK) << 21 | 3u << 19 | (id & 0x3ffff) << 1 | rtr;
}

#endif
