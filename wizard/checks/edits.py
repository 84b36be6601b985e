"""Changes of one line of a gateway's configuration, as values: the real file, the line before and after.

Owns how a piece of a configured line is replaced. May not know why it should be.
"""

from __future__ import annotations

from wizard.checks.registry import Edit
from wizard.gateways.nginx.tree import Configuration
from wizard.model import Place

AROUND = 2
REACH = 8  # a directive may go on over a few lines


def replaced(configuration: Configuration | None, at: Place | None, old: str, new: str) -> Edit | None:
    """The edit that writes `new` for `old` in the directive at a place; None where the text does not stand there."""
    if configuration is None or at is None or not old or at.file not in configuration.files:
        return None
    lines = configuration.lines(at.file)
    for index in range(at.line - 1, min(at.line - 1 + REACH, len(lines))):
        line = lines[index].removesuffix("\r")
        start = _standing_alone(line, old)
        if start is not None:
            return _edit(configuration, at.file, index, line[:start] + new + line[start + len(old) :])
        if ";" in line.partition("#")[0]:
            break
    return None


def inserted_after(configuration: Configuration | None, at: Place | None, new: str) -> Edit | None:
    """The edit that adds a line below a place, with the indentation of a block's first line."""
    if configuration is None or at is None or at.file not in configuration.files:
        return None
    lines = configuration.lines(at.file)
    if not 0 < at.line <= len(lines):
        return None
    line = lines[at.line - 1].removesuffix("\r")
    following = next((one for one in lines[at.line :] if one.strip()), "")
    indent = following[: len(following) - len(following.lstrip())] or "    "
    return _edit(configuration, at.file, at.line - 1, f"{line}\n{indent}{new}")


def cut(configuration: Configuration | None, at: Place | None, name: str) -> Edit | None:
    """The edit that takes the directive of a name out of its line: as a comment where it stands alone there."""
    if configuration is None or at is None or at.file not in configuration.files:
        return None
    lines = configuration.lines(at.file)
    line = lines[at.line - 1].removesuffix("\r") if 0 < at.line <= len(lines) else ""
    start = _standing_alone(line, name)
    end = _end_of_directive(line, start) if start is not None else None
    if start is None or end is None:
        return None
    if not line[:start].strip() and (not line[end:].strip() or line[end:].strip().startswith("#")):
        return _edit(configuration, at.file, at.line - 1, f"{line[:start]}# {line[start:]}")
    return _edit(configuration, at.file, at.line - 1, line[:start] + line[end:].lstrip())


def _end_of_directive(line: str, start: int) -> int | None:
    """Where the `;` that ends a directive stands, quotes minded; None where the line does not hold it."""
    quote = ""
    index = start
    while index < len(line):
        character = line[index]
        if character == "\\":
            index += 1
        elif quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == ";":
            return index + 1
        elif character in "{}#":
            return None
        index += 1
    return None


def _edit(configuration: Configuration, file: str, index: int, after: str) -> Edit:
    lines = [line.removesuffix("\r") for line in configuration.lines(file)]
    return Edit(
        file=configuration.files[file].real or file,
        line=index + 1,
        before=lines[index],
        after=after,
        above=tuple(lines[max(0, index - AROUND) : index]),
        below=tuple(lines[index + 1 : index + 1 + AROUND]),
    )


def _standing_alone(line: str, text: str) -> int | None:
    """Where a text stands in a line and is no part of a longer number or name.

    An end of the text that is no part of a name itself (`https://`) may have anything beside it.
    """
    start = line.find(text)
    while start >= 0:
        before = line[start - 1] if start and _in_name(text[0], "-_.") else " "
        end = start + len(text)
        after = line[end] if end < len(line) and _in_name(text[-1], "-_") else " "
        if not _in_name(before, "-_.") and not _in_name(after, "-_"):
            return start
        start = line.find(text, start + 1)
    return None


def _in_name(character: str, joining: str) -> bool:
    return character.isalnum() or character in joining
