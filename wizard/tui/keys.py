"""What a key does, said once: the bindings, the footer, the help and the palette are all made from it.

Owns that value, and the keys that every screen has. May not know any single screen.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from textual.binding import Binding, BindingType


class Key(msgspec.Struct, frozen=True):
    """A key of a screen.

    `keys` are Textual's names, `label` is what is written on a keyboard. `name` is a word or two for the footer; empty:
    the key is in the help and the palette only. `said` is the sentence that both show. `first` lets the screen have
    the key before the widget that has the focus.
    """

    keys: str
    action: str
    label: str
    name: str
    said: str
    first: bool = False


EVERYWHERE = (
    Key("colon,ctrl+p", "palette", ":", "all keys", "find anything that can be done here by its name (also Ctrl+P)"),
    Key("question_mark,f1", "help", "?", "help", "every key of this screen, and what the words mean (also F1)"),
    Key("q", "quit_wizard", "q", "quit", "leave; the session is kept, gateway-wizard resume goes on with it"),
)
OF_THE_TERMINAL = (
    ("Ctrl+C", "end the probes that run; where none runs, quit"),
    ("Ctrl+Z", "to the shell; fg comes back"),
)


def bindings(keys: Iterable[Key]) -> list[BindingType]:
    """The keys as Textual takes them; our own footer shows them."""
    return [Binding(key.keys, key.action, key.said, show=False, priority=key.first) for key in keys]


def footer(keys: Iterable[Key]) -> tuple[tuple[str, str], ...]:
    """The keys that the foot of a screen names."""
    return tuple((key.label, key.name) for key in (*keys, *EVERYWHERE) if key.name)
