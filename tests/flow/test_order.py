"""Graph orders against their definitions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wizard.flow.order import cycles, post_dominators, topological

Dag = dict[int, list[int | None]]


@st.composite
def dags(draw: st.DrawFn) -> Dag:
    size = draw(st.integers(1, 7))
    exits: list[int | None] = [None]
    return {
        node: draw(st.lists(st.sampled_from([*exits, *range(node + 1, size)]), max_size=3, unique=True))
        for node in range(size)
    }


def ways(dag: Dag, node: int) -> list[list[int]]:
    found = []
    for each in dag[node] or [None]:
        found += [[node]] if each is None else [[node, *way] for way in ways(dag, each)]
    return found


@given(dags())
def test_post_dominators_are_what_every_way_to_the_exit_passes(dag: Dag) -> None:
    nearest = post_dominators([0], lambda node: dag[node])
    for node in nearest:
        certain = set.intersection(*(set(way[1:]) for way in ways(dag, node)))
        chain = []
        current = nearest[node]
        while current is not None:
            chain.append(current)
            current = nearest[current]
        assert set(chain) == certain
        assert chain == sorted(chain)


@given(dags())
def test_topological_order_has_each_node_before_its_successors(dag: Dag) -> None:
    order = topological([0], lambda node: [each for each in dag[node] if each is not None])
    assert len(order) == len(set(order))
    for node in order:
        for each in dag[node]:
            assert each is None or order.index(node) < order.index(each)
    assert cycles([0], lambda node: [each for each in dag[node] if each is not None]) == []


@given(st.dictionaries(st.integers(0, 5), st.lists(st.integers(0, 5), max_size=3, unique=True), min_size=1))
def test_a_cycle_is_found_exactly_where_one_is(graph: dict[int, list[int]]) -> None:
    def following(node: int) -> list[int]:
        return graph.get(node, [])

    def reach(start: int) -> set[int]:
        found: set[int] = set()
        waiting = list(following(start))
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting += following(node)
        return found

    found = cycles(graph, following)
    assert bool(found) == any(node in reach(node) for node in graph)
    for circle in found:
        for one, other in zip(circle, (*circle[1:], circle[0]), strict=True):
            assert other in following(one)


def test_a_long_chain_needs_no_deep_recursion() -> None:
    size = 50_000
    order = topological([0], lambda node: [node + 1] if node < size else [])
    assert order == list(range(size + 1))
    nearest = post_dominators([0], lambda node: [node + 1 if node < size else None])
    assert nearest[0] == 1
    assert nearest[size] is None
