/* SPDX-License-Identifier: MIT */
/*
 * Words and numbers of the report page.
 */
#include "monitor/bus_log_report_text.h"

#include <string.h>
#include <time.h>

#include <forecourt/units.h>

#include "monitor/mon_utf8.h"

#define US_PER_HOUR (INT64_C(3600) * FC_US_PER_S)

static void put(FILE *out, const char *text, char for_underscore)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s) {
		size_t n = mon_utf8_length(s);
		/* Control characters of both ranges: below the blank, DEL, and U+0080 to U+009F. */
		bool is_control = n == 1 ? *s < 0x20 || *s == 0x7F : n == 2 && s[0] == 0xC2 && s[1] < 0xA0;

		if (n == 0 || is_control)
			fputs("\xEF\xBF\xBD", out);
		else if (*s == '<')
			fputs("&lt;", out);
		else if (*s == '>')
			fputs("&gt;", out);
		else if (*s == '&')
			fputs("&amp;", out);
		else if (*s == '"')
			fputs("&quot;", out);
		else if (*s == '\'')
			fputs("&#39;", out);
		else if (*s == '_')
			fputc(for_underscore, out);
		else
			fwrite(s, 1, n, out);
		s += n ? n : 1;
	}
}

void report_put_text(FILE *out, const char *text)
{
	put(out, text, '_');
}

void report_put_name(FILE *out, const char *name)
{
	put(out, name, ' ');
}

char *report_count(char text[REPORT_TEXT], uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n), at = 0;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			text[at++] = ',';
		text[at++] = digits[i];
	}
	text[at] = '\0';
	return text;
}

char *report_duration(char text[REPORT_TEXT], int64_t us)
{
	int64_t s = (us + FC_US_PER_S / 2) / FC_US_PER_S;

	if (us < 0)
		us = s = 0;
	if (us < 9950)
		snprintf(text, REPORT_TEXT, "%.1f ms", (double)us / 1000);
	else if (us < 999500)
		snprintf(text, REPORT_TEXT, "%.0f ms", (double)us / 1000);
	else if (us < INT64_C(59950000))
		snprintf(text, REPORT_TEXT, "%.1f s", (double)us / 1e6);
	else if (s < 3600)
		snprintf(text, REPORT_TEXT, "%d min %02d s", (int)(s / 60), (int)(s % 60));
	else if (s < 86400 * 4)
		snprintf(text, REPORT_TEXT, "%d h %02d min %02d s", (int)(s / 3600), (int)(s / 60 % 60),
			 (int)(s % 60));
	else
		snprintf(text, REPORT_TEXT, "%lld days %d h", (long long)(s / 86400), (int)(s / 3600 % 24));
	return text;
}

char *report_offset(char text[REPORT_TEXT], int64_t us)
{
	int64_t tenths = (us < 0 ? -us : us) / (FC_US_PER_S / 10), s = tenths / 10;
	char sign = us < 0 ? '-' : '+';

	if (s >= 3600)
		snprintf(text, REPORT_TEXT, "%c%lld:%02d:%02d.%d", sign, (long long)(s / 3600),
			 (int)(s / 60 % 60), (int)(s % 60), (int)(tenths % 10));
	else
		snprintf(text, REPORT_TEXT, "%c%d:%02d.%d", sign, (int)(s / 60), (int)(s % 60),
			 (int)(tenths % 10));
	return text;
}

char *report_decimal(char text[REPORT_TEXT], int64_t value, int64_t per_unit, int digits)
{
	snprintf(text, REPORT_TEXT, "%.*f", digits, (double)value / (double)per_unit);
	/* "-0.0" is nothing. */
	if (text[0] == '-' && strspn(text + 1, "0.") == strlen(text + 1))
		memmove(text, text + 1, strlen(text));
	return text;
}

char *report_energy(char text[REPORT_TEXT], int64_t Wus)
{
	double Wh = (double)Wus / (double)US_PER_HOUR;

	if (Wh > -999.95 && Wh < 999.95)
		snprintf(text, REPORT_TEXT, "%.1f Wh", Wh);
	else
		snprintf(text, REPORT_TEXT, "%.2f kWh", Wh / 1000);
	return text;
}

int report_has_date(int64_t time_us)
{
	/* 1990: no CAN log is older, and none without a date lasts twenty years. */
	return time_us >= INT64_C(631152000) * FC_US_PER_S;
}

char *report_clock(char text[REPORT_TEXT], int64_t time_us, int has_tenths)
{
	int64_t tenths = time_us / (FC_US_PER_S / 10), s = tenths / 10;
	int n;

	if (time_us < 0)
		tenths = s = 0;
	if (report_has_date(time_us))
		s %= 86400;
	n = snprintf(text, REPORT_TEXT, "%02lld:%02d:%02d", (long long)(s / 3600), (int)(s / 60 % 60),
		     (int)(s % 60));
	if (has_tenths)
		snprintf(text + n, REPORT_TEXT - (size_t)n, ".%d", (int)(tenths % 10));
	return text;
}

char *report_date(char text[REPORT_TEXT], int64_t time_us)
{
	static const char *const day[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const month[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t t = (time_t)(time_us / FC_US_PER_S);
	struct tm tm;

	text[0] = '\0';
	if (report_has_date(time_us) && gmtime_r(&t, &tm))
		snprintf(text, REPORT_TEXT, "%s %d %s %d", day[tm.tm_wday], tm.tm_mday, month[tm.tm_mon],
			 tm.tm_year + 1900);
	return text;
}
