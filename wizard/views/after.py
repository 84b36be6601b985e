"""What the After screen shows: before beside after, what survives a restart, and the watch.

Owns the words of that screen. May not know widgets, or how two attempts are compared; it is given reports and events.
"""

from __future__ import annotations

from dataclasses import dataclass

from wizard.session.after import watch_sentence
from wizard.session.events import Watched
from wizard.session.report import Report
from wizard.text import Visible, one_line, visible
from wizard.views.words import age

_BAR = 20


@dataclass(frozen=True, slots=True)
class Row:
    """One thing before and after: what was observed, and the word of state that belongs to it (or none)."""

    what: Visible
    before: Visible
    after: Visible
    before_word: Visible
    after_word: Visible


@dataclass(frozen=True, slots=True)
class Lasts:
    """Whether what works now survives something: yes, no or ?; why; and a command that would change it."""

    what: Visible
    answer: Visible
    because: Visible
    run: Visible


@dataclass(frozen=True, slots=True)
class AfterView:
    """The After screen. `said` is its first sentence, `word` the state of the request now."""

    target: Visible
    word: Visible
    said: Visible
    rows: tuple[Row, ...]
    lasts: tuple[Lasts, ...]
    watched: tuple[Visible, ...]


def after_view(report: Report | None, watching: Watched | None = None) -> AfterView:
    """The After screen for a report, and the watch that goes on (None: none does)."""
    after = report.after if report is not None else None
    changes = after.changes if after is not None else ()
    return AfterView(
        target=one_line(report.target.url or "this host", limit=120) if report is not None else Visible(""),
        word=one_line(changes[0].after_state) if changes else Visible(""),
        said=visible(after.said) if after is not None else Visible(""),
        rows=tuple(
            Row(
                one_line(one.what, limit=80),
                one_line(one.before, limit=60),
                one_line(one.after, limit=60),
                one_line(one.before_state),
                one_line(one.after_state),
            )
            for one in changes
        ),
        lasts=tuple(
            Lasts(one_line(one.what), one_line(one.answer), visible(one.because), visible(one.run or "", limit=2000))
            for one in (after.lasting if after is not None else ())
        ),
        watched=_watched(report, watching),
    )


def _watched(report: Report | None, watching: Watched | None) -> tuple[Visible, ...]:
    latest = max((step.attempt for step in (report.steps if report is not None else ())), default=1)
    done = tuple(visible(one.said) for one in (report.watched if report is not None else ()) if one.attempt == latest)
    return (*done, progress(watching)) if watching is not None else done


def progress(seen: Watched, seconds: float = 60.0) -> Visible:
    """A watch that goes on: how far it is, and what it has counted."""
    filled = min(_BAR, round(_BAR * seen.seconds / seconds))
    bar = "#" * filled + "." * (_BAR - filled)
    others = "" if seen.logged is None else f", {seen.logged} failures of others"
    bad = f"{seen.bad} bad" if seen.bad else "none bad"
    return visible(f"[{bar}] {age(seen.seconds)} of {age(seconds)}: {seen.good} good, {bad}{others}")


def finished(seen: Watched) -> Visible:
    """A watch that has ended, in a sentence."""
    return visible(watch_sentence(seen))
