#!/bin/sh
# SPDX-License-Identifier: MIT
# check-abi: builds plug-ins the way a stranger would, with the installed headers alone, and runs the host's
# loader on them. Usage: run.sh TEST_PROGRAM DIRECTORY
set -eu

test_program=$1
dir=$2
cc=${CC:-cc}
flags="-std=c11 -Wall -Wextra -Werror -O1 -fPIC -shared -fvisibility=hidden"
abi=$(dirname "$0")
top=$(cd "$abi/../.." && pwd)

fail() {
	echo "check-abi: $*" >&2
	exit 1
}

umask 022
rm -rf "$dir"
mkdir -p "$dir/plugins"
dir=$(cd "$dir" && pwd)
out=$dir/plugins

$cc $flags -I"$top/include" -o "$out/bench_supply.so" "$top/examples/power_module_example.c"
$cc $flags -I"$top/include" -o "$out/contactor_box.so" "$top/examples/vehicle_hw_example.c"
$cc $flags -I"$top/include" -o "$out/thrifty.so" "$top/examples/alloc_policy_example.c"
$cc $flags -I"$abi/v1" -o "$out/abi_v1_min.so" "$abi/abi_v1_min.c"
# The examples must go on compiling against the first headers, too.
$cc $flags -I"$abi/v1" -o "$out/bench_supply_v1.so" "$top/examples/power_module_example.c"
$cc $flags -I"$abi/v1" -o "$out/contactor_box_v1.so" "$top/examples/vehicle_hw_example.c"
# Policies came with 1.1; the example, and the smallest there can be, against its headers for ever.
$cc $flags -I"$abi/v1_1" -o "$out/thrifty_v1_1.so" "$top/examples/alloc_policy_example.c"
$cc $flags -I"$abi/v1_1" -o "$out/policy_v1_1_min.so" "$abi/policy_v1_1_min.c"

bad() {
	name=$1
	shift
	$cc $flags -I"$top/include" "$@" -o "$out/$name.so" "$abi/abi_bad.c"
}
bad bad_magic -DMAGIC=1
bad bad_major -DMAJOR=2
bad bad_kind -DKIND=99
bad bad_record -DRECORD_SIZE=8
bad bad_ops
bad bad_ops_size -DOPS_SIZE=0
bad bad_symbol -DSYMBOL=another_name
bad bad_mode -DMAGIC=1
printf 'this is no library\n' >"$out/bad_elf.so"

for plugin in bench_supply contactor_box abi_v1_min thrifty policy_v1_1_min; do
	symbols=$(nm -D --defined-only "$out/$plugin.so" | awk '{print $NF}')
	[ "$symbols" = forecourt_plugin ] || fail "$plugin.so exports: $symbols"
done

compare() { # frozen, present: offsets must agree, sizes may only grow
	awk 'NR == FNR { then[$1 " " $2] = $3; width[$1 " " $2] = $4; next }
	     $1 == "at" && (then[$1 " " $2] != $3 || width[$1 " " $2] != $4) { print "moved: " $2; bad = 1 }
	     $1 == "size" && then[$1 " " $2] > $3 { print "shrunk: " $2; bad = 1 }
	     END { exit bad }' "$1" "$2"
}
layout() { # program, folder of the frozen headers
	$cc -std=c11 -I"$abi/$2" -o "$dir/layout" "$abi/$1"
	"$dir/layout" >"$dir/layout.$2"
	$cc -std=c11 -I"$top/include" -o "$dir/layout" "$abi/$1"
	"$dir/layout" >"$dir/layout.now"
	compare "$dir/layout.$2" "$dir/layout.now" || fail "the layout of the interface has changed since $2"
}
layout abi_layout.c v1
layout abi_layout_policy.c v1_1

"$test_program" "$out"
