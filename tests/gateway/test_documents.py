"""What the API says about itself."""

import re
from functools import reduce
from importlib.resources import files
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.errors import media_of
from gateway.openapi import plain_path
from gateway.routes import OPERATIONS
from gateway.routes.documents import EXPLANATIONS
from shared.errors import PenstockError
from tests.gateway.api import Api


async def test_the_openapi_document_is_valid_and_complete(nobody: Api) -> None:
    found = (await nobody.get("/api/openapi.json")).json
    OpenAPIV31SpecValidator(found).validate()
    documented = {(method.upper(), path) for path, methods in found["paths"].items() for method in methods}
    assert documented == {(op.method, plain_path(op.path)) for op in OPERATIONS}
    names = [spec["operationId"] for methods in found["paths"].values() for spec in methods.values()]
    assert len(names) == len(set(names))


async def test_all_that_the_openapi_document_refers_to_is_in_it(nobody: Api) -> None:
    answer = await nobody.get("/api/openapi.json")
    assert _lost(answer.json, answer.content) == set()


async def test_every_operation_documents_its_errors(nobody: Api) -> None:
    found = (await nobody.get("/api/openapi.json")).json
    for path, methods in found["paths"].items():
        for method, spec in methods.items():
            assert spec["summary"], path
            assert spec["description"], path
            assert "500" in spec["responses"], path
            if path.startswith("/api/v1") and spec.get("security") != []:
                assert {"401", "403"} <= set(spec["responses"]), (method, path)
            for status, answer in spec["responses"].items():
                if int(status) >= 400 and status != "416" and media_of(path) not in answer["content"]:
                    assert path == "/readyz"


def _lost(document: dict[str, Any], text: bytes) -> set[str]:
    """References to what is not there, such as the name of two classes of one name."""
    return {
        reference
        for reference in re.findall(r'"\$ref": ?"#/([^"]+)"', text.decode())
        if not reduce(lambda place, part: place.get(part, {}), reference.split("/"), document)
    }


async def test_the_request_schema_knows_the_kinds(nobody: Api) -> None:
    schemas = (await nobody.get("/api/openapi.json")).json["components"]["schemas"]
    references = [one["$ref"] for one in schemas["GenerationRequest"]["properties"]["input"]["anyOf"]]
    assert all(reference.rpartition("/")[2] in schemas for reference in references)
    assert schemas["ImageParameters"]["properties"]["count"]["maximum"] == 4


async def test_the_asyncapi_document_describes_what_is_sent(nobody: Api) -> None:
    found = (await nobody.get("/api/asyncapi.json")).json
    assert found["asyncapi"] == "3.0.0"
    assert {one["address"] for one in found["channels"].values()} == {
        "/api/v1/ws",
        "/api/v1/events",
        "/api/v1/generations/{id}/events",
    }
    assert _lost(found, (await nobody.get("/api/asyncapi.json")).content) == set()


async def test_the_docs_page_loads_nothing_from_elsewhere(nobody: Api) -> None:
    page = await nobody.get("/docs")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    for name in ("docs.html", "docs.js", "docs.css"):
        text = files("gateway").joinpath("pages", name).read_text()
        assert "//cdn" not in text
        assert not re.search(r"(src|href)=\"https?://", text)
        assert "innerHTML" not in text


async def test_home_leads_to_the_studio(nobody: Api) -> None:
    answer = await nobody.get("/")
    assert (answer.status, answer.headers["Location"]) == (302, "/studio")


def _codes(base: type[PenstockError]) -> set[str]:
    return {code for error in base.__subclasses__() for code in {error.code, *_codes(error)}}


@pytest.mark.parametrize("code", sorted(_codes(PenstockError)))
async def test_every_error_has_its_page(nobody: Api, code: str) -> None:
    path = "/api/errors/" + code.lower().replace("_", "-")
    assert (await nobody.get(path)).json["code"] == code
    assert code in EXPLANATIONS
    page = await nobody.get(path, headers={"Accept": "text/html,*/*"})
    assert page.headers["Content-Type"].startswith("text/html")
    assert f"<h1>{code}</h1>" in page.content.decode()


async def test_an_error_that_is_none_has_no_page(nobody: Api) -> None:
    assert (await nobody.get("/api/errors/<script>")).problem[:2] == (404, "NOT_FOUND")
