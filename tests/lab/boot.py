"""What is different in a guest that boots systemd: units that would fail or wait in a namespace are masked.

Owns the guest's target and its journal settings. Everything else is what the distribution ships.
"""

from __future__ import annotations

import secrets
from pathlib import Path

# They drive hardware, mount the kernel's filesystems, or wait for a terminal that is not there.
MASKED = (
    "apparmor.service",
    "console-getty.service",
    "cryptsetup.target",
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "getty.target",
    "kmod-static-nodes.service",
    "proc-sys-fs-binfmt_misc.automount",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "systemd-binfmt.service",
    "systemd-firstboot.service",
    "systemd-journal-flush.service",
    "systemd-logind.service",
    "systemd-machine-id-commit.service",
    "systemd-modules-load.service",
    "systemd-random-seed.service",
    "systemd-remount-fs.service",
    "systemd-sysctl.service",
    "systemd-sysusers.service",
    "systemd-timesyncd.service",
    "systemd-udev-trigger.service",
    "systemd-udevd-control.socket",
    "systemd-udevd-kernel.socket",
    "systemd-udevd.service",
    "systemd-update-utmp-runlevel.service",
    "systemd-update-utmp.service",
)
TARGET = """[Unit]
Description=Everything that a lab guest boots
Requires=basic.target dbus.socket dbus.service
After=basic.target
"""
JOURNAL = """[Journal]
Storage=volatile
RateLimitBurst=0
"""


def prepare_systemd(root: Path, name: str) -> None:
    """Writes the guest's own units and settings below `root`, in its upper layer. `name` is its hostname."""
    system = root / "etc/systemd/system"
    for folder in ("sysinit.target.wants", "timers.target.wants", "sockets.target.wants"):
        for link in sorted((system / folder).glob("*")):
            link.unlink()
    for masked in MASKED:
        unit = system / masked
        unit.unlink(missing_ok=True)
        unit.symlink_to("/dev/null")
    (system / "lab.target").write_text(TARGET)
    journal = root / "etc/systemd/journald.conf.d"
    journal.mkdir(exist_ok=True)
    (journal / "lab.conf").write_text(JOURNAL)
    (root / "etc/machine-id").write_text(secrets.token_hex(16) + "\n")
    (root / "etc/hostname").write_text(f"{name}\n")
    (root / "etc/fstab").write_text("")
    (root / "usr/sbin/policy-rc.d").unlink(missing_ok=True)
