#!/bin/sh
# SPDX-License-Identifier: MIT
# Pure objects may import each other and a short list of functions without side effects; nothing that reads a
# clock, allocates, or talks to the system. usage: tests/pure.sh OBJECT...
set -eu

[ $# -gt 0 ] || { echo "pure: no objects given" >&2; exit 1; }

allowed='mem(cpy|set|cmp|move|chr)|__mem(cpy|set|move)_chk|str(len|nlen|cmp|ncmp|chr|rchr|spn|cspn|tol|toul|toull|toll|tod|casecmp|ncasecmp|str)'
allowed="$allowed|v?snprintf|__v?snprintf_chk|__isoc99_sscanf|abs|labs|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|__ctype_(b|tolower|toupper)_loc|__errno_location|qsort|bsearch|__assert_fail"
math='exp|expm1|log|sqrt|pow|fabs|floor|ceil|fmin|fmax|lround|llround|lrint|llrint|round|nearbyint|trunc|ldexp|frexp|fmod|isnan|copysign'

defined=$(mktemp)
trap 'rm -f "$defined"' EXIT
nm --defined-only -g "$@" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u >"$defined"

bad=0
for object in "$@"; do
	list=$allowed
	case $object in
	*/sim/physics.o | */dbc/dbc_codec*.o | */dbc/dbc_table*.o) list="$list|$math" ;;
	esac
	foreign=$(nm -u "$object" | awk '{ print $2 }' | grep -vxE "$list" | grep -vxFf "$defined" || true)
	for symbol in $foreign; do
		echo "pure: $object uses $symbol"
		bad=$((bad + 1))
	done
done
echo "pure: $# objects, $bad violations"
[ "$bad" -eq 0 ]
