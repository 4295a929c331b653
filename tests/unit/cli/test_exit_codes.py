"""Exit codes, and which stands where several apply: 2, 1, 5, 3, 0."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from deidfhir.sync.report import worst
from tests.synthetic.objects import instance, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Cli

ORDER = (2, 1, 5, 3, 0)


@pytest.mark.parametrize("codes", [*permutations(ORDER, 2), *permutations(ORDER, 3), (0,), ORDER])
def test_the_worst_code_stands(codes: tuple[int, ...]) -> None:
    assert worst(*codes) == next(code for code in ORDER if code in codes)


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """Write objects into one folder."""

    def one(study: int, **attributes: object) -> Path:
        stated = {"PatientIdentityRemoved": "YES", "DeidentificationMethod": "tool 1"}
        made = instance(study, **{**stated, **attributes})  # type: ignore[arg-type]
        return write(made, tmp_path / "in" / f"{study}.dcm")

    return one


@pytest.mark.parametrize("name", ["map", "sync", "verify"])
def test_all_well_is_0(cli: Cli, put: Callable[..., Path], tmp_path: Path, name: str) -> None:
    folder = put(1).parent
    assert cli("sync", folder, "--to", tmp_path / "out").code == 0
    to = () if name == "map" else ("--to", tmp_path / "out")
    assert cli(name, folder, *to).code == 0


@pytest.mark.parametrize("name", ["map", "sync", "verify"])
@pytest.mark.parametrize("cause", ["refused", "skipped"])
def test_what_is_refused_or_skipped_is_3(
    cli: Cli, put: Callable[..., Path], tmp_path: Path, name: str, cause: str
) -> None:
    folder = put(1).parent
    if cause == "refused":
        put(2, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    else:
        (folder / "empty.dcm").write_bytes(b"")
    cli("sync", folder, "--to", tmp_path / "out")
    to = () if name == "map" else ("--to", tmp_path / "out")
    assert cli(name, folder, *to).code == 3


@pytest.mark.parametrize("name", ["show", "explain"])
@pytest.mark.parametrize("state", ["YES", "NO", "odd", None])
def test_what_an_object_claims_is_never_an_error_of_show_or_explain(
    cli: Cli, put: Callable[..., Path], name: str, state: str | None
) -> None:
    path = put(1, PatientIdentityRemoved=state, BurnedInAnnotation="YES")
    assert (cli(name, path).code, cli(name, path, "--json").code) == (0, 0)


def test_show_of_a_folder_with_broken_files_is_3_and_tells_them(
    cli: Cli, put: Callable[..., Path]
) -> None:
    folder = put(1).parent
    (folder / "empty.dcm").write_bytes(b"")
    run = cli("show", folder)
    assert run.code == 3
    assert f"skipped {folder / 'empty.dcm'}: the file is empty" in run.out


@pytest.mark.parametrize("name", ["sync", "verify"])
def test_a_target_that_is_down_outweighs_what_is_refused(
    cli: Cli, put: Callable[..., Path], name: str
) -> None:
    folder = put(1).parent
    put(2, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    down = "http://127.0.0.1:9/fhir"  # the discard service: nothing listens there
    assert cli(name, folder, "--to", down, "--timeout", "0.5").code == 5


def test_a_failure_outweighs_what_is_refused(
    cli: Cli, put: Callable[..., Path], tmp_path: Path
) -> None:
    folder = put(1).parent
    put(2, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "Device.ndjson").write_bytes(b"garbage")
    (tmp_path / "out" / "ImagingStudy.ndjson").write_bytes(b"garbage")
    assert cli("sync", folder, "--to", tmp_path / "out").code == 1


def test_usage_outweighs_all(cli: Cli, put: Callable[..., Path], tmp_path: Path) -> None:
    folder = put(1, PatientIdentityRemoved="NO").parent
    down = "http://127.0.0.1:9/fhir"
    assert cli("sync", folder, tmp_path / "missing", "--to", down, "--timeout", "0.5").code == 2


def test_a_folder_without_objects_is_0_and_says_so(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("nothing to see")
    run = cli("sync", tmp_path / "in", "--to", tmp_path / "out")
    assert run.code == 0
    assert (
        run.out.splitlines()[0] == "read      0 studies, 0 instances, 1 foreign files passed over"
    )
