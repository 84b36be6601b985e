"""The way out of a question that cannot be asked.

Owns the one exception that carries an answer up to whoever was asked.
"""

from __future__ import annotations

from wizard.host.questions import NotAnswered


class Unasked(Exception):  # noqa: N818 - not an error of the program: the question cannot be asked
    """A question that cannot be asked; carries the answer that says why."""

    def __init__(self, answer: NotAnswered) -> None:
        super().__init__(answer.detail)
        self.answer = answer
