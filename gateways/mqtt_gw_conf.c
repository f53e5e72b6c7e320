/* SPDX-License-Identifier: MIT */
/* Option table of mqtt-gw and its checks. */
#include "gateways/mqtt_gw_conf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateways/mqtt_gw_secret.h"

#define AT(member) offsetof(struct mqtt_gw_conf, member), sizeof(((struct mqtt_gw_conf *)NULL)->member)
#define H	   OPT_HIDDEN

#define POINT(n)                                                                   \
	{                                                                          \
		"point_" #n, 0, OPT_TEXT, H, "NAME", 0, 0, "", AT(point[n]), NULL, \
			"name of the point with number " #n " on the bus"          \
	}
#define EVSE(n)                                                                    \
	{                                                                          \
		"evse_" #n, 0, OPT_TEXT, H, "SOCKET", 0, 0, "", AT(evse[n]), NULL, \
			"control socket of pistol " #n "; empty: that of --evse"   \
	}
#define WINDOW(n)                                                                         \
	{                                                                                 \
		"window_" #n, 0, OPT_TEXT, H, "TIMES", 0, 0, "", AT(window[(n)-1]), NULL, \
			"tariff window: DAYS FROM-TO [@POINT]"                            \
	}

#define FIRST_REMOTE  16 /* numbers of points behind a gateway, on the site's bus */
#define CAPATH_SYSTEM "/etc/ssl/certs"

static const struct opt_name roles[] = {{GATE_POINT, "point"}, {GATE_SITE, "site"}, {0, NULL}};
static const struct opt_name tls_modes[] = {
	{MQTT_GW_TLS_BY_URL, "by-url"}, {MQTT_GW_TLS_REQUIRED, "required"}, {0, NULL}};

const struct opt mqtt_gw_conf_table[] = {
	{"role", 'r', OPT_ENUM, 0, "", 0, 0, "point", AT(role), roles,
	 "side of the gap: point (cabinet) or site"},
	{"broker", 'b', OPT_TEXT, 0, "URLS", 0, 0, "mqtt://localhost:1883", AT(broker), NULL,
	 "mqtt://HOST:PORT or mqtts://; several in turn"},
	{"site", 0, OPT_TEXT, 0, "NAME", 0, 0, "site", AT(site), NULL, "of the site, in all topics"},
	{"prefix", 0, OPT_TEXT, H, "TEXT", 0, 0, "forecourt", AT(prefix), NULL, "first levels of all topics"},
	{"gateway", 0, OPT_TEXT, H, "NAME", 0, 0, "", AT(gateway), NULL,
	 "of this gateway, one of its kind; empty: ROLE-POINT"},
	{"tls", 0, OPT_ENUM, 0, "", 0, 0, "by-url", AT(tls), tls_modes, "required: refuses mqtt://"},
	{"cafile", 0, OPT_TEXT, 0, "FILE", 0, 0, "", AT(cafile), NULL,
	 "authorities that may have signed the broker"},
	{"capath", 0, OPT_TEXT, H, "DIR", 0, 0, "", AT(capath), NULL,
	 "the same as a folder; neither: the system's"},
	{"certfile", 0, OPT_TEXT, H, "FILE", 0, 0, "", AT(certfile), NULL, "our certificate"},
	{"keyfile", 0, OPT_TEXT, H, "FILE", 0, 0, "", AT(keyfile), NULL, "its key, readable by us alone"},
	{"credentials", 0, OPT_TEXT, 0, "FILE", 0, 0, "", AT(credentials), NULL,
	 "user and password on a line each, mode 0600"},
	{"keepalive_s", 0, OPT_INT, H, "s", 5, 3600, "15", AT(keepalive_s), NULL, "life signs to the broker"},
	{"connect_timeout_ms", 0, OPT_INT, H, "ms", 100, 120000, "10000", AT(connect_timeout_ms), NULL,
	 "one attempt at one broker"},
	{"backoff_min_ms", 0, OPT_INT, H, "ms", 10, 60000, "500", AT(backoff_min_ms), NULL,
	 "first pause after a lost connection"},
	{"backoff_max_ms", 0, OPT_INT, H, "ms", 100, 3600000, "60000", AT(backoff_max_ms), NULL,
	 "longest pause; they double"},
	{"lease_qos", 0, OPT_INT, H, "", 0, 1, "0", AT(lease_qos), NULL,
	 "at which reports and grants are subscribed"},
	{"state_entries", 0, OPT_INT, H, "", 64, 100000, "4096", AT(state_entries), NULL,
	 "state changes kept for the broker"},
	{"log_entries", 0, OPT_INT, H, "", 16, 100000, "1000", AT(log_entries), NULL,
	 "events kept for the broker"},
	{"resend_ms", 0, OPT_INT, H, "ms", 0, 600000, "30000", AT(resend_ms), NULL,
	 "acknowledged before a loss, yet sent again"},
	{"evse", 0, OPT_TEXT, 0, "SOCKET", 0, 0, "evse-ctrl", AT(evse_all), NULL,
	 "controller of the points: name or path; none"},
	{"poll_ms", 0, OPT_INT, H, "ms", 50, 60000, "1000", AT(poll_ms), NULL, "its status is asked for"},
	{"execute_timeout_ms", 0, OPT_INT, H, "ms", 100, 3600000, "10000", AT(execute_timeout_ms), NULL,
	 "command: request to executed"},
	{"confirm_timeout_ms", 0, OPT_INT, H, "ms", 100, 3600000, "60000", AT(confirm_timeout_ms), NULL,
	 "command: executed to confirmed"},
	{"report_timeout_ms", 0, OPT_INT, H, "ms", 500, 60000, "3500", AT(report_timeout_ms), NULL,
	 "a point without reports is silent after that"},
	POINT(1),
	POINT(2),
	POINT(3),
	POINT(4),
	POINT(5),
	POINT(6),
	POINT(7),
	POINT(8),
	POINT(9),
	POINT(10),
	POINT(11),
	POINT(12),
	POINT(13),
	POINT(14),
	POINT(15),
	POINT(16),
	POINT(17),
	POINT(18),
	POINT(19),
	POINT(20),
	POINT(21),
	POINT(22),
	POINT(23),
	POINT(24),
	POINT(25),
	POINT(26),
	POINT(27),
	POINT(28),
	POINT(29),
	POINT(30),
	POINT(31),
	EVSE(1),
	EVSE(2),
	EVSE(3),
	EVSE(4),
	EVSE(5),
	EVSE(6),
	EVSE(7),
	EVSE(8),
	EVSE(9),
	EVSE(10),
	EVSE(11),
	EVSE(12),
	EVSE(13),
	EVSE(14),
	EVSE(15),
	WINDOW(1),
	WINDOW(2),
	WINDOW(3),
	WINDOW(4),
	WINDOW(5),
	WINDOW(6),
	WINDOW(7),
	WINDOW(8),
	WINDOW(9),
	WINDOW(10),
	WINDOW(11),
	WINDOW(12),
	WINDOW(13),
	WINDOW(14),
	WINDOW(15),
	WINDOW(16),
};

