/* SPDX-License-Identifier: MIT */
/*
 * One CAN frame <-> one datagram of python-can's udp_multicast bus. Pure.
 */
#include "lib/can/can_udp_codec.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* First bytes of msgpack values. */
enum {
	MP_FIXMAP = 0x80,
	MP_FIXARRAY = 0x90,
	MP_FIXSTR = 0xa0,
	MP_NIL = 0xc0,
	MP_NEVER = 0xc1, /* never used by the format */
	MP_FALSE = 0xc2,
	MP_TRUE = 0xc3,
	MP_BIN8 = 0xc4,
	MP_EXT8 = 0xc7,
	MP_FLOAT32 = 0xca,
	MP_FLOAT64 = 0xcb,
	MP_UINT8 = 0xcc,
	MP_UINT32 = 0xce,
	MP_INT8 = 0xd0,
	MP_FIXEXT1 = 0xd4,
	MP_STR8 = 0xd9,
	MP_ARRAY16 = 0xdc,
	MP_MAP16 = 0xde,
	MP_NEGATIVE = 0xe0,
};

/* --- reading -------------------------------------------------------------------------------------------- */

struct reader {
	const uint8_t *at, *end;
};

enum mp_type { MP_T_NIL, MP_T_BOOL, MP_T_INT, MP_T_FLOAT, MP_T_BYTES, MP_T_ARRAY, MP_T_MAP, MP_T_EXT };

struct mp_value {
	enum mp_type type;
	bool is_negative;     /* INT, FLOAT: then number tells zero from others only */
	bool is_whole;	      /* FLOAT: number holds it exactly */
	bool is_zero;	      /* FLOAT */
	uint64_t number;      /* BOOL, INT, FLOAT; entries of an ARRAY or MAP */
	const uint8_t *bytes; /* BYTES: a string or binary */
	size_t n_bytes;
};

static bool take_big_endian(struct reader *r, size_t n, uint64_t *value)
{
	uint64_t v = 0;
	size_t i;

	if ((size_t)(r->end - r->at) < n)
		return false;
	for (i = 0; i < n; i++)
		v = v << 8 | *r->at++;
	*value = v;
	return true;
}

static bool take_bytes(struct reader *r, uint64_t n, struct mp_value *v)
{
	if ((uint64_t)(r->end - r->at) < n)
		return false;
	v->bytes = r->at;
	v->n_bytes = (size_t)n;
	r->at += n;
	return true;
}

static bool take_signed(struct reader *r, size_t n, struct mp_value *v)
{
	v->type = MP_T_INT;
	if (!take_big_endian(r, n, &v->number))
		return false;
	v->is_negative = v->number >> (8 * n - 1) != 0;
	return true;
}

/* Only whole numbers from 0 to 2^53 matter; the comparison is false for NaN, too. */
static void set_float(struct mp_value *v, double d)
{
	v->type = MP_T_FLOAT;
	v->is_zero = !(d < 0 || d > 0) && d >= 0;
	v->is_negative = d < 0;
	v->is_whole = d >= 0 && d <= 9007199254740992.0 && (double)(uint64_t)d >= d;
	v->number = v->is_whole ? (uint64_t)d : 0;
}

static bool take_float(struct reader *r, size_t n, struct mp_value *v)
{
	uint64_t raw;
	uint32_t raw32;
	double d;
	float f;

	if (!take_big_endian(r, n, &raw))
		return false;
	if (n == 4) {
		raw32 = (uint32_t)raw;
		memcpy(&f, &raw32, sizeof(f));
		d = (double)f;
	} else {
		memcpy(&d, &raw, sizeof(d));
	}
	set_float(v, d);
	return true;
}

/* A length of n bytes, then that many payload bytes and `extra` more (the type byte of an extension). */
static bool take_sized(struct reader *r, size_t n, uint64_t extra, enum mp_type type, struct mp_value *v)
{
	uint64_t length;

	v->type = type;
	return take_big_endian(r, n, &length) && take_bytes(r, length + extra, v);
}

