"""Whether two names speak of the same service: `shop_app`, `shop.example`, `/run/shop/shop.sock`, `shop.service`.

Owns the comparison. Pure; a name is a hint and never proof.
"""

from __future__ import annotations

import re

# Words that say what kind of thing a name stands for, not which one.
_GENERIC = frozenset({
    "app", "apps", "application", "backend", "backends", "upstream", "upstreams", "server", "servers", "service",
    "svc", "www", "web", "http", "https", "api", "com", "net", "org", "io", "dev", "local", "localhost", "lan",
    "internal", "example", "invalid", "test", "prod", "production", "staging", "live", "fpm", "main", "default",
    "site", "sites", "cluster", "pool", "node", "nodes", "the", "run", "var", "tmp", "sock", "socket", "unix",
    "srv", "opt", "home", "conf", "proxy", "pass", "php", "python", "gunicorn", "uwsgi", "uvicorn", "unicorn",
    "puma", "django", "flask", "rails", "nodejs", "java", "tomcat", "html", "public", "current", "systemd",
})  # fmt: skip

_VERSION = re.compile(r"\d+(?:\.\d+)+")
_WORD = re.compile(r"[a-z]+|[0-9]+")

# Services that belong to the operating system: they never answer a gateway's requests.
_CORE = re.compile(
    r"^(?:systemd-|getty|serial-getty|console-getty|container-getty|autovt|dbus|user@|user-runtime|ssh|sshd|cron|crond|"
    r"anacron|atd|modprobe@|initrd-|emergency|rescue|plymouth|apt-|dnf-|packagekit|e2scrub|fstrim|logrotate|man-db|"
    r"rsyslog|syslog|kmod|polkit|networking|network-|NetworkManager|ifup@|ifupdown|lvm2-|lvm-|mdadm|mdmonitor|snapd|"
    r"ua-|ubuntu-|unattended-upgrades|cloud-|dpkg-|udev|auditd|chrony|ntp|apparmor|keyboard-|console-setup|"
    r"irqbalance|multipathd|rpcbind|accounts-daemon|ModemManager|firewalld|ufw|nftables|netfilter-|iptables|"
    r"display-manager|wpa_supplicant|bluetooth|alsa-|hwclock|procps|x11-|quota|nis|rc-local|rc\.local|debug-shell|"
    r"grub|kdump|selinux|sssd|nscd|resolvconf|dracut-|import-state|loadmodules|ldconfig|tuned|rngd|sysstat|motd|"
    r"uuidd|open-vm-tools|vgauth|qemu-guest|thermald|smartd|acpid|screen-cleanup|sudo|halt|reboot|poweroff|kexec)"
)


def is_core(unit: str) -> bool:
    """Whether a unit belongs to the operating system itself."""
    return _CORE.match(unit) is not None


def stem(unit: str) -> str:
    """The name of a unit without its type and instance: `web@8000.service` is `web`."""
    name, dot, kind = unit.rpartition(".")
    return (name if dot and kind in ("service", "socket") else unit).partition("@")[0]


def _words(name: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(name[:200].lower()))


def likeness(unit: str, hint: str) -> int:
    """How alike a unit's name and a hint are: 2 the same, 1 they share a telling word, 0 not alike."""
    ours, theirs = _words(stem(unit)), _words(hint)
    if not ours or not theirs:
        return 0
    if "".join(ours) == "".join(theirs):
        return 2
    if (
        _VERSION.search(unit)
        and _VERSION.search(hint)
        and _VERSION.sub("", stem(unit)) == _VERSION.sub("", hint.lower())
    ):
        return 2  # php8.1-fpm and php8.2-fpm: the same program before and after an upgrade
    told_ours = {word for word in ours if word.isalpha() and len(word) > 2} - _GENERIC
    told_theirs = {word for word in theirs if word.isalpha() and len(word) > 2} - _GENERIC
    if told_ours and told_ours == told_theirs:
        return 2
    return 1 if told_ours & told_theirs else 0


def hints_of_path(path: str) -> tuple[str, ...]:
    """The names that a socket's path carries: its folder and its own, without the suffix."""
    parts = [part for part in path.split("/") if part]
    return tuple(dict.fromkeys(re.sub(r"\.(?:sock|socket)$", "", part) for part in reversed(parts[-2:])))
