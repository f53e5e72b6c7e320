/* SPDX-License-Identifier: MIT */
/*
 * Messages of our own interfaces for the dictionary: from the layouts, with the units of the databases, which the
 * layouts have turned into ours (mV, W, Wh, permille).
 */
#include "monitor/bus_log_dict.h"

#include <string.h>

/* Unit of the database, and how far the point moves from our unit to it. */
static const struct {
	const char *suffix;
	const char *unit;
	uint8_t decimals;
} units[] = {
	{"_mV", "V", 3},
	{"_mA", "A", 3},
	{"_mdegC",
	 "\xc2\xb0"
	 "C",
	 3},
	{"_permille", "%", 1},
	{"_W", "kW", 3},
	{"_Wh", "kWh", 3},
	{"_s", "s", 0},
};

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n > m && strcmp(name + n - m, suffix) == 0;
}

/* Resistances in kilohm where the wire has whole ones. */
static const char *unit_of(const struct msg_field *f, uint8_t *decimals)
{
	size_t i;

	*decimals = 0;
	if (has_suffix(f->member, "_ohm")) {
		*decimals = f->num % 1000 == 0 ? 3 : 0;
		return *decimals ? "k\xce\xa9" : "\xce\xa9";
	}
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (has_suffix(f->member, units[i].suffix)) {
			*decimals = units[i].decimals;
			return units[i].unit;
		}
	}
	return "";
}

static void add_labels(struct dict *d, struct dict_field *to, const struct msg_field *f)
{
	struct dict_label *label = dict_memory(d, f->n_values * sizeof(*label));
	unsigned i, n = 0;

	for (i = 0; label && i < f->n_values; i++)
		if (f->values[i].name[0])
			dict_dress_label(d, &label[n++], f->values[i].number, f->values[i].name);
	to->label = label;
	to->n_labels = n;
}

void dict_add_layouts(struct dict *d, const struct msg_layout *layouts, unsigned n)
{
	unsigned i, k;

	for (i = 0; i < n; i++) {
		const struct msg_layout *l = &layouts[i];
		struct dict_msg *m = msg_exists(l) ? dict_add(d, l->id, l->name, l->n_fields) : NULL;

		if (!m)
			continue;
		m->has_index = (l->id & CAN_EFF_FLAG) != 0;
		for (k = 0; k < m->n_fields; k++) {
			const struct msg_field *f = &l->fields[k];
			struct dict_field *to = &m->field[k];
			const char *unit = unit_of(f, &to->decimals);

			to->shift = f->start_bit;
			to->length = f->length;
			to->is_signed = f->is_signed;
			to->end = (uint8_t)((f->start_bit + f->length + 7) / 8);
			to->mul = f->num;
			to->add = f->add;
			/* 100 thousandths are one tenth. */
			while (to->decimals && to->mul % 10 == 0 && to->add % 10 == 0) {
				to->mul /= 10;
				to->add /= 10;
				to->decimals--;
			}
			dict_dress(d, to, f->signal, unit);
			add_labels(d, to, f);
		}
	}
}
