#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# run.sh COMMAND [ARGUMENT...]: runs a command where a real vcan0 exists and is up; its exit status is ours.
#
# In the host's own kernel, inside a user and network namespace, when that can make one; else inside user-mode
# Linux (Debian package user-mode-linux), a kernel that runs as an ordinary process on the host's files. No right
# is needed and nothing of the host changes. In there the command is root, sees the host's files as the caller
# may use them, its working directory and environment; in user-mode Linux its errors go to the output too. A
# terminal is passed on; other input is not.
#
# Exit statuses of its own: 77 no vcan can be made here, 99 it went wrong, 124 time limit.
#
#   VCAN_HOST=uml|native   take this one, do not look
#   VCAN_TIMEOUT=300       seconds until the command is ended
#   VCAN_MEM=512M          memory of user-mode Linux
set -u

fail() {
	echo "run.sh: $*" >&2
	exit 99
}

[ $# -gt 0 ] || fail "usage: run.sh COMMAND [ARGUMENT...]"
limit=${VCAN_TIMEOUT:-300}
native_setup='ip link set lo up && ip link add dev vcan0 type vcan && ip link set vcan0 up'

can_native() {
	unshare -rn sh -c "$native_setup" >/dev/null 2>&1
}

run_native() {
	# The command gets the terminal, so the limit must not take it away (--foreground).
	exec timeout --foreground -k 5 "$limit" unshare -rn sh -c "$native_setup && exec \"\$@\"" sh "$@"
}

find_uml() {
	uml=$(command -v linux.uml || command -v linux) || return 1
	release=$("$uml" --version 2>/dev/null) || return 1
	modules=/usr/lib/uml/modules/$release/kernel
	[ -e "$modules/drivers/net/can/vcan.ko" ] && command -v busybox >/dev/null
}

# The first process of the guest. Its files are the host's; only the kernel's own are mounted.
write_init() {
	cat <<'EOF'
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
ln -s /proc/self/fd /dev/fd
[ -n "$has_terminal" ] || stty -onlcr -echo </dev/console
echo 0 4 0 0 >/proc/sys/kernel/printk
for m in drivers/net/can/dev/can-dev net/can/can net/can/can-raw net/can/can-bcm net/can/can-gw \
	drivers/net/can/vcan drivers/net/can/vxcan drivers/net/can/slcan/slcan \
	net/sched/sch_netem net/sched/sch_tbf drivers/net/dummy; do
	insmod "$modules/$m.ko" || echo "run.sh: module $m was not loaded" >&2
done
PATH=$PATH:/usr/sbin:/sbin
if ip link set lo up && ip link add dev vcan0 type vcan && ip link set vcan0 up; then
	# A session of its own with the console as terminal: Ctrl-C reaches the command.
	setsid -c bash "$dir/command"
	echo $? >"$dir/status"
fi
sync
poweroff -f
EOF
}

# cp, ip, stty and so on of the host; busybox for what only root's packages have.
write_scripts() {
	{
		echo '#!/bin/sh'
		printf 'dir=%q modules=%q has_terminal=%q\n' "$dir" "$modules" "$terminal"
		for tool in mount mkdir ln stty insmod setsid sync poweroff; do
			echo "$tool() { busybox $tool \"\$@\"; }"
		done
		write_init
	} >"$dir/init"
	chmod 755 "$dir/init"
	{
		export -p
		printf 'cd %q\n' "$PWD"
		printf 'exec'
		printf ' %q' "$@"
		printf '\n'
	} >"$dir/command"
}

stop_uml() {
	[ -z "$pid" ] || { kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; }
	[ -z "$terminal" ] || stty "$saved"
	rm -rf "$dir"
}

run_uml() {
	local con=null,fd:1 status

	if ! find_uml; then
		echo "run.sh: no vcan in this kernel; install user-mode-linux and busybox-static" >&2
		exit 77
	fi
	dir=$(mktemp -d "${TMPDIR:-/tmp}/vcan.XXXXXX") || fail "no temporary directory"
	pid=
	trap 'stop_uml' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	terminal=
	if [ -t 0 ] && [ -t 1 ]; then
		terminal=1
		con=fd:0,fd:1
		saved=$(stty -g)
	fi
	write_scripts "$@"
	TMPDIR=${VCAN_TMPDIR:-$dir} timeout --foreground -k 5 "$limit" "$uml" mem="${VCAN_MEM:-512M}" \
		root=/dev/root rootfstype=hostfs rootflags=/ rw init="$dir/init" uml_dir="$dir" umid=guest \
		quiet loglevel=1 panic=-1 con=null con0=$con 2>"$dir/errors" <&0 &
	pid=$!
	wait "$pid" # a signal to us ends this at once
	status=$?
	pid=
	if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
		echo "run.sh: ended after $limit s" >&2
		exit 124
	fi
	if [ ! -s "$dir/status" ]; then
		cat "$dir/errors" >&2
		fail "user-mode Linux ended without a result (status $status)"
	fi
	exit "$(cat "$dir/status")"
}

case ${VCAN_HOST:-} in
uml) run_uml "$@" ;;
native) run_native "$@" ;;
'') if can_native; then run_native "$@"; else run_uml "$@"; fi ;;
*) fail "VCAN_HOST is uml or native" ;;
esac
