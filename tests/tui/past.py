"""The small machine with a past: a service that was deployed, restarted and failed before nginx met it."""

from __future__ import annotations

import json

from tests.tui.fake import NOW, FakeHost, Story, sits
from wizard.host.questions import FileStat, Ran, Run, Stat
from wizard.session.session import Session
from wizard.tui.app import WizardApp
from wizard.tui.doors import Doors
from wizard.walk.plan import Target

UNIT = "shop.service"
FRAGMENT = "/etc/systemd/system/shop.service"
BEGAN = NOW - 28  # the second of the first error in the log
SHOW = (
    f"Id={UNIT}\nNames={UNIT}\nLoadState=loaded\nActiveState=failed\nSubState=failed\nFragmentPath={FRAGMENT}\n"
    "ExecStart={ path=/usr/bin/python3 ; argv[]=/usr/bin/python3 /opt/shop/server.py ; ignore_errors=no }\n"
)
SAID = (
    (BEGAN - 3.0, 1, "Stopping shop.service - Shop..."),
    (BEGAN - 2.9, 1, "Stopped shop.service - Shop."),
    (BEGAN - 2.8, 1, "Started shop.service - Shop."),
    (BEGAN - 1.2, 77, "Traceback (most recent call last):"),
    (BEGAN - 1.1, 77, "ModuleNotFoundError: No module named 'shop_settings'"),
    (BEGAN - 1.0, 1, "shop.service: Main process exited, code=exited, status=1/FAILURE"),
    (BEGAN - 0.9, 1, "shop.service: Failed with result 'exit-code'."),
)


class PastHost(FakeHost):
    """Answers what is asked about the time before; one text of the journal and one path can be replaced."""

    words = SAID[4][2]
    script = "/opt/shop/server.py"

    def _answer(self, question: object) -> object:
        match question:
            case Stat(path="/run/systemd/system"):
                return FileStat("/run/systemd/system", "dir", 0o755, 0, 0, 40, NOW - 400000, 1)
            case Stat(path=path) if path in {FRAGMENT, self.script}:
                return FileStat(path, "file", 0o644, 0, 0, 10, BEGAN - 40, 2)
            case Run(argv=("systemctl", "show", *_)):
                return Ran(0, SHOW.replace("/opt/shop/server.py", self.script).encode("utf-8", "surrogateescape"), b"")
            case Run(argv=("journalctl", "-u", unit, *_)) if unit == UNIT:
                return Ran(0, b"\n".join(reversed(self._journal())), b"")
            case _:
                return FakeHost._answer(self, question)

    def _journal(self) -> list[bytes]:
        lines = []
        for at, pid, said in SAID:
            message = self.words if said == SAID[4][2] else said
            entry = {"__REALTIME_TIMESTAMP": str(int(at * 1e6)), "MESSAGE": message, "_PID": str(pid), "PRIORITY": "6"}
            lines.append(json.dumps(entry | ({"UNIT": UNIT} if pid == 1 else {"_SYSTEMD_UNIT": UNIT})).encode())
        return lines


def past_app(host: FakeHost | None = None, story: Story | None = None) -> WizardApp:
    """The wizard on that machine, whose present is always the same."""
    make = sits(host or PastHost(), story or Story(), replayed=Session("past", NOW, "0"))
    return WizardApp(Doors(make), Target(url="http://shop.example/cart"), environment={"TERM": "xterm-256color"})
