"""What a unit hides from its processes: folders that they do not see, addresses and families that they may not use.

Owns the settings of systemd.exec(5) and systemd.resource-control(5) that do so, and the lines of a drop-in that would
lift one. May not know gateways or causes. Where a list covers a path the rest of the list stays.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

import msgspec

from wizard.host.questions import NotAnswered, Run
from wizard.services.manager import Asks
from wizard.services.systemd import is_unit_name
from wizard.services.unitread import first, read_blocks

PROPERTIES = (
    "PrivateTmp",
    "ProtectHome",
    "InaccessiblePaths",
    "TemporaryFileSystem",
    "PrivateNetwork",
    "RestrictAddressFamilies",
    "IPAddressDeny",
    "IPAddressAllow",
)
_TMP = ("/tmp", "/var/tmp")  # noqa: S108 - the folders that PrivateTmp replaces
_HOME = ("/home", "/root", "/run/user")
_ESCAPED = str.maketrans({"\\": "\\\\", "%": "%%"})


class Lifted(msgspec.Struct, frozen=True):
    """A setting that hides or forbids something, as `Name=value`, and the lines that would lift it."""

    setting: str
    lines: tuple[str, ...]

    @property
    def drop_in(self) -> str:
        """The drop-in's content as printf(1) writes it."""
        return "\\n".join(["[Service]", *(line.translate(_ESCAPED) for line in self.lines), ""])


class Sandbox(msgspec.Struct, frozen=True):
    """What `systemctl show` says of a unit's sandbox."""

    unit: str
    private_tmp: bool = False
    protect_home: str = "no"
    inaccessible: tuple[str, ...] = ()
    covered: tuple[str, ...] = ()  # TemporaryFileSystem
    private_network: bool = False
    families: tuple[str, ...] = ()
    families_are_denied: bool = False
    denied: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()

    def hides(self, path: str) -> Lifted | None:
        """The setting by which the unit's processes see something else at a path, None where there is none."""
        if self.private_tmp and _below(path, _TMP):
            return Lifted("PrivateTmp=yes", ("PrivateTmp=no",))
        if self.protect_home in {"yes", "tmpfs"} and _below(path, _HOME):
            return Lifted(f"ProtectHome={self.protect_home}", ("ProtectHome=no",))
        for name, listed in (("InaccessiblePaths", self.inaccessible), ("TemporaryFileSystem", self.covered)):
            hiding = [one for one in listed if _below(path, (one.lstrip("-+").partition(":")[0],))]
            if hiding:
                kept = [f"{name}={one}" for one in listed if one not in hiding]
                return Lifted(f"{name}={' '.join(hiding)}", (f"{name}=", *kept))
        return None

    def forbids(self, address: str) -> Lifted | None:
        """The setting by which the unit's processes may not use an IP address, None where there is none."""
        try:
            ip = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return None
        family = "AF_INET6" if ip.version == 6 else "AF_INET"
        if self.families and (family in self.families) is self.families_are_denied:
            lines = (
                ("RestrictAddressFamilies=",) if self.families_are_denied else (f"RestrictAddressFamilies={family}",)
            )
            told = f"{'~' if self.families_are_denied else ''}{' '.join(self.families)}"
            return Lifted(f"RestrictAddressFamilies={told}", lines)
        # What is allowed wins over what is denied.
        if _covers(self.denied, ip) and not _covers(self.allowed, ip):
            return Lifted(f"IPAddressDeny={' '.join(self.denied)}", (f"IPAddressAllow={ip}",))
        return None


async def sandbox(ask: Asks, unit: str) -> Sandbox | NotAnswered | None:
    """The sandbox of a unit, None where the name is none."""
    if not is_unit_name(unit):
        return None
    answer = (await ask.ask(Run(("systemctl", "show", "-p", ",".join(PROPERTIES), "--", unit)))).answer
    if isinstance(answer, NotAnswered):
        return answer
    block = next(iter(read_blocks(answer.out)), {})
    families = first(block, "RestrictAddressFamilies")
    return Sandbox(
        unit=unit,
        private_tmp=first(block, "PrivateTmp") == "yes",
        protect_home=first(block, "ProtectHome") or "no",
        inaccessible=tuple(first(block, "InaccessiblePaths").split()),
        covered=tuple(first(block, "TemporaryFileSystem").split()),
        private_network=first(block, "PrivateNetwork") == "yes",
        families=tuple(one for one in families.removeprefix("~").split() if one != "none"),
        families_are_denied=families.startswith("~"),
        denied=tuple(first(block, "IPAddressDeny").split()),
        allowed=tuple(first(block, "IPAddressAllow").split()),
    )


def _below(path: str, folders: Iterable[str]) -> bool:
    return any(path == one or path.startswith(f"{one.rstrip('/')}/") for one in folders if one)


def _covers(networks: Iterable[str], ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    for one in networks:
        try:
            if ip in ipaddress.ip_network(one, strict=False):
                return True
        except ValueError:
            continue
    return False
