/* SPDX-License-Identifier: MIT */
/* site-monitor: shows who gets how much of a site's current, and why. */
#include "monitor/site_mon_app.h"

static struct smon_app app;

int main(int argc, char **argv)
{
	return smon_app_main(&app, argc, argv);
}
