"""Hostile text in every place at once, through every screen, byte by byte in a pseudo-terminal.

What the program sends is taken apart: only the sequences that the screens are drawn with may be in it, and no other
character that a terminal acts on or an eye would miss.
"""

from __future__ import annotations

import re

import pytest

from tests.payloads import PAYLOADS
from tests.tui.pseudo import ENTER_ALTERNATE, terminal

NAMES = [name for name in sorted(PAYLOADS) if name != "only-newlines"]
CROWDS = [NAMES[start : start + 14] for start in range(0, len(NAMES), 14)]

PROGRAM = """
import os, sys
from wizard.tui.start import prepare
prepare(os.environ)
from tests.payloads import PAYLOADS
from tests.tui.fake import CONFIG, LOG, NOW, STOPPED, FakeHost, Story, library
from wizard.checks.registry import Finding, Gap
from wizard.flow.language import Flow
from wizard.host.recording import RecordingHost
from wizard.tui.start import start
from wizard.walk.outside import Incident, Interrupted, Outside
from wizard.walk.runner import Options

payload = b" ".join(PAYLOADS[name][:60] for name in sys.argv[1:])
text = payload.decode("utf-8", "surrogateescape")
quoted = payload.replace(b"\\\\", b"").replace(b'"', b"").replace(b"\\0", b"").replace(b"\\n", b"").replace(b"$", b"")
word = bytes(one for one in quoted if one not in b" ;{}'\\t\\r#")
config = CONFIG.replace(b"server_name shop.example", b'server_name shop.example "' + word + b'"')
config = config.replace(b"shop_app", b'"pool' + word + b'"', 1).replace(b"http://shop_app", b'"http://pool' + word + b'"')
config = config.replace(b"location / {", b'location "/' + word + b'" {')
config = config.replace(b"server 127.0.0.1:8000;", b'server 127.0.0.1:8000; server "unix:/run/' + word + b'";')
line = payload.replace(b"\\n", b" ")
log = (
    b"2026/11/23 14:07:09 [error] 813#813: *1 connect() failed (111: " + line + b") while connecting to upstream,"
    b" client: 198.51.100.7, server: " + line + b', request: "GET /' + line + b' HTTP/1.1", upstream: "http://'
    + line + b'/cart", host: "' + line + b'"\\n'
)
findings = {
    check: Finding(
        one.outcome, text, {**one.values, "unit": text}, (Gap(text, text, text),), f"cat {text}"
    )
    for check, one in STOPPED.items()
}
story = Story(findings)
host = RecordingHost(FakeHost(config=config, log=log + LOG.encode() + line + b"\\n", hostname=text))
doors = Outside(
    incidents={"one": Incident("/nonexistent/" + text.replace("\\0", ""), text)},
    interrupted=lambda: Interrupted("/nonexistent/" + text.replace("\\0", ""), text, NOW - 9000),
)
raise SystemExit(start(host, library(), story.checks(), None, Options(), None, doors=doors))
"""

CSI = re.compile(rb"\x1b\[[0-9;:?<>=$]*[A-Za-z~]")
DRAWING = frozenset(b"mHhlup")  # colours, places, modes, and what the terminal is asked at the start
OSC_52 = re.compile(rb"\x1b\]52;c;[A-Za-z0-9+/=]*\x07")
ACTS = re.compile(
    "[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
TYPED = re.compile(rb"[\x00-\x1f\x7f]")  # these are keys when they are typed
PASTE = b"\x1b[200~", b"\x1b[201~"


def checked(written: bytes) -> str:
    """What was written besides the drawing, after it was found to hold nothing that acts."""
    for sequence in set(CSI.findall(written)):
        assert sequence[-1] in DRAWING, sequence
    rest = OSC_52.sub(b"", CSI.sub(b"", written))
    assert b"\x1b" not in rest, rest[max(0, rest.find(b"\x1b") - 40) :][:120]
    text = rest.decode("utf-8")  # whatever is no UTF-8 was spelled out
    found = ACTS.search(text)
    assert not found, ascii(text[max(0, found.start() - 40) :][:120])
    return text


@pytest.mark.slow
@pytest.mark.parametrize("names", CROWDS, ids=lambda names: names[0])
def test_no_payload_reaches_the_terminal_from_any_place(names: list[str]) -> None:
    pasted = b" ".join(PAYLOADS[name][:60] for name in names).replace(b"\x1b", b"")
    with terminal(*names, program=PROGRAM) as shown:
        shown.shows("or begin with what you know")
        for key in (b"i", b"o", b"/nonexistent/" + TYPED.sub(b"", pasted), b"\r"):
            shown.press(key)  # sessions that cannot be opened are named in a sentence
            shown.settles()
        for key in (b"d", b"\r", b"s", b"\x1b"):  # titles of incidents, and one that cannot be opened
            shown.press(key)
            shown.settles()
        shown.press(PASTE[0] + pasted + b"\n" + pasted + PASTE[1])
        shown.settles()
        for key in (b"\x1b", b"u", b"http://127.0.0.1/\r"):
            shown.press(key)
            shown.settles()
        shown.shows("The walk has ended")
        for key in (b"\x1b[H", b"\x1b[B", b"\x1b[B", b"\x1b[B", b"\x1b[B", b"f", b"\x1b", b"a", b"\x1b", b"o", b"\x1b"):
            shown.press(key)
            shown.settles()
        for key in (b"c", b"t", b"\x1b", b"l", b"\x1b", b":", b"\x1b", b"\r"):
            shown.press(key)
            shown.settles()
        for key in (b"1", b"\x1b", b"a", b"\x1b", b"\x1b[6~", b"\x1b[6~", b"\x1b[6~", b"x", b"C", b"?", b"\x1b"):
            shown.press(key)
            shown.settles()
        shown.press(b"\x11")
        assert shown.ends() in {0, 1, 2, 3}
        assert shown.restored()
        checked(bytes(shown.written))
        for name in names:
            for sequence in re.findall(rb"\x1b[^\x1b]{5,12}", PAYLOADS[name][:60]):
                own = 1 if sequence == ENTER_ALTERNATE else 0
                assert shown.written.count(sequence) == own, (name, sequence)
