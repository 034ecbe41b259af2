"""The contract of the AI Media Workbench (seed 003): its routes, its envelope, its tables, columns and indexes."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest

from gateway.errors import PLAIN
from shared.catalog import publish
from shared.ids import new_id
from shared.settings import Settings
from tests.gateway.api import Api, Gateway, Response, open_gateway
from tests.gateway.people import PASSWORD, Person
from tests.pipeline import Pipeline, card
from tests.rows import insert


@dataclass(frozen=True, slots=True)
class Route:
    """One of its routes. `holds` is what the data is: names of members, or those of each item of a list."""

    item: str
    method: str
    path: str
    holds: str = ""
    body: Any = None
    status: int = 200
    many: bool = False
    slash: bool = False
    public: bool = False


PROJECT = (
    "id user_id name description thumbnail_url budget_cents spent_cents settings archived_at"
    " created_at updated_at"
)
ASSET = (
    "id project_id user_id type name description file_url file_size_bytes file_format width height duration_seconds"
    " generation_id thumbnail_url metadata tags favorite archived_at created_at updated_at"
)
GENERATION = (
    "id project_id user_id provider model generation_type prompt parameters status result error_message tokens_input"
    " tokens_output tokens_total cost_cents started_at completed_at duration_ms created_at updated_at"
)
KEY = "id provider key_name is_active last_used_at created_at updated_at"
ME = "id email name avatar_url"
SETTING = "provider enabled priority"

ROUTES = (
    Route("027", "POST", "/api/auth/login", "access_token user", {"email": "{email}", "password": PASSWORD},
          public=True),
    Route("028", "POST", "/api/auth/signup", "access_token user", {"email": "new-{email}", "password": PASSWORD}, 201,
          public=True),
    Route("029", "POST", "/api/auth/logout"),
    Route("030", "GET", "/api/auth/me", ME),
    Route("031", "GET", "/api/projects", PROJECT, many=True, slash=True),
    Route("032", "POST", "/api/projects", PROJECT, {"name": "Towers"}, 201, slash=True),
    Route("033", "GET", "/api/projects/{projects}", PROJECT),
    Route("034", "PUT", "/api/projects/{projects}", PROJECT, {"name": "Taller towers"}),
    Route("035", "DELETE", "/api/projects/{projects}", "id"),
    Route("036", "POST", "/api/generate", GENERATION, {"project_id": "{projects}", "type": "image", "prompt": "x"},
          202, slash=True),
    Route("037", "GET", "/api/assets", ASSET, many=True, slash=True),
    Route("038", "GET", "/api/assets/{assets}", ASSET),
    Route("039", "PUT", "/api/assets/{assets}", ASSET, {"name": "Fog", "tags": ["grey"], "favorite": True}),
    Route("040", "DELETE", "/api/assets/{assets}", "id"),
    Route("041", "GET", "/api/analytics/usage"),
    Route("042", "GET", "/api/analytics/cost"),
    Route("043", "GET", "/api/analytics/provider"),
    Route("044", "GET", "/api/api-keys", KEY, many=True, slash=True),
    Route("045", "POST", "/api/api-keys", KEY, {"provider": "openai", "api_key": "a-key-of-mine-0123"}, 201,
          slash=True),
    Route("046", "DELETE", "/api/api-keys/{user_api_keys}"),
    Route("047", "GET", "/api/settings/providers"),
    Route("048", "PUT", "/api/settings/providers", body={"providers": []}),
)  # fmt: skip
CALLS = [(route, route.path + slash) for route in ROUTES for slash in (("", "/") if route.slash else ("",))]


def _filled(value: Any, words: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(item, words) for name, item in value.items()}
    return value.format(**words) if isinstance(value, str) else value


def _envelope(answer: Response) -> Any:
    """The data (AIMW-049)."""
    assert answer.headers["Content-Type"] == PLAIN
    assert set(answer.json) == {"success", "data", "message"}
    assert answer.json["success"] is True
    assert answer.json["message"]
    return answer.json["data"]


@pytest.fixture(scope="module")
async def served(settings: Settings) -> AsyncIterator[Gateway]:
    """A gateway that finds nobody where OpenAI is."""
    async with open_gateway(settings.model_copy(update={"openai_base_url": "http://127.0.0.1:9"})) as gateway:
        yield gateway


@pytest.fixture
async def words(ada: Person) -> AsyncIterator[dict[str, str]]:
    """What stands for the words in braces: Ada's address, and a thing of each sort of hers."""
    worker, found = ada.gateway.worker, {"email": ada.email}
    await publish(worker, [replace(card("openai"), own_key=True)])
    ada.gateway.deps.catalog.forget()
    async with worker.transaction() as tx:
        for table in ("projects", "assets", "user_api_keys"):
            found[table] = str(new_id())
            await insert(tx, table, UUID(found[table]), ada.account_id)
    yield found
    await worker.execute("DELETE FROM model_cards")
    ada.gateway.deps.catalog.forget()


