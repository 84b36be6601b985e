"""A small vocabulary, and a small library that is sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wizard.flow.language import Cause, Flow, Path, Place
from wizard.flow.library import Library
from wizard.flow.load import read_causes, read_flow
from wizard.flow.vocabulary import Vocabulary


@dataclass(frozen=True)
class Words:
    """A declared check without its function."""

    scope: str
    outcomes: Mapping[str, tuple[str, ...]]
    bad: frozenset[str] = field(default_factory=frozenset)


VOCABULARY = Vocabulary(
    checks={
        "clock": Words("host", {"unknown": (), "steady": (), "jumped": ("seconds",)}),
        "route": Words("route", {"unknown": (), "found": ("file",), "none": ()}),
        "connect": Words("server", {"unknown": (), "connected": (), "refused": ("errno",), "timed-out": ("seconds",)}),
        "listener": Words("server", {"unknown": (), "present": ("pid",), "absent": ("edit",)}),
        "service": Words("server", {"unknown": (), "running": ("unit",), "stopped": ("unit", "since", "words")}),
    },
    variables={"route": frozenset({"url"}), "server": frozenset({"server"})},
)

ENTRY = """\
flow: 502
title: Who answers {url} with 502?
for: route
status: [502, 503]
steps:
  route:
    check: route
    question: Which route takes {url}?
    then:
      found: servers
      none: done
      unknown: servers
  servers:
    each: server
    flow: upstream-server
    next: deployed
  deployed:
    ask: Was something deployed in the last hour?
    choices: {yes: Yes, no: No}
    then: {yes: done, no: done, dont-know: done}
"""

SERVER = """\
flow: upstream-server
title: Can the gateway reach {server}?
for: server
steps:
  connect:
    check: connect
    question: Does a connection to {server} succeed?
    why: The errno tells nobody-listens from filtered.
    then:
      connected: done
      refused: listener
      timed-out: {flow: firewall}
      unknown: listener
  listener:
    check: listener
    then:
      present: done
      absent: service
      unknown: done
  service:
    check: service
    then:
      stopped: {cause: upstream-service-stopped}
      running: done
      unknown: done
"""

FIREWALL = """\
flow: firewall
title: Is {server} filtered?
for: server
steps:
  clock:
    check: clock
    then: {steady: done, jumped: done, unknown: done}
"""

CAUSES = """\
- id: upstream-service-stopped
  title: "{service.unit} is not running"
  summary: "Nothing listens on {server}, because {service.unit} was stopped {service.since}."
  decisive: service
  needs:
    listener: absent
    service: stopped
  excludes: {listener: present}
  article: |
    Somebody stopped it.

    The port is closed then.
  commands:
    - stage: fix
      run: [systemctl, start, "{service.unit}"]
      why: Starts {service.unit}.
      changes: true
      needs-root: true
      undo: [systemctl, stop, "{service.unit}"]
      when: {service: [stopped]}
    - stage: inspect
      run: [journalctl, -u, "{service.unit}"]
      pipe: [tail, -n, "20"]
      why: Shows its last words.
    - stage: fix
      edit: "{listener.edit}"
      why: Corrects the port.
  refused:
    - run: chmod 777 /run/app.sock
      because: Every local user could then speak to the application.
"""


def library(*flows: str, causes: str = "") -> Library:
    """A library of file contents that must all be readable; the files are called as their flows."""
    found: dict[str, Flow] = {}
    known: dict[str, Cause] = {}
    places: dict[Path, Place] = {}
    for text in flows:
        name = text.split("\n", 1)[0].removeprefix("flow: ")
        loaded = read_flow(f"{name}.yaml", text)
        assert loaded.flow is not None, loaded.problems
        found[loaded.flow.name] = loaded.flow
        places.update(loaded.places)
    if causes:
        loaded = read_causes("causes.yaml", causes)
        assert not loaded.problems, loaded.problems
        known = {cause.id: cause for cause in loaded.causes}
        places.update(loaded.places)
    return Library(found, known, (), places)


def sound() -> Library:
    """The whole sample."""
    return library(ENTRY, SERVER, FIREWALL, causes=CAUSES)
