"""Flow and cause files as values, or as a list of what is wrong with them.

Owns the surface of the two languages: which keys there are and what may stand behind them. May not know whether names
lead anywhere; that is the linter's. `language.py` shows a flow file. A cause file is a list:

    - id: upstream-service-stopped
      title: "{service.unit} is not running"
      summary: "Nothing listens on {server.address}: {service.unit} was stopped {service.since}."
      decisive: service                  # the check whose observation only this cause explains
      needs:                             # one map, or a list of maps of which the first that holds counts
        connect: [refused, missing]      # check: the outcomes that fit
        service: stopped
        certainty: confirmed             # the default; likely or possible where less can be claimed
      excludes: {listener: present}      # observations that rule it out
      explains: [upstream-not-listening] # causes that are consequences of this one
      priority: 10
      variant: past                      # another entry of the same id: elsewhere on the path, or over
      other-requests: false              # true: it breaks others than the safe request that a walk makes
      article: |
        What it is, and how it is told from its look-alikes.
      commands:
        - stage: fix                     # inspect, fix, verify, prevent
          run: [systemctl, start, "{service.unit}"]
          why: Starts the service.
          changes: true
          needs-root: true
          undo: [systemctl, stop, "{service.unit}"]
          when: {service: stopped}       # printed only where this was observed
        - stage: fix
          edit: "{listener.edit}"        # a value of a check that is an edit of a file
          why: Corrects the port.
      refused:
        - run: chmod 777 /run/app.sock
          because: Every local user could then speak to the application.

Texts are templates: `{check.value}` and the subject's own variables are filled in, `{{` is a brace.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from wizard.flow import nodes
from wizard.flow.language import (
    DONE,
    DONT_KNOW,
    Cause,
    Command,
    Confidence,
    Flow,
    Needs,
    Path,
    Place,
    Problem,
    Stage,
    Step,
    Target,
)
from wizard.flow.nodes import Fields, Node, Text
from wizard.flow.reading import Reader, nearest
from wizard.flow.templates import TemplateError, parse
from wizard.flow.vocabulary import SCOPES, Observations

MAX_STEPS = 500
MAX_CAUSES = 500

_FLOW_KEYS = ("flow", "title", "for", "start", "status", "steps")
_STEP_KEYS = {
    "check": (("check", "question", "why", "then", "next"), ("check",)),
    "ask": (("ask", "why", "choices", "then", "next"), ("ask", "choices")),
    "argv": (("argv", "question", "why", "then", "next"), ("argv",)),
    "each": (("each", "flow", "question", "why", "next"), ("each", "flow", "next")),
}
_MEANT = {"command": "argv", "run": "argv", "cmd": "argv", "prompt": "ask"}  # what the key is called elsewhere
_CAUSE_KEYS = (
    "id", "variant", "title", "summary", "article", "decisive", "needs", "excludes", "explains", "priority",
    "other-requests", "commands", "refused",
)  # fmt: skip
_COMMAND_KEYS = ("stage", "run", "pipe", "edit", "why", "changes", "needs-root", "undo", "when")


class Loaded(msgspec.Struct, frozen=True):
    """What one file gave. `places` tells where each part stands: ("flow", name, key...) or ("cause", id, key...)."""

    flow: Flow | None = None
    causes: tuple[Cause, ...] = ()
    problems: tuple[Problem, ...] = ()
    places: Mapping[Path, Place] = msgspec.field(default_factory=dict)


def load_flow(file: str, text: str, *, trusted: bool = True) -> Flow | list[Problem]:
    """Read a flow file.

    Args:
        file: the name that problems give.
        text: its content.
        trusted: whether nobody else could have written it (see `wizard.flow.trust`).

    Returns:
        The flow, or everything that is wrong with the file, in order of place.
    """
    loaded = read_flow(file, text, trusted=trusted)
    return loaded.flow if loaded.flow is not None else list(loaded.problems)


def load_causes(file: str, text: str) -> tuple[Cause, ...] | list[Problem]:
    """Read a file of causes: all of them, or everything that is wrong with the file."""
    loaded = read_causes(file, text)
    return list(loaded.problems) if loaded.problems else loaded.causes


def read_flow(file: str, text: str, *, trusted: bool = True) -> Loaded:
    """Read a flow file, with the places of its parts."""
    reader = _FileReader()
    try:
        node = nodes.read(file, text)
    except nodes.Refused as refused:
        return Loaded(problems=(refused.problem,))
    flow = reader.flow(node, trusted=trusted)
    if reader.problems or flow is None:
        return Loaded(problems=tuple(sorted(reader.problems)))
    return Loaded(flow=flow, places={("flow", flow.name, *path): place for path, place in nodes.places(node)})


def read_causes(file: str, text: str) -> Loaded:
    """Read a file of causes, with the places of its parts. One with a problem gives no cause at all."""
    reader = _FileReader()
    try:
        node = nodes.read(file, text)
    except nodes.Refused as refused:
        return Loaded(problems=(refused.problem,))
    items = reader.items(node, "a file of causes")
    if len(items) > MAX_CAUSES:
        reader.note(node.at, f"more than {MAX_CAUSES} causes in one file")
        items = ()
    causes: dict[str, Cause] = {}
    where: dict[Path, Place] = {}
    for item in items:
        cause = reader.cause(item)
        if cause is None:
            continue
        if cause.name in causes:
            first = f"first on line {causes[cause.name].at.line}"
            reader.note(cause.at, f"two causes are called {cause.name!r}", first)
        causes[cause.name] = cause
        where.update({("cause", cause.name, *path): place for path, place in nodes.places(item)})
    if reader.problems:
        return Loaded(problems=tuple(sorted(reader.problems)))
    return Loaded(causes=tuple(causes.values()), places=where)


class _FileReader(Reader):
    """Reads the two languages."""

    # --- flows -------------------------------------------------------------------------------------------------

    def flow(self, node: Node, *, trusted: bool) -> Flow | None:
        fields = self.fields(node, "a flow", _FLOW_KEYS, ("flow", "title", "for", "steps"))
        if fields is None:
            return None
        steps = self._steps(fields.get("steps"))
        return Flow(
            name=self.name(fields.get("flow"), "a flow's name"),
            title=self.line(fields.get("title"), "title"),
            scope=self._scope(fields.get("for"), "for"),
            start=self._start(fields.get("start"), steps),
            steps=steps,
            at=fields.at,
            status=self.names(fields.get("status"), "status"),
            trusted=trusted,
        )

    def _scope(self, node: Node | None, what: str) -> str:
        scope = self.text(node, what)
        if node is not None and scope and scope not in SCOPES:
            self.note(node.at, f"{what} is a scope, not {scope[:60]!r}", nearest(scope, SCOPES))
        return scope

    def _start(self, node: Node | None, steps: tuple[Step, ...]) -> str:
        if node is not None:
            return self.name(node, "start")
        return steps[0].name if steps else ""

    def _steps(self, node: Node | None) -> tuple[Step, ...]:
        fields = self.map(node, "steps")
        if fields is None:
            return ()
        if not fields.entries:
            self.note(fields.at, "a flow without steps")
        if len(fields.entries) > MAX_STEPS:
            self.note(fields.at, f"more than {MAX_STEPS} steps in one flow")
            return ()
        found = (self._step(key, value) for key, value in fields.entries)
        return tuple(step for step in found if step is not None)

    def _step(self, key: Text, node: Node) -> Step | None:
        name = self.name(key, "a step's name")
        if name == DONE:
            self.note(key.at, f"no step can be called {DONE!r}: it is the word for the end of a flow")
        fields = self.map(node, "a step")
        if fields is None:
            return None
        present = [entry.text for entry, _ in fields.entries]
        kinds = [kind for kind in _STEP_KEYS if kind in present]
        if len(kinds) != 1:
            said = f"it has {' and '.join(kinds)}" if kinds else "it has none of them"
            hint = "" if kinds else self._kind_meant(present)
            self.note(key.at, f"a step has exactly one of {', '.join(_STEP_KEYS)}; {said}", hint)
            return None
        allowed, required = _STEP_KEYS[kinds[0]]
        self.fields(fields, f"a step with {kinds[0]!r}", allowed, required)
        if kinds[0] != "each" and ("then" in present) == ("next" in present):
            said = "it has both" if "then" in present else "it has neither"
            self.note(
                key.at, f"a step leads on by 'then', outcome by outcome, or by 'next', whatever it comes to; {said}"
            )
        next_node = fields.get("next")
        return Step(
            name=name,
            at=key.at,
            check=self.name(fields.get("check"), "check") or None,
            ask=self.line(fields.get("ask"), "ask") or None,
            argv=self.words(fields.get("argv"), "argv"),
            each=self._scope(fields.get("each"), "each") or None,
            flow=self.name(fields.get("flow"), "flow") or None,
            question=self.line(fields.get("question"), "question"),
            why=self.line(fields.get("why"), "why"),
            choices=self._choices(fields.get("choices")),
            then=self._then(fields.get("then")),
            next=None if next_node is None else self._target(next_node),
        )

    def _kind_meant(self, present: list[str]) -> str:
        hints = (
            nearest(_MEANT.get(word, word), _STEP_KEYS)
            for word in present
            if word not in {"then", "why", "question", "next"}
        )
        return next((hint for hint in hints if hint.startswith("did you mean")), "")

    def _choices(self, node: Node | None) -> tuple[tuple[str, str], ...]:
        fields = self.map(node, "choices")
        if fields is None:
            return ()
        if not fields.entries:
            self.note(fields.at, "a question without choices")
        for key, _ in fields.entries:
            if key.text == DONT_KNOW:
                self.note(key.at, f"{DONT_KNOW!r} is always offered, and is no choice of its own")
        return tuple((self.name(key, "a choice"), self.line(label, "a label")) for key, label in fields.entries)

    def _then(self, node: Node | None) -> tuple[tuple[str, Target], ...]:
        fields = self.map(node, "then")
        if fields is None:
            return ()
        if not fields.entries:
            self.note(fields.at, "then leads nowhere")
        return tuple((self.name(key, "an outcome"), self._target(value)) for key, value in fields.entries)

    def _target(self, node: Node) -> Target:
        if isinstance(node, Fields):
            fields = self.fields(node, "a target", ("cause", "flow"))
            if fields is not None and len(fields.entries) != 1:
                self.note(node.at, "a target names a step, or {cause: ID}, or {flow: NAME}, or done")
            return Target(
                flow=self.name(node.get("flow"), "flow") or None,
                cause=self.name(node.get("cause"), "cause") or None,
                at=node.at,
            )
        step = self.name(node, "a step, done, {cause: ID} or {flow: NAME}")
        return Target(at=node.at) if step == DONE else Target(step=step, at=node.at)

    # --- causes ------------------------------------------------------------------------------------------------

    def cause(self, node: Node) -> Cause | None:
        fields = self.fields(node, "a cause", _CAUSE_KEYS, ("id", "title", "summary", "article", "decisive", "needs"))
        if fields is None:
            return None
        return Cause(
            id=self.name(fields.get("id"), "id"),
            title=self.line(fields.get("title"), "title"),
            summary=self.line(fields.get("summary"), "summary"),
            article=self.text(fields.get("article"), "article"),
            needs=self._needs(fields.get("needs")),
            decisive=self.name(fields.get("decisive"), "decisive"),
            at=fields.at,
            excludes=self._observations(fields.get("excludes"), "excludes"),
            explains=self.names(fields.get("explains"), "explains"),
            commands=tuple(
                command
                for command in map(self._command, self.items(fields.get("commands"), "commands"))
                if command is not None
            ),
            refused=tuple(
                refused
                for refused in map(self._refused, self.items(fields.get("refused"), "refused"))
                if refused is not None
            ),
            priority=self.number(fields.get("priority"), "priority"),
            variant=self.name(fields.get("variant"), "variant"),
            other_requests=self.switch(fields.get("other-requests"), "other-requests"),
        )

    def _needs(self, node: Node | None) -> tuple[Needs, ...]:
        if node is None:
            return ()
        alternatives = (node,) if isinstance(node, Fields) else self.items(node, "needs")
        found = []
        for each in alternatives:
            fields = self.map(each, "an alternative of needs")
            if fields is None:
                continue
            outcomes = self._observations(fields, "needs", skip="certainty")
            if not outcomes:
                self.note(fields.at, "needs without an observation")
            certainty = self.choice(fields.get("certainty"), "certainty", Confidence, Confidence.CONFIRMED)
            found.append(Needs(outcomes, certainty, fields.at))
        return tuple(found)

    def _observations(self, node: Node | None, what: str, skip: str = "") -> Observations:
        fields = self.map(node, what)
        if fields is None:
            return ()
        return tuple(
            (self.name(key, "a check"), self.names(value, "an outcome"))
            for key, value in fields.entries
            if key.text != skip
        )

    def _command(self, node: Node) -> Command | None:
        fields = self.fields(node, "a command", _COMMAND_KEYS, ("stage", "why"))
        if fields is None:
            return None
        if (fields.get("run") is None) == (fields.get("edit") is None):
            self.note(fields.at, "a command has either 'run' or 'edit'")
        if fields.get("pipe") is not None and fields.get("run") is None:
            self.note(fields.at, "'pipe' reads what 'run' prints, and there is no 'run'")
        return Command(
            stage=self.choice(fields.get("stage"), "stage", Stage, Stage.INSPECT),
            why=self.line(fields.get("why"), "why"),
            at=fields.at,
            run=self.words(fields.get("run"), "run"),
            pipe=self.words(fields.get("pipe"), "pipe"),
            edit=self._edit(fields.get("edit")),
            changes=self.switch(fields.get("changes"), "changes"),
            needs_root=self.switch(fields.get("needs-root"), "needs-root"),
            undo=self.words(fields.get("undo"), "undo"),
            when=self._observations(fields.get("when"), "when"),
        )

    def _edit(self, node: Node | None) -> str | None:
        if node is None:
            return None
        text = self.text(node, "edit")
        try:
            name = parse(text).sole
        except TemplateError:
            name = None
        if name is None and text:
            self.note(node.at, "edit names one value, as in {listener.edit}")
        return name

    def _refused(self, node: Node) -> tuple[str, str] | None:
        fields = self.fields(node, "a refused fix", ("run", "because"), ("run", "because"))
        if fields is None:
            return None
        return self.line(fields.get("run"), "run"), self.line(fields.get("because"), "because")