def test_all_its_routes_are_in_the_table() -> None:
    assert [int(route.item) for route in ROUTES] == list(range(27, 49))


@pytest.mark.parametrize(("route", "path"), CALLS, ids=lambda value: getattr(value, "item", value))
async def test_a_route_answers_as_its_seed_says(
    ada: Person, nobody: Api, words: dict[str, str], route: Route, path: str
) -> None:
    caller = nobody if route.public else ada.api
    answer = await caller.call(route.method, path.format(**words), _filled(route.body, words))
    assert answer.status == route.status, answer.content
    data = _envelope(answer)
    assert data if route.many else True
    for item in data if route.many else [data]:
        assert set(route.holds.split()) <= set(item or ())


@pytest.mark.parametrize(("route", "path"), CALLS, ids=lambda value: getattr(value, "item", value))
async def test_a_route_refuses_as_its_seed_says(nobody: Api, route: Route, path: str) -> None:
    """AIMW-050."""
    answer = await nobody.call(route.method, re.sub(r"\{\w+\}", str(new_id()), path), {})
    assert answer.problem[0] == (422 if route.public and route.body else 401)
    assert answer.headers["Content-Type"] == PLAIN
    assert (answer.json["success"], type(answer.json["details"])) == (False, dict)
    assert re.fullmatch("[A-Z_]+", answer.json["error"])
    assert answer.json["message"]


async def test_a_list_pages_and_says_so(ada: Person, words: dict[str, str]) -> None:
    await ada.api.post("/api/projects", {"name": "Another"})
    first = await ada.api.get("/api/projects?limit=1")
    assert len(_envelope(first)) == 1
    more = await ada.api.get(re.findall("<(.+)>", first.headers["Link"])[0])
    assert _envelope(more)[0]["id"] != first.json["data"][0]["id"]


