/* SPDX-License-Identifier: MIT */
/*
 * site.conf: the tree of limits, the charge points and free constraints, from a configuration file
 * (docs/man/site.conf.5) into a site model. Shell. The file is apart from the program's own configuration, so
 * that site-ctrl, site-monitor and sim-run read the same one.
 */
#ifndef SITE_LOAD_CONF_H
#define SITE_LOAD_CONF_H

#include "site-ctrl/load_site.h"

/* 0, or a negative errno with FILE:LINE: sentence. l->model is compiled. Free with site_load_free(). */
int site_load_conf(struct site_load *l, const char *path, char *err, size_t err_size);

#endif
