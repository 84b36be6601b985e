from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.host.allowed import ANYWHERE, SEARCH_PATH, Need, Permit, Refusal, permit

PERMITTED: list[tuple[str, tuple[Need, ...]]] = [
    ("systemctl show nginx.service", ()),
    ("systemctl show -p ActiveState,SubState --no-pager php8.2-fpm.service app@1.service", ()),
    ("systemctl show --property=MainPID --value dev-disk\\x2dby.mount", ()),
    ("systemctl list-units --type=service --all --plain --no-legend --no-pager", ()),
    ("systemctl list-unit-files --no-ask-password", ()),
    ("systemctl cat nginx.service", ()),
    ("systemctl is-system-running", ()),
    ("journalctl -u app.service -n 200 -o json --no-pager", ()),
    ("journalctl --unit=app.service --lines=200 --output=short-iso", ()),
    ("journalctl -k -b --since=-15min --grep=oom", ()),
    ("journalctl _PID=12 + _SYSTEMD_UNIT=app.service -q", ()),
    ("journalctl --boot=-1 -p err..alert", ()),
    ("ss -Hlntp", (Need.TCP_DIAG,)),
    ("ss -Hlxp", (Need.UNIX_DIAG,)),
    ("ss -tunap", (Need.TCP_DIAG, Need.UDP_DIAG)),
    ("ss -tan state syn-sent", (Need.TCP_DIAG,)),
    ("ss -tan dst 192.0.2.1:443", (Need.TCP_DIAG,)),
    ("ss -tan dst [2001:db8::1]:443", (Need.TCP_DIAG,)),
    ("ss -ltn ( sport = :80 or sport = :443 )", (Need.TCP_DIAG,)),
    ("ss -s", ()),
    ("ip addr", ()),
    ("ip -j addr show", ()),
    ("ip -j -d link list", ()),
    ("ip -6 route show table all", ()),
    ("ip route get 192.0.2.1", ()),
    ("ip -j route get 2001:db8::1 from 2001:db8::2 uid 33", ()),
    ("ip rule", ()),
    ("nft list ruleset", (Need.NF_TABLES,)),
    ("nft -j -a list ruleset inet", (Need.NF_TABLES,)),
    ("nft -nn list chain inet filter input", (Need.NF_TABLES,)),
    ("iptables-save", (Need.IPTABLES_KIND,)),
    ("iptables-save -c -t nat", (Need.IPTABLES_KIND,)),
    ("ip6tables-save -c", (Need.IP6TABLES_KIND,)),
    ("iptables-legacy-save", (Need.IP_TABLES,)),
    ("ip6tables-nft-save", (Need.NF_TABLES,)),
    ("getent ahosts app.internal", ()),
    ("getent hosts 192.0.2.1", ()),
    ("getent passwd www-data", ()),
    ("getent group 33", ()),
    ("namei -l /run/app/app.sock", ()),
    ("df -Pk /var/lib/nginx/body", ()),
    ("uname -a", ()),
    ("nginx -V", ()),
    ("/usr/sbin/nginx -v", ()),
    ("/opt/nginx/sbin/nginx -V", ()),
    ("openresty -V", ()),
    ("getenforce", ()),
    ("getsebool -a", ()),
    ("getsebool httpd_can_network_connect", ()),
    ("dpkg-query -S /usr/sbin/nginx", ()),
    ("rpm -qf /usr/sbin/nginx", ()),
    ("loginctl show-user deploy -p Linger --no-pager", (Need.LOGIND,)),
]

REFUSED = [
    "",
    "rm -rf /",
    "sh -c id",
    "/tmp/ss -t",
    "./nginx -V",
    "../nginx -V",
    "sbin/nginx -V",
    "nginx",
    "nginx -t",
    "nginx -T",
    "nginx -s reload",
    "nginx -V -t",
    "nginx -Vt",
    "nginx -v -c /tmp/x",
    "systemctl",
    "systemctl status nginx",
    "systemctl restart nginx",
    "systemctl reload nginx",
    "systemctl start nginx show",
    "systemctl daemon-reload",
    "systemctl show -H other nginx",
    "systemctl -M box show nginx",
    "systemctl --root=/mnt cat nginx",
    "systemctl --image=/x.img cat nginx",
    "systemctl edit nginx",
    "systemctl kill nginx",
    "systemctl set-property nginx CPUQuota=1%",
    "systemctl show -- --help",
    "journalctl -f",
    "journalctl --follow",
    "journalctl --vacuum-time=1s",
    "journalctl --vacuum-t=1s",
    "journalctl --vacuum-size=1",
    "journalctl --rotate",
    "journalctl --rot",
    "journalctl --flush",
    "journalctl --sync",
    "journalctl --update-catalog",
    "journalctl --setup-keys",
    "journalctl --relinquish-var",
    "journalctl --smart-relinquish-var",
    "journalctl -D /var/log/journal",
    "journalctl --file=/etc/shadow",
    "journalctl --root=/",
    "journalctl --cursor-file=/etc/passwd",
    "journalctl /dev/sda",
    "journalctl -u",
    "journalctl -u --rotate",
    "journalctl -u app.service --header-x",
    "journalctl -kf",
    "ss",
    "ss -K -t dst 192.0.2.1",
    "ss -tK",
    "ss --kill -t",
    "ss -t -D /tmp/dump",
    "ss -t -F /etc/shadow",
    "ss -t -N other",
    "ss -ltE",
    "ss -a",
    "ss -ltw",
    "ss -tr",
    "ss -t dst app.internal",
    "ss -t dst cafe.de",
    "ip",
    "ip addr add 192.0.2.1/32",
    "ip addr del 192.0.2.1",
    "ip addr flush",
    "ip link set lo down",
    "ip -batch /tmp/x",
    "ip -b /tmp/x",
    "ip -n other addr",
    "ip netns exec other sh",
    "ip route add default via 192.0.2.1",
    "ip route get",
    "ip route show dev sit0",
    "ip link show dev sit0",
    "ip link show sit0",
    "ip tunnel show",
    "ip xfrm state",
    "ip addr show save",
    "ip addr save",
    "nft",
    "nft -f /tmp/x",
    "nft -i",
    "nft flush ruleset",
    "nft add table inet x",
    "nft list",
    "nft list ruleset;",
    "nft -c list ruleset",
    "nft reset counters",
    "iptables -L",
    "iptables -nvL",
    "iptables-save -M /tmp/x",
    "iptables-save --modprobe=/tmp/x",
    "iptables-save -f /etc/x",
    "iptables-save -t nat;",
    "iptables-restore",
    "getent",
    "getent passwd",
    "getent shadow root",
    "getent -s sss passwd root",
    "getent hosts -i",
    "namei /run",
    "df /run",
    "namei -l run",
    "namei -l /a /b",
    "uname --help",
    "getenforce now",
    "setenforce 0",
    "setsebool x on",
    "getsebool",
    "dpkg-query -W",
    "dpkg-query -S nginx",
    "rpm -e nginx",
    "rpm -qf nginx",
    "loginctl",
    "loginctl show-user",
    "loginctl enable-linger deploy",
    "loginctl terminate-user deploy",
    "hostnamectl",
    "docker ps",
    "pm2 jlist",
    "apachectl -t",
    "haproxy -c",
]


