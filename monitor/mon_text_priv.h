/* SPDX-License-Identifier: MIT */
/* Shared by the parts of mon_text: buffered output, and pieces of JSON. */
#ifndef MONITOR_MON_TEXT_PRIV_H
#define MONITOR_MON_TEXT_PRIV_H

#include "monitor/mon_decimal.h"
#include "monitor/mon_text.h"

/* --- output -------------------------------------------------------------------------------------------- */

void text_put(struct mon_text *t, const char *text);
void text_putn(struct mon_text *t, const char *text, size_t n);
void text_printf(struct mon_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* number / 10^digits, see mon_decimal(). */
void text_decimal(struct mon_text *t, int64_t number, unsigned digits, unsigned shown);
/* Model time as seconds with six digits. */
void text_time(struct mon_text *t, int64_t time_us);
/* Bytes that are not UTF-8 become U+FFFD, control characters a blank. */
void text_utf8(struct mon_text *t, const char *text);
void text_end_line(struct mon_text *t);

/* --- JSON ---------------------------------------------------------------------------------------------- */

void mon_json_string(struct mon_text *t, const char *text);
/* Comma where needed, then "key": ; NULL: an array's element. */
void mon_json_key(struct mon_text *t, const char *key);
/* open: "{" or "[". */
void mon_json_open(struct mon_text *t, const char *key, const char *open);
void mon_json_close(struct mon_text *t, const char *close);
void mon_json_text(struct mon_text *t, const char *key, const char *value);
void mon_json_null(struct mon_text *t, const char *key);
void mon_json_bool(struct mon_text *t, const char *key, bool value);
void mon_json_integer(struct mon_text *t, const char *key, int64_t value);
void mon_json_decimal(struct mon_text *t, const char *key, int64_t number, unsigned digits, unsigned shown);
/* null for MON_UNKNOWN, else number / 10^digits. */
void mon_json_known(struct mon_text *t, const char *key, int32_t number, unsigned digits);
/* null below 0, else seconds. */
void mon_json_seconds(struct mon_text *t, const char *key, int64_t us);
void mon_json_time(struct mon_text *t, const char *key, int64_t time_us);

/* --- contents ------------------------------------------------------------------------------------------ */

/* The members of a session, in an object that is open. */
void text_session_json(struct mon_text *t, const struct mon_session *s);
void text_session_line(struct mon_text *t, const struct mon_session *s);
void text_snapshot_lines(struct mon_text *t);
void text_snapshot_json(struct mon_text *t);

#endif
