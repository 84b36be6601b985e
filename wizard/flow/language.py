"""The shapes of flow and cause files after loading.

Owns the words of the two data languages. May not know files, checks' code, hosts or sessions. A reader who has never
seen the format follows `flows/502.yaml` from top to bottom.

A flow file:

    flow: upstream-server            # the file's name
    title: Can the gateway reach this server?
    for: server                      # the scope of its subject: host, route or server
    start: connect                   # optional; the first step otherwise
    steps:
      connect:
        check: connect               # a check by name
        question: Does a connection to {server} succeed, made as the gateway makes it?
        why: The errno tells nobody-listens from filtered from not permitted.
        then:
          connected: http            # a step of this flow
          refused: {cause: upstream-not-listening}   # ends this flow at a cause
          timed-out: {flow: firewall}                # goes on in another flow with the same subject, and ends there
          unknown: listener
      deployed:
        ask: Was something deployed in the last hour?     # a person is asked
        choices: {yes: Yes, no: No}                       # value: label; "don't know" is always offered
        then: {yes: done, no: done, dont-know: done}
      log:
        check: log
        next: servers                # wherever the outcome does not matter for what is asked next
      servers:
        each: server                 # runs a flow once for every server of the pool, side by side
        flow: upstream-server
        next: done

A cause file is a list of causes; `Cause` describes each field.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

DONE = "done"
DONT_KNOW = "dont-know"


class At(msgspec.Struct, frozen=True, order=True):
    """A place in a data file: path as given, line and column from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


Path = tuple[str, ...]


class Place(msgspec.Struct, frozen=True):
    """Where an entry of a mapping stands: its key and its value (the same place for an item of a sequence)."""

    key: At
    value: At


class Problem(msgspec.Struct, frozen=True, order=True):
    """What is wrong in a data file: where, what was expected, and the nearest valid name where there is one."""

    at: At
    what: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.at}: {self.what}" + (f" ({self.hint})" if self.hint else "")


class Target(msgspec.Struct, frozen=True):
    """Where an outcome leads: exactly one of the fields is set, or none for `done`."""

    step: str | None = None
    flow: str | None = None
    cause: str | None = None
    at: At | None = None


class Step(msgspec.Struct, frozen=True):
    """One step: exactly one of `check`, `ask`, `argv` (a person's own command) and `each` is set."""

    name: str
    at: At
    check: str | None = None
    ask: str | None = None
    argv: tuple[str, ...] = ()
    each: str | None = None
    flow: str | None = None  # with `each`
    question: str = ""
    why: str = ""
    choices: tuple[tuple[str, str], ...] = ()  # value, label
    then: tuple[tuple[str, Target], ...] = ()
    next: Target | None = None  # with `each`, and where every outcome leads to the same

    def target(self, outcome: str) -> Target | None:
        """Where an outcome leads; None where it is not routed."""
        return next((target for word, target in self.then if word == outcome), self.next)


class Flow(msgspec.Struct, frozen=True):
    """A decision tree for one kind of subject."""

    name: str
    title: str
    scope: str
    start: str
    steps: tuple[Step, ...]
    at: At
    status: tuple[str, ...] = ()  # the observed statuses that select this flow: "502", "504", "no-answer"
    trusted: bool = True  # False: a file that somebody else could write; its commands do not run

    def step(self, name: str) -> Step | None:
        """The step of that name."""
        return next((step for step in self.steps if step.name == name), None)


class Confidence(StrEnum):
    """How sure a conclusion is: confirmed needs an observation that only this cause explains."""

    CONFIRMED = "confirmed"
    LIKELY = "likely"
    POSSIBLE = "possible"


class Needs(msgspec.Struct, frozen=True):
    """One set of observations that, held together, mean the cause: check name to the outcomes that fit.

    `certainty` is what can be claimed when all of them hold.
    """

    outcomes: tuple[tuple[str, tuple[str, ...]], ...]
    certainty: Confidence
    at: At


class Stage(StrEnum):
    """When a command is meant to be run."""

    INSPECT = "inspect"
    FIX = "fix"
    VERIFY = "verify"
    PREVENT = "prevent"


class Command(msgspec.Struct, frozen=True):
    """A command of a cause: an argv with `{variables}`, or an edit of a file; never a shell string.

    A word of the argv that is exactly `{name}` and whose value is a tuple becomes several words.
    `pipe` is a second argv that reads the first one's output. `edit` names a value of type Edit.
    `when` are observations that must hold for the command to be printed (check: outcomes).
    """

    stage: Stage
    why: str
    at: At
    run: tuple[str, ...] = ()
    pipe: tuple[str, ...] = ()
    edit: str | None = None
    changes: bool = False
    needs_root: bool = False
    undo: tuple[str, ...] = ()
    when: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Cause(msgspec.Struct, frozen=True):
    """A root cause of the catalogue.

    `needs` are alternatives: the first that holds counts. `decisive` is the check whose observation only this cause
    explains. `excludes` are observations that rule it out. `explains` are cause ids that are consequences of this one:
    they are folded under it where both hold. `refused` are popular harmful fixes, each with the reason.
    `variant` tells two entries of one id apart: the same fault at another place of the path, or one that is over, is
    found and told in another way. `other_requests` says that it breaks other requests than the safe one that a walk
    makes (uploads): it counts though that one works.
    `article` is Markdown: what it is, and how it is told from its look-alikes.
    """

    id: str
    title: str
    summary: str
    article: str
    needs: tuple[Needs, ...]
    decisive: str
    at: At
    excludes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    explains: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()  # command, why not
    priority: int = 0  # of two causes of equal confidence the higher one comes first
    variant: str = ""
    other_requests: bool = False

    @property
    def name(self) -> str:
        """What this entry is called in the catalogue: its id, and its variant where it has one."""
        return f"{self.id}/{self.variant}" if self.variant else self.id
