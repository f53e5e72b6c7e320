/* SPDX-License-Identifier: MIT */
/* Characters of texts that come from a bus or a log, where any bytes may be. Pure; header only. */
#ifndef MONITOR_MON_UTF8_H
#define MONITOR_MON_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * Length of the UTF-8 character that begins here, in a text that ends with a NUL; 0: there is none (RFC 3629: no
 * surrogates, shortest forms).
 */
static inline size_t mon_utf8_length(const uint8_t *p)
{
	const uint8_t low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
	const uint8_t high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
	size_t n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return n;
}

#endif
