/* SPDX-License-Identifier: MIT */
/*
 * Any signal of any database at run time: payload <-> physical values (double) and raw values. Pure.
 *
 * A struct dbc_codec is built once from a parsed database (dbc_table.h); nothing here allocates. Signals that
 * fit the usual pattern (up to 48 bits, no float) are converted four at a time from precomputed constants.
 */
#ifndef DBC_CODEC_H
#define DBC_CODEC_H

#include "dbc/dbc_parse.h"

#define DBC_LANES 4

/* Constants of up to four neighbouring signals within one 64-bit word of the payload. */
struct dbc_decode_group {
	uint64_t left[DBC_LANES], right[DBC_LANES]; /* shifts that cut the raw value out of the word */
	uint64_t flip[DBC_LANES];		    /* sign bit, and exponent that makes it a double */
	double bias[DBC_LANES], factor[DBC_LANES], offset[DBC_LANES];
};

struct dbc_encode_group {
	double offset[DBC_LANES], inverse[DBC_LANES], low[DBC_LANES], high[DBC_LANES];
	uint64_t mask[DBC_LANES], shift[DBC_LANES];
	int64_t live[DBC_LANES]; /* -1: lane in use */
};

struct dbc_group_place {
	uint16_t first;	 /* signal of the first lane */
	uint8_t n, byte; /* lanes in use; first byte of the word */
	bool is_big;	 /* word is read with the most significant byte first */
};

struct dbc_codec_signal {
	const struct dbc_signal *def;
	double factor, offset, inverse;
	int64_t raw_min;  /* of signed signals */
	uint64_t raw_max; /* fits int64_t where signed */
	const struct dbc_range *mux;
	int16_t parent; /* DBC_NO_PARENT: always present */
	uint16_t n_mux;
	uint16_t end;	/* bytes that a frame must have for it to be there */
	uint8_t byte;	/* first byte of the word that holds it */
	uint8_t shift;	/* of its least significant bit in that word */
	uint8_t length; /* 1..64; 0: cannot be coded (does not fit, length out of range) */
	uint8_t level;	/* depth of multiplexing */
	uint8_t number; /* enum dbc_number */
	bool is_big, is_signed;
	bool has_ninth; /* reaches into the byte behind the word */
	bool is_fast;	/* done by a group */
};

struct dbc_codec_message {
	/* All values; see dbc_decode. */
	void (*decode)(const struct dbc_codec_message *m, const uint8_t *data, double *values);
	unsigned (*encode)(const struct dbc_codec_message *m, const double *values, uint8_t *data);
	const struct dbc_decode_group *decode_groups;
	const struct dbc_encode_group *encode_groups;
	const struct dbc_group_place *places;
	const struct dbc_codec_signal *signals; /* in the order of the database */
	const struct dbc_message *def;
	uint16_t n_signals, n_groups, n_slow, max_level;
	uint16_t n_values; /* room that decode needs: n_signals and some lanes */
	uint8_t n_bytes;   /* of payload read and written: multiple of 8, at most 64 */
};

struct dbc_codec_slot {
	uint32_t raw_id, ref; /* ref: message + 1; 0: free */
};

struct dbc_codec {
	const struct dbc_codec_slot *slots;
	const struct dbc_codec_message *messages; /* as in the database */
	uint32_t n_messages;
	uint8_t shift; /* hash: upper bits of id * DBC_CODEC_HASH */
	uint32_t mask;
	uint16_t max_values; /* largest n_values of all */
};

#define DBC_CODEC_HASH 0x9E3779B1u

/* Message of an identifier as in the database (bit 31: 29-bit identifier), or NULL. */
static inline const struct dbc_codec_message *dbc_codec_find(const struct dbc_codec *c, uint32_t raw_id)
{
	uint32_t i = (uint32_t)(raw_id * DBC_CODEC_HASH) >> c->shift;

	for (; c->slots[i].ref; i = (i + 1) & c->mask)
		if (c->slots[i].raw_id == raw_id)
			return &c->messages[c->slots[i].ref - 1];
	return NULL;
}

/*
 * Physical values of all signals, in the order of the database: raw * factor + offset. data: n_bytes of
 * payload, zeros behind the end of a short frame. values: room for n_values. Signals that are not present
 * (see dbc_is_present) get what their bits would mean; those that cannot be coded get 0.
 */
static inline void dbc_decode(const struct dbc_codec_message *m, const uint8_t *data, double *values)
{
	m->decode(m, data, values);
}

/*
 * Payload of n_bytes from n_values physical values (those beyond n_signals do not matter, but are read):
 * nearest raw value, clamped to what the field holds; the rest of the payload is 0. Of multiplexed signals
 * only those are written that the multiplexors select. Returns how many values had to be clamped; not a
 * number counts as one and gives the lowest value (but is kept by float signals).
 */
static inline unsigned dbc_encode(const struct dbc_codec_message *m, const double *values, uint8_t *data)
{
	return m->encode(m, values, data);
}

/* Is the signal in a frame of len bytes (data: n_bytes), by length and by its multiplexors? */
bool dbc_is_present(const struct dbc_codec_message *m, unsigned signal, const uint8_t *data, size_t len);

/* Raw value: signed ones extended; floats as their bits. data: n_bytes of the message. */
uint64_t dbc_raw_read(const struct dbc_codec_signal *s, const uint8_t *data);
/* Puts the lower bits of raw into the payload; other bits stay. */
void dbc_raw_write(const struct dbc_codec_signal *s, uint8_t *data, uint64_t raw);
double dbc_raw_to_physical(const struct dbc_codec_signal *s, uint64_t raw);
/* Nearest raw value, clamped; true if it had to be. */
bool dbc_physical_to_raw(const struct dbc_codec_signal *s, double value, uint64_t *raw);

/* The implementations that dbc_table.c chooses from. */
void dbc_decode_plain(const struct dbc_codec_message *m, const uint8_t *data, double *values);
unsigned dbc_encode_plain(const struct dbc_codec_message *m, const double *values, uint8_t *data);
void dbc_decode_any(const struct dbc_codec_message *m, const uint8_t *data, double *values);
unsigned dbc_encode_any(const struct dbc_codec_message *m, const double *values, uint8_t *data);
#if defined(__x86_64__)
/* For processors with AVX2: one word, or one word with one or two groups. */
void dbc_decode_avx2(const struct dbc_codec_message *m, const uint8_t *data, double *values);
void dbc_decode_avx2_1(const struct dbc_codec_message *m, const uint8_t *data, double *values);
void dbc_decode_avx2_2(const struct dbc_codec_message *m, const uint8_t *data, double *values);
unsigned dbc_encode_avx2(const struct dbc_codec_message *m, const double *values, uint8_t *data);
unsigned dbc_encode_avx2_1(const struct dbc_codec_message *m, const double *values, uint8_t *data);
#endif

#endif
