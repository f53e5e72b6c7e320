/* SPDX-License-Identifier: MIT */
/*
 * Numbers and names of a database as text: for people, and as JSON.
 */
#ifndef DBC_TEXT_OUT_H
#define DBC_TEXT_OUT_H

#include "dbc/dbc_codec.h"

#include <stdio.h>

#define DBC_NUMBER_MAX 32 /* with the final NUL */

/* Shortest text that reads back as the same double; "nan", "inf", "-inf". */
size_t dbc_format_double(double v, char text[DBC_NUMBER_MAX]);
/*
 * Physical value of a raw value as the decimal number it is (401.6, not 401.60000000000002); shortest form of
 * floats. Exact for 64-bit integers without scale.
 */
size_t dbc_format_physical(const struct dbc_codec_signal *s, uint64_t raw, char text[DBC_NUMBER_MAX]);
/* Name of the raw value, or NULL. */
const char *dbc_format_label(const struct dbc_codec_signal *s, uint64_t raw);

/* With quotes; text is UTF-8. */
void dbc_json_string(FILE *out, const char *text);
/* A number, or null where JSON has none. */
void dbc_json_number(FILE *out, const char *number);
void dbc_json_double(FILE *out, double v);

#endif
