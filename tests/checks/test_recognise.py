"""The first bytes of a peer, in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.checks.reply import recognise
from wizard.text import visible


@pytest.mark.parametrize(
    ("received", "word"),
    [
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "an SSH banner"),
        (b"\x15\x03\x01\x00\x02\x02\x0a", "TLS"),
        (b"\x16\x03\x03\x00\x7a\x02", "TLS"),
        (b"HTTP/1.1 400 Bad Request\r\n", "HTTP"),
        (b"HTTP/2 200\r\n", "HTTP/2"),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03", "HTTP/2"),  # a SETTINGS frame, RFC 9113 section 6.5
        (b"\x01\x06\x00\x01\x00\x3a", "FastCGI"),
        (b"-ERR wrong number of arguments for 'get' command\r\n", "Redis or a mail protocol"),
        (b"-NOAUTH Authentication required.\r\n", "Redis or a mail protocol"),
        (b"J\x00\x00\x00\x0a8.0.36\x00", "MySQL"),
        (b"220 mail.example ESMTP Postfix\r\n", "SMTP or FTP"),
    ],
)
def test_protocols(received: bytes, word: str) -> None:
    assert recognise(received) == word


@given(st.binary(max_size=80))
def test_any_bytes_are_put_into_visible_words(received: bytes) -> None:
    word = recognise(received)
    assert word
    assert visible(word) == word
    assert "\n" not in word
