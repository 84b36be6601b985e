"""URLs, hosts, patterns and names: the small rules, each in a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.gateways.nginx.names import WildcardNames
from wizard.gateways.nginx.octets import octets, text_of
from wizard.gateways.nginx.patterns import MAX_SUBJECT, CannotTranslateError, pattern
from wizard.gateways.nginx.templates import Variable, template
from wizard.gateways.nginx.uri import BadUrlError, normalised, target, valid_host


@pytest.mark.parametrize(
    ("sent", "merged", "kept"),
    [
        ("/", "/", "/"),
        ("//a///b", "/a/b", "//a///b"),
        ("/a/./b/../c", "/a/c", "/a/c"),
        ("/a/..", "/", "/"),
        ("/a/.", "/a/", "/a/"),
        ("/a/...", "/a/...", "/a/..."),
        ("/..", None, None),
        ("/a/../..", None, None),
        ("/%61%2Fb", "/a/b", "/a/b"),
        ("/a/%2e%2e/b", "/b", "/b"),
        ("/%2F%2Fa", "/a", "///a"),
        ("/a%3Fb%23c%25d", "/a?b#c%d", "/a?b#c%d"),
        ("/%e4%F6", "/\xe4\xf6", "/\xe4\xf6"),
        ("/%zz", None, None),
        ("/%4", None, None),
        ("/%00", None, None),
        ("/a//../b", "/b", "/a/b"),
        ("/a+b", "/a+b", "/a+b"),
        ("/.a", "/.a", "/.a"),
    ],
)
def test_paths(sent: str, merged: str | None, kept: str | None) -> None:
    one = normalised(sent, merge_slashes=True)
    other = normalised(sent, merge_slashes=False)
    assert (one and one.path) == merged
    assert (other and other.path) == kept


def test_arguments_stay_as_they_were_sent() -> None:
    uri = normalised("/a%20b?x=%20&y=../?z", merge_slashes=True)
    assert uri is not None
    assert (uri.path, uri.args, uri.unparsed) == ("/a b", "x=%20&y=../?z", "/a%20b?x=%20&y=../?z")


@given(st.text(st.characters(max_codepoint=255), max_size=80), st.booleans())
def test_any_target_is_understood_or_refused(text: str, merge: bool) -> None:
    uri = normalised("/" + text, merge_slashes=merge)
    if uri is not None:
        assert uri.path.startswith("/")
        assert "/../" not in uri.path + "/" or "%" in text or "/" not in text
        assert not merge or "//" not in uri.path


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("a.test", "a.test"), ("A.Test.", "a.test"), ("a.test:80", "a.test"), ("a.test.:80", "a.test"), ("[::1]", "[::1]"),
        ("[::1]:80", "[::1]"), ("[::1", "[::1"), ("a..b", None), ("a/b", None), ("a b", None), ("", None), (".", None),
        (":80", None), ("a:b:c", "a"), (".a", ".a"), ("a\x7f", None), ("a]b", "a]b"),
    ],
)  # fmt: skip
def test_hosts(host: str, expected: str | None) -> None:
    assert valid_host(host) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://A.test", ("a.test", 80, "a.test", "/", False)),
        ("https://a.test/x?y#z", ("a.test", 443, "a.test", "/x?y", True)),
        ("a.test/x", ("a.test", 80, "a.test", "/x", False)),
        ("http://a.test:8080?q", ("a.test", 8080, "a.test:8080", "/?q", False)),
        ("http://[::1]:81/", ("::1", 81, "[::1]:81", "/", False)),
        ("http://u:p@a.test/", ("a.test", 80, "a.test", "/", False)),
        ("http://bücher.test/ä b", ("xn--bcher-kva.test", 80, "xn--bcher-kva.test", "/%C3%A4%20b", False)),
    ],
)
def test_urls(url: str, expected: tuple[str, int, str, str, bool]) -> None:
    to = target(url)
    assert (to.host, to.port, to.authority, to.target, to.tls) == expected


@pytest.mark.parametrize(
    "url", ["", "ftp://a", "http://", "http://[::1", "http://a:99999/", "http://" + "a" * 9000, "http:///x"]
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(BadUrlError):
        target(url)


@given(st.text(max_size=60))
def test_any_text_is_a_url_or_none(text: str) -> None:
    try:
        made = target(text)
    except BadUrlError:
        return
    assert made.target.startswith("/")
    assert made.host


@pytest.mark.parametrize(
    ("source", "subject", "matches"),
    [
        (r"^/(?<a>\w+)/(?'b'\d+)\k<a>\k{b}$", "/x/1x1", True),
        (r"^\Q.*\E$", ".*", True),
        (r"[[:alpha:]_][[:digit:]]", "x1", True),
        (r"[[:^alpha:]]", "x", None),
        (r"a(?i)b|c", "C", True),
        (r"(a(?i)b)c", "aBC", False),
        (r"(?i:A)b", "ab", True),
        (r"^a{,2}$", "a{,2}", True),
        (r"a{2}", "aa", True),
        (r"\x{2f}\x2f\e?", "//", True),
        (r"\h\H\R", "\tx\r\n", True),
        (r"(?>a+)b", "aab", True),
        (r"a++a", "aa", False),
        (r"[a[b]", "[", True),
        (r"[]a]", "]", True),
        (r"[&&]", "&", True),
        (r"\w", "\xe4", False),
        ("é$", octets("café"), True),
        ("(?i)É", octets("é"), False),
        (r"(?#x)a", "a", True),
        (r"^a\z", "a", True),
        (r"^a\Z", "a\n", True),
        (r"(*UTF8)a", "a", None),
        (r"(?R)", "", None),
        (r"(?|a|b)", "a", None),
        (r"\Ka", "a", None),
        (r"(", "", None),
        (r")", "", None),
        (r"[a", "", None),
        ("a" * 5000, "", None),
        (r"(?<=a|bc)d", "ad", None),
        (r"(?<!a)b", "cb", True),
    ],
)
def test_patterns(source: str, subject: str, matches: bool | None) -> None:
    if matches is None:
        with pytest.raises(CannotTranslateError):
            pattern(source)
    else:
        assert (pattern(source).match(subject) is not None) is matches


@pytest.mark.parametrize(
    ("source", "size", "long"),
    [
        (r"^(a+)+$", 60, True),
        (r"^(?:\w|\d)*$", 60, False),
        (r"^(?:/[^/]+)+\.php$", 500, False),
        (r"^([^/]+/)*x$", 500, False),
        (r"(.*)(.*)(.*)(.*)x", 500, True),
        (r"^/a/(.*)$", MAX_SUBJECT, False),
        (r"^/a$", MAX_SUBJECT + 1, True),
    ],
)
def test_patterns_that_may_take_too_long_are_told_apart(source: str, size: int, long: bool) -> None:
    assert pattern(source).takes_too_long("a" * size) is long


@given(
    st.text(st.sampled_from(list("ab(){}[]?*+|\\^$.<>:'=!1,-ikQEdw/&~")), max_size=25), st.text("ab1/-", max_size=12)
)
def test_any_pattern_is_tried_or_refused(source: str, subject: str) -> None:
    try:
        made = pattern(source)
    except CannotTranslateError:
        return
    if not made.takes_too_long(subject):
        found = made.match(subject)
        assert found is None or found[0] in subject


def test_templates() -> None:
    parts = template("http://$host:${port}0/$1$2x/é$")
    assert parts == ("http://", "host", ":", "port", "0/", "1", "2", "x/Ã©$")
    assert [part for part in parts if isinstance(part, Variable)] == ["host", "port", "1", "2"]


@given(st.text(st.characters(codec="utf-8")))
def test_octets_come_back(text: str) -> None:
    assert text_of(octets(text)) == text


def test_names_with_wildcards() -> None:
    names: WildcardNames[int] = WildcardNames()
    added = ["a.test", "*.a.test", ".b.test", "www.*", "*.x.a.test", "A.test", "b.test", "*.b.test", "a*b", "*.*", ".."]
    assert [names.add(name, number) for number, name in enumerate(added)] == [True] * 5 + [False] * 6
    assert names.find("a.test") == ("a.test", 0, "exact")
    assert names.find("b.test") == (".b.test", 2, "exact")
    assert names.find("q.x.a.test") == ("*.x.a.test", 4, "wildcard")
    assert names.find("x.a.test") == ("*.a.test", 1, "wildcard")
    assert names.find("www.anything.org") == ("www.*", 3, "wildcard")
    assert names.find("www") is None
    assert names.find("") is None
