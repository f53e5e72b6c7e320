/* SPDX-License-Identifier: MIT */
/*
 * chargectl: asks a running program of forecourt over its control socket, and prints the answer as lines
 * key=value or as JSON. What the words mean is up to the program; see chargectl(1).
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/linux/ctl_server.h"
#include "lib/linux/loop.h"

#define EXIT_USAGE	 2
#define ANSWER_TIMEOUT_S 5
#define WATCH_MS_DEFAULT 1000
#define WATCH_MS_MIN	 20
#define WATCH_MS_MAX	 3600000

struct answer {
	size_t n;
	char text[CTL_ANSWER_MAX + 256]; /* lines, then the last one cut off */
	bool is_ok;
	const char *reason; /* in text, of an error */
};

static int complain(const char *sentence, const char *what)
{
	fprintf(stderr, "chargectl: %s%s\n", sentence, what);
	return EXIT_FAILURE;
}

static int usage(const char *sentence, const char *what)
{
	complain(sentence, what);
	fprintf(stderr, "see chargectl --help\n");
	return EXIT_USAGE;
}

/* A connected socket or a negative errno. */
static int connect_path(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT_S};
	size_t n = strlen(path);
	int fd, r;

	if (n >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	memcpy(a.sun_path, path, n);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) ||
	    connect(fd, (struct sockaddr *)&a, sizeof(a))) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

/* A name is looked for in all places; the most telling error is kept. */
static int connect_target(const char *target)
{
	char path[CTL_PATH_MAX];
	int r = -ENOENT;
	unsigned i;

	if (strchr(target, '/'))
		return connect_path(target);
	for (i = 0; i < CTL_N_DIRS; i++) {
		int fd;

		if (ctl_socket_path(target, i, path))
			continue;
		fd = connect_path(path);
		if (fd >= 0)
			return fd;
		if (fd != -ENOENT)
			r = fd;
	}
	return r;
}

/* Finds the last line: "ok" or "error: ...". False while it is not there yet. */
static bool is_complete(struct answer *a)
{
	char *last;

	if (a->n == 0 || a->text[a->n - 1] != '\n')
		return false;
	a->text[a->n] = '\0';
	for (last = a->text + a->n - 1; last > a->text && last[-1] != '\n'; last--)
		;
	if (strcmp(last, "ok\n") == 0) {
		a->is_ok = true;
		a->n = (size_t)(last - a->text);
		*last = '\0';
		return true;
	}
	if (strncmp(last, "error: ", 7) != 0)
		return false;
	a->is_ok = false;
	a->text[a->n - 1] = '\0';
	a->reason = last + 7;
	return true;
}

