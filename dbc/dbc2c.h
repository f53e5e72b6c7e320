/* SPDX-License-Identifier: MIT */
/*
 * Inside of dbc2c: the merged model of a family of databases, and text that grows. Build-time only; every
 * failure ends the program.
 */
#ifndef DBC2C_H
#define DBC2C_H

#include "dbc/dbc_parse.h"

#include <stdarg.h>

#define GEN_MAX_VERSIONS 16

struct text {
	char *s;
	size_t len, cap;
};

/* One number of a value table; name is the enumerator's last part, NULL where the label is empty. */
struct gen_value {
	int64_t number;
	char *name;
	int version; /* newest that has it */
};

struct gen_member {
	char *base;	  /* snake case, without unit; names the enum */
	char *name;	  /* with unit suffix */
	const char *type; /* C type */
	const char *comment;
	bool is_signed;
	unsigned size;	  /* bytes */
	int64_t min, max; /* that any version can hold */
	struct gen_value *values;
	size_t n_values;
	const struct gen_unit *unit;
};

/* One signal in one version. member = raw * num + add */
struct gen_field {
	const struct dbc_signal *signal;
	struct gen_member *member;
	int64_t num, add, raw_min, raw_max;
};

struct gen_layout {
	const struct dbc_message *message; /* NULL: the version lacks it */
	struct gen_field *fields;
	size_t n_fields;
	unsigned sent_length, cycle_ms;
	/* names of what was generated for it */
	char *pack, *unpack, *unknown, *field_list;
};

struct gen_message {
	const char *name; /* in the database */
	char *snake, *upper;
	const char *comment;
	struct gen_member **members;
	size_t n_members;
	struct gen_layout layouts[GEN_MAX_VERSIONS];
};

struct gen_version {
	const char *text, *path;
	char *upper, *lower;
	struct dbc_db *db;
};

struct gen {
	const char *prefix;
	char *upper; /* of the prefix */
	struct gen_version versions[GEN_MAX_VERSIONS];
	int n_versions;
	struct gen_message *messages;
	size_t n_messages;
};

struct gen_unit {
	const char *text, *suffix, *type;
	int64_t per_unit; /* of the member in one of the database's unit */
	unsigned size;
	bool is_signed;
};

/* Ends the program with a message. */
void gen_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void *gen_alloc(size_t size);
char *gen_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "Present_Voltage", "LockFailure" -> "present_voltage", "lock_failure"; any text becomes a C name. */
char *gen_snake(const char *name);
char *gen_upper(const char *snake);
bool gen_is_reserved_word(const char *name);

/* dbc2c_model.c: merges the versions. */
void gen_build(struct gen *g);
/* dbc2c_emit.c */
void gen_emit_header(const struct gen *g, struct text *t);
void gen_emit_source(struct gen *g, struct text *t);
/* dbc2c_code.c: bodies of functions, without the name. */
void gen_code_pack(const struct gen *g, const struct gen_message *m, const struct gen_layout *l,
		   const char *name, struct text *t);
void gen_code_unpack(const struct gen *g, const struct gen_message *m, const struct gen_layout *l,
		     const char *name, struct text *t);
void gen_code_unknown(const struct gen *g, const struct gen_message *m, const struct gen_layout *l,
		      const char *name, struct text *t);

#endif
