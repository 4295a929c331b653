"""AWS HealthImaging, simulated: what is asked, and what is made of its answers."""

from __future__ import annotations

import gzip
import json
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from deidfhir.archive import imagesets
from deidfhir.archive.archive import CursorLost, DicomJson, Gone, Query, StudyListed
from deidfhir.archive.healthimaging import HealthImaging, open_healthimaging
from deidfhir.archive.imagesets import instances_in, unpacked
from deidfhir.errors import DeidFhirError, FatalError, RetriableError, UsageError
from deidfhir.web.timing import Clock
from tests.simulated.healthimaging import ADDRESS, SimulatedStore, error
from tests.simulated.imagesets import blob, body
from tests.synthetic.objects import instance

HERE = Path(__file__).resolve().parent
UID = "0020000D"
SOP = "00080018"


def objects(study: int, *numbers: int, **attributes: Any) -> list[Dataset]:  # noqa: ANN401
    """Return instances of a study."""
    stated = {"PatientIdentityRemoved": "YES", **attributes}
    return [instance(study, 1, number, **stated) for number in numbers]


def archive(store: SimulatedStore, address: str = ADDRESS) -> HealthImaging:
    """Return the store as an archive, with its clock."""
    clock = Clock(now=lambda: store.now, sleep=lambda _: None)
    return open_healthimaging(address, clock=clock)


def uids(found: list[DicomJson]) -> list[str]:
    """Return the SOP Instance UIDs of objects."""
    return sorted(one[SOP]["Value"][0] for one in found)


def taken(opened: HealthImaging, study: StudyListed, sample: int = 0) -> list[DicomJson]:
    """Return the objects of a study, none of which is unreadable."""
    found = opened.objects(study, lambda one: one, sample)
    assert found.unreadable == 0
    return found.objects


def listed(store: SimulatedStore, **matching: str) -> list[str]:
    """Return the studies that match."""
    return [one.uid for one in archive(store).studies(Query(matching))]


def test_a_study_of_several_image_sets_is_listed_once_and_read_whole(store: SimulatedStore) -> None:
    store.page = 2
    parts = [objects(1, 1, 2), objects(2, 1), objects(1, 3), objects(3, 1), objects(4, 1)]
    for part in parts:
        store.put(part)
    opened = archive(store)
    found = list(opened.studies(Query()))
    assert [one.instances for one in found] == [3, 1, 1, 1]
    assert uids(taken(opened, found[0])) == [
        str(one.SOPInstanceUID) for one in (*parts[0], *parts[2])
    ]
    assert store.asked == ["SearchImageSets"] * 3 + ["GetImageSetMetadata"] * 2


def test_a_study_that_was_not_listed_is_looked_up(store: SimulatedStore) -> None:
    store.put(objects(1, 1))
    store.put(objects(2, 1))
    uid = str(objects(2, 1)[0].StudyInstanceUID)
    assert len(taken(archive(store), StudyListed(uid))) == 1
    with pytest.raises(Gone):
        archive(store).objects(StudyListed("1.2.3"), dict)


def test_a_limit_and_a_sample_are_kept(store: SimulatedStore) -> None:
    store.put(objects(1, 1, 2, 3))
    store.put(objects(2, 1))
    opened = archive(store)
    (only,) = opened.studies(Query(limit=1))
    found = opened.objects(only, dict, 2)
    assert len(found.objects) == 2


def test_an_image_set_that_was_deleted_meanwhile_is_passed_over(store: SimulatedStore) -> None:
    first, second = store.put(objects(1, 1)), store.put(objects(1, 2))
    opened = archive(store)
    (only,) = opened.studies(Query())
    store.held[first].deleted = True
    assert len(taken(opened, only)) == 1
    (only,) = opened.studies(Query())
    store.held[second].deleted = True
    with pytest.raises(Gone):
        opened.objects(only, dict)


def test_an_image_set_that_cannot_be_had_is_counted(store: SimulatedStore) -> None:
    store.put(objects(1, 1))
    store.held[store.put(objects(1, 2))].lost = True
    opened = archive(store)
    (only,) = opened.studies(Query())
    found = opened.objects(only, dict)
    assert (len(found.objects), found.unreadable) == (1, 1)
    store.faults["GetImageSetMetadata"] = [error("AccessDeniedException", 403)]
    assert opened.objects(only, dict).unreadable == 2


@pytest.mark.parametrize(
    "content",
    [
        b"no gzip",
        gzip.compress(b"no JSON"),
        gzip.compress(b'{"Study": {}}')[:-4],
        gzip.compress(b"[]"),
        gzip.compress(b'{"Study": {"Series": {"1.2": []}}}'),
        gzip.compress(b"[" * 100_000),
        gzip.compress(b'{"Study": {"DICOM": 1}}'),
    ],
)
def test_metadata_that_is_none_is_counted(store: SimulatedStore, content: bytes) -> None:
    store.put(objects(1, 1))
    store.bodies = [body(content)]
    opened = archive(store)
    (only,) = opened.studies(Query())
    assert opened.objects(only, dict).unreadable == 1