static bool take_count(struct reader *r, size_t n, enum mp_type type, struct mp_value *v)
{
	v->type = type;
	return take_big_endian(r, n, &v->number);
}

/* Values whose first byte is 0xc0 to 0xdf. */
static bool take_marked(struct reader *r, uint8_t mark, struct mp_value *v)
{
	if (mark == MP_NEVER)
		return false;
	if (mark == MP_NIL)
		return true;
	if (mark <= MP_TRUE) {
		v->type = MP_T_BOOL;
		v->number = mark == MP_TRUE;
		return true;
	}
	if (mark < MP_EXT8)
		return take_sized(r, (size_t)1 << (mark - MP_BIN8), 0, MP_T_BYTES, v);
	if (mark < MP_FLOAT32)
		return take_sized(r, (size_t)1 << (mark - MP_EXT8), 1, MP_T_EXT, v);
	if (mark < MP_UINT8)
		return take_float(r, mark == MP_FLOAT32 ? 4 : 8, v);
	if (mark < MP_INT8)
		return take_count(r, (size_t)1 << (mark - MP_UINT8), MP_T_INT, v);
	if (mark < MP_FIXEXT1)
		return take_signed(r, (size_t)1 << (mark - MP_INT8), v);
	if (mark < MP_STR8) {
		v->type = MP_T_EXT;
		return take_bytes(r, ((uint64_t)1 << (mark - MP_FIXEXT1)) + 1, v);
	}
	if (mark < MP_ARRAY16)
		return take_sized(r, (size_t)1 << (mark - MP_STR8), 0, MP_T_BYTES, v);
	if (mark < MP_MAP16)
		return take_count(r, (size_t)2 << (mark - MP_ARRAY16), MP_T_ARRAY, v);
	return take_count(r, (size_t)2 << (mark - MP_MAP16), MP_T_MAP, v);
}

/* The next value; of an array or map only its head. False: cut short or not msgpack. */
static bool take_value(struct reader *r, struct mp_value *v)
{
	uint8_t mark;

	memset(v, 0, sizeof(*v));
	if (r->at == r->end)
		return false;
	mark = *r->at++;
	v->type = MP_T_NIL;
	if (mark >= MP_NEGATIVE) {
		v->type = MP_T_INT;
		v->is_negative = true;
		v->number = mark;
		return true;
	}
	if (mark >= MP_NIL)
		return take_marked(r, mark, v);
	if (mark >= MP_FIXSTR) {
		v->type = MP_T_BYTES;
		return take_bytes(r, mark & 0x1f, v);
	}
	v->type = mark >= MP_FIXARRAY ? MP_T_ARRAY : mark >= MP_FIXMAP ? MP_T_MAP : MP_T_INT;
	v->number = mark >= MP_FIXMAP ? mark & 0x0f : mark;
	return true;
}

/* Skips what is left of a value whose head was taken; no recursion, so nesting costs nothing. */
static bool skip_rest(struct reader *r, const struct mp_value *head)
{
	struct mp_value v = *head;
	uint64_t left = 0;

	for (;;) {
		if (v.type == MP_T_ARRAY)
			left += v.number;
		else if (v.type == MP_T_MAP)
			left += 2 * v.number;
		if (left == 0)
			return true;
		left--;
		if (!take_value(r, &v))
			return false;
	}
}

/* The attributes of a message, as far as they matter. */
struct message {
	uint64_t id, dlc;
	bool has_dlc;
	bool is_extended, is_remote, is_error, is_fd, is_bitrate_switch, is_error_state;
	size_t n_data;
	uint8_t data[CANFD_MAX_DLEN];
};

static bool value_to_number(const struct mp_value *v, uint64_t *number)
{
	if ((v->type != MP_T_INT || v->is_negative) && (v->type != MP_T_FLOAT || !v->is_whole))
		return false;
	*number = v->number;
	return true;
}

