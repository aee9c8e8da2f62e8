"""The console's pages as a browser gets them: what they hold, what they allow, and how they tell a fault."""

import html
import json
import re

import httpx
import psycopg2
import pytest
from integration.api.conftest import BOILER, FACTORY, PRESS, UNKNOWN, Client, client_of

PAGES = ("/ui/", "/ui", "/ui/anomaly", "/ui/baseline", "/ui/forecast", "/ui/kpi", f"/ui/machine/{PRESS}")
HOSTILE = "</script><script>alert(1)</script>"


def _policy(answer: httpx.Response) -> dict[str, str]:
    parts = answer.headers["content-security-policy"].split("; ")
    return dict(part.split(" ", 1) for part in parts)


def _catalogue(page: str) -> dict[str, object]:
    (text,) = re.findall(r'<script type="application/json" id="catalogue">(.*?)</script>', page)
    catalogue: dict[str, object] = json.loads(text)
    return catalogue


def _asset_addresses(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="([^"]*/ui/assets/[^"]*)"', page)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_comes_with_the_catalogue_and_a_strict_policy(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert _catalogue(answer.text)["total_count"] == 2
    policy = _policy(answer)
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'self'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_nothing_inline_and_asks_nobody_else(client: Client, path: str) -> None:
    page = client.get(path).text
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page)
    scripts = re.findall(r"<script([^>]*)>", page)
    assert all("src=" in each or 'type="application/json"' in each for each in scripts)
    addresses = [
        each for each in re.findall(r'(?:src|href)="([^"]+)"', page) if not each.startswith(("data:", "#"))
    ]
    assert addresses
    assert all(each.startswith("/api/analytics/") for each in addresses)


@pytest.mark.parametrize("path", PAGES)
def test_every_asset_of_a_page_is_there_and_kept_for_a_year(client: Client, path: str) -> None:
    addresses = _asset_addresses(client.get(path).text)
    assert len(addresses) >= 3
    for address in addresses:
        answer = client.get(address, prefix="")
        assert answer.status_code == 200, address
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"].split(";")[0] in ("text/css", "text/javascript")


def test_modules_import_only_what_is_served_beside_them(client: Client) -> None:
    modules = {each.rsplit("/", 1)[-1] for path in PAGES for each in _asset_addresses(client.get(path).text)}
    folder = _asset_addresses(client.get("/ui/").text)[0].rsplit("/", 1)[0]
    for module in modules:
        source = client.get(f"{folder}/{module}", prefix="").text
        for imported in re.findall(r'from "\./([^"]+)"', source):
            assert client.get(f"{folder}/{imported}", prefix="").status_code == 200, (module, imported)


def test_the_assets_of_a_version_before_are_todays_and_not_kept(client: Client) -> None:
    answer = client.get("/ui/assets/000000000000/page.js")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


@pytest.mark.parametrize("name", ["nothing.js", "app.py", "..%2Fapp.py", "layout.html"])
def test_what_is_no_asset_is_not_found(client: Client, name: str) -> None:
    assert client.get(f"/ui/assets/x/{name}").status_code == 404


def test_the_styles_begin_with_the_variables_of_the_theme(client: Client) -> None:
    styles = client.get("/ui/assets/x/styles.css").text
    assert styles.startswith(client.get("/ui/assets/x/theme.css").text)
    assert styles.endswith(client.get("/ui/assets/x/console.css").text)


def test_a_factory_of_the_link_narrows_the_catalogue(client: Client) -> None:
    machines = _catalogue(client.get("/ui/kpi", factory=FACTORY).text)["machines"]
    assert isinstance(machines, list)
    assert {each["id"] for each in machines} == {PRESS, BOILER}
    assert {each["name"]: each["is_active"] for each in machines} == {"Press": True, "Boiler": False}


@pytest.mark.parametrize("factory", [UNKNOWN, "nonsense", ""])
def test_a_factory_that_is_no_more_leaves_all_of_them(client: Client, factory: str) -> None:
    answer = client.get("/ui/kpi", factory=factory)
    assert answer.status_code == 200
    assert _catalogue(answer.text)["total_count"] == 2


@pytest.mark.parametrize("machine", [UNKNOWN, "nonsense"])
def test_a_machine_that_is_not_there_is_told_on_a_page(client: Client, machine: str) -> None:
    answer = client.get(f"/ui/machine/{machine}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert f"There is no machine {machine}" in html.unescape(answer.text).replace("'", "")
    assert 'role="alert"' in answer.text
    assert answer.headers["x-request-id"] in answer.text


def test_without_a_database_a_page_says_so() -> None:
    client = client_of("postgresql://localhost:9/nothing")
    answer = client.get("/ui/")
    assert answer.status_code == 503
    assert 'role="alert"' in answer.text
    assert _catalogue(answer.text) == {"factories": [], "machines": [], "total_count": 0}


def test_a_hostile_name_stays_a_name(site_url: str) -> None:
    with psycopg2.connect(site_url) as site, site.cursor() as rows:
        rows.execute("UPDATE machines SET name = %s WHERE id = %s", (HOSTILE, PRESS))
    site.close()
    client = client_of(site_url)
    try:
        page = client.get("/ui/baseline").text
        assert HOSTILE not in page
        machines = _catalogue(page)["machines"]
        assert isinstance(machines, list)
        assert HOSTILE in [each["name"] for each in machines]
    finally:
        with psycopg2.connect(site_url) as site, site.cursor() as rows:
            rows.execute("UPDATE machines SET name = 'Press' WHERE id = %s", (PRESS,))
        site.close()
        client.app.state.database.close()


@pytest.mark.parametrize(
    ("cookie", "expected"), [("dark", 'data-theme="dark"'), ("light", 'data-theme="light"'), ('"><b>', None)]
)
def test_the_theme_that_was_chosen_is_in_the_page(client: Client, cookie: str, expected: str | None) -> None:
    page = client.get("/ui/", headers={"Cookie": f"enms_theme={cookie}"}).text
    (root,) = re.findall(r"<html[^>]*>", page)
    assert expected in root if expected else "data-theme" not in root


def test_a_portal_may_frame_the_console_where_a_setting_names_it(site_url: str) -> None:
    client = client_of(site_url, console_frame_ancestors=("https://portal.example",))
    answer = client.get("/ui/", embed="1")
    assert _policy(answer)["frame-ancestors"] == "'self' https://portal.example"
    assert re.search(r"<html[^>]* data-embed>", answer.text)
    client.app.state.database.close()


def test_only_an_embedded_page_is_without_its_head(client: Client) -> None:
    assert not re.search(r"<html[^>]* data-embed", client.get("/ui/").text)
