"""Which parts of the kernel may be asked without making it load a module.

Owns that judgement. May not know who asks. The kernel loads a module on the mere question: a socket of netlink protocol
12 loads nfnetlink, a sock_diag request loads tcp_diag (net/core/sock_diag.c:sock_diag_lock_handler), iptables runs
modprobe itself. A part may be asked where it is loaded, built in, or where nothing can be loaded at all.

A module that is built in is listed in modules.builtin(5); a container often has no /lib/modules, and then only what is
loaded, or has parameters in /sys/module, is known to be there.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from wizard.host.allowed import Need
from wizard.host.live.failure import failed
from wizard.host.questions import NotAnswered, Why


class Kernel(msgspec.Struct, frozen=True):
    """What is known of the kernel's modules: their names with underscores."""

    loads_modules: bool
    loaded: frozenset[str] = frozenset()
    built_in: frozenset[str] | None = frozenset()  # None: not known

    def may_ask(self, module: str) -> bool:
        """Whether asking this part loads nothing."""
        return not self.loads_modules or module in self.loaded or module in (self.built_in or ())


def kernel(root: Path = Path("/")) -> Kernel:
    """Look at this kernel's modules; `root` is where proc, sys and lib are found."""
    if not (root / "proc/modules").exists() or _text(root / "proc/sys/kernel/modules_disabled").strip() == "1":
        return Kernel(loads_modules=False)
    loaded = {line.split(" ", 1)[0] for line in _text(root / "proc/modules").splitlines()}
    with contextlib.suppress(OSError):
        loaded |= {entry.name for entry in (root / "sys/module").iterdir()}
    listed = _text(root / "lib/modules" / os.uname().release / "modules.builtin")
    built_in = frozenset(_module_names(listed.splitlines())) or None
    return Kernel(loads_modules=True, loaded=frozenset(loaded), built_in=built_in)


def _module_names(lines: Iterable[str]) -> Iterable[str]:
    """`kernel/net/ipv4/tcp_diag.ko` is tcp_diag; file names may have a minus where the module has an underscore."""
    return (line.rsplit("/", 1)[-1].split(".ko", 1)[0].replace("-", "_") for line in lines)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


_MODULES = {
    Need.NF_TABLES: "nf_tables",
    Need.TCP_DIAG: "tcp_diag",
    Need.UDP_DIAG: "udp_diag",
    Need.UNIX_DIAG: "unix_diag",
}
_TABLES_IN_USE = {Need.IP_TABLES: "proc/net/ip_tables_names", Need.IP6_TABLES: "proc/net/ip6_tables_names"}
_BY_VARIANT = {Need.IPTABLES_KIND: Need.IP_TABLES, Need.IP6TABLES_KIND: Need.IP6_TABLES}


def objection(needs: Iterable[Need], program: str, root: Path = Path("/")) -> NotAnswered | None:
    """Why a command must not run on this host, None where it may.

    `REFUSED` says that a part of the kernel is not in use (so that it has nothing to tell either); where that could not
    be seen, the answer says so and is `DENIED` or `FAILED`.

    Args:
        needs: what the allow-list wants to hold.
        program: the program's real path, behind alternatives: it tells iptables' variants from each other.
        root: where proc, sys, run and lib are found.
    """
    for need in needs:
        wanted = need
        if need in _BY_VARIANT:
            wanted = Need.NF_TABLES if "nft" in program.rsplit("/", 1)[-1] else _BY_VARIANT[need]
        if wanted in _MODULES:
            found = _of_module(wanted, root)
        elif wanted in _TABLES_IN_USE:
            found = _of_tables(wanted, root)
        else:
            found = None if (root / "run/systemd/seats").is_dir() else _refused(wanted)
        if found is not None:
            return found
    return None


def _refused(need: Need) -> NotAnswered:
    return NotAnswered(Why.REFUSED, f"not run unless {need}, because asking would change the host")


def _of_module(need: Need, root: Path) -> NotAnswered | None:
    seen = kernel(root)
    if seen.may_ask(_MODULES[need]):
        return None
    if seen.built_in is None:
        return NotAnswered(Why.FAILED, f"not run unless {need}, and what is built in cannot be seen here")
    return _refused(need)


def _of_tables(need: Need, root: Path) -> NotAnswered | None:
    """The kernel lists the tables that are in use; on most kernels for root only."""
    try:
        in_use = (root / _TABLES_IN_USE[need]).read_bytes().strip()
    except PermissionError as error:
        return failed(error, str(need))
    except OSError:
        return _refused(need)
    return None if in_use else _refused(need)
