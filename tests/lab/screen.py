"""The real program on a terminal in a guest: keys in, the screen out. The terminal is tmux, as on many servers.

Owns the terminal and patience. May not know a scenario.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.lab.guest import Guest, until
from tests.lab.stage import COMMAND

TMUX = "tmux -S /tmp/screen -f /dev/null"
PATIENCE = 30.0


class Screen:
    """A terminal of a guest with the wizard in it."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest

    def text(self) -> str:
        """What it shows now."""
        return self._guest.run(f"{TMUX} capture-pane -p", check=False).out

    def keys(self, *names: str) -> None:
        """Presses keys, by tmux's names."""
        self._guest.run(f"{TMUX} send-keys {' '.join(names)}")

    def types(self, line: str) -> None:
        """Types a line as it is, and Enter."""
        self._guest.run(["tmux", "-S", "/tmp/screen", "send-keys", "-l", line])
        self.keys("Enter")

    def shows(self, *texts: str) -> str:
        """Waits until all of the texts are shown, and gives the screen."""
        said: list[str] = []

        def there() -> bool:
            said[:] = [self.text()]
            return all(text in said[0] for text in texts)

        assert until(there, seconds=PATIENCE, every=0.15), f"{texts} are not shown:\n{said[0]}"
        return said[0]

    def saved_report(self, *, again: bool = False) -> dict[str, Any]:
        """Saves the report with its key (`again`: over the one before), and reads it where the screen says that it is."""
        self.keys("e")
        if again:
            self.shows("There is a file already", "Replace it")
            self.keys("Enter")
        said = re.sub(r"\s+", " ", self.shows("Saved, readable by you only:", ".json"))
        path = re.search(r"and (\S+\.json)", said)
        assert path is not None, said
        report: dict[str, Any] = json.loads(self._guest.read(path[1]))
        return report


@contextmanager
def wizard(guest: Guest, size: tuple[int, int] = (80, 24), *words: str) -> Iterator[Screen]:
    """The wizard in a terminal of a size, until the block ends."""
    command = " ".join([str(COMMAND), *words])
    guest.run(f"{TMUX} new-session -d -x {size[0]} -y {size[1]} '{command}; echo status $?; sleep 600'")
    try:
        yield Screen(guest)
    finally:
        guest.run(f"{TMUX} kill-server", check=False)
