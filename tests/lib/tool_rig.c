/* SPDX-License-Identifier: MIT */
/*
 * Shell commands in a folder of their own.
 */
#include "tests/lib/tool_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

void tool_begin(struct tool_rig *r, const char *program)
{
	char path[PROC_PATH_MAX];

	assert_true(proc_find_program(program, path));
	*strrchr(path, '/') = '\0';
	snprintf(r->path, sizeof(r->path), "PATH=%s:%s", path, getenv("PATH"));
	strcpy(r->dir, "/tmp/test_tool.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
}

void tool_end(struct tool_rig *r)
{
	tool_run(r, "rm -rf %s", r->dir);
}

__attribute__((format(printf, 4, 0))) static void start(struct tool_rig *r, struct proc_child *c,
							const char *prefix, const char *format, va_list list)
{
	const char *const env[] = {r->path, "TZ=UTC", NULL};
	char command[4096];
	size_t n = (size_t)snprintf(command, sizeof(command), "cd %s && %s", r->dir, prefix);

	n += (size_t)vsnprintf(command + n, sizeof(command) - n, format, list);
	assert_true(n < sizeof(command));
	const char *const argv[] = {"/bin/sh", "-c", command, NULL};
	assert_int_equal(proc_start(c, argv, env), 0);
}

int tool_run(struct tool_rig *r, const char *format, ...)
{
	struct proc_child c;
	va_list list;
	bool has_ended;
	int status;

	va_start(list, format);
	start(r, &c, "", format, list);
	va_end(list);
	has_ended = proc_wait(&c, TOOL_LIMIT_MS);
	proc_output(&c, r->said, sizeof(r->said));
	status = has_ended ? proc_exit_code(&c) : -1;
	proc_end(&c);
	assert_true(has_ended);
	return status;
}

void tool_start(struct tool_rig *r, struct proc_child *c, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	start(r, c, "exec ", format, list);
	va_end(list);
}

char *tool_read(const struct tool_rig *r, const char *name)
{
	char path[256];
	long size;
	char *text;
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s", r->dir, name);
	in = fopen(path, "r");
	assert_non_null(in);
	assert_int_equal(fseek(in, 0, SEEK_END), 0);
	size = ftell(in);
	assert_true(size >= 0);
	rewind(in);
	text = malloc((size_t)size + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, (size_t)size, in), size);
	text[size] = '\0';
	fclose(in);
	return text;
}

void tool_write(const struct tool_rig *r, const char *name, const char *text)
{
	char path[256];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", r->dir, name);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
}
