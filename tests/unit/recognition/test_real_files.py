"""The method texts of real objects: each is known, and as the tool that wrote it."""

from __future__ import annotations

from pathlib import Path

from deidfhir.api.objects import studies_from_paths
from deidfhir.recognition.recognise import recognise
from deidfhir.recognition.vocabulary import load_vocabulary


def test_every_method_text_of_the_real_files_is_recognised(real_folder: Path) -> None:
    tools: dict[str, int] = {}
    unknown = []
    for study in studies_from_paths([real_folder]):
        for one in study.instances:
            found = recognise(one.markers, one.facts.evidence, load_vocabulary())
            unknown += [Path(one.path).name] * len(found.unrecognised)
            for tool in {inference.tool for inference in found.inferences if inference.tool}:
                tools[tool] = tools.get(tool, 0) + 1
    assert unknown == []
    assert set(tools) == {
        *("cati", "ctp-annex-e", "ctp-before-2014", "dcanon", "dicognito-bhsct", "gdcm"),
        *("mri-reface", "pixelmed", "procancer"),
    }
    assert sum(tools.values()) > 30
