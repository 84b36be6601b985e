from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.services.fakes import NOW, process
from wizard.host.questions import Process
from wizard.services.mentions import Endpoint
from wizard.services.phpfpm import Fpm, master_of, pool_of, read_sections

TEXT = """; the shop
[global]
error_log = "/var/log/php-fpm.log" ; here
[shop]
listen = /var/run/php/$pool.sock
pm.max_children = 5
;pm.max_children = 50
[api]
listen = 9001
"""


def fpm() -> Fpm:
    return Fpm(read_sections(TEXT, "/etc/php-fpm.conf"), process(1, "php-fpm"))


def test_sections_and_their_settings() -> None:
    found = fpm()
    assert found.log == "/var/log/php-fpm.log"
    assert [pool.name for pool in found.pools] == ["shop", "api"]
    setting = found.pools[0].find("pm.max_children")
    assert setting is not None
    assert (setting.value, setting.line) == ("5", 6)


def test_the_pool_that_listens_on_an_endpoint() -> None:
    shop = fpm().pool_at(Endpoint(path="/run/php/shop.sock"))
    api = fpm().pool_at(Endpoint("127.0.0.1", 9001))
    assert shop is not None
    assert api is not None
    assert (shop.name, api.name) == ("shop", "api")
    assert fpm().pool_at(Endpoint("127.0.0.1", 9002)) is None


def test_titles_tell_master_and_pool() -> None:
    def titled(pid: int, parent: int, title: str) -> Process:
        return Process(pid, parent, "php-fpm8.2", (title,), 0, 0, NOW, "S")

    master = titled(5, 1, "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)")
    child = titled(6, 5, "php-fpm: pool shop")
    assert master_of(child, [master, child]) is master
    assert (pool_of(child), pool_of(master)) == ("shop", None)
    assert master_of(process(9, "/usr/bin/python3 -m shop"), [master]) is None


@given(st.text(alphabet="[]=;\"' \n$ab1/.", max_size=300))
def test_any_text_is_read(text: str) -> None:
    lines = text.splitlines()
    for section in read_sections(text, "/x"):
        assert all(lines[line.line - 1] == line.raw for line in section.lines)
