"""The narrative of a Provenance: what was done and by what, as the objects state it (D24)."""

from __future__ import annotations

import re
from html import unescape

import pytest

from deidfhir.config import Settings
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import map_study
from deidfhir.model.record import Instance, Markers
from tests.unit.model.records import dcms, equipment, instance, item, removed, study


def said(*instances: Instance, settings: Settings | None = None) -> list[str]:
    """Return the text of each Provenance of a study."""
    found = map_study(study(*instances), MappingContext(settings=settings or Settings()))
    return [unescape(re.sub("<[^>]+>", "", one["text"]["div"])) for one in found.provenances]


def of(markers: Markers) -> list[str]:
    """Return the text of each Provenance of a study of one instance."""
    return said(instance(1, markers))


def test_codes_are_named_with_the_standards_words() -> None:
    (text,) = of(removed(method_code=dcms("113105", "113100")))
    assert text == (
        "1 instance states that the patient's identity was removed: Basic Application "
        "Confidentiality Profile (113100), Clean Descriptors Option (113105). "
        "No equipment is recorded."
    )


def test_a_code_of_another_scheme_is_only_counted() -> None:
    private = item(CodeValue="210001", CodingSchemeDesignator="99PMP", CodeMeaning="Remap UIDs")
    (text,) = of(removed(method_code=(*dcms("113100"), private)))
    assert "(113100), 1 further code." in text
    assert "Remap" not in text


def test_a_code_that_stands_twice_is_named_once() -> None:
    (text,) = of(removed(method_code=dcms("113100", "113100")))
    assert "(113100). No" in text


def test_method_texts_are_only_counted() -> None:
    (text,) = of(removed(method=("Doe^John did it", "", "twice")))
    assert "2 method texts" in text
    assert "Doe" not in text


def test_yes_alone_says_that_nothing_says_how() -> None:
    (text,) = of(removed())
    assert text.endswith("was removed, without saying how. No equipment is recorded.")


def test_recorded_equipment_is_named() -> None:
    maker = equipment(Manufacturer="Maker", ManufacturerModelName="<Model> & Co")
    (text,) = of(removed(equipment=(maker,)))
    assert "was removed by Maker <Model> & Co, without" in text
    assert "No equipment" not in text


def test_equipment_without_a_name_is_said_to_have_none() -> None:
    (text,) = of(removed(equipment=(equipment(),)))
    assert "by equipment that is not named" in text


def test_each_of_several_items_says_that_it_is_one_step() -> None:
    texts = of(removed(equipment=(equipment(Manufacturer="A"), equipment(Manufacturer="B"))))
    assert "removed by A, B" in texts[0]
    assert [text.split(", by ")[1] for text in texts[1:]] == ["A.", "B."]


def test_several_instances_are_counted() -> None:
    (text,) = said(instance(1), instance(2))
    assert text.startswith("2 instances state that")


@pytest.mark.parametrize("kind", ["imaging_study", "provenances"])
def test_the_setting_leaves_the_narrative_out(kind: str) -> None:
    context = MappingContext(settings=Settings(narrative=False))
    found = getattr(map_study(study(instance(1)), context), kind)
    assert all("text" not in one for one in (found if isinstance(found, tuple) else [found]))
