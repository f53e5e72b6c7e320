/* SPDX-License-Identifier: MIT */
/* A program on a pseudo-terminal in front of a terminal emulator in memory. */
#include "tests/lib/term_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include <vterm.h>

#include "tests/lib/proc_child.h"

#define READ_SIZE 65536

/* --- start and end ----------------------------------------------------------------------------------------- */

static int on_property(VTermProp prop, VTermValue *value, void *user)
{
	struct term_rig *t = user;

	if (prop == VTERM_PROP_ALTSCREEN)
		t->is_alternate = value->boolean;
	return 1;
}

static const VTermScreenCallbacks callbacks = {.settermprop = on_property};

/* What the terminal answers to questions of the program. */
static void on_answer(const char *bytes, size_t n, void *user)
{
	const struct term_rig *t = user;

	if (write(t->master_fd, bytes, n) < 0)
		return; /* the program does not read: it gets no answer */
}

static bool open_screen(struct term_rig *t)
{
	VTermColor fg, bg;

	t->vt = vterm_new(t->rows, t->cols);
	if (!t->vt)
		return false;
	vterm_set_utf8(t->vt, 1);
	vterm_output_set_callback(t->vt, on_answer, t);
	t->screen = vterm_obtain_screen(t->vt);
	vterm_screen_enable_altscreen(t->screen, 1);
	vterm_screen_set_callbacks(t->screen, &callbacks, t);
	vterm_screen_reset(t->screen, 1);
	vterm_state_get_default_colors(vterm_obtain_state(t->vt), &fg, &bg);
	memcpy(t->plain_fg, (const uint8_t[]){fg.rgb.red, fg.rgb.green, fg.rgb.blue}, 3);
	memcpy(t->plain_bg, (const uint8_t[]){bg.rgb.red, bg.rgb.green, bg.rgb.blue}, 3);
	t->is_cursor_visible = true;
	t->is_alternate = false;
	return true;
}

static void run_program(const struct term_rig *t, const char *const argv[], const char *const env[])
{
	static const char *const unset[] = {"LINES", "COLUMNS", "NO_COLOR", "ESCDELAY", "LANG", "LC_CTYPE"};
	static const char *const set[] = {"TERM=xterm-256color", "LC_ALL=C.UTF-8", "TZ=UTC"};
	char *args[PROC_MAX_ARGS + 1];
	sigset_t none;
	size_t i;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < sizeof(unset) / sizeof(unset[0]); i++)
		unsetenv(unset[i]);
	for (i = 0; i < sizeof(set) / sizeof(set[0]); i++)
		putenv(strdup(set[i]));
	for (i = 0; env && env[i]; i++)
		putenv(strdup(env[i]));
	for (i = 0; argv[i] && i < PROC_MAX_ARGS; i++)
		args[i] = strdup(argv[i]);
	args[i] = NULL;
	if (login_tty(t->slave_fd) || (t->error_fd >= 0 && dup2(t->error_fd, 2) < 0))
		_exit(125);
	execv(args[0], args);
	_exit(127);
}

int term_start(struct term_rig *t, const char *const argv[], const char *const env[], int rows, int cols)
{
	struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols};

	memset(t, 0, sizeof(*t));
	t->master_fd = t->slave_fd = t->pid_fd = t->error_fd = -1;
	t->rows = rows;
	t->cols = cols;
	if (openpty(&t->master_fd, &t->slave_fd, NULL, NULL, &size))
		return -errno;
	fcntl(t->master_fd, F_SETFD, FD_CLOEXEC);
	fcntl(t->master_fd, F_SETFL, O_NONBLOCK);
	fcntl(t->slave_fd, F_SETFD, FD_CLOEXEC);
	tcgetattr(t->slave_fd, &t->before);
	t->error_fd = memfd_create("errors", MFD_CLOEXEC);
	if (!open_screen(t))
		return -ENOMEM;
	fflush(NULL);
	t->exec_us = proc_now_us();
	t->pid = fork();
	if (t->pid < 0) {
		t->pid = 0;
		return -errno;
	}
	if (t->pid == 0)
		run_program(t, argv, env);
	t->pid_fd = (int)syscall(SYS_pidfd_open, t->pid, 0);
	return t->pid_fd < 0 ? -errno : 0;
}

