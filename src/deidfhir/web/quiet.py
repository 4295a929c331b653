"""What the HTTP library logs of our requests: their paths, and nothing of what they ask for."""

from __future__ import annotations

import logging

_LOGGERS = ("urllib3.connectionpool", "urllib3.util.retry")


class _WithoutQueries(logging.Filter):
    """Cuts the query off every address: a search for a study holds its UID."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, without queries."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                one.partition("?")[0] if isinstance(one, str) else one for one in record.args
            )
        return True


_FILTER = _WithoutQueries()


def keep_queries_out_of_logs() -> None:
    """Let the HTTP library log no query, whoever asked it to log; once is enough."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
