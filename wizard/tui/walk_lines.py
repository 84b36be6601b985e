"""The parts of the Walk screen as lines in a width.

Owns their layout: pure functions from views and the state. May not know widgets.
"""

from __future__ import annotations

from textual.content import Content

from wizard.text import Visible, one_line
from wizard.tui.port import State, Waiting
from wizard.tui.sizes import USUAL, WIDE
from wizard.tui.widgets.lines import PLAIN, STRONG, labelled, line, role, spread, wrapped
from wizard.tui.widgets.pick_list import Row
from wizard.tui.widgets.strip import strip_lines
from wizard.views.diagnosis import diagnosis_view
from wizard.views.walk import StepView, TrailRow, WalkView
from wizard.views.words import age, cut, padded

SERVERS = 3  # lines of the strip for several servers
SERVERS_ROOMY = 8
_SLOW = 3.0  # seconds after which it is said how a probe is skipped


def trail_width(width: int) -> int:
    """The columns of the trail, as the style sheet of the screen has them."""
    return 48 if width >= WIDE else 36 if width >= USUAL else 28


def head(shown: WalkView, state: State, width: int, most: int) -> list[Content]:
    """What is walked, what the visitor gets, and the strip of the path."""
    recorded = Visible("recorded") if state.recorded else Visible("")
    right = Visible("  ".join(part for part in (recorded, shown.symptom, f"{state.elapsed:.0f} s") if part))
    return [spread(shown.title, right, width), *strip_lines(shown.path, width, most), Content("-" * width)]


def row(one: TrailRow, width: int) -> Row:
    """A row of the trail."""
    if one.visit is None:
        return Row(line((padded(one.label, width), STRONG)), pickable=False)
    number = Visible(f"{one.number:>2} ")
    return Row(line((number, PLAIN), (padded(one.word, 4), role(one.word)), (padded(one.label, width - 7), PLAIN)))


def step(shown: StepView, width: int) -> list[Content]:
    """The step that is looked at: question, observation, reason, command."""
    lines = [*wrapped(shown.question, width, style=STRONG), line((cut(shown.about, width), PLAIN)), Content(" ")]
    if shown.said:
        said = labelled(shown.word, shown.said, width, left=5)
        lines += [
            Content("").join([Content.styled(shown.word, role(shown.word)), said[0][len(shown.word) :]]),
            *said[1:],
        ]
    else:
        lines.append(Content("not asked yet"))
    if shown.overruled:
        lines += labelled(Visible(""), shown.overruled, width, left=5)
    lines.append(Content(" "))
    for name, text in (("why", shown.why), ("by hand", shown.by_hand), ("seen", shown.seen)):
        lines += labelled(Visible(name), text, width, left=9) if text else []
    return lines


def evidence(shown: StepView, width: int) -> list[Content]:
    """What was asked for the step, and what came back."""
    lines: list[Content] = []
    for one in shown.evidence:
        lines += [Content(" "), *wrapped(one.what, width, style=STRONG), *wrapped(one.excerpt, width, indent=2)]
    return [*lines, Content(" "), *wrapped(shown.silent, width)] if shown.silent else lines


def problem(state: State, width: int) -> list[Content]:
    """What shows instead of a step where there is none."""
    if state.report is not None and state.report.error is not None:
        error = state.report.error
        said = (error.what, error.where or "", error.hint)
        return [one for text in said if text for one in [*wrapped(Visible(text), width), Content(" ")]]
    return [Content("Looking at this host ...")] if state.running else []


def status(state: State, width: int) -> list[Content]:
    """What goes on, in two lines that are always there, so that nothing moves."""
    lines = _status(state, width)
    return [*lines, *[Content(" ")] * (2 - len(lines))]


def _status(state: State, width: int) -> list[Content]:
    if state.said:
        return wrapped(state.said, width)[:2]
    if state.running:
        return wrapped(_running(state), width)[:2]
    if state.report is None:
        return [Content("Held. Space runs on, Enter takes the next step.")]
    shown = diagnosis_view(state.report)
    first = line((shown.word, role(shown.word)), (Visible("  "), PLAIN), (padded(shown.title, width - 14), PLAIN))
    others = len(shown.causes) - 1
    more = f" with {others} more finding{'s' if others > 1 else ''}" if others > 0 else ""
    return [first, Content(f"The walk has ended{more}. Enter opens the diagnosis.")]


def _running(state: State) -> Visible:
    if state.stepping and not state.waiting:
        return Visible("Held before the next step. Enter takes it, Space runs on.")
    spent = f"{age(state.elapsed)} of {age(state.deadline)}"
    if not state.waiting:
        return Visible(f"running, {spent}")
    longest = max(state.waiting, key=lambda one: one.seconds)
    more = f" and {len(state.waiting) - 1} more" if len(state.waiting) > 1 else ""
    slow = "; s skips it, Ctrl+C stops" if longest.seconds >= _SLOW else ""
    then = "; then the diagnosis opens" if state.wanted else ""
    return Visible(f"running, {spent}: {_probe(longest)} since {age(longest.seconds)}{more}{slow}{then}")


def _probe(waiting: Waiting) -> Visible:
    visit = waiting.visit
    return one_line(f"{visit.step.check or visit.step.name} of {visit.about.partition(' of ')[0]}", limit=48)
