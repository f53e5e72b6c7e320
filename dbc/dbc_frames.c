/* SPDX-License-Identifier: MIT */
/*
 * dbc decode and dbc encode: lines of candump to named values, and named values to a frame.
 */
#include "dbc/dbc_tools.h"

#include "dbc/dbc_text_out.h"
#include "lib/core/frame_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define INDEX_SHIFT 24
#define INDEX_MASK  0x1f000000u

/* A frame of either kind of CAN. */
struct wide_frame {
	int64_t time_us; /* -1: none */
	char channel[FRAME_CHANNEL_MAX];
	canid_t id;
	bool is_fd;
	uint8_t len;
	uint8_t data[DBC_MAX_DLC]; /* zeros behind len */
};

static int hex_value(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* The flag digit and the data of "ID##FDATA". */
static bool read_fd_data(const char *p, const char *end, struct wide_frame *f)
{
	if (p >= end || hex_value(*p++) < 0)
		return false;
	for (; p < end && *p != ' ' && *p != '\r'; p += 2) {
		int high = hex_value(p[0]), low = p + 1 < end ? hex_value(p[1]) : -1;

		if (high < 0 || low < 0 || f->len == DBC_MAX_DLC)
			return false;
		f->data[f->len++] = (uint8_t)(high << 4 | low);
	}
	f->is_fd = true;
	return true;
}

/* CAN FD lines have two "#": the part in front reads like a frame without data. */
static int read_fd_line(const char *text, size_t len, struct wide_frame *f)
{
	const char *mark = memchr(text, '#', len);
	struct can_frame head;
	char line[FRAME_LOG_LINE_MAX];

	if (!mark || mark + 1 >= text + len || mark[1] != '#')
		return -EINVAL;
	size_t n = (size_t)(mark + 1 - text);
	if (n >= sizeof(line))
		return -EINVAL;
	memcpy(line, text, n);
	f->time_us = -1;
	if (frame_log_read(line, n, &f->time_us, f->channel, &head)) {
		f->channel[0] = '\0';
		if (frame_text_read(line, n, &head))
			return -EINVAL;
	}
	f->id = head.can_id;
	return read_fd_data(mark + 2, text + len, f) ? 0 : -EINVAL;
}

static int read_line(const char *line, size_t len, struct wide_frame *f)
{
	struct can_frame frame;

	memset(f, 0, sizeof(*f));
	int err = frame_log_read(line, len, &f->time_us, f->channel, &frame);
	if (err == -EINVAL) {
		/* A frame alone, as cansend takes it and dbc encode prints it. */
		f->time_us = -1;
		f->channel[0] = '\0';
		err = frame_text_read(line, len, &frame);
	}
	if (err == -EINVAL)
		return read_fd_line(line, len, f);
	if (err)
		return err;
	f->id = frame.can_id;
	f->len = frame.can_dlc > CAN_MAX_DLEN ? CAN_MAX_DLEN : frame.can_dlc;
	memcpy(f->data, frame.data, f->len);
	return 0;
}

/* The message of a frame, by the rule of --index. */
static const struct dbc_codec_message *find(struct dbc_decoder *d, const struct wide_frame *f)
{
	if (f->id & (CAN_ERR_FLAG | CAN_RTR_FLAG))
		return NULL;
	if (!(f->id & CAN_EFF_FLAG) || d->index == DBC_INDEX_NONE)
		return dbc_codec_find(d->codec, f->id);
	unsigned index = (f->id & INDEX_MASK) >> INDEX_SHIFT;
	if (d->index != DBC_INDEX_ANY && index != (unsigned)d->index)
		return NULL;
	return dbc_codec_find(d->codec, f->id & ~(canid_t)INDEX_MASK);
}

static void put_data(const struct wide_frame *f, FILE *out)
{
	/* Remote frames have a length and no data. */
	if (f->id & CAN_RTR_FLAG)
		return;
	for (unsigned i = 0; i < f->len; i++) {
		putc_unlocked("0123456789ABCDEF"[f->data[i] >> 4], out);
		putc_unlocked("0123456789ABCDEF"[f->data[i] & 15], out);
	}
}

static void put_id(canid_t id, FILE *out)
{
	if (id & (CAN_EFF_FLAG | CAN_ERR_FLAG))
		fprintf(out, "%08X",
			id & CAN_ERR_FLAG ? id & (CAN_ERR_FLAG | CAN_ERR_MASK) : id & CAN_EFF_MASK);
	else
		fprintf(out, "%03X", id & CAN_SFF_MASK);
}

static void text_signals(const struct dbc_codec_message *m, const struct wide_frame *f, FILE *out)
{
	char number[DBC_NUMBER_MAX];

	for (unsigned i = 0; i < m->n_signals; i++) {
		const struct dbc_codec_signal *s = &m->signals[i];

		if (!dbc_is_present(m, i, f->data, f->len))
			continue;
		uint64_t raw = dbc_raw_read(s, f->data);
		const char *label = dbc_format_label(s, raw);
		putc_unlocked(' ', out);
		fputs_unlocked(s->def->name, out);
		putc_unlocked('=', out);
		dbc_format_physical(s, raw, number);
		if (label) {
			fputs_unlocked(label, out);
			putc_unlocked('(', out);
			fputs_unlocked(number, out);
			putc_unlocked(')', out);
		} else {
			fputs_unlocked(number, out);
			fputs_unlocked(s->def->unit, out);
		}
	}
}

static void text_frame(const struct dbc_codec_message *m, const struct wide_frame *f, FILE *out)
{
	if (f->time_us >= 0)
		fprintf(out, "(%" PRId64 ".%06" PRId64 ") ", f->time_us / 1000000, f->time_us % 1000000);
	if (f->channel[0])
		fprintf(out, "%s ", f->channel);
	put_id(f->id, out);
	if (m) {
		putc_unlocked(' ', out);
		fputs_unlocked(m->def->name, out);
		text_signals(m, f, out);
	} else {
		putc_unlocked('#', out);
		put_data(f, out);
		if (f->id & CAN_RTR_FLAG)
			fprintf(out, "R%u", f->len);
		fputs(f->id & CAN_ERR_FLAG   ? " error frame"
		      : f->id & CAN_RTR_FLAG ? " remote frame"
					     : " unknown",
		      out);
	}
	putc_unlocked('\n', out);
}

static void json_signals(const struct dbc_codec_message *m, const struct wide_frame *f, FILE *out)
{
	char number[DBC_NUMBER_MAX];
	const char *comma = "";

	fputs(", \"signals\": {", out);
	for (unsigned i = 0; m && i < m->n_signals; i++) {
		if (!dbc_is_present(m, i, f->data, f->len))
			continue;
		fputs_unlocked(comma, out);
		dbc_json_string(out, m->signals[i].def->name);
		fputs_unlocked(": ", out);
		dbc_format_physical(&m->signals[i], dbc_raw_read(&m->signals[i], f->data), number);
		dbc_json_number(out, number);
		comma = ", ";
	}
	fputs("}, \"labels\": {", out);
	comma = "";
	for (unsigned i = 0; m && i < m->n_signals; i++) {
		if (!m->signals[i].def->values.n || !dbc_is_present(m, i, f->data, f->len))
			continue;
		const char *label = dbc_format_label(&m->signals[i], dbc_raw_read(&m->signals[i], f->data));
		if (!label)
			continue;
		fputs_unlocked(comma, out);
		dbc_json_string(out, m->signals[i].def->name);
		fputs_unlocked(": ", out);
		dbc_json_string(out, label);
		comma = ", ";
	}
	fputs("}}\n", out);
}

static void json_frame(const struct dbc_decoder *d, const struct dbc_codec_message *m,
		       const struct wide_frame *f, FILE *out)
{
	bool is_extended = (f->id & CAN_EFF_FLAG) != 0;

	if (f->time_us >= 0)
		fprintf(out, "{\"time\": %" PRId64 ".%06" PRId64 ", \"channel\": ", f->time_us / 1000000,
			f->time_us % 1000000);
	else
		fputs("{\"time\": null, \"channel\": ", out);
	f->channel[0] ? dbc_json_string(out, f->channel) : (void)fputs("null", out);
	fprintf(out, ", \"id\": %u, \"extended\": %s", f->id & (is_extended ? CAN_EFF_MASK : CAN_SFF_MASK),
		is_extended ? "true" : "false");
	if (is_extended && d->index != DBC_INDEX_NONE)
		fprintf(out, ", \"index\": %u", (f->id & INDEX_MASK) >> INDEX_SHIFT);
	if (f->id & CAN_ERR_FLAG)
		fputs(", \"error\": true", out);
	if (f->id & CAN_RTR_FLAG)
		fputs(", \"remote\": true", out);
	fputs(", \"data\": \"", out);
	put_data(f, out);
	fputs("\", \"message\": ", out);
	m ? dbc_json_string(out, m->def->name) : (void)fputs("null", out);
	json_signals(m, f, out);
}

void dbc_decode_line(struct dbc_decoder *d, const char *line, size_t len, FILE *out)
{
	struct wide_frame f;

	while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	int err = read_line(line, len, &f);
	if (err == -ENODATA)
		return;
	if (err) {
		d->n_bad_lines++;
		return;
	}
	const struct dbc_codec_message *m = find(d, &f);
	d->n_frames++;
	if (!m && !(f.id & (CAN_ERR_FLAG | CAN_RTR_FLAG))) {
		d->n_unknown++;
		if ((f.id & CAN_EFF_FLAG) && dbc_codec_find(d->codec, f.id & ~(canid_t)INDEX_MASK))
			d->n_unknown_index++;
	}
	if (d->is_json)
		json_frame(d, m, &f, out);
	else
		text_frame(m, &f, out);
}

__attribute__((format(printf, 3, 4))) static int fail(char *error, size_t size, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(error, size, format, ap);
	va_end(ap);
	return -EINVAL;
}

static const struct dbc_codec_message *find_message(const struct dbc_db *db, const struct dbc_codec *codec,
						    const char *name)
{
	const struct dbc_message *m = dbc_find_message_name(db, name);

	return m ? &codec->messages[m - db->messages] : NULL;
}

/* Raw value of a value name, upper and lower case alike unless that is ambiguous. */
static bool find_label(const struct dbc_signal *s, const char *text, int64_t *raw)
{
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < s->values.n; i++) {
			const char *name = s->values.list[i].name;

			if (pass ? strcasecmp(name, text) == 0 : strcmp(name, text) == 0) {
				*raw = s->values.list[i].number;
				return true;
			}
		}
	}
	return false;
}

