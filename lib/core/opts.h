/* SPDX-License-Identifier: MIT */
/*
 * One table for everything that can be set: command line, configuration file, control socket, --help,
 * --dump-config and the option list of the man page. Pure.
 *
 * Values live in a plain struct of the program: OPT_BOOL, OPT_INT, OPT_MILLI and OPT_ENUM as int32_t,
 * OPT_LONG as int64_t, OPT_TEXT as a char array. OPT_MILLI is written as a decimal of the unit and stored in
 * thousandths of it, exactly (up to three decimals; more are an error).
 */
#ifndef CORE_OPTS_H
#define CORE_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum opt_type { OPT_BOOL, OPT_INT, OPT_LONG, OPT_MILLI, OPT_ENUM, OPT_TEXT };

enum opt_flag {
	OPT_LIVE = 1 << 0,   /* may be set while running */
	OPT_PISTOL = 1 << 1, /* belongs to one pistol: section [pistol.N] */
	OPT_HIDDEN = 1 << 2, /* not in --help, only in the man page and --dump-config */
};

struct opt_name {
	int32_t value;
	const char *name;
};

struct opt {
	const char *name; /* "maximum_charge_current"; on the command line with dashes */
	char letter;	  /* short option; 0: none */
	enum opt_type type;
	uint32_t flags;
	const char *unit;	      /* "" where there is none */
	int64_t min, max;	      /* in stored units; both 0: unchecked */
	const char *def;	      /* default as text */
	size_t offset;		      /* in the settings struct */
	size_t size;		      /* of the member, for OPT_TEXT */
	const struct opt_name *names; /* OPT_ENUM: ends with name NULL */
	const char *help;	      /* one line */
};

/* Sets every option of the table to its default. The defaults are checked: an unusable one is our own mistake. */
void opts_defaults(const struct opt *table, size_t n, void *settings);
/* Index of a name (underscores or dashes), or -1. */
int opts_find(const struct opt *table, size_t n, const char *name);
/* Parses text into the settings. 0, -EINVAL or -ERANGE with a sentence in err; settings untouched on failure. */
int opts_set(const struct opt *opt, void *settings, const char *text, char *err, size_t err_size);
/* The present value as text that opts_set reads back. */
void opts_get(const struct opt *opt, const void *settings, char *text, size_t size);
/* Decimal text to thousandths: "1.5" -> 1500. 0 or -EINVAL, -ERANGE. */
int opts_parse_milli(const char *text, int64_t *milli);

#endif