void term_end(struct term_rig *t)
{
	int *const fds[] = {&t->master_fd, &t->slave_fd, &t->pid_fd, &t->error_fd};
	size_t i;

	if (t->pid > 0) {
		kill(t->pid, SIGKILL);
		waitpid(t->pid, &t->status, 0);
	}
	t->pid = 0;
	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
	if (t->vt)
		vterm_free(t->vt);
	t->vt = NULL;
}

/* --- bytes ------------------------------------------------------------------------------------------------- */

/*
 * libvterm does not know the attribute "dim" (SGR 2); it is shown to it as italic (SGR 3), which no program here
 * uses, and read back as dim. The numbers behind 38 and 48 are colours, not attributes.
 */
static size_t rewrite_attributes(const char *in, size_t n, char *out)
{
	size_t i, used = 0;
	int skip = 0;

	for (i = 0; i < n;) {
		size_t begin = i, len;
		long number;

		while (i < n && in[i] >= '0' && in[i] <= '9')
			i++;
		len = i - begin;
		number = len ? strtol(in + begin, NULL, 10) : -1;
		if (skip == -1)
			skip = number == 5 ? 1 : number == 2 ? 3 : 0;
		else if (skip > 0)
			skip--;
		else if (number == 38 || number == 48)
			skip = -1;
		else if (number == 2)
			number = 3;
		if (len == 1)
			out[used++] = (char)('0' + number);
		else
			memcpy(out + used, in + begin, len), used += len;
		/* 22 ends bold and dim. */
		if (skip == 0 && number == 22) {
			memcpy(out + used, ";23", 3);
			used += 3;
		}
		if (i < n)
			out[used++] = in[i++];
	}
	return used;
}

/*
 * "CSI ? 25 h" shows the cursor, "l" hides it. libvterm also shows it when the alternate screen is left, which a
 * real terminal does not.
 */
static void note_cursor(struct term_rig *t, const char *mode, char last)
{
	while (*mode >= '0' && *mode <= '9') {
		char *end;

		if (strtol(mode, &end, 10) == 25)
			t->is_cursor_visible = last == 'h';
		mode = *end == ';' ? end + 1 : end;
	}
}

static void take_escape(struct term_rig *t)
{
	char out[2 * sizeof(t->escape)];
	size_t n = t->n_escape;
	char last = t->escape[n - 1];

	t->n_escape = 0;
	t->escape[n] = '\0';
	if ((last == 'h' || last == 'l') && t->escape[2] == '?')
		note_cursor(t, t->escape + 3, last);
	if (last == 'J' && n > 3 && t->escape[n - 2] == '2')
		t->n_clears++;
	if (last != 'm' || n < 3) {
		vterm_input_write(t->vt, t->escape, n);
		return;
	}
	memcpy(out, "\033[", 2);
	n = 2 + rewrite_attributes(t->escape + 2, n - 3, out + 2);
	out[n++] = 'm';
	vterm_input_write(t->vt, out, n);
}

/* Control sequences are held until they are complete; everything else goes straight on. */
static void take_bytes(struct term_rig *t, const char *bytes, size_t n)
{
	size_t i = 0, begin = 0;

	while (i < n) {
		char c = bytes[i];

		if (t->n_escape == 0) {
			if (c == '\033') {
				vterm_input_write(t->vt, bytes + begin, i - begin);
				t->escape[t->n_escape++] = c;
				begin = i + 1;
			}
		} else {
			bool is_csi = t->n_escape > 1 || c == '[';

			t->escape[t->n_escape++] = c;
			begin = i + 1;
			if (is_csi && t->n_escape > 2 && c >= 0x40 && c <= 0x7e) {
				take_escape(t);
			} else if (!is_csi || t->n_escape == sizeof(t->escape) - 1) {
				vterm_input_write(t->vt, t->escape, t->n_escape);
				t->n_escape = 0;
			}
		}
		i++;
	}
	vterm_input_write(t->vt, bytes + begin, n - begin);
}

