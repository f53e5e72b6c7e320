/* SPDX-License-Identifier: MIT */
/*
 * Numbers as text, exactly: our integers carry their unit in thousandths and the like, so a decimal point
 * is put in and no binary fraction is ever formed. Pure; header only.
 */
#ifndef MONITOR_MON_DECIMAL_H
#define MONITOR_MON_DECIMAL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dbc/msg_map.h"

#define MON_DECIMAL_TEXT 32

/*
 * What people say instead of the member's unit: number / 10^digits, `shown` digits behind the point
 * suffice.
 */
struct mon_unit {
	const char *name; /* UTF-8; "" none */
	uint8_t digits, shown;
};

/*
 * number / 10^digits with at least `shown` digits behind the point and no more than needed. Returns the
 * length. digits: at most 9.
 */
static inline size_t mon_decimal(char text[MON_DECIMAL_TEXT], int64_t number, unsigned digits, unsigned shown)
{
	uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
	char reversed[MON_DECIMAL_TEXT];
	size_t n = 0, at = 0;

	/* Zeros at the end that nobody asked for. */
	for (; digits > shown && rest % 10 == 0; digits--)
		rest /= 10;
	for (unsigned i = 0; i < digits; i++, rest /= 10)
		reversed[n++] = (char)('0' + rest % 10);
	if (digits)
		reversed[n++] = '.';
	do {
		reversed[n++] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (number < 0)
		text[at++] = '-';
	while (n)
		text[at++] = reversed[--n];
	text[at] = '\0';
	return at;
}

static inline bool mon_unit_is(const char *member, const char *suffix)
{
	const size_t n = strlen(member), k = strlen(suffix);

	return n >= k && memcmp(member + n - k, suffix, k) == 0;
}

/* Digits behind the point that a step of the wire needs. */
static inline uint8_t mon_unit_shown(const struct msg_field *f, unsigned digits)
{
	int64_t step = f->den > 1 ? 1 : f->num < 0 ? -(int64_t)f->num : f->num;
	unsigned shown = digits;

	for (; shown && step && step % 10 == 0; step /= 10)
		shown--;
	return (uint8_t)shown;
}

static inline struct mon_unit mon_unit_of(const struct msg_field *f)
{
	static const struct {
		const char *suffix, *name;
		uint8_t digits;
	} units[] = {
		{"_mV", "V", 3},  {"_mA", "A", 3},     {"_W", "kW", 3},	      {"_Wh", "kWh", 3},
		{"_ohm", "Ω", 0}, {"_mdegC", "°C", 3}, {"_permille", "%", 1}, {"_s", "s", 0},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!mon_unit_is(f->member, units[i].suffix))
			continue;
		if (units[i].digits == 0 && f->num >= 1000) /* insulation comes in steps of 2 kΩ */
			return (struct mon_unit){"kΩ", 3, mon_unit_shown(f, 3)};
		return (struct mon_unit){units[i].name, units[i].digits, mon_unit_shown(f, units[i].digits)};
	}
	return (struct mon_unit){"", 0, 0};
}

#endif
