#!/bin/sh
# SPDX-License-Identifier: MIT
# A monitor only listens: no function that sends is linked into it. Looks at the symbols of each program: nothing
# that could put bytes on a socket by a sending call, configure or restart a link, and none of our sending halves.
# usage: tests/rx_only.sh PROGRAM...
set -eu

[ $# -gt 0 ] || { echo "rx_only: no programs given" >&2; exit 1; }

# Of the system's libraries; write() alone cannot put a frame on a bus here: its sockets are opened to receive.
foreign='send|sendto|sendmsg|sendmmsg|__sendmsg|pwritev|can_do_restart|can_do_start|can_do_stop|can_set_[a-z_]*'
# Ours: the sending halves of the buses, the held frames, and all that uses them.
ours='can_bus_open|can_socketcan_open|can_udp_open|can_port_send|can_port_send_many|can_port_retry|can_hold_[a-z_]*|transmit|out_queue_frame|run_loop'

bad=0
for program in "$@"; do
	symbols=$(nm "$program" | awk '{ sub(/@.*/, "", $NF); print $NF }')
	# A program without symbols, or that never opens a bus, would pass for the wrong reason.
	for needed in can_bus_open_rx main; do
		echo "$symbols" | grep -qx "$needed" || { echo "rx_only: $program has no $needed"; bad=$((bad + 1)); }
	done
	for symbol in $(echo "$symbols" | grep -xE "$foreign|$ours" | sort -u); do
		echo "rx_only: $program has $symbol"
		bad=$((bad + 1))
	done
done
echo "rx_only: $# programs, $bad violations"
[ "$bad" -eq 0 ]
