from __future__ import annotations

import pytest

from wizard.services.names import hints_of_path, is_core, likeness


@pytest.mark.parametrize(
    ("unit", "hint", "expected"),
    [
        ("shop.service", "shop", 2),
        ("shop.service", "shop_app", 2),
        ("shop-backend.service", "shop.example.com", 2),
        ("shop@8000.service", "shop", 2),
        ("app.service", "app", 2),
        ("php8.2-fpm.service", "php8.1-fpm", 2),
        ("shop-worker.service", "shop", 1),
        ("blog.service", "shop", 0),
        ("b1.service", "b2", 0),
        ("app1.service", "app2", 0),
        ("api-server.service", "backend", 0),
        ("web.service", "www.example.com", 0),
        ("shop.service", "", 0),
    ],
)
def test_names_are_compared_by_their_telling_words(unit: str, hint: str, expected: int) -> None:
    assert likeness(unit, hint) == expected


def test_a_socket_path_carries_two_names() -> None:
    assert hints_of_path("/run/shop/app.sock") == ("app", "shop")
    assert hints_of_path("/run/shop.socket") == ("shop", "run")


def test_services_of_the_system_are_known() -> None:
    assert is_core("systemd-journald.service")
    assert is_core("ssh.service")
    assert not is_core("shop.service")
    assert not is_core("php8.2-fpm.service")
