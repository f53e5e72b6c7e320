/* SPDX-License-Identifier: MIT */
/*
 * The subcommands of bus-log, one file each: bus_log_NAME.c. argv[0] is the name. All return the exit status: 0 done,
 * 1 failed, 2 wrong use.
 */
#ifndef MONITOR_BUS_LOG_CMD_H
#define MONITOR_BUS_LOG_CMD_H

int bus_log_record(int argc, char **argv);
int bus_log_decode(int argc, char **argv);
int bus_log_replay(int argc, char **argv);
int bus_log_convert(int argc, char **argv);
int bus_log_cut(int argc, char **argv);
int bus_log_stats(int argc, char **argv);

#endif
