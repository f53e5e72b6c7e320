/* SPDX-License-Identifier: MIT */
/* Files with secrets. */
#include "gateways/mqtt_gw_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX 512

static int blame(const char *path, int error, const char *why, char *err, size_t err_size)
{
	snprintf(err, err_size, "%s: %s", path, why);
	return error;
}

/* What is checked is what is read: both go through the one descriptor. */
static int open_checked(const char *path, bool is_secret, char *err, size_t err_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	const char *why = NULL;

	if (fd < 0)
		return blame(path, -errno, strerror(errno), err, err_size);
	if (fstat(fd, &st))
		why = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		why = "is not a file";
	else if (is_secret && st.st_mode & 077)
		why = "others could read or write it; chmod 600";
	else if (is_secret && st.st_uid != geteuid() && st.st_uid != 0)
		why = "belongs to another user";
	if (!why)
		return fd;
	close(fd);
	return blame(path, -EPERM, why, err, err_size);
}

int mqtt_gw_file_check(const char *path, bool is_secret, char *err, size_t err_size)
{
	int fd = open_checked(path, is_secret, err, err_size);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* The next line of *text without its end; NULL: empty or too long. */
static const char *take_line(char **text, size_t size)
{
	char *line = *text;
	size_t n = strcspn(line, "\n");

	*text = line + n + (line[n] == '\n');
	line[n] = '\0';
	if (n > 0 && line[n - 1] == '\r')
		line[--n] = '\0';
	return n > 0 && n < size ? line : NULL;
}

static int parse(char *text, char *user, size_t user_size, char *password, size_t password_size)
{
	const char *first = take_line(&text, user_size);
	const char *second = take_line(&text, password_size);

	if (!first || !second || *text)
		return -EINVAL;
	memcpy(user, first, strlen(first) + 1);
	memcpy(password, second, strlen(second) + 1);
	return 0;
}

int mqtt_gw_secret_read(const char *path, char *user, size_t user_size, char *password, size_t password_size,
			char *err, size_t err_size)
{
	int fd = open_checked(path, true, err, err_size);
	char text[FILE_MAX + 1];
	ssize_t n;
	int r;

	if (fd < 0)
		return fd;
	n = read(fd, text, FILE_MAX);
	close(fd);
	if (n < 0)
		return blame(path, -EIO, "cannot be read", err, err_size);
	text[n] = '\0';
	r = n == FILE_MAX || memchr(text, '\0', (size_t)n)
		    ? -EINVAL
		    : parse(text, user, user_size, password, password_size);
	explicit_bzero(text, sizeof(text));
	if (r)
		return blame(path, r, "must hold two lines, user and password, neither empty", err, err_size);
	return 0;
}