const size_t mqtt_gw_conf_n = sizeof(mqtt_gw_conf_table) / sizeof(mqtt_gw_conf_table[0]);

static int refuse(char *err, size_t err_size, const char *what, const char *why)
{
	snprintf(err, err_size, "%s: %s", what, why);
	return -EINVAL;
}

/* --- names ---------------------------------------------------------------------------------------------- */

static int check_names(const struct mqtt_gw_conf *c, char *err, size_t err_size)
{
	static const char rule[] = "only letters, digits, '_', '-', '.' make a name";

	if (!gate_is_name(c->site, sizeof(c->site)))
		return refuse(err, err_size, "site", rule);
	if (c->gateway[0] && !gate_is_name(c->gateway, sizeof(c->gateway)))
		return refuse(err, err_size, "gateway", rule);
	if (!gate_is_prefix(c->prefix))
		return refuse(err, err_size, "prefix", "must be names with slashes between");
	return 0;
}

static bool is_taken(const struct mqtt_gw_conf *c, unsigned before, const char *name)
{
	unsigned i;

	for (i = 1; i < before; i++)
		if (strcmp(c->point[i], name) == 0)
			return true;
	return false;
}

static int check_points(const struct mqtt_gw_conf *c, unsigned *n_points, char *err, size_t err_size)
{
	char what[16];
	unsigned i;

	*n_points = 0;
	for (i = 1; i < MQTT_GW_NUMBERS; i++) {
		if (!c->point[i][0])
			continue;
		snprintf(what, sizeof(what), "point_%u", i);
		if (!gate_is_name(c->point[i], sizeof(c->point[i])))
			return refuse(err, err_size, what, "only letters, digits, '_', '-', '.' make a name");
		if ((c->role == GATE_SITE) != (i >= FIRST_REMOTE))
			return refuse(err, err_size, what,
				      c->role == GATE_SITE
					      ? "points behind a gateway have the numbers 16 to 31 there"
					      : "pistols have the numbers 1 to 15");
		if (is_taken(c, i, c->point[i]))
			return refuse(err, err_size, what, "another point has this name");
		(*n_points)++;
	}
	if (*n_points == 0)
		return refuse(err, err_size, "points",
			      c->role == GATE_SITE ? "none is given: --point-16 NAME ..."
						   : "none is given: --point-1 NAME ...");
	return 0;
}

