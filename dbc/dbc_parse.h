/* SPDX-License-Identifier: MIT */
/*
 * A whole .dbc file in memory: nodes, messages, signals, value tables, attributes, comments, multiplexing.
 *
 * Everything is text of the file in UTF-8 (Windows-1252 is converted), owned by the struct dbc_db and freed
 * with it. Nothing is resolved that the file does not say: ranges, lengths and names may be nonsense (dbc
 * check tells). Positions ("at") are offsets that dbc_locate() turns into line and column.
 */
#ifndef DBC_PARSE_H
#define DBC_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest payload the format knows (CAN FD) and longest signal of a number. */
#define DBC_MAX_DLC    64
#define DBC_MAX_LENGTH 64
/* Bit 31 of an identifier in the file marks 29-bit identifiers, like CAN_EFF_FLAG of the kernel. */
#define DBC_EXTENDED 0x80000000u
/* Identifier of the pseudo message that collects signals without a message. */
#define DBC_INDEPENDENT_ID 0xC0000000u
#define DBC_NO_PARENT	   (-1)

enum dbc_object { DBC_NETWORK, DBC_NODE, DBC_MESSAGE, DBC_SIGNAL, DBC_ENV_VAR, DBC_RELATION };

enum dbc_attr_type { DBC_ATTR_INT, DBC_ATTR_HEX, DBC_ATTR_FLOAT, DBC_ATTR_STRING, DBC_ATTR_ENUM };

struct dbc_attr_value {
	const char *
		text; /* STRING and ENUM (label, if the number has one); NULL where only a number was given */
	double number; /* of the others, and of an ENUM */
};

struct dbc_attr_def {
	const char *name;
	enum dbc_object object;
	enum dbc_attr_type type;
	bool is_implicit; /* used but never defined */
	bool has_default;
	double min, max;
	const char *const *labels; /* of an ENUM, by number */
	uint32_t n_labels;
	struct dbc_attr_value def;
	uint32_t at;
	const struct dbc_attr_def *next;
};

/* An attribute that was set. Lists hold the newest first, so the first match is the one that counts. */
struct dbc_attr {
	const struct dbc_attr_def *def;
	struct dbc_attr_value value;
	const struct dbc_attr *next;
};

/* BA_REL_: attribute of a node together with a message, signal or environment variable. */
struct dbc_rel_attr {
	const struct dbc_attr_def *def;
	struct dbc_attr_value value;
	const char *node, *object; /* signal or variable name; "" for a message */
	uint32_t raw_id;	   /* of the message; 0 for variables */
	const struct dbc_rel_attr *next;
};

struct dbc_value {
	int64_t number; /* raw value; of an unsigned 64-bit signal reinterpreted */
	const char *name;
};

struct dbc_values {
	const struct dbc_value *list; /* in the order of the file */
	uint32_t n;
};

struct dbc_range {
	uint64_t first, last;
};

enum dbc_number { DBC_INTEGER, DBC_FLOAT32, DBC_FLOAT64 };

struct dbc_signal {
	const char *name;	    /* in full: SystemSignalLongSymbol where the file has one */
	const char *short_name;	    /* as in the SG_ line */
	const char *unit, *comment; /* comment NULL: none */
	const char *const *receivers;
	struct dbc_values values;
	double factor, offset, min, max; /* min == max == 0: no range declared */
	const struct dbc_attr *attrs;
	const struct dbc_range *mux; /* numbers of the parent that select this signal */
	uint32_t at;		     /* position of the name */
	uint16_t n_receivers, n_mux;
	uint16_t start, length;
	int16_t mux_parent; /* index of the multiplexor in the message; DBC_NO_PARENT: always present */
	bool is_motorola, is_signed, is_multiplexor;
	uint8_t number;	  /* enum dbc_number */
	uint8_t decimals; /* that a physical value can have; 255: more than 15 */
};

struct dbc_message {
	const char *name, *short_name, *comment, *sender;
	const char *const *senders; /* BO_TX_BU_ */
	struct dbc_signal *signals; /* in the order of the file */
	const struct dbc_attr *attrs;
	uint32_t raw_id; /* as in the file */
	uint32_t id;	 /* without flag */
	uint32_t at;
	uint16_t n_senders, n_signals;
	uint16_t dlc;
	bool is_extended, is_independent;
};

struct dbc_node {
	const char *name, *short_name, *comment;
	const struct dbc_attr *attrs;
};

struct dbc_table {
	const char *name;
	struct dbc_values values;
	const struct dbc_table *next;
};

struct dbc_env_var {
	const char *name, *unit, *access, *comment;
	const char *const *nodes;
	double min, max, initial;
	struct dbc_values values;
	const struct dbc_attr *attrs;
	struct dbc_env_var *next;
	uint32_t type, id, data_size, n_nodes;
};

struct dbc_signal_group {
	const char *name;
	const char *const *signals;
	uint32_t raw_id, repetitions, n_signals;
	const struct dbc_signal_group *next;
};

/*
 * Something odd that did not stop the parser: reference to an unknown signal, missing semicolon, skipped
 * line.
 */
struct dbc_note {
	const char *text;
	uint32_t at;
	const struct dbc_note *next;
};

struct dbc_db {
	const char *file; /* name for messages */
	const char *version, *comment;
	struct dbc_node *nodes;
	struct dbc_message *messages;
	const struct dbc_table *tables;
	const struct dbc_attr_def *attr_defs;
	const struct dbc_attr *attrs; /* of the network */
	const struct dbc_rel_attr *rel_attrs;
	struct dbc_env_var *env_vars;
	const struct dbc_signal_group *groups;
	const struct dbc_note *notes; /* in order of position, at most DBC_MAX_NOTES */
	uint32_t n_nodes, n_messages, n_signals, n_notes;
	bool was_cp1252;
	struct dbc_inside *inside; /* memory and indexes */
};

#define DBC_MAX_NOTES 1000

struct dbc_error {
	unsigned line, column; /* from 1; 0: not about a place in the file. Columns count characters */
	char text[320];	       /* "file:line:column: sentence" */
};

/*
 * Parses len bytes; file names them in messages. 0: *db is the database, free it with dbc_free. -EINVAL: not
 * a database, -ENOMEM, -EFBIG (1 GiB and more): error filled, *db untouched. The text is copied.
 */
int dbc_parse(const char *text, size_t len, const char *file, struct dbc_db **db, struct dbc_error *error);
/* Reads and parses a file; also the negative errno of opening or reading it. */
int dbc_parse_file(const char *path, struct dbc_db **db, struct dbc_error *error);
void dbc_free(struct dbc_db *db);

/* By identifier as in the file (with DBC_EXTENDED); NULL: none. The first of several. */
const struct dbc_message *dbc_find_message(const struct dbc_db *db, uint32_t raw_id);
/* By full or short name; NULL: none. */
const struct dbc_message *dbc_find_message_name(const struct dbc_db *db, const char *name);
const struct dbc_signal *dbc_find_signal(const struct dbc_message *m, const char *name);
/* Value set in a list, else the default of the definition; NULL: neither. */
const struct dbc_attr_value *dbc_find_attr(const struct dbc_db *db, const struct dbc_attr *attrs,
					   const char *name);
/* Name of a raw value; NULL: none or empty. */
const char *dbc_value_name(const struct dbc_signal *s, int64_t number);
/* GenMsgCycleTime in ms; 0: none. */
unsigned dbc_cycle_ms(const struct dbc_db *db, const struct dbc_message *m);
void dbc_locate(const struct dbc_db *db, uint32_t at, unsigned *line, unsigned *column);

#endif
