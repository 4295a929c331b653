"""Transactions to a FHIR server: every entry of the answer checked, settled where it is lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from itertools import count

from deidfhir.errors import FatalError
from deidfhir.fhir.types import JsonObject, reference
from deidfhir.sync.addressing import Addressing
from deidfhir.sync.comparing import stands
from deidfhir.sync.reading import Reader
from deidfhir.sync.settling import settled
from deidfhir.web.outcome import Rejected, objects, written
from deidfhir.web.timing import Term
from deidfhir.web.transport import Transport, Unsettled


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes to one base URL, in whichever thread.

    Args:
        transport: Speaks to it.
        reader: Reads from it.
        addressing: Knows where resources of ours are.
        headers: Of every write.
    """

    transport: Transport
    reader: Reader
    addressing: Addressing
    headers: Mapping[str, str]

    def write(
        self, puts: list[JsonObject], deletes: list[str], versions: Mapping[str, str]
    ) -> list[str]:
        """Put resources and delete references in one transaction; return what came of the puts.

        Args:
            puts: Resources with our ids.
            deletes: Our references.
            versions: Our reference → the versionId that the server must still hold.

        Raises:
            Rejected: The server refuses the transaction for good; nothing was written.
        """
        tries = count()

        def send(term: Term) -> list[str]:
            entries = self.addressing.entries(puts, deletes, versions)
            try:
                answers = self._answers(entries, term, next(tries))
            except FatalError as error:
                if error.code == "unauthorised" and deletes:
                    # Whoever may write may not be let delete; the puts alone will tell.
                    raise Rejected(HTTPStatus.FORBIDDEN, "") from error
                raise
            except Unsettled as unsettled:
                if not any(one["request"]["method"] == "POST" for one in entries):
                    raise
                # The server may still be at it, and a second one would double what it makes.
                outcomes = self._found(puts, deletes)
                if outcomes is None:
                    raise unsettled.reason from None
                return outcomes
            self.addressing.answered(puts, deletes, answers)
            return [written(one["response"]) for one in answers[: len(puts)]]

        return settled(
            send,
            lambda: self._found(puts, deletes),
            self.transport.clock,
            self.transport.timeout,
        )

    def _answers(self, entries: list[JsonObject], term: Term, before: int) -> list[JsonObject]:
        """Send a transaction; return the entries of its answer, each with a response."""
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        answer = self.transport.send(
            "POST", body=bundle, headers=self.headers, settling=term, before=before
        )
        back = objects(answer.body.get("entry"))
        responses = [one for entry in back for one in objects([entry.get("response")])]
        if not len(responses) == len(back) == len(entries) or not all(
            str(one.get("status", "")).startswith("2") for one in responses
        ):
            raise Unsettled(self.reader.unexpected("entries do not match"), bounded=True)
        return back

    def _found(self, puts: list[JsonObject], deletes: list[str]) -> list[str] | None:
        """Return what came of a transaction of which the server holds all, else None."""
        held = self._held(reference(one) for one in puts)
        if not all(stands(one, held.get(reference(one))) for one in puts) or self._held(deletes):
            return None
        first = [held[reference(one)].get("meta", {}).get("versionId") == "1" for one in puts]
        return ["created" if one else "updated" for one in first]

    def _held(self, names: Iterable[str]) -> dict[str, JsonObject]:
        wanted: dict[str, list[str]] = {}
        for name in names:
            kind, _, identity = name.partition("/")
            wanted.setdefault(kind, []).append(identity)
        return {
            f"{kind}/{identity}": one
            for kind, ids in wanted.items()
            for identity, one in self.addressing.read(kind, ids).items()
        }
