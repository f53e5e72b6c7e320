/* SPDX-License-Identifier: MIT */
/*
 * bus-log: records, decodes, replays, converts, cuts and reports logs of a CAN bus. Here only the subcommand is found.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "monitor/bus_log_cmd.h"
#include "monitor/bus_log_report.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"record", bus_log_record, "[FILE]      writes what is on a bus into a log"},
	{"decode", bus_log_decode, "LOG         prints a log in words: text, CSV, JSON"},
	{"replay", bus_log_replay, "LOG         sends a log on a bus, in its own time or faster"},
	{"convert", bus_log_convert, "LOG OUT     candump to Vector ASC and back"},
	{"cut", bus_log_cut, "LOG OUT     a part: by time, state, session"},
	{"stats", bus_log_stats, "LOG         counts, periods and jitter of every identifier, bus load"},
	{"report", bus_log_report, "LOG         one HTML page: sessions, plots, timing, faults"},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_usage(FILE *out)
{
	size_t i;

	fputs("usage: bus-log COMMAND ...\n\n", out);
	for (i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
	fputs("\nLOG is in the format of candump or Vector ASC; - is standard input.\n"
	      "\"bus-log COMMAND --help\" tells the options of one, -V the version.\n"
	      "Exit status: 0 done, 1 failed, 2 wrong use.\n",
	      out);
}

int main(int argc, char **argv)
{
	size_t i;

	/* A reader that goes away, and a file that may not grow, show as errors of writing. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (argc < 2) {
		print_usage(stderr);
		return 2;
	}
	for (i = 0; i < N_COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0) {
		print_usage(stdout);
		return 0;
	}
	if (strcmp(argv[1], "-V") == 0 || strcmp(argv[1], "--version") == 0) {
		puts("bus-log " FORECOURT_VERSION);
		return 0;
	}
	fprintf(stderr, "bus-log: there is no command \"%s\"\n", argv[1]);
	print_usage(stderr);
	return 2;
}
