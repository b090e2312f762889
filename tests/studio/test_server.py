"""The server: a page, a websocket, and nobody else."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from brian2lava.studio import Page, show
from brian2lava.studio.guard import Guard
from brian2lava.studio.wire import pack, unpack
from tests.studio.targets import known_target


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    shown = show(known_target(), session=tmp_path_factory.mktemp("studio") / "session.b2l")
    yield shown
    shown.close()
    assert not shown.thread.is_alive()


def get(
    page: Page, path: str | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], str]:
    address = urlsplit(page.url)
    connection = http.client.HTTPConnection(address.netloc, timeout=20)
    connection.request("GET", address.path if path is None else path, headers=headers or {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, text


def socket_url(page: Page) -> str:
    return page.url.replace("http:", "ws:") + "ws"


def origin(page: Page) -> Origin:
    return Origin(f"http://{urlsplit(page.url).netloc}")


def answer(talk: ClientConnection, number: int, op: str, **given: Any) -> Any:
    talk.send(pack({"id": number, "op": op, "given": given}))
    message = talk.recv()
    assert isinstance(message, bytes)
    return unpack(message)


def test_the_page_and_its_files_come_from_here_only(page: Page) -> None:
    status, headers, text = get(page)
    assert status == 200 and "brian2lava studio" in text
    assert "http://" not in text and "https://" not in text
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    base = urlsplit(page.url).path
    for name in ("app.js", "studio.css", "vendor/uPlot.iife.min.js", "vendor/uPlot.LICENSE"):
        assert get(page, f"{base}static/{name}")[0] == 200


def test_the_websocket_answers(page: Page) -> None:
    with connect(socket_url(page), origin=origin(page), max_size=None) as talk:
        header, arrays = answer(talk, 7, "hello", width=200)
        assert header["id"] == 7 and header["target"]["name"] == "known LIF"
        assert arrays["chip"].size == 400


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/wrong/", "/%00/", "/ws"])
def test_without_the_token_nothing(page: Page, path: str) -> None:
    status, _, text = get(page, path)
    assert status == 403
    assert "the token is missing or wrong. Open the address that `brian2lava studio`" in text


def test_files_outside_the_page_are_not_served(page: Page) -> None:
    base = urlsplit(page.url).path
    for path in ("static/../server.py", "static/%2e%2e/server.py", "static//etc/passwd"):
        assert get(page, base + path)[0] in (403, 404)


def test_another_host_is_refused(page: Page) -> None:
    assert get(page, headers={"Host": "evil.example"})[0] == 403
    assert get(page, headers={"Host": "localhost:1"})[0] == 200


def test_another_origin_is_refused(page: Page) -> None:
    assert get(page, headers={"Origin": "http://evil.example"})[0] == 403
    for wrong in ("http://evil.example", "null", f"https://{urlsplit(page.url).netloc}", None):
        given = None if wrong is None else Origin(wrong)
        with pytest.raises(InvalidStatus) as refused, connect(socket_url(page), origin=given):
            pass
        assert refused.value.response.status_code == 403


def test_a_websocket_without_the_token_is_refused(page: Page) -> None:
    url = f"ws://{urlsplit(page.url).netloc}/guessed/ws"
    with pytest.raises(InvalidStatus), connect(url, origin=origin(page)):
        pass


def test_it_listens_on_this_machine_only(page: Page) -> None:
    address = urlsplit(page.url)
    assert address.hostname == "127.0.0.1"
    others = {
        info[4][0]
        for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        if not str(info[4][0]).startswith("127.")
    }
    for other in others:
        with (
            pytest.raises(OSError),
            socket.create_connection((str(other), address.port), timeout=2),
        ):
            pass


def test_a_token_is_new_each_time(page: Page, tmp_path: Path) -> None:
    other = show(known_target(), session=tmp_path / "session.b2l")
    try:
        assert urlsplit(other.url).path != urlsplit(page.url).path
        assert len(urlsplit(other.url).path) > 30
        assert f'src="{other.url}"' in other._repr_html_()
    finally:
        other.close()


def test_what_is_done_outlives_the_server(tmp_path: Path) -> None:
    session = tmp_path / "session.b2l"
    first = show(known_target(), session=session)
    with connect(socket_url(first), origin=origin(first), max_size=None) as talk:
        answer(talk, 1, "choose", name="LIF")
        answer(talk, 2, "set_value", name="tau_m", value=0.021)
    first.close()
    second = show(session=session)
    try:
        assert second.desk.bench.setup.candidate_name == "LIF"
        assert second.desk.bench.setup.tuning.values["tau_m"] == 0.021
        assert second.desk.bench.setup.target.name == "known LIF"
    finally:
        second.close()


def test_what_cannot_be_kept_at_the_end_is_told_in_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shown = show(known_target(), session=tmp_path / "session.b2l")
    (tmp_path / "session.b2l").write_bytes(b"somebody else's")
    shown.desk.changed()
    shown.close()
    told = [record.getMessage() for record in caplog.records]
    assert any("not kept" in each and "something else" in each for each in told), told
    assert not any("Traceback" in each for each in told)


def test_hosts_that_were_asked_for() -> None:
    async def nothing(*_: object) -> None: ...

    guard = Guard(nothing, "t", "0.0.0.0")
    assert guard.refusal("/t/", "192.168.1.5:80", None, "http") is None
    assert guard.refusal("/t/", "evil.example:80", None, "http")
    closed = Guard(nothing, "t", "127.0.0.1")
    assert closed.refusal("/t/", "192.168.1.5:80", None, "http")
    assert closed.refusal("/t/ws", "127.0.0.1:80", None, "websocket")
    assert closed.refusal("/t/ws", "127.0.0.1:80", "http://127.0.0.1:80", "websocket") is None
