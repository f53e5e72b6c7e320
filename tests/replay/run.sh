#!/bin/sh
# SPDX-License-Identifier: MIT
# Every log of this folder against our controllers, by sim-run --replay; see README.md. usage: tests/replay/run.sh
# Each log must be the same, and each change of a log that its .args file names must be found.
set -u
cd "$(dirname "$0")/../.." || exit 1
sim_run=${SIM_RUN:-bin/sim-run}
[ -x "$sim_run" ] || { echo "replay: $sim_run is not built: make"; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n_logs=0 n_changes=0 bad=0

fail() {
	bad=$((bad + 1))
	printf "FAIL  %s\n" "$1"
	head -n 30 "$dir/out" | cut -c1-240 | sed 's/^/    /'
}

replay() { # log; $arguments; sets $status
	# shellcheck disable=SC2086
	"$sim_run" --replay "$1" $arguments >"$dir/out" 2>&1
	status=$?
}

for args in tests/replay/*.args; do
	log=${args%.args}.log
	name=$(basename "$log" .log)
	arguments=$(sed -n 's/^args: //p' "$args")
	[ -f "$log" ] || { echo "replay: $log is missing" >"$dir/out"; fail "$name"; continue; }
	n_logs=$((n_logs + 1))
	replay "$log"
	[ $status -eq 0 ] || fail "$name: exit $status, expected the same"
	sed -n 's/^change: //p' "$args" >"$dir/changes"
	while read -r change; do
		n_changes=$((n_changes + 1))
		sed -e "${change%% => *}" "$log" >"$dir/changed.log"
		if cmp -s "$log" "$dir/changed.log"; then
			echo "sed -e '${change%% => *}' changes nothing" >"$dir/out"
			fail "$name"
			continue
		fi
		replay "$dir/changed.log"
		[ $status -eq 1 ] || fail "$name, changed by ${change%% => *}: exit $status, expected 1"
		sed -n '1,/^  log /p' "$dir/out" | grep -qF -e "${change##* => }: " ||
			fail "$name, changed by ${change%% => *}: ${change##* => } is not the first difference"
	done <"$dir/changes"
done
for log in tests/replay/*.log; do
	[ -f "${log%.log}.args" ] || { echo "${log%.log}.args is missing" >"$dir/out"; fail "$log"; }
done

refuse() { # why, what it says, arguments
	why=$1 says=$2
	shift 2
	"$sim_run" "$@" >"$dir/out" 2>&1
	status=$?
	{ [ $status -eq 2 ] && grep -qF -e "$says" "$dir/out"; } || fail "$why: exit $status, expected 2 and: $says"
}
some=tests/replay/evse_normal.log
refuse "no controller" "--against" --replay $some
refuse "unknown controller" "--against" --replay $some --against secc-sim
refuse "no such log" "no/such.log" --replay no/such.log --against evse-ctrl
refuse "another pistol's log" "no frame of evse-ctrl" --replay $some --against evse-ctrl --index 2
refuse "the other side's log" "no frame of pev-ctrl" --replay $some --against pev-ctrl
refuse "unknown protocol" "protocol" --replay $some --against evse-ctrl --protocol 9.9
refuse "unknown signal" "--ignore" --replay $some --against evse-ctrl --ignore No_Such.Signal
refuse "unknown word" "--operator" --replay $some --against evse-ctrl --operator shout
refuse "bad tolerance" "tolerance-ms" --replay $some --against evse-ctrl --tolerance-ms -1
refuse "no log" "--replay" --against evse-ctrl

echo "$n_logs logs the same, $n_changes changed ones different, $bad failed"
[ $bad -eq 0 ]
