"""What is made from the tables is as the tables are."""

from __future__ import annotations

from types import ModuleType

import pytest

from tools import (
    generate_findings_page,
    generate_mapping_page,
    generate_mirth_channel,
    generate_recognition_page,
    generate_servers_page,
)

PAGES = (
    generate_findings_page,
    generate_mapping_page,
    generate_mirth_channel,
    generate_recognition_page,
    generate_servers_page,
)


@pytest.mark.parametrize("page", PAGES)
def test_a_generated_page_has_not_drifted_from_its_tables(page: ModuleType) -> None:
    assert page.TARGET.read_text(encoding="utf-8") == page.rendered()
