"""What a terminal, a chat or a word processor has done to the characters of a line, undone.

Owns colours, typographer's marks, invisible characters, HTML's entities, and the marks of a line that was cut. May not
know prefixes or programs.
"""

from __future__ import annotations

import re

from wizard.logs.fields import unescaped
from wizard.logs.patterns import Pattern

# Colours: with the escape character, with its many spellings, or with the escape character lost.
_ANSI = Pattern(
    r"(?:\x1b|\\{1,4}(?:x1b|u001b|e|033)|\^\[|#033|\x9b)\[[0-9;:?]{0,20}[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]"
    r"|\[(?:\d{1,3}(?:;\d{1,3}){0,4})?m(?![\w\]])|\[(?:0|1|22|3\d|9\d|38;5;\d{1,3})m",
    re.IGNORECASE | re.ASCII,
)
_COLOURED = Pattern(r"\[[0-9;]{0,12}[mK]|\x9b")
_TYPOGRAPHY = str.maketrans(
    {
        "\u00a0": " ",
        "\u202f": " ",
        "\u2007": " ",
        "\u3000": " ",
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
        "\u201f": '"',
        "\u00ab": '"',
        "\u00bb": '"',
        "\u2018": "'",
        "\u2019": "'",
        "\u201a": "'",
        "\u2032": "'",
        "\u2033": '"',
        "\u2502": "|",
        "\u2503": "|",
        "\u2506": "|",
        "\u250a": "|",
        "\u2551": "|",
        "\u2013": "-",
        "\u2212": "-",
        "\u200b": None,
        "\u200c": None,
        "\u200d": None,
        "\u2060": None,
        "\ufeff": None,
        "\u00ad": None,
        "\x00": None,
    }
)


_REST_OF_STRING = Pattern(r'((?:[^"\\]|\\.)*+)"\s{0,8}(?:[,}\]]|$)')
_VALUE = Pattern(r'"\s{0,4}:\s{0,4}"((?:[^"\\]|\\.)*+)(?:"|$)')
_DOUBLED = Pattern(r'""[^"\s,]')
_SPACES = " \t\r\n\x0b\x0c"
_CUT_MARKS = ("\u2026", " ...", " $", " >", " \\", "\u23ce")


def cleaned(text: str) -> str:
    """A text without colours, typographer's quotes, invisible characters, HTML's entities and marks of a cut line."""
    if not text.isascii() or "\x00" in text:
        text = text.translate(_TYPOGRAPHY)
    if "\x1b" in text or (not text.lstrip().startswith("{") and _COLOURED.search(text) is not None):
        text = _ANSI.sub("", text)
    if "&" in text and ";" in text and '"' not in text and ("&quot;" in text or "&#34;" in text or "&gt;" in text):
        from html import unescape  # noqa: PLC0415 - its table of entities is not for every start

        text = unescape(text)
    if "#0" in text:
        text = text.replace("#011", "\t").replace("#012", " ")  # as rsyslog prints a tab and a line's end
    text = text.strip(_SPACES)
    for mark in _CUT_MARKS:
        if text.endswith(mark):
            text = text.removesuffix(mark).rstrip(_SPACES)
    if '\\"' in text and not text.startswith("{"):
        text = _out_of_string(text)
    elif '""' in text and _DOUBLED.search(text) is not None and text.replace('""', "").count('"') <= 1:
        text = text.replace('""', "\x00").replace('"', "").replace("\x00", '"')  # a spreadsheet doubles quotes
    return text


def _out_of_string(text: str) -> str:
    """A text that stood inside a string of JSON, perhaps with its beginning, its end or both cut off."""
    bare = text[1:-1] if len(text) > 1 and text[0] == '"' and text[-1] == '"' else text.removeprefix('"')
    if bare.count('"') == bare.count('\\"'):
        return unescaped(bare).strip(_SPACES)  # every quote is escaped
    inside = _REST_OF_STRING.match(text)
    if inside is not None and '\\"' in inside[1]:
        return unescaped(inside[1]).strip(_SPACES)  # the first quotes are escaped: the string began before the text
    if '{"' not in text and (value := _VALUE.search(text)) is not None and '\\"' in value[1]:
        return unescaped(value[1]).strip(_SPACES)  # only the beginning of the object is cut off
    return text
