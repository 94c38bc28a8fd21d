"""The console in a real browser: what it shows is what there is, whatever models are called and servers do."""

import json
import re
import shutil
import time

import pytest

from browser import Browser
from houses import HOUSES, PREFIX
from http_client import Client
from process import Process
from scrape import Scrape

# A folder's name may be anything but a slash and a NUL.
HOSTILE = "<img src=x onerror=window.hacked=1>\"'&amp;/model.tar.gz"
AWAIT_S = 15
NAMES = "[...document.querySelectorAll('#models tbody tr')].map((row) => row.cells[0].textContent)"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture
def models(tmp_path):
    """The four cities' models, and one whose name is an attack."""
    models = tmp_path / "models"
    shutil.copytree(PREFIX, models)
    (models / HOSTILE).parent.mkdir()
    shutil.copy(HOUSES[0].archive, models / HOSTILE)
    return models


def invoke(url, target, body):
    return Client(url).csv("/endpoints/any/invocations", body, X_Amzn_SageMaker_Target_Model=target)


def state(url, query="", **headers):
    answer = Client(url)("GET", f"/console/state?{query}", **headers)
    assert answer.status == 200, answer
    return answer.json


def text(browser, identifier):
    return browser.run(f"document.getElementById('{identifier}').textContent")


def test_the_page_shows_models_and_charts_and_lets_nobody_in(server, models, browser, tmp_path):
    url = server("--models", models, "--cache-dir", tmp_path / "cache").url
    targets = [HOSTILE, *(house.target for house in HOUSES)]
    for target in targets:
        assert invoke(url, target, HOUSES[0].rows[0]).status == 200
    assert invoke(url, HOSTILE, HOUSES[0].rows[0]).status == 200

    browser.open(f"{url}/console")
    # It has been asked for most, which is counted once a second.
    browser.until(f"{NAMES}.length === {len(targets)} && {NAMES}[0] === {json.dumps(HOSTILE)}")
    assert sorted(browser.run(NAMES)) == sorted(targets)
    browser.until("document.getElementById('connection').textContent === 'Live'")
    browser.until("document.querySelectorAll('#charts path').length > 5")
    for line in ("Memory against budget", "Models in memory"):
        path = f"[...document.querySelectorAll('.chart')].find((one) => one.innerText.includes('{line}')).querySelector('path.fill')"
        assert len(re.findall(r"[\d.]+ [\d.]+", browser.run(f"{path}.getAttribute('d')"))) >= 3, line
    assert "stand-alone" in text(browser, "facts") and text(browser, "readiness") == "ready"

    browser.run("document.querySelector('#models th:first-child button').click()")
    browser.until(f"{NAMES}.join('\\n') === {json.dumps(sorted(targets))}.join('\\n')")
    browser.run("filter.value = 'HOUSTON'; filter.dispatchEvent(new Event('input'))")
    browser.until(f"{NAMES}.length === 1 && {NAMES}[0].includes('Houston')")
    browser.run("filter.value = 'nowhere'; filter.dispatchEvent(new Event('input'))")
    browser.until("!document.getElementById('models-empty').hidden")
    for width in (1280, 800):
        browser.look(width, 900)
        assert browser.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), width

    assert browser.errors == []
    assert browser.run("document.images.length") == 0 and browser.run("typeof window.hacked") == "undefined"
    attack = "const attack = document.createElement('script'); attack.textContent = 'window.hacked = 1'; document.body.append(attack)"
    browser.run(f"{{ {attack} }}")
    assert browser.run("typeof window.hacked") == "undefined"
    assert "Content Security Policy" in str(browser.errors)
    browser.errors.clear()


def test_the_form_answers_what_the_api_answers(server, models, browser, tmp_path):
    url = server("--models", models, "--cache-dir", tmp_path / "cache").url
    house = HOUSES[1]
    for target, body in ((HOSTILE, HOUSES[0].rows[0]), (house.target, "\n".join(house.rows[:3])), ("no/such", "1"), (house.target, "a,b")):
        expected = invoke(url, target, body)
        browser.open(f"{url}/console")
        browser.until("document.getElementById('facts').textContent")
        if expected.status == 200:
            browser.until(f"{NAMES}.includes({json.dumps(target)})")
            browser.run(f"[...document.querySelectorAll('#models tbody button')].find((name) => name.textContent === {json.dumps(target)}).click()")
        else:
            browser.run(f"document.getElementById('trial-target').value = {json.dumps(target)}")
        browser.run(f"document.getElementById('trial-body').value = {json.dumps(body)}; document.getElementById('trial').requestSubmit()")
        status = browser.until("document.getElementById('trial-status').textContent")
        assert status.startswith(f"{expected.status} "), status
        assert text(browser, "trial-answer") == expected.body.decode()
        assert expected.headers["content-type"] in text(browser, "trial-headers")
    assert browser.run("typeof window.hacked") == "undefined"
    # A browser reports answers of 4xx by itself.
    assert [error for error in browser.errors if error.get("source") != "network"] == []
    browser.errors.clear()


