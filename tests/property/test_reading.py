"""No bytes and no JSON break the reader: an object, or a reason from the table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from deidfhir.pipeline.files import read_paths
from deidfhir.tables import table
from tests.synthetic.objects import encode, instance
from tests.synthetic.studies import pixelmed_with_equipment

MODEST = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    # The folder is the same for all examples of a test, and only one file of it is written.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
WHOLE = {str(one): encode(next(pixelmed_with_equipment()), one) for one in SYNTAXES}


def reason(path: Path) -> str | None:
    """Return the reason for which a file gives nothing, None if it gives an object."""
    reading = read_paths([path])
    codes = [one.code for one in reading.skipped]
    assert all(code in table("findings.toml") for code in codes)
    assert len(codes) + reading.instances >= 1
    return codes[0] if codes else None


@pytest.mark.parametrize("syntax", SYNTAXES, ids=["explicit", "implicit"])
@MODEST
@given(data=st.data())
def test_changed_bytes_give_an_object_or_a_reason(
    data: st.DataObject, syntax: str, tmp_path: Path
) -> None:
    content = bytearray(WHOLE[syntax])
    changes = st.tuples(st.integers(132, len(content) - 1), st.integers(0, 255))
    for place, value in data.draw(st.lists(changes, min_size=1, max_size=4)):
        content[place] = value
    (tmp_path / "a.dcm").write_bytes(bytes(content))
    reason(tmp_path / "a.dcm")


@MODEST
@given(content=st.binary(max_size=300), head=st.booleans())
def test_any_bytes_give_an_object_or_a_reason(
    content: bytes, tmp_path: Path, *, head: bool
) -> None:
    (tmp_path / "a.dcm").write_bytes(b"\0" * 128 + b"DICM" + content if head else content)
    assert reason(tmp_path / "a.dcm") is not None


ANY_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
TAGS = st.sampled_from(
    ["00080018", "0020000D", "0020000E", "00120062", "00120063", "00120064", "0018A001", "00100020"]
)
ELEMENTS = st.one_of(
    st.fixed_dictionaries({"vr": st.just("UN")}, optional={"Value": ANY_JSON}),
    st.fixed_dictionaries({"Value": st.lists(ANY_JSON, max_size=3)}),
    st.fixed_dictionaries({"InlineBinary": ANY_JSON}),
    ANY_JSON,
)


@MODEST
@given(changes=st.dictionaries(TAGS, ELEMENTS, min_size=1, max_size=3))
def test_any_json_gives_an_object_or_a_reason(changes: dict[str, object], tmp_path: Path) -> None:
    plain = instance(1, PatientIdentityRemoved="YES")
    del plain.PixelData
    whole = {**plain.to_json_dict(), **changes}
    (tmp_path / "a.json").write_text(json.dumps(whole))
    reason(tmp_path / "a.json")
