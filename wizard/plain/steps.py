"""The steps of a walk in plain lines: their list, one in full, and what a person can do about it.

Owns that part of the conversation. The numbers are those of the screen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine

from wizard.flow.engine import Kind, Visit
from wizard.plain.lines import Lines, pick
from wizard.session.events import Skipped, StepDone
from wizard.session.observed import Observed
from wizard.text import Visible, one_line
from wizard.views.step_words import step_words
from wizard.views.walk import TrailRow, step_text, step_view, trail
from wizard.views.words import state_word
from wizard.walk.sitting import Sitting

Walking = Callable[[], Coroutine[None, None, None]]


def numbers(sitting: Sitting) -> dict[tuple[str, str], int]:
    """The numbers of the steps by (flow/step, subject)."""
    return {(row.visit.node, row.visit.about): row.number for row in _trail(sitting) if row.visit is not None}


def said_of(sitting: Sitting, event: StepDone | Skipped) -> Visible:
    """What came of a step, in a line."""
    about = one_line(event.subject.partition(" of ")[0])
    if isinstance(event, Skipped):
        return Visible(f"?: {one_line(event.node)}, {about}: not asked, {one_line(event.because)}.")
    word = state_word(sitting.checks, event.check, event.outcome)
    name = one_line(event.check.replace("-", " "))
    return Visible(f"{word}: {name}, {about}: {event.summary}")


async def talk_of_steps(lines: Lines, sitting: Sitting, run: Callable[[Walking], Awaitable[None]]) -> None:
    """Let the person choose a step, read it in full, ask it anew, overrule it, or go back to it."""
    rows = _trail(sitting)
    for row in rows:
        lines.say(f"{row.number}. {row.word}: {row.label}" if row.visit is not None else f"{row.label}:")
    given = await lines.ask("Which step? Its number [none]: ")
    visit = next((row.visit for row in rows if row.visit is not None and str(row.number) == given), None)
    if visit is None:
        if given:
            lines.say(f"There is no step {one_line(given, limit=20)}.")
        return
    session = sitting.session()
    shown = step_view(
        visit,
        session.events,
        sitting.checks,
        {reply.evidence: reply for reply in session.asked},
        sitting.glance.utc_offset if sitting.glance is not None else 0,
        whole=True,
    )
    for line in step_text(shown):
        lines.say(line)
    await _do(lines, sitting, visit, run)


async def _do(lines: Lines, sitting: Sitting, visit: Visit, run: Callable[[Walking], Awaitable[None]]) -> None:
    nothing, anew, overrule, back = "leave it as it is", "ask it anew", "overrule it", "go back to it, and walk on"
    wishes = [nothing, anew, *([overrule] if visit.kind is Kind.CHECK else []), back]
    at = await pick(lines, "What about this step?", wishes)
    wish = wishes[at] if at is not None else nothing
    if wish == anew:
        sitting.ask_anew(visit)
    elif wish == back:
        sitting.back_to(visit)
    elif wish == overrule:
        outcome = await _outcome(lines, sitting, visit)
        if outcome is None:
            return
        sitting.overrule(visit, outcome)
    else:
        return
    await run(sitting.go_on)


async def _outcome(lines: Lines, sitting: Sitting, visit: Visit) -> str | None:
    check = visit.step.check or ""
    declared = sitting.checks.get(check)
    words = [word for word in (declared.outcomes if declared is not None else ()) if word != visit.outcome]
    labels = [f"{one_line(word)}: {step_words(check, word)}" for word in words]
    at = await pick(lines, f"What is true of {one_line(check.replace('-', ' '))}?", [*labels, "none of these"])
    return words[at] if at is not None and at < len(words) else None


def _trail(sitting: Sitting) -> tuple[TrailRow, ...]:
    return trail(sitting.positions(), Observed.of(sitting.events), sitting.checks)
