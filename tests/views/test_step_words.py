"""The words of the trail: one phrase for each outcome of each check, that fits and claims no more than was observed."""

from __future__ import annotations

import pytest

from wizard.checks.all import CHECKS
from wizard.checks.registry import UNKNOWN
from wizard.text import cells
from wizard.views.step_words import LONGEST, PHRASES, step_words

PAIRS = sorted((name, word) for name, check in CHECKS.items() for word in check.outcomes if word != UNKNOWN)


@pytest.mark.parametrize(("check", "outcome"), PAIRS)
def test_each_outcome_has_a_phrase_that_fits(check: str, outcome: str) -> None:
    phrase = PHRASES[check][outcome]
    assert 0 < cells(phrase) <= LONGEST
    assert step_words(check, outcome) == phrase


def test_there_is_no_phrase_for_what_no_check_declares() -> None:
    assert {(check, outcome) for check, said in PHRASES.items() for outcome in said} == set(PAIRS)


@pytest.mark.parametrize("word", ["healthy", "fixed", "fine ", "good", "!"])
def test_no_phrase_praises(word: str) -> None:
    assert not [said for phrases in PHRASES.values() for said in phrases.values() if word in said and "now" not in said]


def test_what_is_not_known_is_said() -> None:
    assert step_words("packet-path", UNKNOWN) == "packet path: could not tell"


def test_a_step_of_a_persons_own_flow_has_its_own_name() -> None:
    assert step_words("disk", "succeeded") == "disk: succeeded"
    assert step_words("disk", "") == "disk"


def test_foreign_words_pass_the_door() -> None:
    assert "\x1b" not in step_words("a\x1b[31m", "b\x1b]0;x\x07")
