"""What the HTTP library logs of our requests: their paths, nothing of what they ask for."""

from __future__ import annotations

import logging

_STUDIES = "/studies/"
_LOGGERS = ("urllib3.connectionpool", "urllib3.util.retry")


class _WithoutQueries(logging.Filter):
    """Cuts the query off every address, and the UIDs of DICOMweb: they may be of any study."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, without queries."""
        if isinstance(record.args, tuple):
            record.args = tuple(_bare(one) if isinstance(one, str) else one for one in record.args)
        return True


def _bare(text: str) -> str:
    """Return an address without its query, and without what follows `studies` in its path."""
    path = text.partition("?")[0]
    before, studies, rest = path.partition(_STUDIES)
    return before + studies.rstrip("/") if rest else path


_FILTER = _WithoutQueries()


def keep_queries_out_of_logs() -> None:
    """Let the HTTP library log no query, whoever asked it to log; once is enough."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