/* One request and its answer. 0 or a negative errno; a refusal by the program is an answer. */
static int ask(int fd, const char *line, struct answer *a)
{
	size_t n = strlen(line), done = 0;

	a->n = 0;
	while (done < n) {
		ssize_t sent = send(fd, line + done, n - done, MSG_NOSIGNAL);

		if (sent < 0)
			return -errno;
		done += (size_t)sent;
	}
	for (;;) {
		ssize_t got = recv(fd, a->text + a->n, sizeof(a->text) - 1 - a->n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (got == 0)
			return -ECONNRESET;
		a->n += (size_t)got;
		if (is_complete(a))
			return 0;
		if (a->n == sizeof(a->text) - 1)
			return -EMSGSIZE;
	}
}

static void print_json_text(const char *text, size_t n)
{
	size_t i;

	putchar('"');
	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < ' ')
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

/* A number of JSON's grammar without exponent: the only forms our programs write. */
static bool is_number(const char *p, size_t n)
{
	size_t i = n > 0 && p[0] == '-' ? 1 : 0;
	size_t first = i;

	while (i < n && p[i] >= '0' && p[i] <= '9')
		i++;
	if (i == first || (p[first] == '0' && i > first + 1))
		return false;
	if (i == n)
		return true;
	if (p[i++] != '.' || i == n)
		return false;
	while (i < n && p[i] >= '0' && p[i] <= '9')
		i++;
	return i == n;
}

static void print_json(const struct answer *a)
{
	const char *line = a->text, *separator = "";

	putchar('{');
	while (*line) {
		size_t n = strcspn(line, "\n");
		const char *equals = memchr(line, '=', n);
		size_t key_len = equals ? (size_t)(equals - line) : n;
		const char *value = equals ? equals + 1 : line + n;
		size_t value_len = (size_t)(line + n - value);

		printf("%s", separator);
		print_json_text(line, key_len);
		putchar(':');
		if (is_number(value, value_len))
			printf("%.*s", (int)value_len, value);
		else
			print_json_text(value, value_len);
		separator = ",";
		line += n + (line[n] == '\n');
	}
	puts("}");
}

static int print_refusal(const struct answer *a, bool is_json)
{
	if (!is_json)
		return complain("refused: ", a->reason);
	printf("{\"error\":");
	print_json_text(a->reason, strlen(a->reason));
	puts("}");
	return EXIT_FAILURE;
}

static int do_request(int fd, const char *line, bool is_json)
{
	static struct answer a;
	int r = ask(fd, line, &a);

	if (r)
		return complain("no answer: ", strerror(-r));
	if (!a.is_ok)
		return print_refusal(&a, is_json);
	if (is_json)
		print_json(&a);
	else
		fputs(a.text, stdout);
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* True when the line (n characters and its end) is one of the lines of the other answer. */
static bool has_line(const struct answer *a, const char *line, size_t n)
{
	const char *p = a->text;

	while (*p) {
		size_t len = strcspn(p, "\n");

		if (len == n && memcmp(p, line, n) == 0)
			return true;
		p += len + (p[len] == '\n');
	}
	return false;
}

static void print_changes(const struct answer *new, const struct answer *old, double at_s)
{
	const char *p = new->text;

	while (*p) {
		size_t n = strcspn(p, "\n");

		if (!has_line(old, p, n))
			printf("%.3f %.*s\n", at_s, (int)n, p);
		p += n + (p[n] == '\n');
	}
}

static int do_watch(int fd, const char *line, long interval_ms, bool is_json)
{
	static struct answer a[2];
	struct timespec pause = {.tv_sec = interval_ms / 1000, .tv_nsec = interval_ms % 1000 * 1000000};
	int64_t start_us = loop_clock_us();
	unsigned i;

	for (i = 0;; i = 1 - i) {
		struct answer *new = &a[i], *old = &a[1 - i];
		int r = ask(fd, line, new);

		if (r)
			return complain("no answer: ", strerror(-r));
		if (!new->is_ok)
			return print_refusal(new, is_json);
		if (strcmp(new->text, old->text) != 0) {
			if (is_json)
				print_json(new);
			else
				print_changes(new, old, (double)(loop_clock_us() - start_us) / 1e6);
			if (fflush(stdout))
				return EXIT_FAILURE;
		}
		nanosleep(&pause, NULL);
	}
}

static void list_socket(const char *dir, const char *file, bool is_json, unsigned *n)
{
	char path[CTL_PATH_MAX];
	size_t len = strlen(file);
	int fd;

	if (len <= 5 || strcmp(file + len - 5, ".sock") != 0 ||
	    snprintf(path, sizeof(path), "%s/%s", dir, file) >= (int)sizeof(path))
		return;
	fd = connect_path(path);
	if (fd < 0)
		return;
	close(fd);
	if (is_json) {
		printf("%s{\"name\":", *n ? "," : "");
		print_json_text(file, len - 5);
		printf(",\"path\":");
		print_json_text(path, strlen(path));
		putchar('}');
	} else {
		printf("%.*s\t%s\n", (int)(len - 5), file, path);
	}
	(*n)++;
}

static int do_list(bool is_json)
{
	char dir[CTL_PATH_MAX];
	unsigned i, n = 0;

	if (is_json)
		putchar('[');
	for (i = 0; i < CTL_N_DIRS; i++) {
		struct dirent *e;
		DIR *d;

		if (ctl_socket_dir(i, dir))
			continue;
		d = opendir(dir);
		if (!d)
			continue;
		while ((e = readdir(d)))
			list_socket(dir, e->d_name, is_json, &n);
		closedir(d);
	}
	if (is_json)
		puts("]");
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Joins the words to a request line. False: too long, or a word that would end the line. */
static bool join(char *line, size_t size, char **words, int n_words)
{
	size_t n = 0;
	int i;

	for (i = 0; i < n_words; i++) {
		if (strpbrk(words[i], "\r\n"))
			return false;
		n += (size_t)snprintf(line + n, size - n, "%s%s", i ? " " : "", words[i]);
		if (n + 2 > size)
			return false;
	}
	line[n] = '\n';
	line[n + 1] = '\0';
	return n > 0;
}

static int help(void)
{
	puts("Usage: chargectl [--json] list\n"
	     "       chargectl [--json] TARGET WORD...\n"
	     "       chargectl [--json] TARGET watch [MS] [WORD...]\n"
	     "Ask a running program of forecourt over its control socket.\n\n"
	     "TARGET is a name as shown by list (evse-ctrl, pev-ctrl, secc-sim, evcc-sim.2) or the\n"
	     "path of a socket. Requests of most programs:\n"
	     "  status                   what is going on\n"
	     "  get [KEY...]             settings, all or some\n"
	     "  set KEY VALUE...         change settings that can be changed while running\n"
	     "  stop                     end the session in order\n"
	     "  plug, unplug             virtual modules only\n"
	     "  stats                    frames, wake-ups and losses of the process\n"
	     "  log LEVEL                error, warning, notice, info or debug\n"
	     "  quit                     as SIGTERM: ordered stop, then exit\n"
	     "watch prints status (or the answer to WORD...) each time it changes, looked at every MS.\n\n"
	     "      --json               answers as JSON\n"
	     "  -h, --help               this text\n"
	     "  -V, --version            print the version and exit\n"
	     "Exit status: 0 done, 1 refused or no answer, 2 wrong use.");
	return EXIT_SUCCESS;
}

static int do_target(const char *target, char **words, int n_words, bool is_json)
{
	char line[CTL_LINE_MAX];
	char status_word[] = "status";
	char *status[] = {status_word};
	bool is_watch = n_words > 0 && strcmp(words[0], "watch") == 0;
	long interval_ms = WATCH_MS_DEFAULT;
	int fd, r;

	if (is_watch) {
		words++;
		n_words--;
		if (n_words > 0 && words[0][0] >= '0' && words[0][0] <= '9') {
			char *end;

			interval_ms = strtol(words[0], &end, 10);
			if (*end || interval_ms < WATCH_MS_MIN || interval_ms > WATCH_MS_MAX)
				return usage("watch needs 20 to 3600000 ms, not ", words[0]);
			words++;
			n_words--;
		}
		if (n_words == 0) {
			words = status;
			n_words = 1;
		}
	}
	if (!join(line, sizeof(line), words, n_words))
		return usage(n_words ? "request is too long or holds a line end" : "what shall be asked of ",
			     n_words ? "" : target);
	fd = connect_target(target);
	if (fd == -ENOENT || fd == -ECONNREFUSED)
		return complain("not running (see chargectl list): ", target);
	if (fd < 0)
		return complain("cannot reach the program: ", strerror(-fd));
	r = is_watch ? do_watch(fd, line, interval_ms, is_json) : do_request(fd, line, is_json);
	close(fd);
	return r;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	bool is_json = false;
	int c;

	/* '+': what follows the target belongs to the program, even when it begins with a dash. */
	while ((c = getopt_long(argc, argv, "+hV", options, NULL)) != -1) {
		if (c == 'j')
			is_json = true;
		else if (c == 'h')
			return help();
		else if (c == 'V')
			return puts("chargectl " FORECOURT_VERSION) < 0;
		else
			return EXIT_USAGE;
	}
	argc -= optind;
	argv += optind;
	if (argc > 1 && strcmp(argv[argc - 1], "--json") == 0) {
		is_json = true; /* also where people write it */
		argc--;
	}
	if (argc == 1 && strcmp(argv[0], "list") == 0)
		return do_list(is_json);
	if (argc < 1)
		return usage("a target is missing", "");
	if (argc > 1 && strcmp(argv[0], "list") == 0)
		return usage("list takes no words", "");
	return do_target(argv[0], argv + 1, argc - 1, is_json);
}
