"""What may support the recognition of a tool: File Meta and the private creators of group 0013.

It proves nothing and never leaves; whatever is odd in it is passed over (D16).
"""

from __future__ import annotations

from deidfhir.dicom.elements import Elements
from deidfhir.model.record import Evidence, trimmed

FILE_META = "file meta"
# PS3.5 7.8.1: (gggg,0010-00FF) hold the creators. De-identifiers use group 0013, its first blocks.
PRIVATE_CREATORS = tuple(0x00130000 + block for block in range(0x10, 0x20))


def evidence_from(meta: Elements, creators: list[str]) -> Evidence:
    """Return the evidence of what was read of File Meta and of private creators.

    Args:
        meta: The wanted elements of File Meta.
        creators: The private creators of group 0013.
    """

    def first(keyword: str) -> str:
        values = [one for one in meta.get(keyword, ()) if isinstance(one, str)]
        return trimmed(values[0]) if values else ""

    return Evidence(
        implementation_class_uid=first("ImplementationClassUID"),
        implementation_version_name=first("ImplementationVersionName"),
        source_application_entity_title=first("SourceApplicationEntityTitle"),
        private_creators=tuple(sorted({trimmed(one) for one in creators} - {""})),
    )