/* Whole numbers of unscaled signals do not go through a double, which would lose digits above 2^53. */
static bool read_whole(const struct dbc_codec_signal *s, const char *text, uint64_t *raw)
{
	char *end;

	if (s->number != DBC_INTEGER || s->factor != 1 || s->offset != 0)
		return false;
	errno = 0;
	if (s->is_signed) {
		long long v = strtoll(text, &end, 0);

		*raw = (uint64_t)v;
		return !errno && end > text && !*end && v >= s->raw_min && v <= (int64_t)s->raw_max;
	}
	unsigned long long v = strtoull(text, &end, 0);
	*raw = v;
	return !errno && end > text && !*end && text[0] != '-' && v <= s->raw_max;
}

static int range_error(const struct dbc_codec_signal *s, const char *text, char *error, size_t size)
{
	char low[DBC_NUMBER_MAX], high[DBC_NUMBER_MAX];

	dbc_format_physical(s, s->is_signed ? (uint64_t)s->raw_min : 0, s->factor < 0 ? high : low);
	dbc_format_physical(s, s->raw_max, s->factor < 0 ? low : high);
	return fail(error, size, "%s=%s is outside of %s .. %s", s->def->name, text, low, high);
}

static int parse_value(const struct dbc_codec_signal *s, const char *text, uint64_t *raw, char *error,
		       size_t size)
{
	int64_t number;
	char *end;

	if (find_label(s->def, text, &number)) {
		*raw = (uint64_t)number;
		return 0;
	}
	if (read_whole(s, text, raw))
		return 0;
	double v = strtod(text, &end);
	if (end == text || *end)
		return fail(error, size, "%s: \"%s\" is neither a number nor the name of a value",
			    s->def->name, text);
	if (v != v && s->number == DBC_INTEGER)
		return fail(error, size, "%s: \"%s\" is no number", s->def->name, text);
	if (dbc_physical_to_raw(s, v, raw))
		return range_error(s, text, error, size);
	return 0;
}