static bool value_to_bool(const struct mp_value *v, bool *flag)
{
	switch (v->type) {
	case MP_T_NIL:
		*flag = false;
		return true;
	case MP_T_BOOL:
	case MP_T_INT:
		*flag = v->number != 0;
		return true;
	case MP_T_FLOAT:
		*flag = !v->is_zero;
		return true;
	case MP_T_BYTES:
	case MP_T_ARRAY:
	case MP_T_MAP:
	case MP_T_EXT:
		break;
	}
	return false;
}

static bool read_data(struct reader *r, const struct mp_value *v, struct message *m)
{
	struct mp_value element;
	uint64_t i, byte;

	m->n_data = 0;
	if (v->type == MP_T_NIL)
		return true;
	if (v->type == MP_T_BYTES) {
		if (v->n_bytes > sizeof(m->data))
			return false;
		memcpy(m->data, v->bytes, v->n_bytes);
		m->n_data = v->n_bytes;
		return true;
	}
	if (v->type != MP_T_ARRAY || v->number > sizeof(m->data))
		return false;
	for (i = 0; i < v->number; i++) {
		if (!take_value(r, &element) || !value_to_number(&element, &byte) || byte > 255)
			return false;
		m->data[i] = (uint8_t)byte;
	}
	m->n_data = (size_t)v->number;
	return true;
}

static bool key_is(const struct mp_value *key, const char *name)
{
	return key->type == MP_T_BYTES && key->n_bytes == strlen(name) &&
	       memcmp(key->bytes, name, key->n_bytes) == 0;
}

static bool read_dlc(const struct mp_value *v, struct message *m)
{
	m->has_dlc = v->type != MP_T_NIL;
	return !m->has_dlc || value_to_number(v, &m->dlc);
}

static bool read_attribute(struct reader *r, const struct mp_value *key, struct message *m)
{
	struct mp_value v;

	if (!take_value(r, &v))
		return false;
	if (key_is(key, "arbitration_id"))
		return value_to_number(&v, &m->id);
	if (key_is(key, "dlc"))
		return read_dlc(&v, m);
	if (key_is(key, "data"))
		return read_data(r, &v, m);
	if (key_is(key, "is_extended_id"))
		return value_to_bool(&v, &m->is_extended);
	if (key_is(key, "is_remote_frame"))
		return value_to_bool(&v, &m->is_remote);
	if (key_is(key, "is_error_frame"))
		return value_to_bool(&v, &m->is_error);
	if (key_is(key, "is_fd"))
		return value_to_bool(&v, &m->is_fd);
	if (key_is(key, "bitrate_switch"))
		return value_to_bool(&v, &m->is_bitrate_switch);
	if (key_is(key, "error_state_indicator"))
		return value_to_bool(&v, &m->is_error_state);
	return skip_rest(r, &v); /* timestamp and channel too: the receiver has its own */
}

/* The rules of a valid message, those of python-can's own check. */
static int message_to_frame(const struct message *m, struct can_frame *f)
{
	uint64_t dlc = m->has_dlc ? m->dlc : m->n_data;

	if (m->is_fd)
		return -EPROTONOSUPPORT;
	if (m->is_bitrate_switch || m->is_error_state || (m->is_remote && m->is_error))
		return -EINVAL;
	if (m->id > (m->is_extended ? CAN_EFF_MASK : CAN_SFF_MASK) || dlc > CAN_MAX_DLEN)
		return -EINVAL;
	if (!m->is_remote && dlc != m->n_data)
		return -EINVAL;
	memset(f, 0, sizeof(*f));
	f->can_id = (canid_t)m->id;
	if (m->is_error)
		f->can_id |= CAN_ERR_FLAG;
	else if (m->is_extended)
		f->can_id |= CAN_EFF_FLAG;
	f->can_dlc = (uint8_t)dlc;
	if (m->is_remote)
		f->can_id |= CAN_RTR_FLAG;
	else
		memcpy(f->data, m->data, m->n_data);
	return 0;
}