def test_the_page_outlives_its_server(binary, browser, tmp_path):
    def serve(port):
        command = [binary, "serve", "--host", "127.0.0.1", "--port", port, "--models", PREFIX, "--cache-dir", tmp_path / "cache"]
        return Process(command, r"listening on (http://127\.0\.0\.1:\d+)")

    first = serve(0)
    assert invoke(first.url, HOUSES[0].target, HOUSES[0].rows[0]).status == 200
    browser.open(f"{first.url}/console")
    browser.until(f"{NAMES}.length === 1 && document.querySelectorAll('#charts path').length > 0")
    assert first.stop() == 0
    trouble = browser.until("document.getElementById('trouble').hidden ? '' : document.getElementById('trouble').textContent")
    assert "it cannot be reached" in trouble and browser.run(NAMES) == [HOUSES[0].target]
    second = serve(first.port)
    try:
        browser.until("document.getElementById('trouble').hidden")
        started = state(second.url)["server"]["started"]
        # The new process's past, and not the old one's, is drawn.
        assert browser.run("past.at.every((at) => at >= state.server.started)") and browser.run("state.server.started") == started
    finally:
        assert second.stop() == 0
    browser.errors.clear()


def test_the_state_is_sorted_filtered_and_cut_by_the_server(server, tmp_path):
    url = server("--models", PREFIX, "--cache-dir", tmp_path / "cache", "--pin", HOUSES[1].target).url
    for number, house in enumerate(HOUSES):
        for _ in range(number + 1):
            assert invoke(url, house.target, house.rows[0]).status == 200
    names = lambda query: [row["name"] for row in state(url, query)["models"]["rows"]]
    targets = [house.target for house in HOUSES]
    assert names("sort=requests&order=descending") == targets[::-1]
    assert names("sort=name&order=ascending&limit=2&offset=1") == targets[1:3]
    assert names("filter=houston") == [target for target in targets if "Houston" in target]
    assert names("sort=leaving&order=ascending")[-1] == HOUSES[1].target, "a pinned model leaves last"
    places = {row["name"]: row["leave_before"] for row in state(url)["models"]["rows"]}
    assert sorted(places[target] for target in targets if target != HOUSES[1].target) == [0, 1, 2]
    refused = Client(url)("GET", "/console/state?limit=1000")
    assert refused.status == 400 and b"expected a number up to 200" in refused.body


def test_who_is_said_to_leave_next_leaves_next(server, models, tmp_path):
    # Room for the four cities' models, and for no fifth.
    limits = ("--memory-limit", "600KiB", "--residency-min", "0")
    url = server("--models", models, "--cache-dir", tmp_path / "cache", *limits).url
    for number, house in enumerate(HOUSES):
        for _ in range(1 if number == 2 else 30):
            assert invoke(url, house.target, house.rows[0]).status == 200
    end = time.monotonic() + AWAIT_S
    # Requests are counted into what models are worth once a second.
    while [row["popularity"] > 20 for row in state(url, "sort=name&order=ascending")["models"]["rows"]] != [True, True, False, True]:
        assert time.monotonic() < end, state(url)
        time.sleep(0.05)
    rows = state(url, "sort=leaving&order=ascending")["models"]["rows"]
    assert (rows[0]["leave_before"], len(rows)) == (0, 4)
    assert invoke(url, HOSTILE, HOUSES[0].rows[0]).status == 200
    left = state(url)["departures"][-1]
    assert (left["model"], left["reason"]) == (rows[0]["name"], "room")


def test_to_look_is_no_request_for_a_model(server, tmp_path):
    url, house = server("--models", PREFIX, "--cache-dir", tmp_path / "cache").url, HOUSES[0]
    assert invoke(url, house.target, house.rows[0]).status == 200
    before, scraped = state(url)["models"]["rows"][0], Scrape(url)
    for query in ("", "filter=x", "sort=worth", "since=1"):
        after = state(url, query)
    after = state(url)["models"]["rows"][0]
    assert {**before, "idle_s": 0} == {**after, "idle_s": 0} and after["idle_s"] > before["idle_s"]
    again = Scrape(url)
    for name, labels in (("thicket_model_lookups_total", {"result": "hit"}), ("thicket_model_requests_total", {"model": house.target})):
        assert again(name, **labels) == scraped(name, **labels)
    assert again("thicket_requests_total", route="console", status="2xx") == 6


def test_the_console_is_shown_to_those_it_is_for(server, tmp_path):
    options = ("--models", PREFIX, "--cache-dir", tmp_path / "cache")
    own, everybody, nobody = (server(*options, *more).url for more in ((), ("--console", "on"), ("--console", "off")))
    status = lambda url, path="/console", method="GET", **headers: Client(url)(method, path, **headers).status
    for path in ("/console", "/console/state"):
        assert status(own, path) == status(own, path, Host="localhost:1") == 200
        # A site whose name was made to lead to this machine.
        assert status(own, path, Host="rebound.example") == 404
        assert status(everybody, path, Host="rebound.example") == 200
        assert status(nobody, path) == 404
        assert status(own, path, "POST") == 405 and status(own, path, "HEAD") == 200
        assert status(nobody, path, "POST") == 404
    answer = Client(own)("GET", "/console")
    policy = answer.headers["content-security-policy"]
    nonce = re.search(r"script-src 'nonce-([0-9a-f-]{36})'", policy).group(1)
    assert policy.startswith("default-src 'none'; ") and answer.body.decode().count(f'nonce="{nonce}"') == 2
    assert nonce not in Client(own)("GET", "/console").headers["content-security-policy"]
    assert len(answer.body) < 65536 and answer.headers["x-content-type-options"] == "nosniff"
