/* SPDX-License-Identifier: MIT */
/* The way out of a virtual module, with injected faults. Pure. */
#include "sim/plug_tx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <forecourt/units.h>

#include "plug_msgs.h"

/* An identifier without the pistol index; 11-bit ones have none. */
static canid_t base_of(canid_t id)
{
	return (id & CAN_EFF_FLAG) ? id & (CAN_EFF_FLAG | 0x00FFFFFFu) : id;
}

void plug_tx_init(struct plug_tx *t)
{
	memset(t, 0, sizeof(*t));
}

static void queue(struct plug_tx *t, const struct can_frame *frame, struct out_queue *out)
{
	if (out_queue_frame(out, 0, frame))
		t->n_tx++;
}

static void hold(struct plug_tx *t, int64_t due_us, const struct can_frame *frame)
{
	if (t->n_held == PLUG_TX_MAX_HELD)
		return;
	t->held[t->n_held].due_us = due_us;
	t->held[t->n_held].frame = *frame;
	t->n_held++;
}

/* Puts a number that has no name into the first enumerated signal: the highest raw value is undefined in all. */
static void spoil_enum(const struct msg_layout *l, struct can_frame *f)
{
	uint16_t i;
	unsigned bit;

	for (i = 0; i < l->n_fields; i++) {
		if (!l->fields[i].n_values)
			continue;
		for (bit = l->fields[i].start_bit;
		     bit < (unsigned)l->fields[i].start_bit + l->fields[i].length; bit++)
			f->data[bit / 8] |= (uint8_t)(1u << (bit % 8));
		return;
	}
}

/* True when the frame still goes out now. */
static bool apply(const struct plug_tx_rule *r, struct plug_tx *t, int64_t now_us, struct can_frame *f,
		  struct out_queue *out)
{
	switch (r->kind) {
	case PLUG_TX_DROP:
		return false;
	case PLUG_TX_DUPLICATE:
		queue(t, f, out);
		return true;
	case PLUG_TX_CORRUPT:
		f->data[0] = (uint8_t)~f->data[0];
		return true;
	case PLUG_TX_DLC:
		f->can_dlc = (uint8_t)r->arg;
		return true;
	case PLUG_TX_ENUM:
		spoil_enum(r->layout, f);
		return true;
	case PLUG_TX_DELAY:
		hold(t, now_us + (int64_t)r->arg * FC_US_PER_MS, f);
		return false;
	}
	return true;
}

static void forget_rule(struct plug_tx *t, unsigned i)
{
	t->n_rules--;
	memmove(&t->rules[i], &t->rules[i + 1], (t->n_rules - i) * sizeof(t->rules[0]));
}

static bool spoil(struct plug_tx *t, int64_t now_us, struct can_frame *f, struct out_queue *out)
{
	unsigned i;

	for (i = 0; i < t->n_rules; i++) {
		struct plug_tx_rule *r = &t->rules[i];
		bool is_sent;

		if (r->id != base_of(f->can_id))
			continue;
		t->n_injected++;
		is_sent = apply(r, t, now_us, f, out);
		if (r->left > 0 && --r->left == 0)
			forget_rule(t, i);
		return is_sent;
	}
	return true;
}

void plug_tx_frame(struct plug_tx *t, int64_t now_us, const struct can_frame *frame, struct out_queue *out)
{
	struct can_frame copy;

	if (t->is_silent) {
		t->n_injected++;
		return;
	}
	if (t->n_rules == 0) {
		queue(t, frame, out);
		return;
	}
	copy = *frame;
	if (spoil(t, now_us, &copy, out))
		queue(t, &copy, out);
}

void plug_tx_tick(struct plug_tx *t, int64_t now_us, struct out_queue *out)
{
	unsigned i = 0;

	while (i < t->n_held) {
		if (t->held[i].due_us > now_us) {
			i++;
			continue;
		}
		if (!t->is_silent)
			queue(t, &t->held[i].frame, out);
		t->n_held--;
		memmove(&t->held[i], &t->held[i + 1], (t->n_held - i) * sizeof(t->held[0]));
	}
}

