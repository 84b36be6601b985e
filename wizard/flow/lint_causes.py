"""What must hold of the catalogue of causes: what each needs can be observed, and tells it from every other.

Owns these rules. May not know the steps of flows beyond the checks that they ask.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from wizard.flow.language import At, Cause, Command, Confidence, Needs, Problem, Stage
from wizard.flow.library import Library
from wizard.flow.lint_places import Places, is_shell, names_used, variable_meant
from wizard.flow.order import cycles, topological
from wizard.flow.reading import nearest
from wizard.flow.vocabulary import SCOPES, UNKNOWN, Observations, Vocabulary, outcome_sets, rank

# What authors write where a value should stand; <...> as a shell redirection has no place in an argv either.
_PLACEHOLDER = re.compile(r"<[A-Za-z][^<>]*>|\.\.\.|\u2026|\bYOUR\b|\bYOUR[-_]|\bX{3,}\b|\b(?:CHANGEME|TODO|FIXME)\b")


def cause_problems(library: Library, vocabulary: Vocabulary, places: Places) -> list[Problem]:
    """Everything that is wrong with causes by themselves and with each other."""
    linter = _CauseLinter(library, vocabulary, places)
    problems: list[Problem] = []
    for cause in library.causes.values():
        problems += linter.cause(cause)
    problems += linter.circles()
    problems += linter.look_alikes()
    return problems


class _CauseLinter:
    def __init__(self, library: Library, vocabulary: Vocabulary, places: Places) -> None:
        self._causes = library.causes
        self._ids = {cause.id for cause in library.causes.values()}
        self._vocabulary = vocabulary
        self._places = places
        self._asked = {step.check for flow in library.flows.values() for step in flow.steps if step.check is not None}

    def cause(self, cause: Cause) -> Iterator[Problem]:
        for index, need in enumerate(cause.needs):
            yield from self._need(cause, index, need)
        yield from self._observations(cause, ("excludes",), cause.excludes)
        yield from self._unseen(cause, ("excludes",), cause.excludes)
        yield from self._decisive(cause)
        for index, other in enumerate(cause.explains):
            yield from self._explains(cause, index, other)
        for text, at in (
            (cause.title, self._places.of(cause, "title")),
            (cause.summary, self._places.of(cause, "summary")),
        ):
            yield from self._bound(cause, text, at, {})
        for index, (run, because) in enumerate(cause.refused):
            yield from self._bound(cause, run, self._places.of(cause, "refused", str(index), "run"), {})
            yield from self._bound(cause, because, self._places.of(cause, "refused", str(index), "because"), {})
        for index, command in enumerate(cause.commands):
            yield from self._command(cause, index, command)

    # --- observations ------------------------------------------------------------------------------------------

    def _need(self, cause: Cause, index: int, need: Needs) -> Iterator[Problem]:
        path = self._need_path(cause, index)
        yield from self._observations(cause, path, need.outcomes)
        yield from self._unseen(cause, path, need.outcomes)
        excluded = outcome_sets(cause.excludes)
        for check, outcomes in need.outcomes:
            at = self._places.of(cause, *path, check, key=True)
            if check in self._vocabulary.checks and check not in self._asked:
                yield Problem(at, f"{cause.id!r} needs {check!r}, which no flow asks")
            if set(outcomes) <= excluded.get(check, frozenset()):
                yield Problem(at, f"{cause.id!r} needs what excludes it: {check}: {', '.join(outcomes)}")

    def _need_path(self, cause: Cause, index: int) -> tuple[str, ...]:
        return ("needs", str(index)) if self._places.lists_needs(cause) else ("needs",)

    def _observations(self, cause: Cause, path: tuple[str, ...], observations: Observations) -> Iterator[Problem]:
        for check, outcomes in observations:
            words = self._vocabulary.checks.get(check)
            if words is None:
                at = self._places.of(cause, *path, check, key=True)
                yield Problem(at, f"no check is called {check!r}", nearest(check, self._vocabulary.checks))
                continue
            for index, outcome in enumerate(outcomes):
                if outcome not in words.outcomes:
                    at = self._places.of(cause, *path, check, str(index))
                    yield Problem(
                        at, f"the check {check!r} never comes to {outcome!r}", nearest(outcome, words.outcomes)
                    )

    def _unseen(self, cause: Cause, path: tuple[str, ...], observations: Observations) -> Iterator[Problem]:
        for check, outcomes in observations:
            if UNKNOWN in outcomes:
                at = self._places.of(cause, *path, check, str(outcomes.index(UNKNOWN)))
                yield Problem(at, f"{cause.id!r} rests on {check!r} being unknown, and that is no observation")

    def _decisive(self, cause: Cause) -> Iterator[Problem]:
        at = self._places.of(cause, "decisive")
        named = {check for need in cause.needs for check, _ in need.outcomes}
        if cause.decisive not in named:
            yield Problem(at, f"the decisive check {cause.decisive!r} is not needed", nearest(cause.decisive, named))
            return
        for index, need in enumerate(cause.needs):
            if need.certainty is Confidence.CONFIRMED and cause.decisive not in dict(need.outcomes):
                where = self._places.of(cause, *self._need_path(cause, index))
                yield Problem(where, f"confirmed without the decisive check {cause.decisive!r}", "certainty: likely?")

    # --- relations of causes -----------------------------------------------------------------------------------

    def _explains(self, cause: Cause, index: int, other: str) -> Iterator[Problem]:
        at = self._places.of(cause, "explains", str(index))
        if other == cause.id:
            yield Problem(at, f"{cause.id!r} explains itself")
        elif other not in self._ids:
            yield Problem(at, f"no cause is called {other!r}", nearest(other, self._ids))

    def _explained(self, name: str) -> list[str]:
        cause = self._causes.get(name)
        return [other for other in cause.explains if other != name] if cause is not None else []

    def circles(self) -> Iterator[Problem]:
        for circle in cycles(self._causes, self._explained):
            last = self._causes[circle[-1]]
            at = self._places.of(last, "explains", str(last.explains.index(circle[0])))
            yield Problem(at, f"causes explain each other in a circle: {' -> '.join((*circle, circle[0]))}")

    def look_alikes(self) -> Iterator[Problem]:
        causes = sorted(self._causes.values(), key=lambda cause: cause.at)
        consequences = {cause.name: set(topological([cause.name], self._explained)) for cause in causes}
        for number, one in enumerate(causes):
            for other in causes[number + 1 :]:
                if (
                    one.priority != other.priority
                    or one.id in consequences[other.name]
                    or other.id in consequences[one.name]
                ):
                    continue
                index = _indistinguishable(one, other)
                if index is not None:
                    at = self._places.of(other, *self._need_path(other, index))
                    hint = "name what tells them apart, or give one a priority, an exclusion or an explains"
                    yield Problem(
                        at, f"{other.id!r} and {one.id!r} hold together and nothing decides between them", hint
                    )

    # --- commands and texts ------------------------------------------------------------------------------------

    def _command(self, cause: Cause, index: int, command: Command) -> Iterator[Problem]:
        path = ("commands", str(index))
        yield from self._observations(cause, (*path, "when"), command.when)
        for check, _ in command.when:
            scope = self._vocabulary.scope_of(check)
            if scope is not None and rank(scope) > self._rank(cause):
                at = self._places.of(cause, *path, "when", check, key=True)
                yield Problem(
                    at, f"the check {check!r} is about a {scope}, which is narrower than this cause's subject"
                )
        when = outcome_sets(command.when)
        yield from self._bound(cause, command.why, self._places.of(cause, *path, "why"), when)
        if command.edit is not None:
            yield from self._names_bound(cause, command.edit, self._places.of(cause, *path, "edit"), when)
        for key, argv in (("run", command.run), ("pipe", command.pipe), ("undo", command.undo)):
            if is_shell(argv):
                yield Problem(
                    self._places.of(cause, *path, key), "a command for a shell: give the program and its words"
                )
            for number, word in enumerate(argv):
                at = self._places.of(cause, *path, key, str(number))
                yield from self._bound(cause, word, at, when)
                found = _PLACEHOLDER.search(word) if command.stage is Stage.FIX else None
                if found is not None:
                    yield Problem(
                        at, f"a fix with the placeholder {found[0][:40]!r}: only complete commands are printed"
                    )

    def _rank(self, cause: Cause) -> int:
        """The scope of the widest subject that the cause can be found at, as its place in SCOPES."""
        return min((self._need_rank(need) for need in cause.needs), default=0)

    def _need_rank(self, need: Needs) -> int:
        scopes = (self._vocabulary.scope_of(check) for check, _ in need.outcomes)
        return max((rank(scope) for scope in scopes if scope is not None), default=0)

    def _bound(self, cause: Cause, text: str, at: At, when: Mapping[str, frozenset[str]]) -> Iterator[Problem]:
        problems: list[Problem] = []
        for name in names_used(text, at, problems):
            yield from self._names_bound(cause, name, at, when)
        yield from problems

    def _names_bound(self, cause: Cause, name: str, at: At, when: Mapping[str, frozenset[str]]) -> Iterator[Problem]:
        scope = SCOPES[self._rank(cause)]
        subject = self._vocabulary.subject_variables(scope)
        if name in subject:
            return
        check, _, value = name.partition(".")
        if name in self._vocabulary.subject_variables(SCOPES[-1]):
            yield Problem(at, f"{{{name}}} is no variable of a {scope}, at which this cause can be found")
            return
        if check not in self._vocabulary.checks:
            hint = variable_meant(name, subject, self._vocabulary)
            yield Problem(at, f"{{{name}}} is no variable that is known", hint)
            return
        for need in cause.needs:
            fits = outcome_sets(need.outcomes)
            observed = [each[check] for each in (fits, when) if check in each]
            if not observed:
                yield Problem(at, f"{{{name}}} has no value: {check!r} is not in every alternative of needs")
                return
            possible = frozenset.intersection(*observed)
            without = sorted(outcome for outcome in possible if value not in self._vocabulary.values(check, outcome))
            if without:
                known = {each for outcome in possible for each in self._vocabulary.values(check, outcome)}
                yield Problem(
                    at, f"{check!r} has no {value!r} where it is {', '.join(without)}", nearest(value, known - {value})
                )
                return


def _indistinguishable(one: Cause, other: Cause) -> int | None:
    """The alternative of `other` that holds together with one of `one` whenever the narrower of the two holds."""
    for index, theirs in enumerate(other.needs):
        for ours in one.needs:
            if ours.certainty is not theirs.certainty:
                continue
            if _implies(theirs, ours) and not _ruled_out(one, theirs) and not _ruled_out(other, theirs):
                return index
            if _implies(ours, theirs) and not _ruled_out(other, ours) and not _ruled_out(one, ours):
                return index
    return None


def _implies(narrow: Needs, wide: Needs) -> bool:
    """Whether everything that the wide alternative asks for holds wherever the narrow one does."""
    given = outcome_sets(narrow.outcomes)
    return all(check in given and given[check] <= frozenset(outcomes) for check, outcomes in wide.outcomes)


def _ruled_out(cause: Cause, need: Needs) -> bool:
    """Whether observations always exclude a cause."""
    given = outcome_sets(need.outcomes)
    return any(check in given and given[check] <= frozenset(outcomes) for check, outcomes in cause.excludes)
