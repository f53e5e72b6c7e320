/* SPDX-License-Identifier: MIT */
/*
 * The floor: a program that does the bare minimum of what evse-ctrl does on the same bus, for comparison in the
 * same run. One timerfd on an absolute 100 ms grid, one socket for both directions, frames that were encoded once,
 * sendmmsg() for a cycle, one recvmmsg() for each wake-up, answers found by comparing bytes. It decides nothing,
 * measures nothing and checks nothing.
 */
#ifndef BENCH_PROC_FLOOR_H
#define BENCH_PROC_FLOOR_H

/* First argument of our own program that makes it the floor. */
#define FLOOR_WORD "--floor"

/* argv: program, FLOOR_WORD, port, number of points, 1 to watch for silence of the module. The exit code. */
int floor_main(int argc, char **argv);

#endif
