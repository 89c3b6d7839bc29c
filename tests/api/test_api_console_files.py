"""The console's files: pages of its router lead to its first page, and nothing outside its folder is served."""

import asyncio

import httpx
import pytest

from sonde.server.api.console_files import console


@pytest.fixture
def folder(tmp_path):
    built = tmp_path / "console"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text("<!doctype html><title>Sonde</title>")
    (built / "assets" / "index-a1b2c3.js").write_text("console.log('hello');" * 200)
    (built / "favicon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("not yours")
    return built


@pytest.fixture
def get(folder):
    async def ask(path, **headers):
        transport = httpx.ASGITransport(console(folder), raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://console") as client:
            return await client.get(path, headers=headers)

    return lambda path, **headers: asyncio.run(ask(path, **headers))


@pytest.mark.parametrize("path", ["/", "/index.html", "/services/shop", "/traces/0123", "/a/b/c"])
def test_an_address_of_a_page_gives_the_first_page_fresh_each_time(get, path):
    answer = get(path)

    assert answer.status_code == 200
    assert "<title>Sonde</title>" in answer.text
    assert answer.headers["cache-control"] == "no-cache"


def test_a_file_with_a_hash_in_its_name_is_kept_for_ever_and_travels_compressed(get):
    answer = get("/assets/index-a1b2c3.js")

    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"


def test_a_file_without_one_is_asked_for_each_time(get):
    answer = get("/favicon.svg")

    assert answer.headers["cache-control"] == "no-cache"
    assert get("/favicon.svg", **{"if-none-match": answer.headers["etag"]}).status_code == 304


def test_nothing_outside_the_folder_is_served(get):
    for path in ("/%2e%2e/secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt", "/..%2fsecret.txt", "//secret.txt"):
        answer = get(path)

        assert "not yours" not in answer.text, path


def test_the_console_that_is_not_built_says_how_to_build_it(get, folder):
    for file in (*folder.glob("assets/*"), folder / "index.html", folder / "favicon.svg"):
        file.unlink()
    (folder / "assets").rmdir()
    folder.rmdir()

    answer = get("/")

    assert answer.status_code == 503
    assert "make web" in answer.text
