/* SPDX-License-Identifier: MIT */
/* A strict judge of JSON (RFC 8259): grammar, valid UTF-8, and no member twice in one object. For tests. */
#ifndef TESTS_JSON_CHECK_H
#define TESTS_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* NULL: text is one JSON value with nothing behind it but blanks; else where it goes wrong. */
const char *json_check(const char *text, size_t n);
/* NULL: text is valid UTF-8; else the first bad byte. */
const char *utf8_check(const char *text, size_t n);

#endif
