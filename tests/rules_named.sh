#!/bin/sh
# SPDX-License-Identifier: MIT
# Every conformance rule that concerns direct current in target mode must be named by a test. The list is that of
# the interface's rules; a test names a rule in its function name or comment (E-12, E12, test_p24_...).
set -u
cd "$(dirname "$0")/.." || exit 1

rules="
E: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40
E: 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 70 72 73 74 75 76 77 78 79 80 81 82 83
E: 84 85 86 87 88 96
P: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 37 38 39 40 41 42 43 44 45
P: 46 47 53 54
"
n=0 missing=
named=$(cat tests/unit/*.c tests/scenario/*.c tests/interop/*.py tests/vcan/*.c 2>/dev/null |
	sed -E 's/([EePp])-([0-9])/\1\2/g' | tr -c 'A-Za-z0-9' '\n' | grep -xE '[EePp][0-9]{1,2}' |
	tr 'ep' 'EP' | sed -E 's/^([EP])0+/\1/' | sort -u)
while IFS=: read -r kind numbers; do
	for number in $numbers; do
		n=$((n + 1))
		printf '%s\n' "$named" | grep -qx "$kind$number" || missing="$missing $kind-$number"
	done
done <<EOF
$(printf '%s\n' "$rules" | grep :)
EOF
[ -z "$missing" ] || { echo "rules without a test:$missing"; exit 1; }
echo "$n rules, each named by a test"
