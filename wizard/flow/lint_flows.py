"""What must hold of each flow: names lead somewhere, every outcome is routed, scopes fit, nothing goes in circles.

Owns these rules. May not know causes beyond their ids, nor what was observed on the way.
"""

from __future__ import annotations

from collections.abc import Iterator

from wizard.flow.language import DONT_KNOW, At, Flow, Problem, Step, Target
from wizard.flow.library import Library
from wizard.flow.lint_places import Places, is_shell, names_used
from wizard.flow.order import cycles, topological
from wizard.flow.reading import nearest
from wizard.flow.step_graph import Graph, Node
from wizard.flow.vocabulary import COMMAND_OUTCOMES, Vocabulary, narrower, rank


def flow_problems(library: Library, vocabulary: Vocabulary, places: Places) -> list[Problem]:
    """Everything that is wrong with flows, path by path observations left aside."""
    linter = _FlowLinter(library, vocabulary, places)
    problems: list[Problem] = []
    for flow in library.flows.values():
        problems += linter.flow(flow)
    problems += linter.circles()
    problems += linter.selected_twice()
    return problems


class _FlowLinter:
    def __init__(self, library: Library, vocabulary: Vocabulary, places: Places) -> None:
        self._library = library
        self._vocabulary = vocabulary
        self._places = places
        self._graph = Graph(library, vocabulary)

    def flow(self, flow: Flow) -> Iterator[Problem]:
        if flow.step(flow.start) is None:
            at = self._places.of(flow, "start")
            yield Problem(at, f"no step is called {flow.start!r}", nearest(flow.start, _names(flow)))
        else:
            yield from self._unreached(flow)
        yield from self._title(flow)
        for step in flow.steps:
            yield from self._asked(flow, step)
            for path, target in _targets(step):
                yield from self._target(flow, target, self._places.of_step(flow, step, *path))

    def _title(self, flow: Flow) -> Iterator[Problem]:
        problems: list[Problem] = []
        at = self._places.of(flow, "title")
        known = self._vocabulary.subject_variables(flow.scope)
        for name in names_used(flow.title, at, problems):
            if name not in known:
                yield Problem(at, f"{{{name}}} is no variable of a {flow.scope}", nearest(name, known))
        yield from problems

    def _unreached(self, flow: Flow) -> Iterator[Problem]:
        def following(name: str) -> list[str]:
            step = flow.step(name)
            found = [target.step for _, target in _targets(step)] if step is not None else []
            return [each for each in found if each is not None]

        reached = set(topological([flow.start], following))
        for step in flow.steps:
            if step.name not in reached:
                yield Problem(step.at, f"the step {step.name!r} is never reached from {flow.start!r}")

    def _asked(self, flow: Flow, step: Step) -> Iterator[Problem]:
        if step.check is not None:
            yield from self._check(flow, step, step.check)
        elif step.ask is not None:
            yield from self._routed(flow, step, (*(value for value, _ in step.choices), DONT_KNOW), "the question")
        elif step.argv:
            yield from self._routed(flow, step, COMMAND_OUTCOMES, "a command")
            if is_shell(step.argv):
                at = self._places.of_step(flow, step, "argv")
                yield Problem(at, "a command for a shell: give the program and its words instead")
        elif step.each is not None:
            yield from self._each(flow, step, step.each)

    def _check(self, flow: Flow, step: Step, check: str) -> Iterator[Problem]:
        at = self._places.of_step(flow, step, "check")
        words = self._vocabulary.checks.get(check)
        if words is None:
            yield Problem(at, f"no check is called {check!r}", nearest(check, self._vocabulary.checks))
            return
        if rank(str(words.scope)) > rank(flow.scope):
            yield Problem(
                at, f"the check {check!r} is asked about a {words.scope}, and this flow is for a {flow.scope}"
            )
        yield from self._routed(flow, step, tuple(words.outcomes), f"the check {check!r}")

    def _routed(self, flow: Flow, step: Step, words: tuple[str, ...], what: str) -> Iterator[Problem]:
        missing = [word for word in words if step.target(word) is None]
        if missing:
            at = self._places.of_step(flow, step, "then", key=True)
            yield Problem(at, f"{what} can come to {', '.join(missing)}, which leads nowhere")
        for word, _ in step.then:
            if word not in words:
                at = self._places.of_step(flow, step, "then", word, key=True)
                yield Problem(at, f"{what} never comes to {word!r}", nearest(word, missing or words))

    def _each(self, flow: Flow, step: Step, scope: str) -> Iterator[Problem]:
        below = narrower(flow.scope)
        if scope != below:
            at = self._places.of_step(flow, step, "each")
            can = f"only each: {below}" if below is not None else "no 'each' at all"
            yield Problem(at, f"each: {scope} stands in a flow for a {flow.scope}, which can have {can}")
        at = self._places.of_step(flow, step, "flow")
        yield from self._entered(step.flow or "", scope, at, "run for")

    def _target(self, flow: Flow, target: Target, at: At) -> Iterator[Problem]:
        if target.step is not None and flow.step(target.step) is None:
            yield Problem(at, f"no step is called {target.step!r}", nearest(target.step, [*_names(flow), "done"]))
        if target.flow is not None:
            yield from self._entered(target.flow, flow.scope, at, "goes on for")
        if target.cause is not None and target.cause not in self._library.causes:
            yield Problem(at, f"no cause is called {target.cause!r}", nearest(target.cause, self._library.causes))

    def _entered(self, name: str, scope: str, at: At, how: str) -> Iterator[Problem]:
        other = self._library.flows.get(name)
        if other is None:
            yield Problem(at, f"no flow is called {name!r}", nearest(name, self._library.flows))
        elif other.scope != scope:
            yield Problem(at, f"the flow {name!r} is for a {other.scope}, and {how} a {scope} here")

    def circles(self) -> Iterator[Problem]:
        for circle in cycles(self._graph.steps, self._graph.successors):
            flow = self._library.flows[circle[-1][0]]
            told = " -> ".join("/".join(node) for node in (*circle, circle[0]))
            yield Problem(self._edge(flow, circle[-1], circle[0]), f"the flow goes in a circle: {told}")

    def _edge(self, flow: Flow, source: Node, destination: Node) -> At:
        step = self._graph.steps[source]
        for path, target in _targets(step):
            if self._graph.leads_to(source, target) == destination:
                return self._places.of_step(flow, step, *path)
        return self._places.of_step(flow, step, "flow")

    def selected_twice(self) -> Iterator[Problem]:
        taken: dict[str, Flow] = {}
        for flow in self._library.flows.values():
            for index, status in enumerate(flow.status):
                if status in taken:
                    at = self._places.of(flow, "status", str(index))
                    yield Problem(at, f"the status {status!r} selects the flow {taken[status].name!r} already")
                taken.setdefault(status, flow)


def _names(flow: Flow) -> list[str]:
    return [step.name for step in flow.steps]


def _targets(step: Step) -> list[tuple[tuple[str, ...], Target]]:
    """The targets of a step with the path of keys that leads to each."""
    routed: list[tuple[tuple[str, ...], Target]] = [(("then", word), target) for word, target in step.then]
    return routed if step.next is None else [*routed, (("next",), step.next)]