int64_t plug_tx_next_us(const struct plug_tx *t)
{
	int64_t next_us = FC_NEVER;
	unsigned i;

	for (i = 0; i < t->n_held; i++)
		next_us = fc_min_i64(next_us, t->held[i].due_us);
	return next_us;
}

static const struct msg_layout *find_in(const struct msg_layout *layouts, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (msg_exists(&layouts[i]) && strcmp(layouts[i].name, name) == 0)
			return &layouts[i];
	}
	return NULL;
}

/* A whole number in word i; absent: *value stays. */
static bool number(const struct ctl_words *w, size_t i, long min, long max, int32_t *value)
{
	char *end;
	long v;

	if (i >= w->n)
		return true;
	v = strtol(w->word[i], &end, 10);
	if (*end || end == w->word[i] || v < min || v > max)
		return false;
	*value = (int32_t)v;
	return true;
}

/* word[first] is the name, then the value where the kind has one, then the count. */
static int add_rule(struct plug_tx *t, enum plug_tx_kind kind, const struct msg_layout *layouts, size_t n,
		    const struct ctl_words *w, size_t first, struct ctl_answer *a)
{
	bool has_value = kind == PLUG_TX_DLC || kind == PLUG_TX_DELAY;
	size_t count_at = first + (has_value ? 2 : 1);
	const char *name = first < w->n ? w->word[first] : "";
	struct plug_tx_rule r = {.kind = kind, .left = -1};

	r.layout = find_in(layouts, n, name);
	if (!r.layout)
		r.layout = find_in(plug_layouts[0], PLUG_N_MSGS, name);
	if (!r.layout)
		return ctl_refuse(a, -EINVAL, "no message \"%s\" in this profile", name);
	if (has_value && count_at > w->n)
		return ctl_refuse(a, -EINVAL, "a number is missing behind %s", name);
	if (has_value &&
	    !number(w, first + 1, kind == PLUG_TX_DLC ? 0 : 1, kind == PLUG_TX_DLC ? 8 : 60000, &r.arg))
		return ctl_refuse(a, -EINVAL, "a length is 0 to 8, a delay 1 to 60000 ms");
	if (!number(w, count_at, 1, 1000000, &r.left) || w->n > count_at + 1)
		return ctl_refuse(a, -EINVAL, "the count is one number, 1 to 1000000");
	if (t->n_rules == PLUG_TX_MAX_RULES)
		return ctl_refuse(a, -EBUSY, "all %d rules are in use; clear first", PLUG_TX_MAX_RULES);
	r.id = base_of(r.layout->id);
	t->rules[t->n_rules++] = r;
	return 0;
}

static int set_silence(struct plug_tx *t, const struct ctl_words *w, size_t first, struct ctl_answer *a)
{
	if (!ctl_word_is(w, first, "on") && !ctl_word_is(w, first, "off"))
		return ctl_refuse(a, -EINVAL, "silence is on or off");
	t->is_silent = ctl_word_is(w, first, "on");
	return 0;
}

int plug_tx_command(struct plug_tx *t, const struct msg_layout *layouts, size_t n, const struct ctl_words *w,
		    size_t first, struct ctl_answer *a)
{
	static const char *const kinds[] = {"drop", "duplicate", "corrupt", "dlc", "enum", "delay"};
	unsigned i;

	if (ctl_word_is(w, first, "silence"))
		return set_silence(t, w, first + 1, a);
	if (ctl_word_is(w, first, "clear")) {
		t->n_rules = 0;
		t->is_silent = false;
		return 0;
	}
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (ctl_word_is(w, first, kinds[i]))
			return add_rule(t, (enum plug_tx_kind)i, layouts, n, w, first + 1, a);
	}
	return -ENOENT;
}
