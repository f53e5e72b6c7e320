/* SPDX-License-Identifier: MIT */
/*
 * The output buffer of bus-log, and numbers as text.
 */
#include "monitor/bus_log_out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/can.h>

#define ROW(a) a "0" a "1" a "2" a "3" a "4" a "5" a "6" a "7" a "8" a "9"
#define HEX(a) ROW(a) a "A" a "B" a "C" a "D" a "E" a "F"

const char out_pairs[201] =
	ROW("0") ROW("1") ROW("2") ROW("3") ROW("4") ROW("5") ROW("6") ROW("7") ROW("8") ROW("9");
const char out_hex_pairs[513] = HEX("0") HEX("1") HEX("2") HEX("3") HEX("4") HEX("5") HEX("6") HEX("7")
	HEX("8") HEX("9") HEX("A") HEX("B") HEX("C") HEX("D") HEX("E") HEX("F");

static const uint32_t powers[10] = {1,	    10,	     100,      1000,	  10000,
				    100000, 1000000, 10000000, 100000000, 1000000000};

int out_init(struct out *o, int fd)
{
	memset(o, 0, sizeof(*o));
	o->fd = fd;
	o->buffer = malloc(OUT_SIZE);
	return o->buffer ? 0 : -ENOMEM;
}

/* A descriptor that another program made non-blocking (a terminal it shares with us) is waited for. */
static ssize_t write_some(int fd, const char *p, size_t n)
{
	ssize_t done;

	for (;;) {
		done = write(fd, p, n);
		if (done >= 0)
			return done;
		if (errno == EAGAIN) {
			struct pollfd wait = {.fd = fd, .events = POLLOUT};

			poll(&wait, 1, -1);
		} else if (errno != EINTR) {
			return -errno;
		}
	}
}

int out_flush(struct out *o)
{
	const char *p = o->buffer;

	while (o->n > 0 && o->error == 0 && o->fd >= 0) {
		ssize_t done = write_some(o->fd, p, o->n);

		if (done < 0) {
			o->error = (int)done;
			break;
		}
		p += done;
		o->n -= (size_t)done;
		o->n_before += (uint64_t)done;
	}
	o->n = 0;
	return o->error;
}

int out_finish(struct out *o)
{
	out_flush(o);
	free(o->buffer);
	o->buffer = NULL;
	return o->error;
}

int out_open(struct out *o, const char *path, char *err, size_t err_size)
{
	int fd = STDOUT_FILENO;

	if (path && strcmp(path, "-") != 0) {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		if (fd < 0) {
			snprintf(err, err_size, "%s: %s", path, strerror(errno));
			return -errno;
		}
	}
	if (out_init(o, fd) == 0)
		return 0;
	snprintf(err, err_size, "not enough memory");
	if (fd != STDOUT_FILENO)
		close(fd);
	return -ENOMEM;
}

int out_close(struct out *o)
{
	int rc = out_finish(o);

	if (o->fd > STDERR_FILENO && close(o->fd) != 0 && rc == 0)
		rc = -errno;
	o->fd = -1;
	return rc;
}

void out_text(struct out *o, const char *text, size_t n)
{
	while (n > 0) {
		size_t part = n < OUT_SIZE ? n : OUT_SIZE;
		char *p = out_begin(o, part);

		out_end(o, put_text(p, text, part));
		text += part;
		n -= part;
	}
}

char *put_id(char *p, uint32_t can_id)
{
	uint32_t id = can_id & CAN_ERR_FLAG   ? can_id & (CAN_ERR_FLAG | CAN_ERR_MASK)
		      : can_id & CAN_EFF_FLAG ? can_id & CAN_EFF_MASK
					      : can_id & CAN_SFF_MASK;

	if (!(can_id & (CAN_ERR_FLAG | CAN_EFF_FLAG))) {
		*p++ = out_hex_pairs[2 * (id >> 8) + 1];
		return put_hex_byte(p, (uint8_t)id);
	}
	p = put_hex_byte(p, (uint8_t)(id >> 24));
	p = put_hex_byte(p, (uint8_t)(id >> 16));
	p = put_hex_byte(p, (uint8_t)(id >> 8));
	return put_hex_byte(p, (uint8_t)id);
}

/* n digits, leading zeros included. */
static char *put_digits(char *p, uint32_t v, unsigned n)
{
	char *end = p + n;

	for (p = end; n >= 2; n -= 2, v /= 100) {
		p -= 2;
		memcpy(p, out_pairs + 2 * (size_t)(v % 100), 2);
	}
	if (n)
		p[-1] = (char)('0' + v % 10);
	return end;
}

static unsigned count_digits(uint32_t v)
{
	unsigned n = 1;

	while (n < 10 && v >= powers[n])
		n++;
	return n;
}

char *put_unsigned(char *p, uint64_t v)
{
	const uint64_t part = 1000000000;

	if (v < part)
		return put_digits(p, (uint32_t)v, count_digits((uint32_t)v));
	p = put_unsigned(p, v / part);
	return put_digits(p, (uint32_t)(v % part), 9);
}

char *put_signed(char *p, int64_t v)
{
	if (v < 0)
		*p++ = '-';
	return put_unsigned(p, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

char *put_decimal(char *p, int64_t v, unsigned decimals)
{
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	if (v < 0)
		*p++ = '-';
	while (decimals && u % 10 == 0) {
		u /= 10;
		decimals--;
	}
	if (!decimals)
		return put_unsigned(p, u);
	p = put_unsigned(p, u / powers[decimals]);
	*p++ = '.';
	return put_digits(p, (uint32_t)(u % powers[decimals]), decimals);
}

char *put_seconds(char *p, int64_t us, unsigned min_digits)
{
	uint64_t u = us < 0 ? 0 - (uint64_t)us : (uint64_t)us, s = u / 1000000;

	if (us < 0)
		*p++ = '-';
	if (min_digits == 10 && s >= powers[9] && s <= UINT32_MAX) {
		p = put_digits(p, (uint32_t)s, 10);
	} else {
		char digits[24];
		size_t n = (size_t)(put_unsigned(digits, s) - digits);

		for (size_t i = n; i < min_digits; i++)
			*p++ = '0';
		p = put_text(p, digits, n);
	}
	*p++ = '.';
	return put_digits(p, (uint32_t)(u % 1000000), 6);
}
