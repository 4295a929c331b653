"""Write the channel and the transformer of `recipes/mirth` anew.

python -m tools.generate_mirth_channel

The transformer gets the attributes of `mappings/attributes.toml` that are read; the channel, an
export of Mirth / NextGen Connect, gets both scripts.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.sax.saxutils import escape

from deidfhir.dicom.evidence import FILE_META, PRIVATE_CREATORS
from deidfhir.model.attributes import attributes

_FOLDER = Path(__file__).resolve().parent.parent / "recipes" / "mirth"
TARGET = _FOLDER / "channel.xml"
TRANSFORMER, RESPONSE = _FOLDER / "transformer.js", _FOLDER / "response.js"
_WANTED = re.compile(r"(// wanted: begin[^\n]*\n).*?(// wanted: end\n)", re.DOTALL)
_OBJECT = "object"


def _table() -> dict[str, dict[str, list[str]]]:
    """Return place → tag → VR and the place of its items, if it has any that are read."""
    found: dict[str, dict[str, list[str]]] = {}
    due = [_OBJECT]
    while due:
        place = due.pop(0)
        rows = attributes(place).values()
        found[place] = {f"{one.tag:08X}": [one.vr, *filter(None, [one.items])] for one in rows}
        due += [one.items for one in rows if one.items and one.items not in (*found, *due)]
    meta = {f"{one.tag:08X}": [one.vr] for one in attributes(FILE_META).values()}
    creators = {f"{tag:08X}": ["LO"] for tag in PRIVATE_CREATORS}
    found[_OBJECT] = dict(sorted((found[_OBJECT] | meta | creators).items()))
    return found


def transformer() -> str:
    """Return the transformer with the attributes that are read."""
    places = []
    for place, rows in _table().items():
        lines = [f"        {json.dumps(tag)}: {json.dumps(row)}" for tag, row in rows.items()]
        places.append(f"    {json.dumps(place)}: {{\n" + ",\n".join(lines) + "\n    }")
    wanted = "var deidfhirWanted = {\n" + ",\n".join(places) + "\n};\n"
    text = TRANSFORMER.read_text(encoding="utf-8")
    return _WANTED.sub(lambda found: found[1] + wanted + found[2], text)


def rendered() -> str:
    """Return the channel with both scripts."""
    text = TARGET.read_text(encoding="utf-8")
    for name, script in (
        ("markers to DICOM JSON", transformer()),
        ("what becomes of the message", RESPONSE.read_text(encoding="utf-8")),
    ):
        before, rest = text.split(f"<name>{name}</name>")
        start, end = rest.index("<script>") + len("<script>"), rest.index("</script>")
        text = f"{before}<name>{name}</name>{rest[:start]}{escape(script)}{rest[end:]}"
    return text


if __name__ == "__main__":
    TRANSFORMER.write_text(transformer(), encoding="utf-8")
    TARGET.write_text(rendered(), encoding="utf-8")
