"""Write the tables of `mappings/generated/` from pydicom's copy of PS3.16.

python -m tools.generate_tables
"""

from __future__ import annotations

import json
from pathlib import Path

from pydicom.sr._cid_dict import cid_concepts, name_for_cid
from pydicom.sr.codedict import codes

CONTEXT_GROUPS = (33, 7005, 7050)
TARGET = Path(__file__).resolve().parent.parent / "mappings" / "generated" / "dicom-codes.json"


def context_groups() -> dict[str, dict[str, str]]:
    """Return code → meaning of each context group, keyed `CID n`."""
    groups = {}
    for cid in CONTEXT_GROUPS:
        if cid not in cid_concepts:
            raise SystemExit(f"pydicom has no CID {cid} ({name_for_cid.get(cid)})")
        concepts = getattr(codes, f"cid{cid}").concepts.values()
        groups[f"CID {cid}"] = {concept.value: concept.meaning for concept in concepts}
    return groups


def rendered() -> str:
    """Return the table as it stands in the repository."""
    return json.dumps(context_groups(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(rendered(), encoding="utf-8")
