"""What every page has: its policy, its language, its static files."""

import hashlib
import re

import httpx
import pytest

from settings import ROOT, WebSettings
from web.pages.static_files import files, static

VENDORED = ROOT / "web" / "pages" / "static" / "vendor"


@pytest.fixture
def web() -> WebSettings:
    return WebSettings(demonstration=True)


async def test_static_file_may_be_kept_for_ever_because_its_address_has_its_hash(http: httpx.AsyncClient) -> None:
    answer = await http.get(static("base.css"))

    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/static/0000000000000000/base.css", "/static/x/../../app.py", "/static/x/%2e%2e/x"])
async def test_other_static_address_is_not_found(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(path)).status_code == 404


def test_vendored_files_are_those_that_were_checked() -> None:
    listed = (line.split() for line in (VENDORED / "SHA256SUMS").read_text(encoding="utf-8").splitlines())
    pinned = {name: digest for digest, name in listed}

    there = {path.name: path for path in VENDORED.iterdir() if path.suffix == ".js" or path.name == "LICENSE"}
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in there.items()} == pinned


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_page_allows_only_our_own_scripts_and_styles(http: httpx.AsyncClient, language: str) -> None:
    answer = await http.get("/components", headers={"accept-language": language})

    policy = answer.headers["content-security-policy"]
    nonce = re.search(r"script-src 'nonce-([\w-]+)';", policy)
    assert nonce
    assert "unsafe" not in policy
    assert set(re.findall(r"<script nonce=\"([^\"]*)\" src=\"/static/", answer.text)) == {nonce[1]}
    assert answer.text.count("<script") == answer.text.count("<script nonce=")
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", answer.text)
    assert f'<html lang="{language}">' in answer.text


async def test_two_pages_have_different_nonces(http: httpx.AsyncClient) -> None:
    policies = {(await http.get("/components")).headers["content-security-policy"] for _ in range(2)}

    assert len(policies) == 2


async def test_choice_of_a_language_is_remembered_and_returns_to_the_page(http: httpx.AsyncClient) -> None:
    answer = await http.get("/language/zh-CN", params={"to": "/components"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/components")
    assert "language=zh-CN" in answer.headers["set-cookie"]
    assert (await http.get("/language/en", params={"to": "//evil.example"})).headers["location"] == "/"


async def test_unknown_language_is_a_page_of_its_own(http: httpx.AsyncClient) -> None:
    answer = await http.get("/language/xx", headers={"accept-language": "zh"})

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "未找到" in answer.text


class TestOutsideADemonstration:
    @pytest.fixture
    def web(self) -> WebSettings:
        return WebSettings()

    async def test_components_are_not_shown(self, http: httpx.AsyncClient) -> None:
        assert (await http.get("/components")).status_code == 404


def test_every_static_file_has_a_known_type() -> None:
    assert {"base.css", "app.js", "vendor/htmx.min.js"} <= files().keys()
