#!/bin/sh
# SPDX-License-Identifier: MIT
# ./demo as its user runs it, on a bus: udp or vcan; or ./demo --site: site. The states of the charger's module must be those of a whole
# session. Real processes keep 100 ms cycles, which a starved machine cannot: a run in which the log itself shows
# gaps of 150 ms and more is tried again, and if the machine stays that busy the test is skipped and says so.
set -u
cd "$(dirname "$0")/.." || exit 1
bus=${1-udp}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Four charge points, two controllers killed on the way, judged from the log; and a judge that can say no.
if [ "$bus" = site ]; then
	./demo --site --json --lines --log "$log" || exit 1
	echo "0 breaker 20" | awk -f examples/demo-site-judge.awk - "$log" >/dev/null && { echo "the judge lets everything pass"; exit 1; }
	echo "demo of a site: every vehicle charged, no limit exceeded, $(wc -l <"$log") frames"
	exit 0
fi

run() {
	case $bus in
	udp) ./demo --bus udp --json --lines --log "$log" --duration 5 ;;
	vcan) ./demo --vcan --json --lines --log "$log" --duration 5 ;;
	esac
}

# Longest time in ms without any frame at all on a bus that carries some 200 a second.
longest_gap_ms() {
	awk '{ t = substr($1, 2) + 0; if (n++ && t - last > gap) gap = t - last; last = t } END { printf "%d", gap * 1000 }' "$log"
}

for attempt in 1 2 3; do
	out=$(run)
	status=$?
	echo "$out"
	if [ $status -eq 77 ]; then echo "no vcan can be made here"; exit 77; fi
	if [ $status -eq 0 ] && echo "$out" | tail -n 1 |
		grep -qE '^\{"result":"clean",.*"states":\[12,1,2,11,3,4,5,6,7,8,9,10,1\]'; then
		echo "demo on $bus: clean session, $(wc -l <"$log") frames, attempt $attempt"
		exit 0
	fi
	gap=$(longest_gap_ms)
	if [ "$gap" -lt 150 ]; then echo "demo on $bus: exit $status, longest gap on the bus $gap ms"; exit 1; fi
	echo "attempt $attempt: the machine stood still for $gap ms"
done
echo "machine too busy for 100 ms cycles: stood still for $gap ms"
exit 77