int can_udp_decode(const uint8_t *in, size_t len, struct can_frame *f)
{
	struct reader r = {in, in + len};
	struct message m;
	struct mp_value map, key;
	uint64_t i;

	if (len > CAN_UDP_READ_MAX || !take_value(&r, &map) || map.type != MP_T_MAP)
		return -EINVAL;
	memset(&m, 0, sizeof(m));
	m.is_extended = true;
	for (i = 0; i < map.number; i++) {
		if (!take_value(&r, &key) || !skip_rest(&r, &key))
			return -EINVAL;
		if (!read_attribute(&r, &key, &m))
			return -EINVAL;
	}
	if (r.at != r.end)
		return -EINVAL;
	return message_to_frame(&m, f);
}

/* --- writing -------------------------------------------------------------------------------------------- */

static uint8_t *put_key(uint8_t *at, const char *name, size_t len)
{
	*at++ = (uint8_t)(MP_FIXSTR | len);
	memcpy(at, name, len);
	return at + len;
}

#define PUT_KEY(at, name) put_key(at, "" name, sizeof(name) - 1)

static uint8_t *put_bool(uint8_t *at, bool flag)
{
	*at++ = flag ? MP_TRUE : MP_FALSE;
	return at;
}

static uint8_t *put_big_endian(uint8_t *at, uint64_t value, unsigned n)
{
	while (n-- > 0)
		*at++ = (uint8_t)(value >> (8 * n));
	return at;
}

static uint8_t *put_seconds(uint8_t *at, int64_t time_us)
{
	double seconds = (double)time_us / 1e6;
	uint64_t raw;

	memcpy(&raw, &seconds, sizeof(raw));
	*at++ = MP_FLOAT64;
	return put_big_endian(at, raw, 8);
}

size_t can_udp_encode(const struct can_frame *f, int64_t time_us, uint8_t out[CAN_UDP_WRITE_MAX])
{
	bool is_error = (f->can_id & CAN_ERR_FLAG) != 0;
	bool is_remote = !is_error && f->can_id & CAN_RTR_FLAG;
	uint32_t id = f->can_id & (is_error || f->can_id & CAN_EFF_FLAG ? CAN_EFF_MASK : CAN_SFF_MASK);
	bool is_extended = is_error ? id > CAN_SFF_MASK : (f->can_id & CAN_EFF_FLAG) != 0;
	uint8_t dlc = f->can_dlc <= CAN_MAX_DLEN ? f->can_dlc : CAN_MAX_DLEN;
	uint8_t n_data = is_remote ? 0 : dlc;
	uint8_t *at = out;

	*at++ = MP_FIXMAP | 11;
	at = put_seconds(PUT_KEY(at, "timestamp"), time_us);
	at = PUT_KEY(at, "arbitration_id");
	*at++ = MP_UINT32;
	at = put_big_endian(at, id, 4);
	at = put_bool(PUT_KEY(at, "is_extended_id"), is_extended);
	at = put_bool(PUT_KEY(at, "is_remote_frame"), is_remote);
	at = put_bool(PUT_KEY(at, "is_error_frame"), is_error);
	at = PUT_KEY(at, "channel");
	*at++ = MP_NIL;
	at = PUT_KEY(at, "dlc");
	*at++ = dlc;
	at = PUT_KEY(at, "data");
	*at++ = MP_BIN8;
	*at++ = n_data;
	memcpy(at, f->data, n_data);
	at += n_data;
	at = put_bool(PUT_KEY(at, "is_fd"), false);
	at = put_bool(PUT_KEY(at, "bitrate_switch"), false);
	at = put_bool(PUT_KEY(at, "error_state_indicator"), false);
	return (size_t)(at - out);
}
