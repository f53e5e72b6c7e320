# SPDX-License-Identifier: MIT
# install_packages NAME...: installs the Debian packages among NAME that are missing; quiet when none is.
# install_vcan_host: what tests/vcan/run.sh needs where this kernel has no vcan: a kernel that runs as a process.
# Sourced by ./demo and ./check.

can_make_vcan() { unshare -rn ip link add dev vcan0 type vcan >/dev/null 2>&1; }
install_vcan_host() { can_make_vcan || install_packages user-mode-linux busybox-static; }

install_packages() {
	missing=
	for package in "$@"; do
		dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	command -v apt-get >/dev/null || { echo "missing:$missing (no apt-get here: install them by hand)" >&2; return 1; }
	sudo=
	if [ "$(id -u)" -ne 0 ]; then
		sudo=$(command -v sudo) || { echo "missing:$missing (install them as root, or install sudo)" >&2; return 1; }
	fi
	echo "installing:$missing" >&2
	# shellcheck disable=SC2086
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 ||
		{ $sudo apt-get update -qq >&2 &&
			$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null; } ||
		{ echo "could not install:$missing" >&2; return 1; }
}
