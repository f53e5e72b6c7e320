/* SPDX-License-Identifier: MIT */
/*
 * bus-log report: one self-contained HTML page for a log. Reads the log once, in constant memory.
 */
#ifndef MONITOR_BUS_LOG_REPORT_H
#define MONITOR_BUS_LOG_REPORT_H

/* argv[0] is "report". Returns the exit status: 0 done, 1 failed, 2 wrong use. */
int bus_log_report(int argc, char **argv);

#endif
