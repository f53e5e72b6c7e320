/* SPDX-License-Identifier: MIT */
/*
 * A frame of a log as decoded text, rows of CSV, or a line of JSON. Text and JSON are those of dbc(1) decode.
 */
#ifndef MONITOR_BUS_LOG_PRINT_H
#define MONITOR_BUS_LOG_PRINT_H

#include "monitor/bus_log_dict.h"
#include "monitor/bus_log_out.h"

struct printer {
	struct out *out;
	struct dict *dict;
	const struct log_reader *log;
	bool is_changes;    /* only messages with a new content, and of these the signals that changed */
	uint64_t n_unknown; /* frames that no database knows */
	/* Text of the second last seen. */
	int64_t second;
	char second_text[24];
	size_t n_second;
};

void print_init(struct printer *p, struct out *out, struct dict *dict, const struct log_reader *log,
		bool is_changes);
/* The header line of CSV. */
void print_begin(struct printer *p);
void print_entry(struct printer *p, const struct log_entry *e);
/* What the recorder lost behind the last frame of the log. */
void print_end(struct printer *p);

#endif
