"""Random flows without cycles, over three scopes, with causes at their ends."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.flow.samples import Words
from wizard.flow.language import DONT_KNOW, At, Cause, Confidence, Flow, Needs, Step, Target
from wizard.flow.library import Library
from wizard.flow.vocabulary import SCOPES, Observations, Vocabulary

AT = At("random.yaml", 1, 1)
CAUSE = "the-cause"
WORDS = ("yes", "no", "unknown")
CHOICES = (("yes", "Yes"), ("no", "No"))
CHECKS = {
    "host-1": "host",
    "host-2": "host",
    "route-1": "route",
    "route-2": "route",
    "server-1": "server",
    "server-2": "server",
}
RANDOM_VOCABULARY = Vocabulary({name: Words(scope, dict.fromkeys(WORDS, ())) for name, scope in CHECKS.items()})
FLOWS = {"all": "host", "top": "route", "rest": "route", "inner": "server", "more": "server"}
_ORDER = tuple(FLOWS)


def words_of(step: Step) -> tuple[str, ...]:
    """What a step can come to."""
    if step.then:
        return tuple(word for word, _ in step.then)
    return WORDS if step.check is not None else (*dict(CHOICES), DONT_KNOW)


def observations(least: int = 1) -> st.SearchStrategy[Observations]:
    outcomes = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3, unique=True).map(tuple)
    return st.dictionaries(st.sampled_from(sorted(CHECKS)), outcomes, min_size=least, max_size=2).map(
        lambda found: tuple(found.items())
    )


@st.composite
def causes(draw: st.DrawFn) -> Cause:
    needs = draw(st.lists(observations(), min_size=1, max_size=2))
    excludes = draw(observations(least=0)) if draw(st.booleans()) else ()
    return Cause(
        id=CAUSE,
        title="t",
        summary="s",
        article="a",
        needs=tuple(Needs(each, Confidence.CONFIRMED, AT) for each in needs),
        decisive=needs[0][0][0],
        at=AT,
        excludes=excludes,
    )


@st.composite
def libraries(draw: st.DrawFn) -> Library:
    """Flows in which a step leads to later steps and a flow to later flows only."""
    present = tuple(name for name in _ORDER if name in ("top", "inner") or draw(st.booleans()))
    chosen = {name: draw(_flow(name, present)) for name in present}
    return Library(chosen, {CAUSE: draw(causes())})


@st.composite
def _flow(draw: st.DrawFn, name: str, present: tuple[str, ...]) -> Flow:
    scope = FLOWS[name]
    size = draw(st.integers(1, 4))
    later = [each for each in present if FLOWS[each] == scope and _ORDER.index(each) > _ORDER.index(name)]
    below = SCOPES[SCOPES.index(scope) + 1 : SCOPES.index(scope) + 2]
    inner = [each for each in present if FLOWS[each] in below]
    askable = sorted(check for check, own in CHECKS.items() if SCOPES.index(own) <= SCOPES.index(scope))
    steps = []
    for index in range(size):
        targets = [Target(), Target(cause=CAUSE), *(Target(flow=each) for each in later)]
        targets += [Target(step=f"s{number}") for number in range(index + 1, size)] * 2
        target = st.sampled_from(targets)
        kind = draw(st.sampled_from(["check", "check", "ask", *(["each"] * 2 if inner else [])]))
        step = f"s{index}"
        if kind == "each":
            steps.append(Step(step, AT, each=below[0], flow=draw(st.sampled_from(inner)), next=draw(target)))
            continue
        in_any_case = draw(st.integers(0, 3)) == 0
        then = () if in_any_case else tuple((word, draw(target)) for word in WORDS)
        following = draw(target) if in_any_case else None
        if kind == "ask":
            steps.append(Step(step, AT, ask="?", choices=CHOICES, then=then, next=following))
        else:
            steps.append(Step(step, AT, check=draw(st.sampled_from(askable)), then=then, next=following))
    return Flow(name, name, scope, "s0", tuple(steps), AT)
