"""Taking one directive out of its line."""

from __future__ import annotations

import pytest

from wizard.checks.edits import cut
from wizard.gateways.nginx.tree import Configuration
from wizard.host.questions import FileRead
from wizard.model import Place


def taken_out(line: str, name: str = "return") -> str | None:
    read = FileRead("/f", line.encode(), "/f", 0.0)
    edit = cut(Configuration("/f", "/", "/", [], {"/f": read}), Place("/f", 1), name)
    return edit.after if edit else None


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("    return 503;", "    # return 503;"),
        ("return 503; # closed", "# return 503; # closed"),
        ("if ($x) { return 503; }", "if ($x) { }"),
        ('return 503 "later; again";', '# return 503 "later; again";'),
        ("return 503", None),
        ("returned 503;", None),
        ("return 503 }", None),
    ],
)
def test_a_directive_alone_becomes_a_comment_and_one_among_others_goes(line: str, after: str | None) -> None:
    assert taken_out(line) == after
