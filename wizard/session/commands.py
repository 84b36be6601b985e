"""A cause's commands as they are printed: variables filled in, quoted for a POSIX shell, edits as diffs.

Owns quoting and the two forms of an edit (a `sed` that changes one line, a unified diff that shows it). May not know
why a command helps. What is printed is exact to paste and safe to look at: control characters become `$'...'`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from wizard.checks.registry import Edit, Value
from wizard.flow.language import Command, Stage
from wizard.flow.templates import NotBoundError, render_words
from wizard.session.door import with_tabs
from wizard.session.observed import Observed, sentence
from wizard.session.report import CommandPart, EditPart
from wizard.session.verdict import Conclusion, Truth, truth
from wizard.text import shell_word

_SED_SPECIAL = re.compile(r"[\\.*\[\]^$]")


def shell_line(argv: tuple[str, ...]) -> str:
    """An argv as one line for a POSIX shell."""
    return " ".join(shell_word(word) for word in argv)


def sed_of(edit: Edit) -> tuple[str, ...]:
    """The argv that makes an edit: one substitution, of the part of the line that differs, in that line only."""
    before, after = _difference(edit.before, edit.after)
    mark = next((one for one in "/|#,@" if one not in before + after), "/")
    pattern = _SED_SPECIAL.sub(lambda match: "\\" + match[0], before)
    replacement = re.sub(r"[\\&]", lambda match: "\\" + match[0], after).replace("\n", "\\n")
    if mark == "/":
        pattern, replacement = (re.sub("/", r"\/", text) for text in (pattern, replacement))
    return ("sed", "-i", f"{edit.line}s{mark}{pattern}{mark}{replacement}{mark}", edit.file)


def _difference(before: str, after: str) -> tuple[str, str]:
    """The words of a line that differ, widened until the old part stands in the line once."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    while start > 0 and not before[start - 1].isspace():
        start -= 1
    while end > 0 and not (before[len(before) - end].isspace() or before[len(before) - end] == ";"):
        end -= 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    while start > 0 and (not old or before.find(old) != start):
        start -= 1
        old, new = before[start : len(before) - end], after[start : len(after) - end]
    return old, new


def diff_of(edit: Edit) -> str:
    """The edit as a unified diff against the real file."""
    old = [*edit.above, edit.before, *edit.below]
    new = [*edit.above, *edit.after.split("\n"), *edit.below]
    first = edit.line - len(edit.above)
    lines = list(difflib.unified_diff(old, new, edit.file, edit.file, lineterm="", n=3))
    hunk = re.compile(r"^@@ -(\d+)(,\d+)? \+(\d+)(,\d+)? @@$")
    shifted = [
        hunk.sub(lambda m: f"@@ -{int(m[1]) + first - 1}{m[2] or ''} +{int(m[3]) + first - 1}{m[4] or ''} @@", line)
        for line in lines
    ]
    return with_tabs("\n".join(shifted) + "\n")


def printed(conclusion: Conclusion, observed: Observed, values: Mapping[str, Value]) -> tuple[CommandPart, ...]:
    """The commands of a cause for this host, in the order of their stages."""
    order = list(Stage)
    parts: list[CommandPart] = []
    for command in sorted(conclusion.cause.commands, key=lambda one: order.index(one.stage)):
        if all(truth(check, outcomes, conclusion.subject, observed) is Truth.HOLDS for check, outcomes in command.when):
            part = _part(command, values)
            if part is not None:
                parts.append(part)
    return tuple(parts)


def _part(command: Command, values: Mapping[str, Value]) -> CommandPart | None:
    edits = undo = None
    try:
        why = sentence(command.why, values)
        if command.edit is not None:
            edit = values.get(command.edit)
            if not isinstance(edit, Edit):
                return None
            run = shell_line(sed_of(edit))
            edits = EditPart(edit.file, diff_of(edit))
            undo = _undone(edit)
        else:
            argv = render_words(command.run, values)
            if not argv or not argv[0]:
                return None
            run = shell_line(argv)
            if command.pipe:
                run += " | " + shell_line(render_words(command.pipe, values))
            if command.undo:
                undo = shell_line(render_words(command.undo, values)) or None
    except NotBoundError:
        return None
    return CommandPart(
        stage=str(command.stage),
        run=run,
        edits=edits,
        why=why,
        changes=command.changes or edits is not None,
        needs_root=command.needs_root or edits is not None,
        undo=undo,
        tried=False,
    )


def _undone(edit: Edit) -> str | None:
    if "\n" in edit.after:
        count = edit.after.count("\n")
        return shell_line(("sed", "-i", f"{edit.line + 1},{edit.line + count}d", edit.file))
    return shell_line(sed_of(Edit(edit.file, edit.line, edit.after, edit.before)))
