/* SPDX-License-Identifier: MIT */
/*
 * What dbc2c generates for a family of databases (several versions of one interface), and how to use it.
 * Pure.
 *
 * One C struct per message covers all versions, in our units (integers, milli-units, suffix in the name). A
 * layout is one message in one version. A signal that a version lacks keeps its value on unpack and is not
 * sent on pack.
 */
#ifndef DBC_MSG_MAP_H
#define DBC_MSG_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <linux/can.h>

/* One signal of a layout, for generic tools and tests. Member value = raw * num / den + add, exactly. */
struct msg_field {
	const char *signal; /* name in the database */
	const char *member; /* name of the struct member, with unit suffix */
	uint16_t offset;    /* of the member in the struct */
	uint8_t size;	    /* of the member: 1, 2, 4 or 8 bytes */
	bool is_member_signed;
	uint8_t start_bit, length;
	bool is_signed; /* raw value on the wire */
	int32_t num, den, add;
	const struct msg_value *values; /* value table; NULL: none */
	uint16_t n_values;
};

struct msg_value {
	int64_t number;
	const char *name;
};

struct msg_layout {
	const char *name;  /* of the message, as in the database */
	canid_t id;	   /* with CAN_EFF_FLAG for 29-bit; index 0 */
	uint8_t dlc;	   /* sent length; 0: the version has no such message */
	uint16_t cycle_ms; /* 0: event */
	/*
	 * Struct to payload: rounds to nearest, saturates at the raw range; returns how many members had to
	 * be clipped. Unassigned bits are 0. All 8 bytes are written.
	 */
	unsigned (*pack)(uint8_t data[8], const void *msg);
	/* Payload (8 bytes, zero-padded by the caller where shorter) to struct. */
	void (*unpack)(void *msg, const uint8_t data[8]);
	/* Bit i set: field i carries a number that is not in its value table. */
	uint32_t (*unknown)(const void *msg);
	const struct msg_field *fields;
	uint16_t n_fields;
	uint16_t msg_size; /* sizeof the struct */
};

/* Shift and mask of the pistol index in a 29-bit identifier. */
#define MSG_INDEX_SHIFT 24
#define MSG_INDEX_MASK	0x1f000000u

/* For branches that hardly ever happen. */
#define MSG_UNLIKELY(x) __builtin_expect(!!(x), 0)

static inline uint64_t msg_load64(const uint8_t data[8])
{
	uint64_t w;

	memcpy(&w, data, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	w = __builtin_bswap64(w);
#endif
	return w;
}

static inline void msg_store64(uint8_t data[8], uint64_t w)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	w = __builtin_bswap64(w);
#endif
	memcpy(data, &w, 8);
}

/* The pistol index of a 29-bit identifier; 0 for 11-bit ones. */
static inline unsigned msg_index(canid_t id)
{
	return id & CAN_EFF_FLAG ? (id & MSG_INDEX_MASK) >> MSG_INDEX_SHIFT : 0;
}

/* The identifier as PREFIX_find() wants it: index 0, flag kept. 11-bit identifiers stay as they are. */
static inline canid_t msg_base_id(canid_t id)
{
	return id & CAN_EFF_FLAG ? id & ~(canid_t)MSG_INDEX_MASK : id;
}

/* Any member by its descriptor. An unsigned 64-bit member above INT64_MAX comes back negative. */
static inline int64_t msg_field_read(const struct msg_field *f, const void *msg)
{
	const uint8_t *p = (const uint8_t *)msg + f->offset;

	switch (f->size) {
	case 1:
		return f->is_member_signed ? *(const int8_t *)p : *p;
	case 2: {
		uint16_t v;

		memcpy(&v, p, 2);
		return f->is_member_signed ? (int16_t)v : v;
	}
	case 4: {
		uint32_t v;

		memcpy(&v, p, 4);
		return f->is_member_signed ? (int32_t)v : (int64_t)v;
	}
	default: {
		int64_t v;

		memcpy(&v, p, 8);
		return v;
	}
	}
}

/* Numbers that the member cannot hold lose their upper bits. */
static inline void msg_field_write(const struct msg_field *f, void *msg, int64_t number)
{
	uint8_t *p = (uint8_t *)msg + f->offset;
	uint8_t v1 = (uint8_t)number;
	uint16_t v2 = (uint16_t)number;
	uint32_t v4 = (uint32_t)number;

	memcpy(p,
	       f->size == 1   ? (const void *)&v1
	       : f->size == 2 ? (const void *)&v2
	       : f->size == 4 ? (const void *)&v4
			      : (const void *)&number,
	       f->size);
}

/* Name of a member's value; NULL: it has none. */
static inline const char *msg_value_name(const struct msg_field *f, int64_t number)
{
	for (unsigned i = 0; i < f->n_values; i++)
		if (f->values[i].number == number)
			return f->values[i].name[0] ? f->values[i].name : NULL;
	return NULL;
}

static inline bool msg_exists(const struct msg_layout *l)
{
	return l->dlc != 0;
}

/* Struct to frame, with the pistol index (0 where the interface has none). Returns the clipped count. */
static inline unsigned msg_to_frame(const struct msg_layout *l, const void *msg, unsigned index,
				    struct can_frame *f)
{
	memset(f, 0, sizeof(*f));
	f->can_id = l->id | (canid_t)index << MSG_INDEX_SHIFT;
	f->can_dlc = l->dlc;
	return l->pack(f->data, msg);
}

/*
 * Frame to struct. False when the frame is shorter than min_dlc (leave *msg alone); a longer one counts with
 * its leading bytes. The caller has matched the identifier.
 */
static inline bool msg_from_frame(const struct msg_layout *l, void *msg, const struct can_frame *f,
				  unsigned min_dlc)
{
	uint8_t data[8] = {0};

	if (f->can_dlc < min_dlc || f->can_dlc > 8)
		return false;
	memcpy(data, f->data, f->can_dlc < l->dlc ? f->can_dlc : l->dlc);
	l->unpack(msg, data);
	return true;
}

#endif
