"""The filter rules of this host, read once for all checks that follow packets.

Owns that sharing: twenty thousand rules take a second to list and another to read. May not know what is looked for.
"""

from __future__ import annotations

from wizard.checks.registry import Asker
from wizard.firewall.read import read_rules
from wizard.firewall.rules import Ruleset
from wizard.host.questions import NotAnswered


async def host_rules(asker: Asker) -> Ruleset | NotAnswered:
    """All rules of the wizard's own network namespace, as `read_rules` gives them."""
    return await asker.once("rules", read_rules)
