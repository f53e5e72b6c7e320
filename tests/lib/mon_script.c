/* SPDX-License-Identifier: MIT */
/* A model fed from a line of words. */
#include "tests/lib/mon_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/can/error.h>

#define STEP_US	 INT64_C(100000)
#define START_US INT64_C(1000000000)

void mon_script_init(struct mon_script *s, enum mon_side side, unsigned version, const struct mon_sink *sink)
{
	const struct mon_cfg cfg = {.side = side, .version = version};

	memset(s, 0, sizeof(*s));
	s->point = side == MON_EVSE ? 1 : 0;
	s->now_us = START_US;
	mon_model_init(&s->model, &cfg, sink, s->now_us);
}

static void send(struct mon_script *s, unsigned msg)
{
	struct can_frame f;

	msg_to_frame(&s->model.layouts[msg], s->content[msg], s->point, &f);
	mon_model_rx(&s->model, s->now_us, &f);
}

static void send_all(struct mon_script *s)
{
	for (unsigned i = 0; i < s->model.n_msgs; i++)
		if (s->is_sent[i])
			send(s, i);
	s->is_due = false;
	mon_model_tick(&s->model, s->now_us);
}

static void pass(struct mon_script *s, int64_t us)
{
	const int64_t end_us = s->now_us + us;

	if (s->is_due)
		send_all(s);
	while (s->now_us + STEP_US <= end_us) {
		s->now_us += STEP_US;
		send_all(s);
	}
	s->now_us = end_us;
	mon_model_tick(&s->model, s->now_us);
}

static unsigned message(const struct mon_script *s, const char *name, size_t n)
{
	for (unsigned i = 0; i < s->model.n_msgs; i++)
		if (s->model.layouts[i].name && msg_exists(&s->model.layouts[i]) &&
		    strncmp(s->model.layouts[i].name, name, n) == 0)
			return i;
	fail_msg("no message %.*s", (int)n, name);
	return 0;
}

static const struct msg_field *signal_of(const struct msg_layout *l, const char *name, size_t n)
{
	for (unsigned i = 0; i < l->n_fields; i++)
		if (strncmp(l->fields[i].signal, name, n) == 0)
			return &l->fields[i];
	fail_msg("no signal %.*s in %s", (int)n, name, l->name);
	return NULL;
}

static void bus_state(struct mon_script *s, canid_t class)
{
	const struct can_frame f = {.can_id = CAN_ERR_FLAG | class, .can_dlc = CAN_ERR_DLC};

	mon_model_rx(&s->model, s->now_us, &f);
}

static void set(struct mon_script *s, const char *word, size_t n)
{
	const char *dot = memchr(word, '.', n), *equals = memchr(word, '=', n);
	const unsigned msg = message(s, word, dot ? (size_t)(dot - word) : n);

	s->is_sent[msg] = s->is_due = true;
	if (!dot)
		return;
	assert_non_null(equals);
	msg_field_write(signal_of(&s->model.layouts[msg], dot + 1, (size_t)(equals - dot - 1)),
			s->content[msg], strtoll(equals + 1, NULL, 0));
}

static void word(struct mon_script *s, const char *w, size_t n)
{
	if (w[0] == '+')
		pass(s, 1000 * strtoll(w + 1, NULL, 10));
	else if (w[0] == '-')
		s->is_sent[message(s, w + 1, n - 1)] = false;
	else if (n > 5 && strncmp(w, "once:", 5) == 0)
		send(s, message(s, w + 5, n - 5));
	else if (n == 4 && strncmp(w, "down", 4) == 0)
		bus_state(s, CAN_ERR_BUSOFF);
	else if (n == 2 && strncmp(w, "up", 2) == 0)
		bus_state(s, CAN_ERR_RESTARTED);
	else
		set(s, w, n);
}

void mon_script_run(struct mon_script *s, const char *words)
{
	while (*words) {
		const size_t n = strcspn(words, " ");

		if (n)
			word(s, words, n);
		words += n + (words[n] != '\0');
	}
	if (s->is_due)
		send_all(s);
}
