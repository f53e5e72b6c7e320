/* SPDX-License-Identifier: MIT */
/*
 * Networks of charging stations as two CSV files, BASE_stations.csv and BASE_constraints.csv, into a site
 * model without a tree. Shell.
 *
 *     station,phase_deg,volts,min_a,max_a,steps            steps: 1, or the allowed currents as 8;16;24;32
 *     constraint,limit_a,limit_a_per_kw,station,coef       a line for each member; one limit, the same in all
 *
 *     | sum over members of coef x I_station x e^(i phase_deg) |  <=  limit_a, or limit_a_per_kw x size
 *
 * The columns may come in another order, others are not known. All currents are taken as drawn (is_drawn):
 * such a network is for simulations; a site whose vehicles may draw less needs site.conf.
 */
#ifndef SITE_LOAD_NET_H
#define SITE_LOAD_NET_H

#include "site-ctrl/load_site.h"

/*
 * size_W: of the transformer, for limit_a_per_kw; 0: not told, an error where a line needs it. is_continuous:
 * no minimum and no steps. 0, or a negative errno with FILE:LINE: sentence.
 */
int site_load_net(struct site_load *l, const char *base, int64_t size_W, bool is_continuous, char *err,
		  size_t err_size);

#endif
