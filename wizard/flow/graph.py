"""A flow drawn: as an indented tree for reading, and as Graphviz source.

Owns the layout. May not know results or screens.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from wizard.flow.language import DONE, Flow, Step, Target
from wizard.flow.order import post_dominators

_INDENT = "    "


class _Part(msgspec.Struct, frozen=True):
    """What is still to be told: a step, or a line. The step at which the ways join again is left to `until`'s owner."""

    step: str | None
    line: str
    depth: int
    until: str | None


def tree(flow: Flow) -> str:
    """A flow as text, read from top to bottom.

    Each step is told once: below the outcome that leads to it, or, where several ways come together again, on the
    level of the step at which they parted. Later mentions give its name only.
    """
    lines = [f"{flow.name}: {flow.title} (for: {flow.scope})"]
    joins = post_dominators([flow.start], lambda name: _steps_after(flow, name)) if flow.step(flow.start) else {}
    told: set[str] = set()
    waiting = [_Part(flow.start, "", 0, None)]
    while waiting:
        part = waiting.pop()
        if part.line:
            lines.append(_INDENT * part.depth + part.line)
        step = flow.step(part.step) if part.step is not None and part.step not in told else None
        if step is None:
            continue
        told.add(step.name)
        lines.append("")
        lines += [_INDENT * part.depth + each for each in _heading(step)]
        join = joins.get(step.name)
        below: list[_Part] = []
        for words, target in _grouped(step):
            below.append(_Part(None, f"{words} -> {_named(target)}", part.depth + 1, None))
            if target.step != join:
                below.append(_Part(target.step, "", part.depth + 2, join))
        if join != part.until:
            below.append(_Part(join, "", part.depth, part.until))
        waiting += reversed(below)
    return "\n".join(lines) + "\n"


def dot(flow: Flow) -> str:
    """A flow as Graphviz source: checks are boxes, questions to a person rounded, ends plain."""
    lines = [
        f"digraph {_quoted(flow.name)} {{",
        "  rankdir=TB;",
        '  node [fontname="sans-serif", shape=box];',
        '  edge [fontname="sans-serif"];',
        f"  label={_quoted(flow.title)};",
    ]
    ends: dict[str, str] = {}
    for step in flow.steps:
        bold = ", penwidth=2" if step.name == flow.start else ""
        style = ", style=rounded" if step.ask is not None else ", peripheries=2" if step.each is not None else ""
        lines.append(f"  {_quoted('step ' + step.name)} [label={_quoted(_label(step))}{style}{bold}];")
        for words, target in _grouped(step):
            end = _named(target)
            if target.step is None:
                ends[end] = ", style=filled, fillcolor=lightgrey" if target.cause is not None else ""
            source, destination = f"step {step.name}", f"step {end}" if target.step is not None else f"end {end}"
            lines.append(f"  {_quoted(source)} -> {_quoted(destination)} [label={_quoted(words)}];")
    for end, style in sorted(ends.items()):
        lines.append(f"  {_quoted('end ' + end)} [label={_quoted(end)}, shape=plain{style}];")
    return "\n".join((*lines, "}")) + "\n"


def _steps_after(flow: Flow, name: str) -> list[str | None]:
    """The steps that follow; ends do not count, so that a join is where the ways that go on come together."""
    step = flow.step(name)
    if step is None:
        return [None]
    found = [target.step for _, target in _exits(step) if target.step is not None and flow.step(target.step)]
    return list(found) or [None]


def _exits(step: Step) -> tuple[tuple[str, Target], ...]:
    if step.next is None:
        return step.then
    return (("then" if step.each is not None else "in any case", step.next),)


def _grouped(step: Step) -> list[tuple[str, Target]]:
    """The ways out with the words that share one, in the order of the file."""
    words: dict[tuple[str | None, str | None, str | None], list[str]] = {}
    targets: dict[tuple[str | None, str | None, str | None], Target] = {}
    for word, target in _exits(step):
        where = (target.step, target.flow, target.cause)
        words.setdefault(where, []).append(word)
        targets.setdefault(where, target)
    return [(", ".join(words[where]), target) for where, target in targets.items()]


def _named(target: Target) -> str:
    if target.cause is not None:
        return f"cause {target.cause}"
    return f"flow {target.flow}" if target.flow is not None else target.step or DONE


def _heading(step: Step) -> Iterable[str]:
    if step.check is not None:
        yield f"{step.name}: check {step.check}" if step.check != step.name else f"{step.name}: check"
    elif step.each is not None:
        yield f"{step.name}: for each {step.each}, flow {step.flow}"
    elif step.argv:
        yield f"{step.name}: run {' '.join(step.argv)}"
    else:
        yield f"{step.name}: ask {step.ask}"
        for value, label in step.choices:
            yield f"  ({value}: {label})"
    if step.question:
        yield f"  {step.question}"


def _label(step: Step) -> str:
    return "\n".join(line.strip() for line in _heading(step))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
