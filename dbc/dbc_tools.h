/* SPDX-License-Identifier: MIT */
/*
 * What the command dbc does, on streams of the caller. See dbc(1).
 */
#ifndef DBC_TOOLS_H
#define DBC_TOOLS_H

#include "dbc/dbc_codec.h"

#include <stdio.h>

/* For people, or a JSON array. */
void dbc_list(const struct dbc_db *db, bool is_json, FILE *out);

/* One line per problem: "file:line:column: sentence". Returns their number. */
unsigned dbc_check(const struct dbc_db *db, FILE *out);

/* What has to change in a to become b; comments do not count. Returns the number of lines. */
unsigned dbc_diff(const struct dbc_db *a, const struct dbc_db *b, FILE *out);

enum { DBC_INDEX_NONE = -1, DBC_INDEX_ANY = -2, DBC_INDEX_MAX = 31 };

struct dbc_decoder {
	const struct dbc_db *db;
	const struct dbc_codec *codec;
	bool is_json;
	int index; /* pistol index of 29-bit identifiers, DBC_INDEX_NONE or DBC_INDEX_ANY */
	/* counts for the last word on stderr */
	uint64_t n_frames, n_unknown, n_bad_lines;
	uint64_t n_unknown_index; /* of the unknown: known if the index were not looked at */
};

/* One line of a log (any form that frame_log_read knows, or candump's CAN FD form) to one line of text. */
void dbc_decode_line(struct dbc_decoder *d, const char *line, size_t len, FILE *out);

/*
 * "ID#DATA" (or "ID##0DATA" above 8 bytes) of a message by name, with n assignments "Signal=value"; value
 * names count too; signals that are not given are raw 0. index: 0..31 or DBC_INDEX_NONE. 0 or -EINVAL with a
 * sentence.
 */
int dbc_encode_text(const struct dbc_db *db, const struct dbc_codec *codec, const char *message,
		    char *const *assignments, size_t n, int index, FILE *out, char *error, size_t error_size);

#endif
