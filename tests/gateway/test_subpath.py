"""A gateway that browsers reach below a path."""

from http.cookies import SimpleCookie

from shared.settings import Settings, SignupMode
from tests.gateway.api import open_gateway


async def test_addresses_and_cookies_are_below_the_path(settings: Settings) -> None:
    changes = {"public_base_url": "http://127.0.0.1/penstock", "signup": SignupMode.OPEN}
    async with open_gateway(settings.model_copy(update=changes)) as gateway:
        api = await gateway.account()
        made = await api.post("/api/v1/budgets", {"period": "month", "limit_cents": 100})
        assert made.headers["Location"].startswith("/penstock/api/v1/budgets/")
        assert (await api.get("/")).headers["Location"].count("/penstock/") == 1
        for name in ("one", "two"):
            await api.post("/api/v1/projects", {"name": name})
        listed = await api.get("/api/v1/projects?limit=1")
        assert listed.headers["Link"].startswith("</penstock/api/v1/projects?")
        page = (await api.get("/docs")).content.decode()
        assert 'src="/penstock/docs/docs.js"' in page
        assert "%ROOT%" not in page
        errors = (await api.get("/api/errors/not-found", headers={"Accept": "text/html"})).content.decode()
        assert 'href="/penstock/docs/docs.css"' in errors
        assert 'href="/penstock/api/errors/' in errors
        refused = (await api.get("/api/v1/budgets/none")).json
        assert refused["type"] == "/penstock/api/errors/not-found"
        assert refused["instance"] == "/penstock/api/v1/budgets/none"
        batch = (await api.post("/api/v1/generations:batch", {"items": [{"kind": "image"}]})).json
        assert batch["data"][0]["error"]["type"] == "/penstock/api/errors/invalid-input"
        jar = gateway.deps.cookies.given("access", "refresh", api.account_id)
        paths = {
            name: morsel["path"]
            for header in jar.getall("Set-Cookie")
            for name, morsel in SimpleCookie(header).items()
        }
        assert paths == {
            "penstock_access": "/penstock/", "penstock_refresh": "/penstock/api/auth", "penstock_csrf": "/penstock/",
        }  # fmt: skip