struct given {
	unsigned signal;
	uint64_t raw;
};

static int parse_assignment(const struct dbc_codec_message *m, const char *text, struct given *g, char *error,
			    size_t size)
{
	const char *eq = strchr(text, '=');
	char name[256];

	if (!eq || (size_t)(eq - text) >= sizeof(name))
		return fail(error, size, "\"%s\": expected SIGNAL=VALUE", text);
	memcpy(name, text, (size_t)(eq - text));
	name[eq - text] = '\0';
	const struct dbc_signal *s = dbc_find_signal(m->def, name);
	if (!s)
		return fail(error, size, "%s has no signal %s", m->def->name, name);
	g->signal = (unsigned)(s - m->def->signals);
	if (m->signals[g->signal].length == 0)
		return fail(error, size, "%s does not fit into a message", name);
	return parse_value(&m->signals[g->signal], eq + 1, &g->raw, error, size);
}

static int by_level(const struct dbc_codec_message *m, struct given *list, size_t n, uint8_t *data,
		    char *error, size_t size)
{
	/* Multiplexors first: they say what else may be there. */
	for (unsigned level = 0; level <= m->max_level; level++) {
		for (size_t i = 0; i < n; i++) {
			const struct dbc_codec_signal *s = &m->signals[list[i].signal];

			if (s->level != level)
				continue;
			if (!dbc_is_present(m, list[i].signal, data, m->n_bytes))
				return fail(error, size, "%s is not selected by its multiplexor %s",
					    s->def->name, m->def->signals[s->parent].name);
			dbc_raw_write(s, data, list[i].raw);
		}
	}
	return 0;
}

