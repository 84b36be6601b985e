"""Sessions and catalogues in a few words, for the tests of what is drawn from them."""

from __future__ import annotations

from collections.abc import Mapping

import wizard.checks.all  # noqa: F401 - declares the checks
from wizard.checks.registry import Scope, Value, checks
from wizard.flow.language import At, Cause, Command, Confidence, Needs
from wizard.model import Action, ActionKind, Instance, Listener, Location, Place, Route, Server, Upstream, VirtualHost
from wizard.session.events import Event, StepDone, SubjectFound, SubjectRef
from wizard.session.observed import Observed
from wizard.session.verdict import Verdict, conclude

AT = At("test.yaml", 1, 1)
PLACE = Place("/etc/nginx/sites-enabled/shop", 7)
URL = "http://shop.example/"
A, B = "127.0.0.1:8000", "127.0.0.1:8001"
GATEWAY = Instance("nginx", 100, "/etc/nginx/nginx.conf", uid=33, gid=33, user="www-data", argv=("nginx",))


def route(*servers: str, url: str = URL) -> Route:
    """A route of one nginx to some servers."""
    return Route(
        gateway=GATEWAY,
        url=url,
        listener=Listener("0.0.0.0:80", tls=False, at=PLACE),
        virtual_host=VirtualHost("shop.example", "exact", PLACE),
        location=Location("/", "prefix", PLACE),
        action=Action(ActionKind.PROXY, "http://shop", PLACE),
        upstream=Upstream("shop", PLACE, tuple(Server(address, at=PLACE) for address in servers or (A, B))),
    )


def subjects(*urls: str, behind: str | None = None) -> tuple[SubjectFound, ...]:
    """The host, and for each URL a route with two servers; the second one lies `behind` a server of the first."""
    found = [SubjectFound(SubjectRef("host", "host", gateway=GATEWAY))]
    for number, url in enumerate(urls or (URL,)):
        one = route(url=url)
        after = behind if number else None
        found.append(SubjectFound(SubjectRef(url, "route", "host", url, one, behind=after)))
        found += [
            SubjectFound(SubjectRef(f"{address} of {url}", "server", url, url, one, address)) for address in (A, B)
        ]
    return tuple(found)


def server(address: str = A, url: str = URL) -> str:
    """The key of a server."""
    return f"{address} of {url}"


def step(check: str, subject: str, outcome: str, *, attempt: int = 1, **values: Value) -> StepDone:
    """What a check came to."""
    return StepDone(
        f"flow/{check}", check, subject, outcome, f"{check} saw {outcome}.", 1.0, 0.0, attempt, ("e1",), dict(values)
    )


def cause(
    name: str,
    *alternatives: Mapping[str, str | tuple[str, ...]] | tuple[Confidence, Mapping[str, str | tuple[str, ...]]],
    excludes: Mapping[str, str] | None = None,
    explains: tuple[str, ...] = (),
    priority: int = 0,
    other_requests: bool = False,
    commands: tuple[Command, ...] = (),
) -> Cause:
    """A cause that needs one of some sets of observations; without a confidence it is then confirmed."""
    needs = []
    for one in alternatives:
        certainty, outcomes = one if isinstance(one, tuple) else (Confidence.CONFIRMED, one)
        pairs = tuple((check, (words,) if isinstance(words, str) else words) for check, words in outcomes.items())
        needs.append(Needs(pairs, certainty, AT))
    return Cause(
        id=name,
        title=f"The title of {name}",
        summary=f"The summary of {name}.",
        article="",
        needs=tuple(needs),
        decisive=needs[0].outcomes[0][0],
        at=AT,
        excludes=tuple((check, (word,)) for check, word in (excludes or {}).items()),
        explains=explains,
        commands=commands,
        priority=priority,
        other_requests=other_requests,
    )


def verdict(catalogue: list[Cause], *events: Event, found: tuple[SubjectFound, ...] = ()) -> Verdict:
    """The verdict on one site with two servers, or on the subjects given."""
    observed = Observed.of((*(found or subjects()), *events))
    scopes: dict[str, Scope] = {name: one.scope for name, one in checks().items()}
    return conclude(catalogue, observed, scopes)


def named(drawn: Verdict) -> list[str]:
    """The ids of the causes, best first."""
    return [one.cause.id for one in drawn.causes]


def warned(drawn: Verdict) -> list[str]:
    """The ids of the warnings."""
    return [one.cause.id for one in drawn.warnings]
