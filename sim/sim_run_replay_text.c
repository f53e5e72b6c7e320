/* SPDX-License-Identifier: MIT */
/* A replay in words. */
#include "sim/sim_run_replay_text.h"

#include <inttypes.h>
#include <string.h>

#include <forecourt/units.h>

static const struct unit {
	const char *suffix, *name;
	int64_t divisor;
} units[] = {
	{"_mV", " V", 1000},	 {"_mA", " A", 1000}, {"_mdegC", " degC", 1000},
	{"_permille", " %", 10}, {"_W", " W", 1},     {"_Wh", " Wh", 1},
	{"_ohm", " ohm", 1},	 {"_s", " s", 1},     {"_ms", " ms", 1},
};

static const struct unit *unit_of(const struct msg_field *f)
{
	size_t n = strlen(f->member), k, i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		k = strlen(units[i].suffix);
		if (n > k && strcmp(f->member + n - k, units[i].suffix) == 0)
			return &units[i];
	}
	return NULL;
}

/* --- values and frames ------------------------------------------------------------------------------------- */

static void print_value(FILE *out, const struct msg_field *f, const void *content)
{
	int64_t value = msg_field_read(f, content), rest;
	const char *name = msg_value_name(f, value);
	const struct unit *u = unit_of(f);

	if (!u) {
		fprintf(out, name ? "%" PRId64 " %s" : "%" PRId64, value, name);
		return;
	}
	rest = (value < 0 ? -value : value) % u->divisor;
	fprintf(out, "%s%" PRId64, value < 0 ? "-" : "", (value < 0 ? -value : value) / u->divisor);
	if (rest) {
		int digits = u->divisor == 10 ? 1 : 3;

		for (; rest % 10 == 0; rest /= 10)
			digits--;
		fprintf(out, ".%0*" PRId64, digits, rest);
	}
	fputs(u->name, out);
}

static void print_frame(FILE *out, const struct replay_side *side, int msg, const struct can_frame *f)
{
	const struct msg_layout *l = &side->layouts[msg];
	uint64_t content[REPLAY_MAX_MSG_SIZE / sizeof(uint64_t)];
	unsigned i;

	replay_side_unpack(side, msg, f, content);
	fputs(l->name, out);
	for (i = 0; i < l->n_fields; i++) {
		fprintf(out, "%s%s=", i ? ", " : "  ", l->fields[i].signal);
		print_value(out, &l->fields[i], content);
	}
	fputc('\n', out);
}

static void print_time(FILE *out, const struct replay_story *s, int64_t time_us)
{
	int64_t us = time_us - s->start_us;

	fprintf(out, "%s%" PRId64 ".%06" PRId64, us < 0 ? "-" : "", (us < 0 ? -us : us) / FC_US_PER_S,
		(us < 0 ? -us : us) % FC_US_PER_S);
}

/* --- what happened around it ------------------------------------------------------------------------------- */

static bool has_changed(const struct replay_side *side, int msg, const struct can_frame *a,
			const struct can_frame *b)
{
	const struct msg_layout *l = &side->layouts[msg];
	uint64_t one[REPLAY_MAX_MSG_SIZE / sizeof(uint64_t)], two[REPLAY_MAX_MSG_SIZE / sizeof(uint64_t)];
	unsigned i;

	replay_side_unpack(side, msg, a, one);
	replay_side_unpack(side, msg, b, two);
	for (i = 0; i < l->n_fields; i++)
		if (!unit_of(&l->fields[i]) &&
		    msg_field_read(&l->fields[i], one) != msg_field_read(&l->fields[i], two))
			return true;
	return false;
}

void replay_story_note(struct replay_story *s, int64_t time_us, enum replay_who who, int msg,
		       const struct can_frame *f)
{
	bool is_known = s->is_known[who] >> msg & 1;
	unsigned at = s->n % REPLAY_STORY_LEN;

	if (is_known && !has_changed(s->side, msg, &s->last[who][msg], f))
		return;
	s->is_known[who] |= UINT64_C(1) << msg;
	s->last[who][msg] = *f;
	s->line[at].time_us = time_us;
	s->line[at].who = who;
	s->line[at].msg = msg;
	s->line[at].frame = *f;
	s->n++;
}