TEXT, NUMBER, TIME = (
    ("text", "character varying"),
    ("integer", "bigint", "numeric"),
    ("timestamp with time zone",),
)
TYPES = {
    "id": ("uuid",), "date": ("date",), "flag": ("boolean",), "json": ("jsonb",), "list": ("ARRAY",), "text": TEXT,
    "number": NUMBER, "time": TIME,
}  # fmt: skip
TABLES = {
    "users": "id:id email:text! name:text avatar_url:text created_at:time updated_at:time",
    "projects": "id:id user_id:id name:text! description:text thumbnail_url:text budget_cents:number spent_cents:number"
    " settings:json archived_at:time created_at:time updated_at:time",
    "assets": "id:id project_id:id user_id:id type:text! name:text description:text file_url:text"
    " file_size_bytes:number file_format:text width:number height:number duration_seconds:number generation_id:id"
    " thumbnail_url:text metadata:json tags:list favorite:flag archived_at:time created_at:time updated_at:time",
    # C-04, C-20: a view in its words, for the record has finer ones.
    "workbench_generations": "id:id project_id:id user_id:id provider:text model:text generation_type:text prompt:text"
    " parameters:json status:text result:json error_message:text tokens_input:number tokens_output:number"
    " tokens_total:number cost_cents:number started_at:time completed_at:time duration_ms:number created_at:time"
    " updated_at:time",
    "user_api_keys": "id:id user_id:id provider:text! key_name:text encrypted_key:text! encryption_iv:text!"
    " encryption_salt:text! is_active:flag last_used_at:time created_at:time updated_at:time",
    "provider_health": "id:id provider:text! user_id:id status:text last_success_at:time last_failure_at:time"
    " failure_count:number avg_response_time_ms:number error_message:text checked_at:time",
    "usage_analytics": "id:id user_id:id project_id:id period_type:text! period_start:date! provider:text model:text"
    " generation_type:text request_count:number success_count:number failure_count:number total_tokens:number"
    " total_cost_cents:number avg_duration_ms:number created_at:time updated_at:time",
    "budget_alerts": "id:id user_id:id project_id:id alert_type:text! threshold_cents:number current_spend_cents:number"
    " triggered_at:time acknowledged_at:time metadata:json created_at:time",
}
"""AIMW-003 to 010, `!` for NOT NULL; money in cents is derived from nano-dollars (C-01)."""
INDEXES = {
    "idx_projects_user_id": ("projects", "user_id"), "idx_assets_project_id": ("assets", "project_id"),
    "idx_assets_user_id": ("assets", "user_id"), "idx_generations_user_id": ("generations", "account_id"),
    "idx_generations_project_id": ("generations", "project_id"),
    "idx_generations_created_at": ("generations", "created_at"),
    "idx_generations_provider": ("generations", "provider"), "idx_api_keys_user_id": ("user_api_keys", "user_id"),
    "idx_provider_health_provider": ("provider_health", "provider"),
    "idx_usage_analytics_user_id": ("usage_analytics", "user_id"),
    "idx_usage_analytics_period": ("usage_analytics", "period_start"),
}  # fmt: skip
"""AIMW-011 to 021, each with its first column. A generation's user is its account."""
UNIQUE = {
    "users": {"email"},
    "user_api_keys": {"user_id", "provider", "key_name"},
    "provider_health": {"provider", "user_id", "credential"},
    "usage_analytics": {
        "user_id",
        "project_id",
        "period_type",
        "period_start",
        "provider",
        "model",
        "generation_type",
    },
}
"""C-24 for what may be null; health is kept per credential, and usage per type too."""

_INDEXES = """
SELECT i.relname AS name, c.relname AS of_table, x.indisunique AS is_unique,
    ARRAY(SELECT a.attname::text FROM unnest(x.indkey) WITH ORDINALITY k (n, place)
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.n
          WHERE k.place <= x.indnkeyatts ORDER BY k.place) AS columns
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
WHERE c.relnamespace = 'public'::regnamespace AND x.indpred IS NULL OR i.relname = ANY ($1)
"""


@pytest.mark.parametrize("table", TABLES)
async def test_a_table_has_its_columns(pipeline: Pipeline, table: str) -> None:
    rows = await pipeline.worker.fetch(
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = $1",
        table,
    )
    found = {row["column_name"]: (row["data_type"], row["is_nullable"] == "NO") for row in rows}
    for word in TABLES[table].split():
        name, _, sort = word.partition(":")
        kind, needed = found[name]
        assert kind in TYPES[sort.rstrip("!")], name
        assert needed or not sort.endswith("!"), name


async def test_its_indexes_are_there(pipeline: Pipeline) -> None:
    rows = await pipeline.worker.fetch(_INDEXES, list(INDEXES))
    assert {
        row["name"]: (row["of_table"], row["columns"][0]) for row in rows if row["name"] in INDEXES
    } == INDEXES
    for table, columns in UNIQUE.items():
        assert columns in [
            set(row["columns"]) for row in rows if row["is_unique"] and row["of_table"] == table
        ]


async def test_its_policies_are_there(pipeline: Pipeline) -> None:
    """AIMW-022 to 025; that they hold, and 026, `tests.shared.test_isolation` shows."""
    rows = await pipeline.worker.fetch("SELECT policyname, tablename FROM pg_policies")
    assert {(row["policyname"], row["tablename"]) for row in rows} >= {
        ("projects_user_isolation", "projects"),
        ("assets_user_isolation", "assets"),
        ("generations_user_isolation", "generations"),
        ("api_keys_user_isolation", "user_api_keys"),
    }
