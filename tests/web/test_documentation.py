"""The documentation page comes from our own files, which are those that were released, and needs no other server."""

import hashlib
import re

import httpx

from web.documentation import FILES, POLICY, VIEWER
from web.openapi import document

OURS = {"page.html", "start.js", "SOURCE"}


def test_files_of_the_viewer_are_the_released_ones() -> None:
    lines = (VIEWER / "SOURCE").read_text(encoding="utf-8").splitlines()[2:]
    recorded = {name: digest for digest, name in map(str.split, lines)}
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VIEWER.iterdir()}

    assert {name: digest for name, digest in there.items() if name not in OURS} == recorded
    assert {"LICENSE", "NOTICE"} <= set(recorded)


async def test_page_loads_only_our_files_under_a_strict_policy(http: httpx.AsyncClient) -> None:
    page = await http.get("/v1/docs")

    assert page.headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert not re.findall(r"https?://", page.text)
    assert not re.search(r"<script>|<style| style=| on\w+=", page.text)
    for source in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert (await http.get(source)).status_code == 200


async def test_every_file_has_its_media_type_and_others_are_not_served(http: httpx.AsyncClient) -> None:
    for name, media_type in FILES.items():
        assert (await http.get(f"/v1/docs/{name}")).headers["content-type"].startswith(media_type)
    for name in ("SOURCE", "..%2fapp.py", "LICENSE"):
        assert (await http.get(f"/v1/docs/{name}")).status_code == 404


async def test_document_is_served_without_a_key(http: httpx.AsyncClient) -> None:
    answer = await http.get("/v1/openapi.json")

    assert answer.json() == document()
