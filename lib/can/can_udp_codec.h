/* SPDX-License-Identifier: MIT */
/*
 * One CAN frame <-> one datagram of python-can's udp_multicast bus. Pure.
 *
 * The datagram is a msgpack map of a message's attributes: arbitration_id, is_extended_id, is_remote_frame,
 * is_error_frame, dlc, data, is_fd, bitrate_switch, error_state_indicator, timestamp (seconds, float),
 * channel. Reading accepts every msgpack encoding of it, in any order, with keys left out (then python-can's
 * defaults hold: identifier 0, extended, data empty, dlc the length of the data) and with keys we do not know
 * (skipped). A number may come as any integer or as a whole float, data as binary, string or array of
 * integers.
 *
 * Error frames: arbitration_id carries the error classes (the identifier without CAN_ERR_FLAG),
 * is_extended_id is set only where they need more than 11 bits.
 */
#ifndef CAN_CAN_UDP_CODEC_H
#define CAN_CAN_UDP_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include <linux/can.h>

/* Longest datagram we write. */
#define CAN_UDP_WRITE_MAX 164
/* Longest one we read; ordinary ones have under 200 bytes, a channel name may be long. */
#define CAN_UDP_READ_MAX 1024

/* Length written. time_us: of the real-time clock, for logs of others; can_dlc <= 8. */
size_t can_udp_encode(const struct can_frame *f, int64_t time_us, uint8_t out[CAN_UDP_WRITE_MAX]);
/*
 * 0; -EINVAL malformed, or no valid classical frame; -EPROTONOSUPPORT a CAN FD frame. *f untouched on
 * failure, otherwise bytes past can_dlc are 0.
 */
int can_udp_decode(const uint8_t *in, size_t len, struct can_frame *f);

#endif
