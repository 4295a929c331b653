"""Records by study, on the disk and back."""

from __future__ import annotations

import gc
import pickle
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from deidfhir.errors import FatalError
from deidfhir.pipeline.records import StudyRecord
from deidfhir.pipeline.spill import Spill
from tests.unit.model.records import STUDY, instance


def record(*numbers: int, folder: str = "a/", findings: tuple[str, ...] = ()) -> bytes:
    """Return a record of some instances that share what they state."""
    made = [instance(number) for number in numbers]
    members = [(one.sop_instance_uid, str(one.sop_instance_uid[-1]), one.path, "f") for one in made]
    found = {(code, f"{folder}{made[0].path}") for code in findings}
    return pickle.dumps(StudyRecord([(made[0].facts, folder, members)], found))


@pytest.mark.parametrize("in_memory", [0, 1 << 20])
def test_a_study_is_given_back_whole_wherever_its_records_lie(
    in_memory: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    spill = Spill(in_memory)
    spill.add("1.2", record(9))
    spill.add(STUDY, record(3, 1, findings=("uid-not-oid",)))
    spill.add(STUDY, record(2, folder="b/"))
    assert len(spill) == 2
    for _ in range(2):
        assert [one.uid for one in spill] == ["1.2", STUDY]
        study = spill.study(STUDY)
        assert [one.path for one in study.instances] == ["a/1-1.dcm", "b/1-2.dcm", "a/1-3.dcm"]
        assert [one.code for one in study.findings] == ["uid-not-oid"]
    assert study.instances[0].facts is study.instances[2].facts
    assert list(tmp_path.iterdir()) == []  # nobody else can open what lies there


def test_a_disk_that_is_full_ends_the_run_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    spill = Spill()

    def full(*_: Any) -> int:  # noqa: ANN401
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spill._file, "write", full)
    with pytest.raises(FatalError) as caught:
        spill.add(STUDY, record(1))
    assert caught.value.code == "spill-unwritable"
    assert "TMPDIR" in str(caught.value)


def test_a_file_that_cannot_be_closed_any_more_is_let_go_without_a_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", said.append)

    class Full(BytesIO):
        def close(self) -> None:
            super().close()
            raise OSError(28, "No space left on device")

    spill = Spill()
    spill._file._file = Full()
    del spill
    gc.collect()
    assert said == []
