"""What a keyboard or a paste may send: any bytes.

Owns one correction of Textual: its input thread reads UTF-8 strictly, so that one key of a terminal in another encoding
(or a paste of a binary file) would end all input. What is no UTF-8 is read as U+FFFD instead.
"""

from __future__ import annotations

from codecs import IncrementalDecoder, getincrementaldecoder

from textual.drivers import linux_driver


def read_any_bytes() -> None:
    """Let Textual's input thread read any bytes; to be called before an app runs."""
    setattr(linux_driver, "getincrementaldecoder", _replacing)  # noqa: B010 - it is not theirs to export


def _replacing(encoding: str) -> type[IncrementalDecoder]:
    strict = getincrementaldecoder(encoding)

    class Replacing(strict):  # type: ignore[misc,valid-type]
        """Replaces what it cannot read."""

        def __init__(self) -> None:
            super().__init__("replace")

    return Replacing
