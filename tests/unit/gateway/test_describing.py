"""The OpenAPI document and its page say what the table of routes says."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

from deidfhir.gateway.gateway import Gateway
from deidfhir.gateway.routes import routes_of
from deidfhir.gateway.tokens import Tokens
from deidfhir.mapping.context import MappingContext
from tests.unit.gateway.asking import asked

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "gateway.md").read_text(encoding="utf-8")


def test_every_route_is_described_with_its_bodies_answers_and_refusals() -> None:
    gateway = Gateway(MappingContext())
    with asked(gateway) as client:
        paths = client.get("/openapi.json").json()["paths"]
    routes = routes_of(gateway)
    assert {(path, method) for path, found in paths.items() for method in found} == {
        (one.path, one.method.lower()) for one in routes
    }
    for one in routes:
        found = paths[one.path][one.method.lower()]
        assert tuple(found.get("requestBody", {}).get("content", ())) == one.bodies
        assert tuple(found["responses"]["200"]["content"]) == one.answers
        assert ("429" in found["responses"]) == one.is_work
    assert len({found["operationId"] for one in paths.values() for found in one.values()}) == len(
        routes
    )
    assert "security" not in paths["/map"]["post"]


def test_with_tokens_the_routes_say_that_they_need_one(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("a-token-for-this-test")
    with asked(Gateway(MappingContext(), tokens=Tokens(tmp_path / "tokens"))) as client:
        assert client.get("/openapi.json").status_code == 401
        head = {"Authorization": "Bearer a-token-for-this-test"}
        found = client.get("/openapi.json", headers=head).json()
    assert found["components"]["securitySchemes"] == {"token": {"type": "http", "scheme": "bearer"}}
    assert found["paths"]["/map"]["post"]["security"] == [{"token": []}]
    assert "401" in found["paths"]["/map"]["post"]["responses"]
    assert "security" not in found["paths"]["/healthz"]["get"]


def test_the_page_names_every_route_and_needs_nothing_from_elsewhere() -> None:
    with asked() as client:
        answer = client.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    links: list[str | None] = []

    class Links(HTMLParser):
        def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
            links.extend(value for name, value in attrs if name in ("src", "href"))

    Links().feed(answer.text)
    assert links == ["openapi.json"]
    for route in routes_of(Gateway(MappingContext())):
        assert f"<td>{route.method} {route.path}</td>" in answer.text


def test_every_route_stands_in_the_document_for_people() -> None:
    told = set(re.findall(r"`(?:GET |POST )?(/[^` ]+)`", DOCUMENT))
    assert {one.path for one in routes_of(Gateway(MappingContext()))} <= told
