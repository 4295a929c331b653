"""Method texts that look like a person, an operator, a file, a host, a date or a batch (D7)."""

from __future__ import annotations

import time

import pytest

from deidfhir.model.telling import telling, unseen
from deidfhir.tables import table
from tests.synthetic.tool_texts import TOOLS

TELLING = {
    "text-like-person": [
        "DOE^JANE",
        "someone@example.org",
        "Anonimizado por Maria Beispiel - Casa",
        "Cleaned by Dr. Beispiel",
        "Beispiel, Maria",
        "Beispiel, Maria K.",
        "O'Beispiel, Mia",
        "^MIA",
        "BEISPIEL ^ MIA",
        "Patient: Mia Beispiel",
        "de-identified by M. Beispiel",
        "by MBEISPIEL",
        "Dr. med. Mia Beispiel",
    ],
    "text-like-operator": [
        "SAMI_SCRUB | OP:OPERATOR-1",
        "operator 7",
        "user: mb",
        "login_id=mb",
        "user mbeispiel",
        "UserID mb01",
        "OperatorID 17",
        "op=mb",
        "Bediener: mb",
    ],
    "text-like-file": [
        "BatchDeident with BATCH-7.xls",
        "/home/someone/deid/profile",
        "~/x/y",
        "cfg.ini",
        "report.pdf",
    ],
    "text-like-host": [
        "HOST-01.example.org",
        "run on node7.local",
        "from 192.168.1.20",
        "WS-0042",
        "DESKTOP-AB12CD",
        "134.76.10.4",
        "from 10.1.2.3",
    ],
    "text-like-institution": [
        "Hospital Beispiel",
        "H\u00d4PITAL BEISPIEL",
        "Klinikum am Berg",
        "Beispiel Medical Center",
        "Charit\u00e9",
    ],
    "text-like-batch": [
        "batch 12",
        "Job-ID: 77",
        "UUID:0f8fad5b-d9cb-469f-a165-70867728950e",
        "B-0012345",
        "4711007",
        "PatID 4711",
        "123-45-6789",
        "Run#17",
        "0f8fad5bd9cb469fa16570867728950e",
    ],
    "text-like-date": [
        "20240131",
        "2024-01-31",
        "20240131120000",
        "2024-01-31 12:00:00.5+01:00",
        "31.01.2024",
        "1/31/2024",
        "31-Jan-2024",
        "02/03/61",
    ],
    "text-holds-date": [
        "cleaned 20240131",
        "born 1954-03-12, removed",
        "am 3.1.2024 entfernt",
        "born 3 Feb 1961",
        "on 2024/01/31",
        "on 02/03/61",
    ],
}
CASES = [(code, text) for code, texts in TELLING.items() for text in texts]


@pytest.mark.parametrize(("code", "text"), CASES)
def test_a_text_that_tells_is_found_whatever_stands_beside_it(code: str, text: str) -> None:
    assert code in telling(("first", text, "last"))[1]
    assert set(telling(("first", text, "last"))) == {1}


def test_there_is_a_case_for_every_finding_of_the_table() -> None:
    assert set(table("telling-texts.toml")) == set(TELLING)


# What some tools write does identify something besides the run.
IDENTIFYING = {
    "BatchDeident with list 7.xls": {"text-like-file", "text-like-batch"},
    "OAIC_APP11 | SAMI_SCRUB | OP:op7 | UUID:3f2504e0-4f89-11d3-9a0c-0305e82c3301": {
        "text-like-operator",
        "text-like-batch",
    },
}


@pytest.mark.parametrize("text", sorted({text for one in TOOLS for text in one.texts}))
def test_what_known_tools_write_tells_nothing_but_the_date_of_the_run(text: str) -> None:
    found = telling((text,)).get(0, frozenset())
    assert found - {"text-holds-date"} == IDENTIFYING.get(text, set())


@pytest.mark.parametrize(
    "text",
    [
        *("20241399", "113100", "113040", "DCM:113100/113105", "1.2.840.10008.5", "ISO 12345"),
        *("De-identified by Clinical Trial Processor", "Deidentified by RSNA Anonymizer"),
        *("by Google Healthcare", "Clean, Retain", "CTP 10.1.2.3", "fo-dicom.Anonymizer.Core"),
        *("removed hospital names", "Operator removed", "Batch anonymization"),
        *("user defined profile", "9.2.0.0", "Operators' names removed"),
    ],
)
def test_what_only_resembles_one_is_none(text: str) -> None:
    assert telling((text,)) == {}


def test_a_path_of_windows_counts_in_every_value_over_which_it_spreads() -> None:
    found = telling(("first", "C:", "Users", "last"))
    assert set(found) == {1, 2}
    assert found[1] == {"text-like-file"}


@pytest.mark.parametrize("part", ["a-", "a.", "@", "/a", "w^", "a", "1.", "by A", "10.", "-1"])
def test_a_long_text_is_looked_at_in_no_time(part: str) -> None:
    # Implicit VR has no limit of length: what is not linear here stops a walk over an archive.
    begun = time.monotonic()
    telling((part * 10_000, *(part * 100 for _ in range(1000))))
    assert time.monotonic() - begun < 1


def test_what_is_not_looked_at_to_its_end_is_known() -> None:
    assert unseen(("x" * 256, "x" * 257, " " * 300)) == {1}
    assert min(unseen(("x" * 200,) * 100)) == 20
