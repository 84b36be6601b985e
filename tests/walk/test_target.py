"""Reading a target as typed: a URL, a host name, an upstream, nothing, or a refusal with a hint."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.payloads import PAYLOADS
from wizard.text import visible
from wizard.walk.plan import Target, TargetError, read_target

URLS = {
    "https://shop.example/cart": "https://shop.example/cart",
    "http://shop.example": "http://shop.example/",
    "HTTP://Shop.Example/": "http://Shop.Example/",
    "https://shop.example:8443/a/b?c=d&e=%20f": "https://shop.example:8443/a/b?c=d&e=%20f",
    "http://127.0.0.1/": "http://127.0.0.1/",
    "http://127.0.0.1:8080/": "http://127.0.0.1:8080/",
    "http://[::1]/": "http://[::1]/",
    "http://[::1]:8080/x": "http://[::1]:8080/x",
    "http://localhost/": "http://localhost/",
    "http://user:secret@shop.example/": "http://shop.example/",
    "http://shop.example/#part": "http://shop.example/",
    "http://shop_1.example/": "http://shop_1.example/",
    "http://shop.example./": "http://shop.example./",
    "shop.example": "http://shop.example/",
    "shop.example/cart?x=1": "http://shop.example/cart?x=1",
    "shop.example:8080": "http://shop.example:8080/",
    "localhost": "http://localhost/",
    "127.0.0.1": "http://127.0.0.1/",
    "  shop.example  ": "http://shop.example/",
}
UPSTREAMS = ("127.0.0.1:8000", "[::1]:8000", "10.0.0.7:80", "unix:/run/app.sock", "unix:/run/a-b_c.d/app.sock")
REFUSED = (
    "ftp://shop.example/",
    "://shop.example",
    "http://",
    "http:///cart",
    "http://shop.example:0/",
    "http://shop.example:65536/",
    "http://shop.example:abc/",
    "http://[::1/",
    "http://-/",
    "unix:relative.sock",
    "two words",
    "http://shop.example/a b",
    "http://shop.example/\x1b[31m",
    "shop.example\n",
    "javascript:alert(1)",
    "a\u200bb",
)


@pytest.mark.parametrize("typed", URLS)
def test_urls_and_host_names(typed: str) -> None:
    assert read_target(typed) == Target(url=URLS[typed])


@pytest.mark.parametrize("typed", UPSTREAMS)
def test_upstreams(typed: str) -> None:
    assert read_target(typed) == Target(upstream=typed)


@pytest.mark.parametrize("typed", [None, "", "   "])
def test_nothing_means_whatever_fails_now(typed: str | None) -> None:
    assert read_target(typed) == Target()


@pytest.mark.parametrize("typed", [word for word in REFUSED if word.strip() == word])
def test_what_is_none_is_refused_with_a_hint(typed: str) -> None:
    with pytest.raises(TargetError) as refused:
        read_target(typed)
    assert refused.value.hint
    assert visible(str(refused.value)) == str(refused.value)


@pytest.mark.parametrize("payload", [text for text in PAYLOADS.values() if len(text) < 5000])
def test_hostile_words_are_read_or_refused(payload: bytes) -> None:
    check(payload.decode("utf-8", "surrogateescape"))


@given(st.text(max_size=30) | st.from_regex(r"(https?://)?[a-z.\[\]:0-9@%/-]{1,30}", fullmatch=True))
def test_any_word_is_read_or_refused(typed: str) -> None:
    check(typed)


def check(typed: str) -> None:
    try:
        target = read_target(typed)
    except TargetError as error:
        said = str(error)
    else:
        said = ""
        assert target.url is None or target.upstream is None
        assert target.url is None or read_target(target.url) == target
        assert target.url is None or target.url.startswith(("http://", "https://"))
    assert visible(said) == said
