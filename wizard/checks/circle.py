"""A request that comes back to where it was: an upstream that is the gateway itself.

Owns the check `circle`. May not know how a hop is found.
"""

from __future__ import annotations

from wizard.checks.hops import circle as circle_of
from wizard.checks.registry import Asker, Finding, Scope, Subject, check
from wizard.checks.survey import survey
from wizard.text import one_line


@check("circle", Scope.ROUTE, {"none": (), "comes-back": ("hops", "place", "to")}, bad=("comes-back",))
async def circle(subject: Subject, asker: Asker) -> Finding:
    """Follow the request from gateway to gateway of this host and see whether it comes to the same place twice."""
    if subject.route is None or subject.route.upstream is None:
        return Finding("none", "The request is passed to no upstream.")
    hops = await circle_of(subject.route, await survey(asker), asker)
    if not hops:
        return Finding("none", "No server of the upstream leads back to this place.")
    back = hops[-1]
    last = hops[-2]
    to = last.action.to or ""
    place = str(last.action.at or last.location.at)
    return Finding(
        "comes-back",
        f"{one_line(place)} passes the request to {one_line(to)}, where {one_line(str(back.location.at))} takes it again.",
        {"hops": len(hops) - 1, "place": place, "to": to},
        by_hand=f"gateway-wizard route {subject.route.url}",
    )
