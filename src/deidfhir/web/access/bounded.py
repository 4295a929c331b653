"""Answers about tokens: small ones, whatever is sent in their place."""

from __future__ import annotations

from io import BytesIO

import requests

_MOST = 1024 * 1024
_CHUNK = 64 * 1024


class TooLargeError(ValueError):
    """An answer has more bytes than one about tokens may have."""


def read(answer: requests.Response) -> requests.Response:
    """Return an answer with its body, which was not read before.

    Args:
        answer: Asked for with `stream=True`.

    Raises:
        TooLargeError: The body is too large.
    """
    content = bytearray()
    with answer:
        for chunk in answer.iter_content(_CHUNK):
            content += chunk
            if len(content) > _MOST:
                raise TooLargeError
    whole = requests.Response()
    whole.status_code, whole.headers, whole.url = answer.status_code, answer.headers, answer.url
    whole.encoding, whole.reason, whole.raw = answer.encoding, answer.reason, BytesIO(content)
    return whole