static bool read_some(struct term_rig *t)
{
	char bytes[READ_SIZE];
	ssize_t n = read(t->master_fd, bytes, sizeof(bytes));

	if (n <= 0)
		return false;
	t->n_bytes += (uint64_t)n;
	t->byte_us = proc_now_us();
	take_bytes(t, bytes, (size_t)n);
	return true;
}

bool term_pump(struct term_rig *t)
{
	while (read_some(t))
		;
	if (t->pid > 0 && waitpid(t->pid, &t->status, WNOHANG) == t->pid) {
		t->pid = 0;
		while (read_some(t))
			;
	}
	return t->pid > 0;
}

void term_send(struct term_rig *t, const char *keys)
{
	size_t n = strlen(keys);

	while (n > 0) {
		ssize_t done = write(t->master_fd, keys, n);

		if (done < 0 && errno != EAGAIN && errno != EINTR)
			return;
		keys += done > 0 ? done : 0;
		n -= done > 0 ? (size_t)done : 0;
	}
}

void term_resize(struct term_rig *t, int rows, int cols)
{
	struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols};

	term_pump(t);
	t->rows = rows;
	t->cols = cols;
	vterm_set_size(t->vt, rows, cols);
	ioctl(t->master_fd, TIOCSWINSZ, &size);
}

/* --- waiting ----------------------------------------------------------------------------------------------- */

/* Until there is output, the program has ended, or end_us has come. */
static void wait_for_more(const struct term_rig *t, int64_t end_us)
{
	struct pollfd p[2] = {{.fd = t->master_fd, .events = POLLIN},
			      {.fd = t->pid > 0 ? t->pid_fd : -1, .events = POLLIN}};
	int64_t left_us = end_us - proc_now_us();

	if (left_us > 0)
		poll(p, 2, (int)((left_us + 999) / 1000));
}

bool term_wait(struct term_rig *t, term_is_fn is, void *ctx, int64_t limit_ms)
{
	int64_t end_us = proc_now_us() + limit_ms * 1000;

	for (;;) {
		bool is_running = term_pump(t);

		if (is(t, ctx))
			return true;
		if (!is_running || proc_now_us() >= end_us)
			return false;
		wait_for_more(t, end_us);
	}
}

static bool has_text(struct term_rig *t, void *ctx)
{
	int row, col;

	return term_find(t, ctx, &row, &col);
}

static bool has_no_text(struct term_rig *t, void *ctx)
{
	return !has_text(t, ctx);
}

bool term_wait_text(struct term_rig *t, const char *text)
{
	char copy[TERM_ROW_MAX];

	snprintf(copy, sizeof(copy), "%s", text);
	return term_wait(t, has_text, copy, TERM_LIMIT_MS);
}

bool term_wait_no_text(struct term_rig *t, const char *text)
{
	char copy[TERM_ROW_MAX];

	snprintf(copy, sizeof(copy), "%s", text);
	return term_wait(t, has_no_text, copy, TERM_LIMIT_MS);
}

bool term_wait_quiet(struct term_rig *t, int64_t quiet_ms)
{
	int64_t begin_us = proc_now_us(), end_us = begin_us + (quiet_ms + TERM_LIMIT_MS) * 1000;

	for (;;) {
		bool is_running = term_pump(t);
		int64_t since_us = t->byte_us > begin_us ? t->byte_us : begin_us;

		if (!is_running || proc_now_us() >= since_us + quiet_ms * 1000)
			return true;
		if (proc_now_us() >= end_us)
			return false;
		wait_for_more(t, since_us + quiet_ms * 1000);
	}
}

static bool has_ended(struct term_rig *t, void *ctx)
{
	(void)ctx;
	return t->pid == 0;
}

bool term_wait_exit(struct term_rig *t, int64_t limit_ms)
{
	return term_wait(t, has_ended, NULL, limit_ms);
}

int term_exit_code(const struct term_rig *t)
{
	return WIFEXITED(t->status) ? WEXITSTATUS(t->status) : -WTERMSIG(t->status);
}

bool term_is_restored(const struct term_rig *t)
{
	struct termios now;

	return !t->is_alternate && t->is_cursor_visible && tcgetattr(t->slave_fd, &now) == 0 &&
	       now.c_iflag == t->before.c_iflag && now.c_oflag == t->before.c_oflag &&
	       now.c_lflag == t->before.c_lflag && now.c_cflag == t->before.c_cflag;
}

