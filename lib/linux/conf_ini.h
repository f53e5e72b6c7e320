/* SPDX-License-Identifier: MIT */
/*
 * Reads a configuration file as a whole and strictly, on top of inih: sections "[name]", lines "key = value",
 * comments from '#' or ';' at the start of a line, or from " ;" behind a value. Dashes in keys count as
 * underscores.
 *
 * What inih lets pass is an error here: lines that are too long, a section or key that appears twice, a
 * continued (indented) line, a zero byte, a file without an end to its last line or with nothing in it (it was
 * not written to its end). The first error ends it, as FILE:LINE: sentence. Whether sections and keys are
 * known is for the caller to say, by conf_ini_error().
 */
#ifndef LINUX_CONF_INI_H
#define LINUX_CONF_INI_H

#include <stddef.h>
#include <stdint.h>

#define CONF_LINE_LEN_MAX 190 /* inih cuts lines of 198 and more */
/* Room for a site of some hundred charge points; pages that a small file does not need are never touched. */
#define CONF_ITEMS_MAX	  8192
#define CONF_SECTIONS_MAX 1024
#define CONF_TEXT_MAX	  262144 /* of all names and values; also the largest file */

struct conf_section {
	const char *name; /* "" before the first section */
	uint32_t line;
};

struct conf_item {
	const char *key; /* dashes replaced by underscores */
	const char *value;
	uint32_t line;
	uint32_t section; /* index */
};

struct conf_ini {
	const char *path;
	uint32_t n_items, n_sections, n_text;
	struct conf_item item[CONF_ITEMS_MAX];
	struct conf_section section[CONF_SECTIONS_MAX]; /* 0 is "", always there */
	char text[CONF_TEXT_MAX];
};

/*
 * Reads the file; nothing in *c counts after an error. path must live as long as *c. 0, or a negative errno with
 * a sentence in err that begins with the file.
 */
int conf_ini_load(struct conf_ini *c, const char *path, char *err, size_t err_size);
/* The value of a key, or NULL. */
const char *conf_ini_find(const struct conf_ini *c, const char *section, const char *key);
/* Writes "FILE:LINE: sentence" and returns the error. */
int conf_ini_error(const struct conf_ini *c, uint32_t line, int error, char *err, size_t err_size,
		   const char *format, ...) __attribute__((format(printf, 6, 7)));

#endif
