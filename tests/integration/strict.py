"""A relay to a real server that refuses what a test says, as one does that asks for permission."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

from tests.integration.fake import outcome
from tests.integration.gate import answered
from tests.integration.listener import Sent
from tests.integration.relay import Relay


class Strict(Relay):
    """Refuses what a rule refuses: with an HTTP status, and words that must not be repeated."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.rule: Callable[[Sent], int] = lambda _: 0

    def answer(self, request: BaseHTTPRequestHandler, sent: Sent, content: bytes) -> None:
        """Refuse, or pass on."""
        status = self.rule(sent)
        if status:
            answered(request, status, outcome("PLANTED", "business-rule"))
        else:
            super().answer(request, sent, content)