static void print_story(FILE *out, const struct replay_story *s)
{
	static const char *const names[REPLAY_N_WHO] = {"module", "log", "ours"};
	unsigned i = s->n > REPLAY_STORY_LEN ? s->n - REPLAY_STORY_LEN : 0;

	fprintf(out, "  around    changes of states and flags: the module's, the log's controller, ours\n");
	for (; i < s->n; i++) {
		fputs("    ", out);
		print_time(out, s, s->line[i % REPLAY_STORY_LEN].time_us);
		fprintf(out, "  %-6s  ", names[s->line[i % REPLAY_STORY_LEN].who]);
		print_frame(out, s->side, s->line[i % REPLAY_STORY_LEN].msg,
			    &s->line[i % REPLAY_STORY_LEN].frame);
	}
}

/* --- differences ------------------------------------------------------------------------------------------- */

static void print_fields(FILE *out, const struct replay_side *side, const struct replay_difference *d,
			 const char *between)
{
	const struct msg_layout *l = &side->layouts[d->msg];
	uint64_t log[REPLAY_MAX_MSG_SIZE / sizeof(uint64_t)], ours[REPLAY_MAX_MSG_SIZE / sizeof(uint64_t)];
	unsigned i, n = 0;

	replay_side_unpack(side, d->msg, d->expected, log);
	replay_side_unpack(side, d->msg, &d->ours->frame, ours);
	for (i = 0; i < l->n_fields; i++) {
		if (!(d->fields >> i & 1))
			continue;
		fprintf(out, "%s%s: log ", n++ ? between : "", l->fields[i].signal);
		print_value(out, &l->fields[i], log);
		fputs(", ours ", out);
		print_value(out, &l->fields[i], ours);
	}
}

static void print_what(FILE *out, const struct replay_side *side, const struct replay_difference *d,
		       const char *between)
{
	switch (d->kind) {
	case REPLAY_VALUE:
		print_fields(out, side, d, between);
		break;
	case REPLAY_ORDER:
		fputs("ours said so earlier than what it has said since: changes in another order", out);
		break;
	case REPLAY_NOT_SENT:
		fputs("ours does not send it", out);
		break;
	case REPLAY_UNEXPECTED:
		if (d->fields) {
			print_fields(out, side, d, between);
			fputs(between, out);
		}
		fputs("ours says it, the log's controller does not", out);
		break;
	}
}

void replay_text_line(FILE *out, const struct replay_story *s, const struct replay_difference *d)
{
	fputs("different ", out);
	print_time(out, s, d->time_us);
	if (d->line)
		fprintf(out, " line %" PRIu64, d->line);
	fprintf(out, " %s: ", s->side->layouts[d->msg].name);
	print_what(out, s->side, d, "; ");
	fputc('\n', out);
}

void replay_text_full(FILE *out, const struct replay_story *s, const struct replay_difference *d,
		      int64_t tolerance_us, const char *state)
{
	fputs("first difference\n  time      ", out);
	print_time(out, s, d->time_us);
	fputs(" s", out);
	if (d->line)
		fprintf(out, ", line %" PRIu64 " of the log", d->line);
	fprintf(out, "\n  message   %s\n  signal    ", s->side->layouts[d->msg].name);
	print_what(out, s->side, d, "\n            ");
	fputc('\n', out);
	if (d->expected) {
		fputs("  log       ", out);
		print_frame(out, s->side, d->msg, d->expected);
	}
	if (d->ours) {
		fputs("  ours      ", out);
		print_frame(out, s->side, d->msg, &d->ours->frame);
		fputs("            sent ", out);
		print_time(out, s, d->ours->from_us);
		fputs(" to ", out);
		print_time(out, s, d->ours->last_us);
		fputs(" s\n", out);
	}
	fprintf(out, "  our state %s  (%lld ms later)\n", state, (long long)(tolerance_us / 1000));
	print_story(out, s);
}

void replay_text_sum(FILE *out, const struct replay_cmp *c)
{
	unsigned i;

	fprintf(out, "%-28s %8s %8s %9s %9s\n", "message", "in log", "ours", "compared", "different");
	for (i = 0; i <= c->side->last - c->side->first; i++) {
		const struct replay_count *n = &c->pair[i].count;

		if (n->n_log || n->n_ours)
			fprintf(out, "%-28s %8" PRIu64 " %8" PRIu64 " %9" PRIu64 " %9" PRIu64 "%s\n",
				c->side->layouts[c->side->first + i].name, n->n_log, n->n_ours, n->n_compared,
				n->n_different,
				c->pair[i].ignored == UINT32_MAX ? "  ignored"
				: c->pair[i].ignored		 ? "  in part"
								 : "");
	}
}