/* --- the screen -------------------------------------------------------------------------------------------- */

static int colour_of(const struct term_rig *t, VTermColor *c, bool is_fg, uint8_t rgb[3])
{
	int index = VTERM_COLOR_IS_INDEXED(c) ? c->indexed.idx : -2;

	if (is_fg ? VTERM_COLOR_IS_DEFAULT_FG(c) : VTERM_COLOR_IS_DEFAULT_BG(c))
		index = -1;
	vterm_screen_convert_color_to_rgb(t->screen, c);
	rgb[0] = c->rgb.red;
	rgb[1] = c->rgb.green;
	rgb[2] = c->rgb.blue;
	return index;
}

struct term_cell term_cell(const struct term_rig *t, int row, int col)
{
	VTermScreenCell v;
	struct term_cell c;

	memset(&v, 0, sizeof(v));
	memset(&c, 0, sizeof(c));
	vterm_screen_get_cell(t->screen, (VTermPos){row, col}, &v);
	c.ch = v.chars[0] == (uint32_t)-1 ? 0 : v.chars[0] == 0 ? ' ' : v.chars[0];
	c.is_bold = v.attrs.bold;
	c.is_dim = v.attrs.italic; /* see rewrite_attributes() */
	c.is_underlined = v.attrs.underline != 0;
	c.is_reverse = v.attrs.reverse;
	c.is_blinking = v.attrs.blink;
	c.fg = colour_of(t, &v.fg, true, c.fg_rgb);
	c.bg = colour_of(t, &v.bg, false, c.bg_rgb);
	return c;
}

bool term_cell_is_alike(const struct term_cell *a, const struct term_cell *b)
{
	return a->is_bold == b->is_bold && a->is_dim == b->is_dim && a->is_underlined == b->is_underlined &&
	       a->is_reverse == b->is_reverse && a->is_blinking == b->is_blinking && a->fg == b->fg &&
	       a->bg == b->bg && memcmp(a->fg_rgb, b->fg_rgb, 3) == 0 && memcmp(a->bg_rgb, b->bg_rgb, 3) == 0;
}

static size_t put_utf8(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

size_t term_row_text(const struct term_rig *t, int row, char text[TERM_ROW_MAX])
{
	size_t n = 0, end = 0;
	int col;

	for (col = 0; col < t->cols && col < TERM_MAX_COLS; col++) {
		VTermScreenCell v;
		uint32_t ch;

		memset(&v, 0, sizeof(v));
		vterm_screen_get_cell(t->screen, (VTermPos){row, col}, &v);
		ch = v.chars[0];
		if (ch == (uint32_t)-1)
			continue;
		n += put_utf8(ch ? ch : ' ', text + n);
		if (ch && ch != ' ')
			end = n;
	}
	text[end] = '\0';
	return end;
}

bool term_find(const struct term_rig *t, const char *text, int *row, int *col)
{
	char line[TERM_ROW_MAX];
	int r;

	for (r = 0; r < t->rows; r++) {
		const char *found, *p;

		term_row_text(t, r, line);
		found = strstr(line, text);
		if (!found)
			continue;
		*row = r;
		*col = 0;
		for (p = line; p < found; p++)
			*col += ((unsigned char)*p & 0xc0) != 0x80;
		return true;
	}
	return false;
}

void term_show(const struct term_rig *t)
{
	char line[TERM_ROW_MAX], errors[2048];
	ssize_t n;
	int row;

	fprintf(stderr, "# terminal of %d x %d, %s, %llu bytes:\n", t->cols, t->rows,
		t->pid > 0 ? "running" : "ended", (unsigned long long)t->n_bytes);
	for (row = 0; row < t->rows; row++) {
		term_row_text(t, row, line);
		fprintf(stderr, "# |%s\n", line);
	}
	n = t->error_fd >= 0 ? pread(t->error_fd, errors, sizeof(errors) - 1, 0) : 0;
	if (n > 0)
		fprintf(stderr, "# stderr: %.*s\n", (int)n, errors);
}
