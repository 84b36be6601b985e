"""Loads one nginx configuration through the live host, and does nothing else: `load_config.py FILE`."""

from __future__ import annotations

import asyncio
import sys

from wizard.gateways.nginx.load import load
from wizard.host.live.host import LiveHost
from wizard.model import Instance


async def main(path: str) -> int:
    """Loads it; 0 where it is whole."""
    found = await load(LiveHost(), Instance("nginx", None, path))
    return 1 if found.problems else 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main(sys.argv[1])))
