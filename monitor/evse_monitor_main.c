/* SPDX-License-Identifier: MIT */
/* evse-monitor: shows a charger's EVSE generic interface; all of it is in mon_app.c. */
#include "monitor/mon_app.h"

static struct mon_app app; /* big, and only touched where it is used */

int main(int argc, char **argv)
{
	return mon_app_main(&app, MON_EVSE, argc, argv);
}
