/* SPDX-License-Identifier: MIT */
/*
 * Lines of candump and of Vector's ASC.
 */
#include "monitor/log_write.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lib/core/frame_text.h"

/* Logs that count from 0 (or nearly) have no date: it would lie before 1970 in half of the world. */
#define FIRST_DATE_US (INT64_C(2) * 86400 * 1000000)

void log_write_init(struct log_writer *w, enum log_format format)
{
	memset(w, 0, sizeof(*w));
	w->format = format;
}

enum log_format log_format_of(const char *path)
{
	size_t n = strlen(path);

	return n >= 4 && strcasecmp(path + n - 4, ".asc") == 0 ? LOG_ASC : LOG_CANDUMP;
}

/* What snprintf wrote, never more than there is room for. */
static size_t written(int n)
{
	return n < 0 ? 0 : n < LOG_WRITE_MAX ? (size_t)n : LOG_WRITE_MAX - 1;
}

/* "Fri Jul 10 06:17:32.249 am 2015"; the names are English whatever the locale is. */
static void write_date(int64_t time_us, char date[64])
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t s = (time_t)(time_us / 1000000);
	struct tm t = {0};

	localtime_r(&s, &t);
	snprintf(date, 64, "%.3s %.3s %d %02d:%02d:%02d.%03d %s %d", days + 3 * t.tm_wday,
		 months + 3 * t.tm_mon, t.tm_mday, t.tm_hour % 12 ? t.tm_hour % 12 : 12, t.tm_min, t.tm_sec,
		 (int)(time_us % 1000000 / 1000), t.tm_hour < 12 ? "am" : "pm", t.tm_year + 1900);
}

static size_t write_header(struct log_writer *w, int64_t time_us, char *text)
{
	char date[64];

	w->has_begun = true;
	if (time_us < FIRST_DATE_US)
		return written(snprintf(text, LOG_WRITE_MAX,
					"base hex  timestamps absolute\n"
					"internal events logged\n"));
	w->base_us = time_us / 1000 * 1000;
	write_date(w->base_us, date);
	return written(snprintf(text, LOG_WRITE_MAX,
				"date %s\n"
				"base hex  timestamps absolute\n"
				"internal events logged\n"
				"Begin Triggerblock %s\n"
				"   0.000000 Start of measurement\n",
				date, date));
}

static bool is_taken(const struct log_writer *w, unsigned number)
{
	unsigned i;

	for (i = 0; i < LOG_MAX_CHANNELS; i++)
		if (w->number[i] == number)
			return true;
	return false;
}

/* can0 and vcan0 become 1, and so on, where that is free; else the smallest free number. */
static unsigned number_of(struct log_writer *w, unsigned channel, const char *name)
{
	const char *digit = strstr(name, "can");
	unsigned number = 0;

	channel %= LOG_MAX_CHANNELS;
	if (w->number[channel])
		return w->number[channel];
	if (digit && digit[3] >= '0' && digit[3] <= '9') {
		for (digit += 3; *digit >= '0' && *digit <= '9' && number < 1000; digit++)
			number = number * 10 + (unsigned)(*digit - '0');
		number++;
	}
	if (number == 0 || number > UINT8_MAX || *digit || is_taken(w, number))
		for (number = 1; is_taken(w, number); number++)
			;
	w->number[channel] = (uint8_t)number;
	return number;
}

static size_t write_asc(struct log_writer *w, const struct log_entry *e, const char *channel, char *text,
			size_t size)
{
	const struct can_frame *f = &e->frame;
	int64_t us = e->time_us > w->base_us ? e->time_us - w->base_us : 0;
	uint8_t n_bytes = f->can_dlc <= CAN_MAX_DLEN ? f->can_dlc : CAN_MAX_DLEN;
	unsigned number = number_of(w, e->channel, channel), length = n_bytes;
	char id[16];
	size_t n;
	uint8_t i;

	n = written(
		snprintf(text, size, "%4" PRId64 ".%06d %-2u ", us / 1000000, (int)(us % 1000000), number));
	if (f->can_id & CAN_ERR_FLAG)
		return n + written(snprintf(text + n, size - n, "ErrorFrame\n"));
	if (f->can_id & CAN_EFF_FLAG)
		snprintf(id, sizeof(id), "%Xx", f->can_id & CAN_EFF_MASK);
	else
		snprintf(id, sizeof(id), "%X", f->can_id & CAN_SFF_MASK);
	if (n_bytes == CAN_MAX_DLEN && f->len8_dlc > CAN_MAX_DLEN && f->len8_dlc <= CAN_MAX_RAW_DLC)
		length = f->len8_dlc;
	n += written(snprintf(text + n, size - n, "%-15s %s   %c %X", id, e->direction == 'T' ? "Tx" : "Rx",
			      f->can_id & CAN_RTR_FLAG ? 'r' : 'd', length));
	for (i = 0; i < n_bytes && !(f->can_id & CAN_RTR_FLAG); i++)
		n += written(snprintf(text + n, size - n, " %02X", f->data[i]));
	text[n++] = '\n';
	return n;
}

static size_t write_candump(const struct log_entry *e, const char *channel, char *text)
{
	size_t n = frame_log_write(e->time_us, channel, &e->frame, text);

	if (e->direction) {
		text[n++] = ' ';
		text[n++] = e->direction;
	}
	text[n++] = '\n';
	return n;
}

static size_t write_lost(const struct log_writer *w, uint64_t n, char *text, size_t size)
{
	return written(snprintf(text, size, "%s %" PRIu64 " frame%s lost before the next one\n",
				w->format == LOG_ASC ? "//" : "#", n, n == 1 ? "" : "s"));
}

size_t log_write_lost(struct log_writer *w, uint64_t n, char text[LOG_WRITE_MAX])
{
	return write_lost(w, n, text, LOG_WRITE_MAX);
}

/* At most: header 230 bytes, loss 60, frame 100. */
size_t log_write_entry(struct log_writer *w, const struct log_entry *e, const char *channel,
		       char text[LOG_WRITE_MAX])
{
	size_t n = 0;

	if (w->format == LOG_ASC && !w->has_begun)
		n = write_header(w, e->time_us, text);
	if (e->n_lost)
		n += write_lost(w, e->n_lost, text + n, LOG_WRITE_MAX - n);
	if (w->format == LOG_ASC)
		return n + write_asc(w, e, channel, text + n, LOG_WRITE_MAX - n);
	return n + write_candump(e, channel, text + n);
}

size_t log_write_end(struct log_writer *w, char text[LOG_WRITE_MAX])
{
	size_t n = 0;

	if (w->format != LOG_ASC)
		return 0;
	if (!w->has_begun)
		n = write_header(w, 0, text);
	if (w->base_us)
		n += written(snprintf(text + n, LOG_WRITE_MAX - n, "End TriggerBlock\n"));
	return n;
}
