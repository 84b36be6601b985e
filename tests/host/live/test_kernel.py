from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.host.live.places import as_nobody, needs_root
from wizard.host.allowed import Need
from wizard.host.live.kernel import kernel, objection
from wizard.host.questions import Why


def write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def modular(tmp_path: Path) -> Path:
    """A host whose kernel loads modules: nf_tables is loaded, unix_diag built in, ip_tables neither."""
    write(tmp_path / "proc/modules", "nf_tables 303104 2 nft_ct, Live 0x0\nnfnetlink 20480 2 nf_tables, Live 0x0\n")
    write(tmp_path / "proc/sys/kernel/modules_disabled", "0\n")
    write(
        tmp_path / "lib/modules" / os.uname().release / "modules.builtin",
        "kernel/net/unix/unix-diag.ko\nkernel/net/ipv4/inet_diag.ko\n",
    )
    (tmp_path / "sys/module/udp_diag").mkdir(parents=True)
    return tmp_path


def test_loaded_and_built_in_parts_may_be_asked(modular: Path) -> None:
    found = kernel(modular)
    assert found.loads_modules
    assert found.may_ask("nf_tables")
    assert found.may_ask("unix_diag")
    assert found.may_ask("udp_diag")
    assert not found.may_ask("tcp_diag")


def test_a_kernel_that_loads_nothing_may_be_asked_everything(tmp_path: Path) -> None:
    assert kernel(tmp_path).may_ask("tcp_diag")


def test_a_kernel_whose_modules_are_locked_may_be_asked_everything(modular: Path) -> None:
    write(modular / "proc/sys/kernel/modules_disabled", "1\n")
    assert kernel(modular).may_ask("tcp_diag")


@pytest.mark.parametrize(
    ("need", "program", "expected"),
    [
        (Need.NF_TABLES, "/usr/sbin/nft", None),
        (Need.TCP_DIAG, "/usr/bin/ss", Need.TCP_DIAG),
        (Need.UNIX_DIAG, "/usr/bin/ss", None),
        (Need.IPTABLES_KIND, "/usr/sbin/xtables-nft-multi", None),
        (Need.IPTABLES_KIND, "/usr/sbin/xtables-legacy-multi", Need.IP_TABLES),
        (Need.IP6TABLES_KIND, "/usr/sbin/xtables-multi", Need.IP6_TABLES),
        (Need.LOGIND, "/usr/bin/loginctl", Need.LOGIND),
    ],
)
def test_what_a_command_needs_is_looked_up(modular: Path, need: Need, program: str, expected: Need | None) -> None:
    answer = objection((need,), program, modular)
    if expected is None:
        assert answer is None
    else:
        assert answer is not None
        assert answer.why is Why.REFUSED
        assert str(expected) in answer.detail


def test_legacy_tables_count_only_where_some_are_in_use(modular: Path) -> None:
    names = modular / "proc/net/ip_tables_names"
    write(names, "")
    answer = objection((Need.IP_TABLES,), "iptables-legacy-save", modular)
    assert answer is not None
    assert answer.why is Why.REFUSED
    write(names, "filter\n")
    assert objection((Need.IP_TABLES,), "iptables-legacy-save", modular) is None


@needs_root
def test_tables_that_only_root_may_see_are_denied_and_not_absent() -> None:
    names = Path("/proc/net/ip_tables_names")
    if not names.exists():
        pytest.skip("this kernel has no legacy tables")
    answer = as_nobody(lambda: objection((Need.IP_TABLES,), "iptables-legacy-save"))
    assert answer is not None
    assert answer.why is (Why.DENIED if names.stat().st_mode & 0o004 == 0 else Why.REFUSED)


def test_where_built_in_parts_are_not_listed_nothing_is_claimed(modular: Path) -> None:
    (modular / "lib/modules" / os.uname().release / "modules.builtin").unlink()
    answer = objection((Need.UNIX_DIAG,), "ss", modular)
    assert answer is not None
    assert answer.why is Why.FAILED
    assert objection((Need.NF_TABLES,), "nft", modular) is None


def test_logind_counts_where_it_has_been_started(modular: Path) -> None:
    (modular / "run/systemd/seats").mkdir(parents=True)
    assert objection((Need.LOGIND,), "loginctl", modular) is None
