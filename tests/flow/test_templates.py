"""Templates: what is a variable, what is text, and what cannot be filled in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.flow.templates import NotBoundError, TemplateError, parse, render, render_words, variables


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("no variable", ()),
        ("{service.unit} on {server}", ("service.unit", "server")),
        ("{url}{url}", ("url",)),
        ("awk '{{print $1}}'", ()),
        ("{{{url}}}", ("url",)),
        ("{host_header} {tls-handshake.verify-code}", ("host_header", "tls-handshake.verify-code")),
        ("", ()),
    ],
)
def test_variables_in_order_of_first_use(text: str, names: tuple[str, ...]) -> None:
    assert parse(text).variables == names


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("a { b", 2),
        ("}", 0),
        ("{Unit}", 0),
        ("x {a.b.c}", 2),
        ("{}", 0),
        ("{a b}", 0),
        ("{{x}", 3),
        ("{a!r}", 0),
        ("{0}", 0),
    ],
)
def test_a_single_brace_is_refused_where_it_stands(text: str, offset: int) -> None:
    with pytest.raises(TemplateError) as caught:
        parse(text)
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("{unit.name} is {state}", {"unit.name": "a.service", "state": "dead"}, "a.service is dead"),
        ("{{{n}}}", {"n": 3}, "{3}"),
        ("{n} of {m}", {"n": 1.5, "m": 2.0}, "1.5 of 2"),
        ("{yes} {no}", {"yes": True, "no": False}, "yes no"),
        ("names {names}", {"names": ("a", "b")}, "names a, b"),
        ("{text}", {"text": "{other}"}, "{other}"),
    ],
)
def test_render(text: str, values: dict[str, object], expected: str) -> None:
    assert render(text, values) == expected


def test_what_has_no_value_is_never_rendered() -> None:
    with pytest.raises(NotBoundError, match=r"\{unit\} has no value here"):
        render("start {unit}", {})
    with pytest.raises(NotBoundError, match="no value that can be written"):
        render("{edit}", {"edit": object()})


def test_a_word_that_is_one_variable_becomes_many() -> None:
    values = {"nginx.argv": ("nginx", "-c", "/etc/my nginx.conf"), "unit": "a b"}
    assert render_words(("{nginx.argv}", "-t"), values) == ("nginx", "-c", "/etc/my nginx.conf", "-t")
    assert render_words(("systemctl", "start", "{unit}"), values) == ("systemctl", "start", "a b")
    assert render_words(("{none}",), {"none": ()}) == ()


def test_a_list_cannot_be_a_part_of_a_word() -> None:
    with pytest.raises(NotBoundError):
        render_words(("--with={words}",), {"words": ("a", "b")})
    with pytest.raises(NotBoundError):
        render_words(("{missing}",), {})


@given(st.text())
def test_doubled_braces_give_any_text_back(text: str) -> None:
    assert render(text.replace("{", "{{").replace("}", "}}"), {}) == text


@given(st.text(alphabet="{}a.-_ "))
def test_a_text_is_a_template_or_an_error_with_an_offset_inside(text: str) -> None:
    offset = None
    names: tuple[str, ...] = ()
    try:
        names = variables([text])
    except TemplateError as error:
        offset = error.offset
    if offset is not None:
        assert text[offset] in "{}"
    else:
        assert render(text, dict.fromkeys(names, "")).count("{") == text.replace("{{", "\0").count("\0")