@pytest.mark.parametrize(("line", "needs"), PERMITTED)
def test_reading_commands_are_permitted(line: str, needs: tuple[Need, ...]) -> None:
    argv = tuple(line.split())
    assert permit(argv) == Permit(argv[0], needs)


@pytest.mark.parametrize("line", REFUSED)
def test_everything_else_is_refused(line: str) -> None:
    answer = permit(tuple(line.split()))
    assert isinstance(answer, Refusal)
    assert answer.because


@pytest.mark.parametrize(
    "argv",
    [
        ("nft", "list", "ruleset; flush ruleset"),
        ("nft", "list", "table", "inet", "x\nflush ruleset"),
        ("nft", "list ruleset"),
        ("systemctl", "show", "nginx.service\nrestart"),
        ("journalctl", "-u", "a\0b"),
        ("namei", "-l", "/run\n/etc"),
        ("getent", "hosts", "name\n"),
        ("ss", "-t", ""),
        ("", "x"),
        ("/", "x"),
        ("/tmp\n/nginx", "-V"),
    ],
)
def test_words_cannot_smuggle_a_second_command(argv: tuple[str, ...]) -> None:
    assert isinstance(permit(argv), Refusal)


CHANGING = {
    "--vacuum-time=1s", "--vacuum-size=1", "--vacuum-files=1", "--rotate", "--flush", "--sync", "--update-catalog",
    "--setup-keys", "--relinquish-var", "--cursor-file=/etc/x", "-f", "--follow", "-K", "--kill", "-D", "-F", "-E",
    "--events", "-batch", "-b/tmp/x", "--root=/x", "--image=/x", "-H", "-M", "--modprobe=/x", "-n=x", "-i", "-t/x",
    "restart", "reload", "stop", "start", "kill", "set", "add", "del", "delete", "flush", "replace", "save", "exec",
    "; flush ruleset", "`id`", "$(id)", "| sh", "> /etc/passwd",
}  # fmt: skip
# What is harmless all the same: as another option of that name, as a value (`-u stop`), as the name of a unit or a key.
OPTIONS = {("ss", "-H"), ("ss", "-i"), ("uname", "-i")}
TAKES_NAMES = {"systemctl", "getent", "journalctl", "nft", "getsebool", "loginctl"}


@pytest.mark.parametrize("line", [line for line, _ in PERMITTED])
def test_a_changing_word_in_any_place_spoils_a_permitted_command(line: str) -> None:
    argv = line.split()
    passed = {
        word
        for word in CHANGING
        for place in range(1, len(argv) + 1)
        if isinstance(permit((*argv[:place], word, *argv[place:])), Permit)
    }
    names = {word for word in passed if argv[0] in TAKES_NAMES and word.isalpha()}
    assert {(argv[0], word) for word in passed - names} <= OPTIONS


WORDS = st.one_of(
    st.sampled_from(sorted({word for line, _ in PERMITTED for word in line.split()[1:]} | CHANGING)),
    st.text(max_size=12),
)


@settings(max_examples=500)
@given(st.sampled_from(sorted({line.split()[0] for line, _ in PERMITTED})), st.lists(WORDS, max_size=5))
def test_no_permitted_argv_has_a_control_character_or_a_relative_program(program: str, words: list[str]) -> None:
    answer = permit((program, *words))
    if isinstance(answer, Permit):
        assert answer.program == program
        assert not any(ord(one) < 32 for word in words for one in word)


@given(st.lists(st.text(max_size=20), max_size=6))
def test_any_text_is_decided_without_an_error(words: list[str]) -> None:
    answer = permit(words)
    if isinstance(answer, Permit):
        folder, _, name = words[0].rpartition("/")
        assert not folder or folder in SEARCH_PATH or name in ANYWHERE
