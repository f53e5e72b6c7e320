/* SPDX-License-Identifier: MIT */
/* A broker of its own, and its certificates. */
#include "tests/lib/mqtt_rig.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define LOOK_MS	   20 /* between looks whether a broker takes connections */
#define N_ATTEMPTS 5  /* somebody may take a port between our look and the broker's */

static const char *find_program(const char *name, char path[160])
{
	static const char *const folders[] = {"/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"};
	size_t i;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, 160, "%s/%s", folders[i], name);
		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

bool mqtt_is_installed(char *why, size_t size)
{
	static const char *const needed[] = {"mosquitto", "openssl"};
	char path[160];
	size_t i;

	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (!find_program(needed[i], path)) {
			snprintf(why, size, "%s is not installed", needed[i]);
			return false;
		}
	}
	return true;
}

/* --- files ---------------------------------------------------------------------------------------------- */

const char *mqtt_broker_path(const struct mqtt_broker *b, const char *name, char path[160])
{
	snprintf(path, 160, "%s/%s", b->folder, name);
	return path;
}

void mqtt_broker_write(const struct mqtt_broker *b, const char *name, const char *text, unsigned mode)
{
	char path[160];
	int fd = open(mqtt_broker_path(b, name, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void remove_folder(const char *folder)
{
	DIR *d = opendir(folder);
	const struct dirent *e;
	char path[400];

	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
	rmdir(folder);
}

void mqtt_run(const char *const argv[])
{
	struct proc_child c;
	char text[2048];

	assert_int_equal(proc_start(&c, argv, NULL), 0);
	if (!proc_wait(&c, MQTT_LIMIT_MS) || proc_exit_code(&c) != 0) {
		proc_output(&c, text, sizeof(text));
		proc_end(&c);
		fail_msg("%s failed:\n%s", argv[0], text);
	}
	proc_end(&c);
}

static void make(const struct mqtt_broker *b, const char *name, const char *const more[])
{
	char program[160], key[160], pem[160], file[80], subject[80];
	const char *argv[PROC_MAX_ARGS] = {find_program("openssl", program),
					   "req",
					   "-x509",
					   "-newkey",
					   "ec",
					   "-pkeyopt",
					   "ec_paramgen_curve:prime256v1",
					   "-nodes",
					   "-days",
					   "2",
					   "-subj",
					   subject,
					   "-keyout",
					   key,
					   "-out",
					   pem};
	size_t n = 16;

	snprintf(subject, sizeof(subject), "/CN=test %s", name);
	snprintf(file, sizeof(file), "%s.key", name);
	mqtt_broker_path(b, file, key);
	snprintf(file, sizeof(file), "%s.pem", name);
	mqtt_broker_path(b, file, pem);
	while (*more)
		argv[n++] = *more++;
	mqtt_run(argv);
}

void mqtt_make_authority(const struct mqtt_broker *b, const char *name)
{
	static const char *const more[] = {NULL}; /* an authority is what such a certificate is by default */

	make(b, name, more);
}

void mqtt_make_certificate(const struct mqtt_broker *b, const char *authority, const char *name,
			   const char *host)
{
	char pem[160], key[160], file[80], alternative[120];
	const char *more[] = {"-CA",	 pem,	      "-CAkey",	 key,
			      "-addext", alternative, "-addext", "basicConstraints=critical,CA:FALSE",
			      NULL};

	snprintf(file, sizeof(file), "%s.pem", authority);
	mqtt_broker_path(b, file, pem);
	snprintf(file, sizeof(file), "%s.key", authority);
	mqtt_broker_path(b, file, key);
	snprintf(alternative, sizeof(alternative), "subjectAltName=%s", host);
	make(b, name, more);
}

/* --- process -------------------------------------------------------------------------------------------- */

/* A port that nobody has now. */
static unsigned pick_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	close(fd);
	return ntohs(a.sin_port);
}

void mqtt_broker_open(struct mqtt_broker *b)
{
	memset(b, 0, sizeof(*b));
	b->child.pid_fd = b->child.output_fd = -1;
	snprintf(b->folder, sizeof(b->folder), "/tmp/test_mqtt.XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	b->port = pick_port();
	b->tls_port = pick_port();
}

static bool is_taking(unsigned port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				.sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_there = fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0;

	if (fd >= 0)
		close(fd);
	return is_there;
}

/* False: it has ended. */
static bool wait_until_taking(const struct mqtt_broker *b)
{
	int64_t end_us = proc_now_us() + (int64_t)MQTT_LIMIT_MS * 1000;

	while (proc_now_us() < end_us) {
		struct pollfd p = {.fd = b->child.pid_fd, .events = POLLIN};

		if (poll(&p, 1, LOOK_MS) > 0)
			return false;
		if (is_taking(b->port))
			return true;
	}
	return false;
}

static void write_config(const struct mqtt_broker *b)
{
	static char text[4096];

	/* As root it would become another user, who cannot read our folder. */
	snprintf(text, sizeof(text),
		 "user root\nper_listener_settings true\nmax_queued_messages 0\nset_tcp_nodelay true\n"
		 "listener %u 127.0.0.1\nallow_anonymous true\n"
		 "persistence true\npersistence_location %s/\n%s",
		 b->port, b->folder, b->config);
	mqtt_broker_write(b, "mosquitto.conf", text, 0600);
}

void mqtt_broker_start(struct mqtt_broker *b)
{
	char program[160], config[160], text[4096] = "";
	const char *argv[] = {find_program("mosquitto", program), "-c",
			      mqtt_broker_path(b, "mosquitto.conf", config), "-v", NULL};
	unsigned i;

	for (i = 0; i < N_ATTEMPTS; i++) {
		proc_end(&b->child);
		write_config(b);
		assert_int_equal(proc_start(&b->child, argv, NULL), 0);
		if (wait_until_taking(b))
			return;
		proc_output(&b->child, text, sizeof(text));
	}
	fail_msg("the broker does not start:\n%s", text);
}

void mqtt_broker_stop(struct mqtt_broker *b, int signal)
{
	assert_int_equal(kill(b->child.pid, signal), 0);
	assert_true(proc_wait(&b->child, MQTT_LIMIT_MS));
	proc_end(&b->child);
}

void mqtt_broker_close(struct mqtt_broker *b)
{
	proc_end(&b->child);
	if (b->folder[0])
		remove_folder(b->folder);
}
