"""The only door by which foreign bytes become text that may be shown, saved or printed.

Owns the decision which characters may reach a terminal. May not know where the bytes come from. Control characters
become visible (`\\x1b`) instead of being dropped: an escape sequence in a log line is itself evidence.
"""

from __future__ import annotations

import re
from typing import NewType

Visible = NewType("Visible", str)

MAX_LINE = 2000

# C0 without newline, DEL, C1, line and paragraph separators, bidirectional controls (Unicode TR 9), zero-width and
# invisible characters, tags, variation selectors, lone surrogates, noncharacters: what a terminal might act on, or an
# eye would miss.
_ACTS = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def _spelled(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def visible(foreign: bytes | str, *, limit: int = MAX_LINE, tabs: int = 4) -> Visible:
    r"""Foreign bytes or text as text that no terminal acts on.

    Args:
        foreign: bytes (read as UTF-8, anything else spelled `\xNN`) or text.
        limit: characters per line; a longer line is cut and says how many characters were dropped.
        tabs: a tab becomes this many spaces.

    Returns:
        The text, newlines kept (`\r\n` counts as one).
    """
    text = foreign.decode("utf-8", "backslashreplace") if isinstance(foreign, bytes) else foreign
    text = text.replace("\r\n", "\n").replace("\t", " " * tabs)
    text = _ACTS.sub(_spelled, text)
    if len(text) <= limit:
        return Visible(text)
    lines = text.split("\n")
    return Visible("\n".join(x if len(x) <= limit else f"{x[:limit]} [{len(x) - limit} characters cut]" for x in lines))


def one_line(foreign: bytes | str, *, limit: int = 200) -> Visible:
    """Foreign text on one line: newlines become visible too."""
    text = visible(foreign, limit=limit * 4).replace("\n", "\\n")
    return Visible(text if len(text) <= limit else text[: limit - 3] + "...")
