from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.host.live.network.chunks import Chunks
from wizard.host.live.network.header import Head, end_of_header, read_cgi_header, read_http_header
from wizard.host.live.network.spoken import spoken

PIECES = st.lists(
    st.sampled_from(
        [b"\r", b"\n", b"\r\n", b"\n\n", b": ", b"HTTP/1.1 200", b" OK", b"Content-Length", b"5", b"\0", b"x", b" "]
    )
    | st.binary(max_size=4),
    max_size=40,
).map(b"".join)


@given(PIECES)
def test_any_header_is_read_or_not(block: bytes) -> None:
    head = read_http_header(block)
    assert head is None or 100 <= head.status <= 999
    cgi = read_cgi_header(block)
    assert isinstance(cgi, Head)
    assert cgi.size == len(block)
    assert spoken(block) is None or isinstance(spoken(block), str)


@given(PIECES, st.data())
def test_the_end_is_found_however_the_bytes_come(block: bytes, data: st.DataObject) -> None:
    whole = end_of_header(block)
    cut = data.draw(st.integers(0, len(block)))
    early = end_of_header(block[:cut])
    assert (early or end_of_header(block, cut)) == whole or (early is not None and early == whole)


@given(
    st.dictionaries(
        st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,15}", fullmatch=True), st.from_regex(r"[!-~]{0,30}", fullmatch=True)
    )
)
def test_a_clean_header_comes_back_whole(headers: dict[str, str]) -> None:
    clean = {k: v for k, v in headers.items() if k.lower() not in {"content-length", "transfer-encoding"}}
    block = b"HTTP/1.1 200 OK\r\n" + b"".join(f"{k}: {v}\r\n".encode() for k, v in clean.items()) + b"\r\n"
    head = read_http_header(block)
    assert head is not None
    assert head.headers == tuple(clean.items())
    assert head.defects == ()


@pytest.mark.parametrize(
    ("block", "status", "reason"),
    [
        (b"Content-Type: text/html\r\n\r\n", 200, ""),
        (b"Status: 404 Not Found\r\nContent-Type: text/html\r\n\r\n", 404, "Not Found"),
        (b"status: 503\n\n", 503, ""),
        (b"Location: /login\r\n\r\n", 302, ""),
        (b"Location: /x\r\nStatus: 201 Created\r\n\r\n", 201, "Created"),
        (b"\r\n", 200, ""),
    ],
)
def test_the_status_of_a_cgi_header(block: bytes, status: int, reason: str) -> None:
    head = read_cgi_header(block)
    assert (head.status, head.reason, head.defects) == (status, reason, ())
    assert end_of_header(block) == len(block)


def test_an_invalid_status_header_is_a_defect() -> None:
    assert read_cgi_header(b"Status: fine\r\n\r\n").defects == ("invalid Status header: fine",)


@pytest.mark.parametrize("line", [b"a\n", b" a\n", b":\n", b"\r\r\r\n", b"A: \0\n", b"Content-Length: 1\n"])
def test_a_quarter_megabyte_of_oddities_takes_no_time(line: bytes) -> None:
    block = b"HTTP/1.1 200 OK\r\n" + line * (262144 // len(line)) + b"\n"
    begun = time.process_time()
    head = read_http_header(block)
    assert head is not None
    assert len(head.headers) <= 1000
    assert len(head.defects) < 30
    assert time.process_time() - begun < 10


def decoded(parts: list[bytes]) -> tuple[bytes, Chunks]:
    chunks = Chunks()
    return b"".join(chunks.feed(part) for part in parts), chunks


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_chunks_come_back_however_they_are_cut(pieces: list[bytes], sizes: list[int]) -> None:
    wire = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    parts: list[bytes] = []
    at = 0
    while at < len(wire):
        size = sizes[len(parts) % len(sizes)]
        parts.append(wire[at : at + size])
        at += size
    body, chunks = decoded(parts)
    assert body == b"".join(pieces)
    assert chunks.complete
    assert chunks.broken is None


@given(
    st.lists(
        st.binary(max_size=30) | st.sampled_from([b"5\r\n", b"0\r\n", b"\r\n", b"fffffffffffffff\r\n"]), max_size=20
    )
)
def test_any_bytes_are_chunks_or_broken(parts: list[bytes]) -> None:
    body, chunks = decoded(parts)
    assert len(body) <= sum(map(len, parts))
    assert not (chunks.complete and chunks.broken)


def test_sizes_and_trailers_that_never_end_are_broken() -> None:
    assert decoded([b"1" * 5000])[1].broken == "a chunk's size line does not end"
    assert decoded([b"0\r\n", b"A: b\r\n" * 20000])[1].broken == "the trailer does not end"
    assert decoded([b"2\r\nabc\r\n"])[1].broken == "a chunk is longer than its size says"


def test_a_million_small_chunks_take_linear_time() -> None:
    begun = time.process_time()
    body, chunks = decoded([b"1\r\nx\r\n" * 200_000])
    assert (len(body), chunks.broken) == (200_000, None)
    assert time.process_time() - begun < 20


@given(st.binary(max_size=600))
def test_a_guess_is_words_or_nothing(received: bytes) -> None:
    guess = spoken(received)
    assert guess is None or re.fullmatch(r"[A-Za-z0-9/ ,]+", guess)
