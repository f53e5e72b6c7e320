/* SPDX-License-Identifier: MIT */
/*
 * The messages that bus-log decode knows, from our own interfaces and from any .dbc, in one form made for printing:
 * where the bits are, how many decimals the number has, and every text around it ready to be copied.
 *
 * Numbers are those of the database: volts, amperes, kilowatts, degrees. A number is an integer with a decimal point:
 * (raw * mul + add) / 10^decimals, exactly. Signals that do not fit this (multiplexed, floating, odd factors) go
 * through dbc_codec.h.
 */
#ifndef MONITOR_BUS_LOG_DICT_H
#define MONITOR_BUS_LOG_DICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/can.h>

#include "dbc/dbc_codec.h"
#include "dbc/msg_map.h"
#include "monitor/bus_log_args.h"
#include "monitor/bus_log_filter.h"
#include "monitor/log_read.h"

#define DICT_MAX_FILES 8
#define DICT_MAX_SLOTS 8192 /* identifiers remembered; power of two */
#define DICT_NAME_MAX  128  /* longest name, unit or label of a database that is kept whole */

enum dict_format { DICT_TEXT, DICT_CSV, DICT_JSON };

/* A text ready to be copied, in the quotes and with the signs of the output format. */
struct dict_text {
	const char *p;
	uint32_t n;
};

struct dict_label {
	int64_t raw;
	struct dict_text text;
};

struct dict_field {
	struct dict_text before; /* of the number */
	struct dict_text unit;	 /* behind it, where there is no label */
	const struct dict_label *label;
	uint32_t n_labels;
	uint8_t shift, length; /* of the raw value in the payload as one word */
	bool is_big;	       /* the word has its most significant byte first */
	bool is_signed;
	uint8_t end; /* bytes that a frame must have for it to be there */
	uint8_t decimals;
	int64_t mul, add;
	const struct dbc_codec_signal *general; /* not NULL: only dbc_codec.h can do it */
};

struct dict_msg {
	canid_t id;
	bool has_index; /* bits 28..24 are the pistol index */
	const char *name;
	struct dict_text text; /* the name in the output format */
	struct dict_field *field;
	uint16_t n_fields;
	const struct dbc_codec_message *codec; /* of a .dbc, else NULL */
};

/* The last payload of an identifier on one channel, for --changes. */
struct dict_last {
	uint64_t payload;
	uint8_t dlc;
	bool is_known;
};

/* All about one identifier on the bus, found out when it is first seen. */
struct dict_slot {
	canid_t id;
	bool is_used;
	bool is_wanted; /* passes the filters */
	const struct dict_msg *msg;
	struct dict_last *last; /* LOG_MAX_CHANNELS of them, or NULL */
};

struct dict_cfg {
	enum dict_format format;
	bool has_evse, has_pev, has_plug, has_site;
	unsigned evse_version, pev_version;
	struct arg_list files; /* .dbc, searched before our own */
	bool is_indexed;       /* the identifiers of the files have a pistol index too */
	int index;	       /* of 29-bit identifiers only this one; -1: all */
	struct id_filter ids;  /* empty: all */
	struct arg_list names; /* of messages; empty: all */
};

struct dict {
	struct dict_cfg cfg;
	struct dict_msg *msg;
	unsigned n_msgs, n_room;
	struct dbc_db *db[DICT_MAX_FILES];
	struct dbc_codec *codec[DICT_MAX_FILES];
	unsigned n_files;
	struct dict_slot *slot;
	unsigned n_slots;
	struct dict_slot overflow; /* for identifiers beyond the table */
	struct dict_block *block;  /* memory of texts and fields */
	bool is_out_of_memory;
};

/* 0, or a negative errno with a sentence; dict_free() in either case. */
int dict_build(struct dict *d, const struct dict_cfg *cfg, char *err, size_t err_size);
void dict_free(struct dict *d);
/* Everything about an identifier; valid until the next call. Never NULL; slot->msg is NULL when nobody knows it. */
struct dict_slot *dict_find(struct dict *d, canid_t id);
/* The memory for --changes; NULL when there is none (then everything is new). */
struct dict_last *dict_last(struct dict *d, struct dict_slot *slot, unsigned channel);
/* Numbers of the first label that a raw value has, or NULL. */
const struct dict_text *dict_label(const struct dict_field *f, int64_t raw);

/* --- for dict_build(): memory that dict_free() frees, zeroed; NULL (and noted) when there is none ------------- */
void *dict_memory(struct dict *d, size_t size);
/* The next message. */
struct dict_msg *dict_add(struct dict *d, canid_t id, const char *name, unsigned n_fields);
/* Name, unit and labels of a field, dressed for the format. */
void dict_dress(struct dict *d, struct dict_field *f, const char *name, const char *unit);
void dict_dress_label(struct dict *d, struct dict_label *l, int64_t raw, const char *label);
/* bus_log_dict_own.c, bus_log_dict_dbc.c */
void dict_add_layouts(struct dict *d, const struct msg_layout *layouts, unsigned n);
int dict_add_file(struct dict *d, const char *path, char *err, size_t err_size);

static inline struct dict_slot *dict_slot(struct dict *d, canid_t id)
{
	uint32_t i = id * 0x9E3779B1u >> 19; /* the upper 13 bits: DICT_MAX_SLOTS */
	struct dict_slot *s = &d->slot[i];

	return s->is_used && s->id == id ? s : dict_find(d, id);
}

#endif
