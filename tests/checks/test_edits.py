from __future__ import annotations

import pytest

from wizard.checks.edits import _standing_alone


@pytest.mark.parametrize(
    ("line", "text", "place"),
    [
        ("proxy_pass https://127.0.0.1:8000;", "https://", 11),
        ("proxy_pass http://127.0.0.1:8000;", "127.0.0.1:8000", 18),
        ("server 127.0.0.1:80001;", "127.0.0.1:8000", None),
        ("server 10.127.0.0.1:8000;", "127.0.0.1:8000", None),
        ("server 127.0.0.1:80001; server 127.0.0.1:8000;", "127.0.0.1:8000", 31),
        ("proxy_read_timeout 10s;", "0s", None),
    ],
)
def test_where_a_text_stands_alone(line: str, text: str, place: int | None) -> None:
    assert _standing_alone(line, text) == place