static void print_frame(const struct dbc_codec_message *m, const uint8_t *data, int index, FILE *out)
{
	struct wide_frame f = {.id = m->def->id,
			       .len = (uint8_t)(m->def->dlc > DBC_MAX_DLC ? DBC_MAX_DLC : m->def->dlc)};

	if (m->def->is_extended) {
		f.id |= CAN_EFF_FLAG;
		if (index >= 0)
			f.id = (f.id & ~(canid_t)INDEX_MASK) | (canid_t)index << INDEX_SHIFT;
	}
	memcpy(f.data, data, f.len < m->n_bytes ? f.len : m->n_bytes);
	put_id(f.id, out);
	fputs(f.len > CAN_MAX_DLEN ? "##0" : "#", out);
	put_data(&f, out);
	putc('\n', out);
}

int dbc_encode_text(const struct dbc_db *db, const struct dbc_codec *codec, const char *message,
		    char *const *assignments, size_t n, int index, FILE *out, char *error, size_t error_size)
{
	const struct dbc_codec_message *m = find_message(db, codec, message);
	uint8_t data[DBC_MAX_DLC + 1] = {0};

	if (!m)
		return fail(error, error_size, "there is no message %s in %s", message, db->file);
	if (index >= 0 && !m->def->is_extended)
		return fail(error, error_size, "%s has an 11-bit identifier, which carries no index",
			    message);
	struct given *list = calloc(n ? n : 1, sizeof(*list));
	if (!list)
		return fail(error, error_size, "out of memory");
	int err = 0;
	for (size_t i = 0; i < n && !err; i++) {
		err = parse_assignment(m, assignments[i], &list[i], error, error_size);
		for (size_t k = 0; k < i && !err; k++)
			if (list[k].signal == list[i].signal)
				err = fail(error, error_size, "%s is given twice",
					   m->signals[list[i].signal].def->name);
	}
	if (!err)
		err = by_level(m, list, n, data, error, error_size);
	free(list);
	if (!err)
		print_frame(m, data, index, out);
	return err;
}