def test_metadata_that_grows_too_large_is_not_unpacked(
    store: SimulatedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(objects(1, 1))
    metadata = blob(store.held[f"{1:032x}"].metadata).read()
    monkeypatch.setattr(imagesets.unpacked, "__defaults__", (len(gzip.decompress(metadata)) - 1,))
    (only,) = archive(store).studies(Query())
    assert archive(store).objects(only, dict).unreadable == 1


def test_a_body_that_breaks_is_asked_for_again(store: SimulatedStore) -> None:
    name = store.put(objects(1, 1))
    whole = blob(store.held[name].metadata).read()
    store.bodies = [body(whole[:100], len(whole))] * 1
    opened = archive(store)
    (only,) = opened.studies(Query())
    assert len(taken(opened, only)) == 1
    store.bodies = [body(whole[:100], len(whole)) for _ in range(3)]
    with pytest.raises(RetriableError, match="IncompleteReadError"):
        opened.objects(only, dict)


def test_what_was_updated_since_is_told(store: SimulatedStore) -> None:
    store.put(objects(1, 1))
    opened = archive(store)
    position = opened.position()
    assert position is not None
    store.now += 3600
    store.put(objects(2, 1))
    told = opened.changed(position)
    assert told.studies == {str(objects(2, 1)[0].StudyInstanceUID), *_uid_of(1)}
    # What is within the margin of two clocks is told twice; what lies longer back is not.
    store.now += 3600
    again = opened.changed(told.position)
    assert again.studies == _uid_of(2)
    assert again.recount
    store.now += 3600
    assert opened.changed(again.position).studies == frozenset()


def _uid_of(study: int) -> frozenset[str]:
    return frozenset({str(objects(study, 1)[0].StudyInstanceUID)})


@pytest.mark.parametrize("since", ["", "17@x", "2026-01-01T00:00:00", "2999-01-01T00:00:00+00:00"])
def test_a_position_that_is_none_or_to_come_is_lost(store: SimulatedStore, since: str) -> None:
    with pytest.raises(CursorLost):
        archive(store).changed(since)


def test_a_position_lies_before_now(store: SimulatedStore) -> None:
    position = archive(store).position()
    assert position is not None
    assert datetime.fromisoformat(position) == datetime.fromtimestamp(store.now - 300, UTC)


def test_one_image_set_is_a_part_of_its_study(store: SimulatedStore) -> None:
    name = store.put(objects(1, 1, 2))
    store.put(objects(1, 3))
    opened = archive(store, f"{ADDRESS}/{name}/")
    assert opened.shown == f"{ADDRESS}/{name}"
    assert opened.position() is None
    (only,) = opened.studies(Query())
    assert only.instances == 2
    found = opened.objects(only, dict)
    assert len(found.objects) == 2
    store.held[name].deleted = True
    with pytest.raises(FatalError, match="is not there"):
        list(opened.studies(Query()))


@pytest.mark.parametrize(
    ("matching", "found"),
    [
        ({"ModalitiesInStudy": "MR"}, [2]),
        ({"00080061": "?T"}, [1, 3]),
        ({"StudyDate": "20200101-20201231"}, [1]),
        ({"StudyDate": "-20200630"}, [1]),
        ({"StudyDate": "2021*"}, [2]),
        ({"StudyInstanceUID": str(objects(3, 1)[0].StudyInstanceUID)}, [3]),
        ({"PatientID": ""}, [1, 2, 3]),
    ],
)
def test_filters_match_what_a_search_tells(
    store: SimulatedStore, matching: dict[str, str], found: list[int]
) -> None:
    store.put(objects(1, 1, StudyDate="20200630"))
    store.put([instance(2, 1, 1, modality="MR", StudyDate="20210101")])
    store.put(objects(3, 1))
    assert [uid.rpartition(".")[2] for uid in listed(store, **matching)] == [str(n) for n in found]


def test_a_filter_that_a_search_does_not_tell_is_refused(store: SimulatedStore) -> None:
    with pytest.raises(UsageError, match="nothing of Manufacturer: known are StudyDate"):
        listed(store, Manufacturer="x")


@pytest.mark.parametrize(
    ("code", "status", "kind", "ours"),
    [
        ("ThrottlingException", 429, RetriableError, "target-busy"),
        ("InternalServerException", 500, RetriableError, "target-down"),
        ("ExpiredTokenException", 403, FatalError, "archive-credentials-refused"),
        ("AccessDeniedException", 403, FatalError, "unauthorised"),
        ("ResourceNotFoundException", 404, FatalError, "archive-missing"),
        ("ValidationException", 400, FatalError, "answer-unexpected"),
    ],
)
def test_an_error_says_what_to_do_and_quotes_nothing(
    store: SimulatedStore, code: str, status: int, kind: type[DeidFhirError], ours: str
) -> None:
    store.faults["SearchImageSets"] = [error(code, status)]
    with pytest.raises(kind) as caught:
        list(archive(store).studies(Query()))
    assert caught.value.code == ours
    assert "CANARY" not in "".join(traceback.format_exception(caught.value))


def test_pages_without_an_end_are_no_answer(store: SimulatedStore) -> None:
    page = {"imageSetsMetadataSummaries": [], "nextToken": "1"}
    store.faults["SearchImageSets"] = [(200, dict(page)), (200, dict(page))]
    with pytest.raises(FatalError, match="the same page again"):
        listed(store)


def test_the_published_form_gives_each_instance_what_stands_above_it() -> None:
    content = (HERE / "image-set.json").read_bytes()
    found = [one for _, one in instances_in(unpacked(gzip.compress(content)))]
    expected = json.loads((HERE / "image-set.expected.json").read_text(encoding="utf-8"))
    assert found == expected