static int derive_names(struct mqtt_gw_conf *c, char *err, size_t err_size)
{
	unsigned i;
	int n;

	snprintf(c->base, sizeof(c->base), "%s/%s", c->prefix, c->site);
	if (c->gateway[0]) {
		snprintf(c->name, sizeof(c->name), "%s", c->gateway);
		return 0;
	}
	for (i = 1; !c->point[i][0]; i++)
		;
	n = snprintf(c->name, sizeof(c->name), "%s-%s", c->role == GATE_SITE ? "site" : "point", c->point[i]);
	if (n >= (int)sizeof(c->name))
		return refuse(err, err_size, "gateway", "must be given: the name of the first point is long");
	return 0;
}

/* --- broker --------------------------------------------------------------------------------------------- */

static int check_broker(struct mqtt_gw_conf *c, char *err, size_t err_size)
{
	bool has_tls = false;
	uint32_t i;
	int r = gate_brokers_parse(c->broker, c->brokers, &c->n_brokers, err, err_size);

	if (r)
		return r;
	for (i = 0; i < c->n_brokers; i++) {
		has_tls |= c->brokers[i].is_tls;
		if (c->tls == MQTT_GW_TLS_REQUIRED && !c->brokers[i].is_tls)
			return refuse(err, err_size, "broker",
				      "mqtt:// is not encrypted and the broker could be anybody; "
				      "tls = required takes mqtts:// alone");
	}
	if (!c->certfile[0] != !c->keyfile[0])
		return refuse(err, err_size, "certfile and keyfile", "only both together make sense");
	if (!has_tls && (c->cafile[0] || c->capath[0] || c->certfile[0]))
		return refuse(err, err_size, "certificates", "are given, but no broker has mqtts://");
	if (has_tls && !c->cafile[0] && !c->capath[0])
		snprintf(c->capath, sizeof(c->capath), "%s", CAPATH_SYSTEM);
	if (c->backoff_min_ms > c->backoff_max_ms)
		return refuse(err, err_size, "backoff_min_ms", "must not be above backoff_max_ms");
	return 0;
}

static int check_files(struct mqtt_gw_conf *c, char *err, size_t err_size)
{
	int r = 0;

	if (c->cafile[0])
		r = mqtt_gw_file_check(c->cafile, false, err, err_size);
	if (!r && c->certfile[0])
		r = mqtt_gw_file_check(c->certfile, false, err, err_size);
	if (!r && c->keyfile[0])
		r = mqtt_gw_file_check(c->keyfile, true, err, err_size);
	if (!r && c->credentials[0])
		r = mqtt_gw_secret_read(c->credentials, c->user, sizeof(c->user), c->password,
					sizeof(c->password), err, err_size);
	return r;
}

/* --- tariff --------------------------------------------------------------------------------------------- */

static int check_windows(struct mqtt_gw_conf *c, char *err, size_t err_size)
{
	unsigned i;

	c->n_windows = 0;
	for (i = 0; i < GATE_MAX_WINDOWS; i++) {
		struct gate_window *w = &c->windows[c->n_windows];
		int r;

		if (!c->window[i][0])
			continue;
		if (c->role == GATE_SITE)
			return refuse(err, err_size, c->window[i],
				      "windows belong to the gateway of the points");
		r = gate_window_parse(c->window[i], w, err, err_size);
		if (r)
			return r;
		if (w->point[0] && !is_taken(c, MQTT_GW_NUMBERS, w->point))
			return refuse(err, err_size, c->window[i], "no such point here");
		c->n_windows++;
	}
	return 0;
}

int mqtt_gw_conf_check(struct mqtt_gw_conf *c, char *err, size_t err_size)
{
	unsigned n_points;
	int r = check_names(c, err, err_size);

	if (!r)
		r = check_points(c, &n_points, err, err_size);
	if (!r)
		r = derive_names(c, err, err_size);
	if (!r)
		r = check_broker(c, err, err_size);
	if (!r)
		r = check_windows(c, err, err_size);
	if (!r)
		r = check_files(c, err, err_size);
	return r;
}

const char *mqtt_gw_conf_evse(const struct mqtt_gw_conf *c, unsigned number)
{
	const char *target = number < MQTT_GW_PISTOLS && c->evse[number][0] ? c->evse[number] : c->evse_all;

	if (c->role != GATE_POINT || !target[0] || strcmp(target, "none") == 0)
		return NULL;
	return target;
}
