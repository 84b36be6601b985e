"""The parts of the Start screen as lines in a width, and what each row of its list stands for.

Owns their layout: pure functions from the view and the state. May not know widgets.
"""

from __future__ import annotations

from textual.content import Content

from wizard.text import Visible, cells, one_line
from wizard.tui.port import State
from wizard.tui.sizes import USUAL, WIDE
from wizard.tui.widgets.lines import PLAIN, STRONG, line, spread, wrapped
from wizard.views import start as view
from wizard.views.words import cut, padded

_FRESH = 1800.0  # seconds for which going on with an interrupted session is the most likely wish
_GATEWAYS = 3  # shown where there is little room

Wish = view.Row | view.Symptom | str | None  # what a row of the list stands for: None is a heading, a word an action


def head(shown: view.StartView, state: State, width: int, *, roomy: bool) -> list[Content]:
    """The host, its gateways, and what could not be read; all gateways only where there is room."""
    name = Visible("gateway-wizard: a recorded session") if state.recorded else Visible("gateway-wizard")
    lines = [spread(name, shown.host, width), Content("-" * width)]
    most = len(shown.gateways) if roomy else _GATEWAYS
    lines += [Content(cut(gateway, width)) for gateway in shown.gateways[:most]]
    if len(shown.gateways) > most:
        lines.append(Content(f"and {len(shown.gateways) - most} more gateways"))
    lines += [one for note in shown.notes for one in wrapped(note, width)]
    return [*lines, Content(" ")]


def listed(shown: view.StartView, state: State, width: int) -> list[tuple[Wish, Content]]:
    """Everything that can be begun, in the order of how likely it is meant."""
    if shown.looking:
        return []
    rows: list[tuple[Wish, Content]] = []
    if state.interrupted is not None and not state.recorded:
        what = one_line(state.interrupted.target or "every route", limit=120)
        rows.append(("resume", _option("i", f"go on with the interrupted walk of {what}", width)))
    wide = width >= WIDE - 3
    if shown.heading:
        spark = len(shown.rows[0].wide_spark if wide else shown.rows[0].spark) if shown.failing else 0
        when = f"  {'when':<{spark}}" if width >= USUAL - 4 else ""
        right = Visible(f"status count   last{when}") if shown.failing else Visible("")
        rows.append((None, spread(shown.heading, right, width)))
    rows += list(zip(shown.rows, _rows(shown, width, wide=wide), strict=True))
    if state.recorded:
        return [*rows, (None, Content("")), *_from_a_recording(state, width)]
    known = "or begin with what you know" if shown.rows else "to see how it works, and what can be done here"
    rows += [(None, Content("")), (None, line((Visible(known), STRONG)))]
    if not shown.rows:
        rows.append(("demo", _option("d", "a recorded real incident, with its walk and its repair", width)))
    rows.append(("address", _option("u", "a URL, a host name or an upstream", width)))
    if shown.rows:
        rows += [(one, _option("", one.title, width)) for one in view.symptoms(state.library)]
    rows.append(("paste", _option("p", "log lines: paste them, and see what they mean", width)))
    if shown.rows:
        rows.append(("demo", _option("d", "a recorded real incident, to see how it works", width)))
    return rows


def _from_a_recording(state: State, width: int) -> list[tuple[Wish, Content]]:
    """What is left where nothing can be asked: another incident, log lines, and the way back."""
    left: list[tuple[Wish, Content]] = [
        ("demo", _option("d", "another recorded incident", width)),
        ("paste", _option("p", "log lines: paste them, and see what they mean", width)),
    ]
    return [*left, ("rows", _option("Esc", "back to this host", width))] if state.away else left


def _option(key: str, said: str, width: int) -> Content:
    return line((Visible(f" {key:<{max(2, len(key) + 1)}}"), STRONG), (cut(Visible(said), width - 4), PLAIN))


def likeliest(wishes: tuple[Wish, ...], state: State) -> int:
    """The row that Enter takes where the person did not choose: what fails most, or what was interrupted just now."""
    found = state.interrupted
    if (
        found is not None
        and state.glance is not None
        and state.glance.at - found.started < _FRESH
        and not state.recorded
    ):
        return 0
    return next((index for index, wish in enumerate(wishes) if wish is not None and wish != "resume"), 0)


def place(row: view.Row) -> Visible:
    """A row in a line, as the choice of where a symptom shows."""
    said = (row.where, row.upstream, row.word, Visible(f"{row.count} times") if row.count else Visible(""))
    return Visible("  ".join(part for part in said if part))


def _rows(shown: view.StartView, width: int, *, wide: bool) -> list[Content]:
    """Columns in the width of the terminal: what the numbers leave is shared by request, server and word.

    Where little is left the server is not shown; of a request more has to be seen than its beginning.
    """
    numbers = 20 + max((2 + len(row.wide_spark if wide else row.spark) for row in shown.rows), default=0)
    numbers = numbers if width >= USUAL - 4 else 20
    word = max(9, min(_widest([row.word for row in shown.rows]), 24 if wide else 16))
    room = width - numbers - word - 3
    longest = _widest([row.where for row in shown.rows])
    upstream = min(_widest([row.upstream for row in shown.rows]), max(14, room - longest - 2), room // 2 + 6)
    upstream = upstream if width >= USUAL - 4 else -2
    where = max(10, room - upstream - 2)
    lines: list[Content] = []
    for row in shown.rows:
        if not row.word:
            lines.append(line((Visible(" "), PLAIN), (padded(row.where, width - 2), PLAIN)))
            continue
        counts = f"{row.status:>6} {cut(row.count, 5):>5} {cut(row.last, 6):>6}" if row.count else ""
        counts += f"  {row.wide_spark if wide else row.spark}" if numbers > 20 else ""
        server = [(Visible("  "), PLAIN), (padded(row.upstream, upstream), PLAIN)] if upstream > 0 else []
        spans = [(padded(row.where, where), STRONG), *server, (Visible("  "), PLAIN), (padded(row.word, word), PLAIN)]
        lines.append(line((Visible(" "), PLAIN), *spans, (Visible(counts), PLAIN)))
    return lines


def _widest(texts: list[Visible]) -> int:
    return max((cells(text) for text in texts), default=0)
