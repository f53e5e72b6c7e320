#!/bin/sh
# SPDX-License-Identifier: MIT
# ./demo as its user runs it, on a bus: udp or vcan. The states of the charger's module must be those of a whole
# session, on the log of the bus as in the summary.
set -u
cd "$(dirname "$0")/.." || exit 1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
case ${1-udp} in
udp) out=$(./demo --bus udp --json --log "$log" --duration 5) ;;
vcan) out=$(./demo --vcan --json --log "$log" --duration 5) ;;
esac
status=$?
echo "$out"
[ $status -eq 0 ] || { echo "demo: exit $status"; exit 1; }
echo "$out" | tail -n 1 | grep -qE '^\{"result":"clean",.*"states":\[(0,)?12,1,2,(11,)?3,4,5,6,7,8,(9,)?10,1\]' || {
	echo "demo: unexpected summary"
	exit 1
}
grep -q '#' "$log" || { echo "demo: empty log"; exit 1; }
echo "demo on ${1-udp}: clean session, $(wc -l <"$log") frames"
