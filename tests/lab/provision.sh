#!/bin/bash
# provision.sh: installs what the fault lab runs, from Debian's own archive. Nothing is started on this host.
#
# The services run only inside the lab's namespaces, so their packages must not start them here: policy-rc.d says so
# while they are installed (invoke-rc.d(8)), and is removed afterwards where it was made here.
set -eu

packages=(
    nginx php8.2-fpm gunicorn uwsgi uwsgi-plugin-python3 dnsmasq
    systemd systemd-sysv dbus
    nftables iptables iproute2 procps psmisc kmod util-linux
    curl openssl socat busybox-static tmux patch strace
)

if [ "$(id -u)" != 0 ]; then
    echo "FAULT LAB: not root, so nothing is installed and the lab is skipped"
    exit 0
fi
if [ ! -e /etc/debian_version ] || ! command -v apt-get >/dev/null; then
    echo "FAULT LAB: this is no Debian, so nothing is installed and the lab is skipped"
    exit 0
fi

missing=()
for package in "${packages[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
    [ "$state" = "ii " ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "FAULT LAB: running as root on Debian, so these packages are installed now (no service is started):"
echo "    ${missing[*]}"

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -q -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0)
"${apt[@]}" update
"${apt[@]}" install -y --no-install-recommends "${missing[@]}"
