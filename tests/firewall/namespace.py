"""Rules that were really loaded, in a network namespace of their own, and what connect(2) did under them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from wizard.firewall import iptables, nft
from wizard.firewall.rules import Ruleset, Source

NEEDED = ("unshare", "nft", "iptables", "ip")

needs_namespaces = pytest.mark.skipif(
    os.geteuid() != 0 or not all(shutil.which(tool) for tool in NEEDED),
    reason="needs root, nft, iptables and network namespaces",
)


@dataclass(frozen=True)
class Case:
    """A ruleset as lines for a shell, and who connects where: address, port, uid."""

    load: str
    tries: tuple[tuple[str, int, int], ...] = (("127.0.0.1", 8000, 0),)
    seconds: float = 0.25


@dataclass(frozen=True)
class Seen:
    """What was loaded, listed and seen."""

    loaded: bool
    said: str
    seen: tuple[str, ...]
    listed: dict[str, str] = field(default_factory=dict)

    @property
    def rules(self) -> Ruleset:
        """The rules as the readers see them."""
        chains = list(nft.read_ruleset(self.listed["nft -j -a list ruleset"].encode()) or ())
        for command, family in (("iptables-save", "ip"), ("ip6tables-save", "ip6")):
            saved = iptables.read_save(self.listed[command].encode(), family, Source.IPTABLES)
            names = {chain.key[1:] for chain in saved}
            chains = [chain for chain in chains if chain.key[1:] not in names] + list(saved)
        legacy = iptables.read_save(
            self.listed.get("iptables-legacy-save", "").encode(), "ip", Source.IPTABLES_LEGACY, "iptables-legacy"
        )
        return Ruleset.of([*chains, *legacy])


def run(cases: list[Case]) -> list[Seen]:
    """Run cases one after the other in one fresh network namespace."""
    given = json.dumps([{"load": c.load, "tries": c.tries, "seconds": c.seconds} for c in cases])
    script = Path(__file__).with_name("inside.py")
    done = subprocess.run(
        ["unshare", "-n", "--", sys.executable, str(script)],
        input=given, capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    return [Seen(r["loaded"], r["said"], tuple(r["seen"]), r["listed"]) for r in json.loads(done.stdout)]
