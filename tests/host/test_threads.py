from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from wizard.host.threads import Pool


def hang_until(event: threading.Event) -> Callable[[], str]:
    def call() -> str:
        event.wait(30)
        return "late"

    return call


def test_results_and_errors_come_back() -> None:
    async def scenario() -> None:
        pool = Pool()
        assert await pool.call(lambda: 42) == 42
        with pytest.raises(ZeroDivisionError):
            await pool.call(lambda: 1 // 0)

    asyncio.run(scenario())


def test_threads_are_used_again_and_are_daemons() -> None:
    async def scenario() -> set[str]:
        pool = Pool()
        names = set()
        for _ in range(20):
            names.add(await pool.call(lambda: threading.current_thread().name))
            assert await pool.call(lambda: threading.current_thread().daemon)
            await asyncio.sleep(0.002)
        return names

    assert len(asyncio.run(scenario())) < 5


def test_calls_that_hang_do_not_hold_the_others() -> None:
    release = threading.Event()

    async def scenario() -> None:
        pool = Pool()
        hanging = [asyncio.create_task(pool.call(hang_until(release))) for _ in range(30)]
        await asyncio.sleep(0.01)
        assert await pool.call(lambda: "quick") == "quick"
        for task in hanging:
            task.cancel()
        results = await asyncio.gather(*hanging, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in results)

    asyncio.run(scenario())
    release.set()


def test_a_full_pool_makes_wait_and_goes_on() -> None:
    release = threading.Event()

    async def scenario() -> None:
        pool = Pool(most=2)
        hanging = [asyncio.create_task(pool.call(hang_until(release))) for _ in range(2)]
        await asyncio.sleep(0.01)
        waiting = asyncio.create_task(pool.call(lambda: "at last"))
        done, _ = await asyncio.wait([waiting], timeout=0.05)
        assert not done
        release.set()
        assert await waiting == "at last"
        assert await asyncio.gather(*hanging) == ["late", "late"]

    asyncio.run(scenario())


def test_the_program_ends_while_a_call_still_hangs() -> None:
    script = (
        "import asyncio, time\n"
        "from wizard.host.threads import in_thread\n"
        "async def main():\n"
        "    try:\n"
        "        await asyncio.wait_for(in_thread(lambda: time.sleep(3600)), 0.05)\n"
        "    except TimeoutError:\n"
        "        print('given up')\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("given up\n", "")
