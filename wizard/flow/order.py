"""Orders on graphs without cycles: what comes before what, where a cycle closes, and what lies on every way out.

Owns plain graph algorithms. May not know flows. All of them are iterative: a long chain of steps is no deep recursion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

N = TypeVar("N")
Successors = Callable[[N], Iterable[N]]


def topological(starts: Iterable[N], successors: Successors[N]) -> list[N]:
    """Everything reachable from the starts, each node before its successors (where there is no cycle)."""
    finished: list[N] = []
    for node, closing in _depth_first(starts, successors):
        if closing is None:
            finished.append(node)
    finished.reverse()
    return finished


def cycles(starts: Iterable[N], successors: Successors[N]) -> list[tuple[N, ...]]:
    """The cycles that a depth-first walk meets, each as its nodes in order; the last one leads back to the first.

    There is one for every edge that leads back, so none exactly where the graph has no cycle.
    """
    return [closing for _, closing in _depth_first(starts, successors) if closing is not None]


def _depth_first(starts: Iterable[N], successors: Successors[N]) -> Iterator[tuple[N, tuple[N, ...] | None]]:
    """Yield each node when all below it is done, and each cycle at the moment that an edge closes it."""
    done: set[N] = set()
    path: dict[N, Iterator[N]] = {}
    for start in starts:
        if start in done:
            continue
        path[start] = iter(successors(start))
        while path:
            node = next(reversed(path))
            for following in path[node]:
                if following in path:
                    nodes = list(path)
                    yield node, tuple(nodes[nodes.index(following) :])
                elif following not in done:
                    path[following] = iter(successors(following))
                    break
            else:
                del path[node]
                done.add(node)
                yield node, None


def post_dominators(starts: Iterable[N], successors: Callable[[N], Iterable[N | None]]) -> Mapping[N, N | None]:
    """For each reachable node the nearest node that lies on every way from it to the exit.

    `successors` names the exit as None; a node without successors leads to the exit. The value is None where the exit
    itself is the nearest. Following the values gives all nodes that every way passes, in the order in which it does.
    In a graph without cycles, a node's nearest is the lowest common ancestor of its successors in the tree that the
    values form.
    """
    order = topological(starts, lambda node: [each for each in successors(node) if each is not None])
    nearest: dict[N, N | None] = {}
    depth: dict[N | None, int] = {None: 0}

    def common(one: N | None, other: N | None) -> N | None:
        while one != other:
            if one is None or other is None:
                return None
            if depth[one] >= depth[other]:
                one = nearest[one]
            else:
                other = nearest[other]
        return one

    for node in reversed(order):
        known = [each for each in successors(node) if each is None or each in nearest]
        meeting = known[0] if known else None
        for each in known[1:]:
            meeting = common(meeting, each)
        nearest[node] = meeting
        depth[node] = depth[meeting] + 1
    return nearest
