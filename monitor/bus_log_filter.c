/* SPDX-License-Identifier: MIT */
/*
 * Lists of identifiers and names on the command line.
 */
#include "monitor/bus_log_filter.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "evse_msgs.h"
#include "monitor/log_read_parse.h"
#include "pev_msgs.h"
#include "plug_msgs.h"
#include "site_msgs.h"

/* 3 digits or fewer are 11 bits, more are 29. */
static bool read_rule(const char *p, size_t n, struct can_filter *rule)
{
	const char *colon = memchr(p, ':', n);
	size_t n_id = colon ? (size_t)(colon - p) : n;
	canid_t limit = n_id > 3 ? CAN_EFF_MASK : CAN_SFF_MASK, mask = limit;

	if (n_id > 8 || !log_number(p, n_id, 16, &rule->can_id) || rule->can_id > limit)
		return false;
	if (colon && (n - n_id - 1 > 8 || !log_number(colon + 1, n - n_id - 1, 16, &mask) || mask > limit))
		return false;
	if (n_id > 3)
		rule->can_id |= CAN_EFF_FLAG;
	rule->can_mask = mask | CAN_EFF_FLAG;
	return true;
}

void filter_add_message(struct id_filter *f, canid_t id)
{
	bool is_wide = (id & CAN_EFF_FLAG) != 0;

	if (filter_fits(f, id) || f->n == FILTER_MAX)
		return;
	f->rule[f->n].can_id = id;
	/* Without the flag in the mask: whether it came with 11 bits or with 29. */
	f->rule[f->n].can_mask = is_wide ? (CAN_EFF_MASK & ~MSG_INDEX_MASK) | CAN_EFF_FLAG : CAN_EFF_MASK;
	f->n++;
}

/* Adds the identifier of a message in whatever version it is; false: none has this name. */
static bool add_name(struct id_filter *f, const struct msg_layout *layouts, size_t n_layouts, const char *p,
		     size_t n)
{
	bool is_found = false;
	size_t i;

	for (i = 0; i < n_layouts; i++) {
		const struct msg_layout *l = &layouts[i];

		if (!msg_exists(l) || strlen(l->name) != n || strncasecmp(l->name, p, n) != 0)
			continue;
		is_found = true;
		filter_add_message(f, l->id);
	}
	return is_found;
}

static bool add_names(struct id_filter *f, const char *p, size_t n)
{
	bool is_evse = add_name(f, evse_layouts[0], (size_t)EVSE_N_VERSIONS * EVSE_N_MSGS, p, n);
	bool is_pev = add_name(f, pev_layouts[0], (size_t)PEV_N_VERSIONS * PEV_N_MSGS, p, n);
	bool is_plug = add_name(f, plug_layouts[0], (size_t)PLUG_N_VERSIONS * PLUG_N_MSGS, p, n);
	bool is_site = add_name(f, site_layouts[0], (size_t)SITE_N_VERSIONS * SITE_N_MSGS, p, n);

	return is_evse || is_pev || is_plug || is_site;
}

static int add_item(struct id_filter *f, const char *p, size_t n, char *err, size_t err_size)
{
	struct can_filter rule;

	if (f->n == FILTER_MAX) {
		snprintf(err, err_size, "too many identifiers");
		return -EINVAL;
	}
	if (read_rule(p, n, &rule)) {
		f->rule[f->n++] = rule;
		return 0;
	}
	if (add_names(f, p, n))
		return 0;
	snprintf(err, err_size,
		 "\"%.*s\" is neither an identifier (123, 0106B000, 123:7F0) nor the name of a message",
		 (int)n, p);
	return -EINVAL;
}

int filter_take(struct id_filter *f, const struct arg_list *list, char *err, size_t err_size)
{
	unsigned i;
	int rc = 0;

	f->n = 0;
	for (i = 0; i < list->n && rc == 0; i++) {
		const char *p = list->item[i];

		while (rc == 0) {
			size_t n = strcspn(p, ",");

			rc = add_item(f, p, n, err, err_size);
			if (!p[n])
				break;
			p += n + 1;
		}
	}
	return rc;
}

bool filter_fits(const struct id_filter *f, canid_t id)
{
	unsigned i;

	for (i = 0; i < f->n && !(id & CAN_ERR_FLAG); i++)
		if (((id ^ f->rule[i].can_id) & f->rule[i].can_mask) == 0)
			return true;
	return false;
}
