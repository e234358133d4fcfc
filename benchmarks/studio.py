"""How long visitors of the studio wait: until the page is usable, for a picture, for a hundred, in a crowd.

A real `sfumato studio` and a real Chromium, on the examples that came along. `start` is from the command to
a page that shows what its address says; `release` from letting a slider go to the new picture on the screen
(one image at 64x64, the flow at 10 steps); `showcase` from the click to a hundred images; `crowd` is 20
programs that ask for one image after the other for a minute (gradio_client, 127.0.0.1). Required: 15 s; a
median of 0.4 s; 2 s for the GAN and 20 s for the flow; no error, nobody served less than half as often as
anybody else, and a studio that does not grow.

python benchmarks/studio.py --only start,release,showcase,crowd
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from memory import resident

PARTS = ("start", "release", "showcase", "crowd")
RUNS = {"gan": "example:dcgan", "flow": "example:flow"}
STEPS = 10
START, RELEASE, SHOWCASE = 15.0, 0.4, {"gan": 2.0, "flow": 20.0}
FAIR, GROWTH = 0.5, 1.1
"""Fewest answers to one client over the most to another; memory at the end over that in the middle."""
WATCH = """selector => {
  const picture = () => document.querySelector(`${selector} img`)?.currentSrc ?? "";
  document.addEventListener("pointerup", () => {
    const before = picture(), since = performance.now();
    window.waited = new Promise((done) => {
      const look = async () => {
        const image = document.querySelector(`${selector} img`);
        if (!image || picture() === before) return requestAnimationFrame(look);
        await image.decode();
        requestAnimationFrame(() => done((performance.now() - since) / 1000));
      };
      look();
    });
  }, { capture: true });
}"""
"""Measures in the page, from letting go of the pointer to the frame in which another picture stands."""


class Studio(NamedTuple):
    """A studio that answers."""

    process: subprocess.Popen[str]
    address: str


@contextlib.contextmanager
def studio(folder: Path) -> Iterator[Studio]:
    """Start a studio and end it."""
    command = [sys.executable, "-m", "sfumato", "studio", "--port", "0", "--runs", str(folder)]
    with open(folder / "errors.txt", "w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        assert process.stdout is not None
        found = [word for word in process.stdout.readline().split() if word.startswith("http://")]
        if not found:
            raise SystemExit((folder / "errors.txt").read_text()[-2000:])
        yield Studio(process, found[0].rstrip("/."))
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """Start a browser."""
    from playwright.sync_api import sync_playwright

    names = (os.environ.get("SFUMATO_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise SystemExit("needs Chromium: set SFUMATO_CHROMIUM")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def opened(browser: Any, address: str, query: str = "") -> Any:
    """Return the page when it shows what its address says."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, locale="en-US")
    page.set_default_timeout(120_000)
    page.goto(f"{address}/{query}")
    page.wait_for_function("window.sfumato?.here()")
    return page


def start(browser: Any, folder: Path, times: int) -> dict[str, Any]:
    """Measure from the command to a usable page."""
    found = []
    for _ in range(times):
        since = time.perf_counter()
        with studio(folder) as one:
            page = opened(browser, one.address)
            page.get_by_role("tab", name="Generate").wait_for()
            found.append(time.perf_counter() - since)
            page.close()
    seconds = statistics.median(found)
    return {"seconds": round(seconds, 2), "slowest": round(max(found), 2), "passed": max(found) < START}


def let_go(page: Any, slider: Any, value: float) -> float:
    """Drag a slider to a value; return the seconds until another picture stands on the page."""
    low, high = (float(slider.get_attribute(name)) for name in ("min", "max"))
    box = slider.bounding_box()
    thumb = 16  # the middle of the handle cannot reach the ends of the track
    place = box["x"] + thumb / 2 + (value - low) / (high - low) * (box["width"] - thumb)
    page.mouse.move(place, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.up()
    return page.evaluate("window.waited")


def release(browser: Any, one: Studio, name: str, times: int) -> dict[str, Any]:
    """Measure from letting go of a slider to the picture."""
    page = opened(browser, one.address, f"?tab=generate&run={RUNS[name]}&seed=1")
    page.locator("#sf-drawn img").wait_for()
    page.evaluate(WATCH, "#sf-drawn")
    label, turns = ("Steps", (STEPS, STEPS + 4)) if name == "flow" else ("Daring", (0.8, 1.2))
    slider = page.get_by_label(f"range slider for {label}")
    slider.scroll_into_view_if_needed()
    waited: dict[float, list[float]] = {turn: [] for turn in turns}
    for number in range(times + 1):
        for turn in turns:
            seconds = let_go(page, slider, turn)
            at = float(slider.input_value())
            if number and at in waited:  # the first round opens the model
                waited[at].append(seconds)
    found = waited[turns[0]]
    page.close()
    if not found:
        raise SystemExit(f"{name}: the slider never stood at {turns[0]}")
    seconds = statistics.median(found)
    return {"run": RUNS[name], "times": len(found), "seconds": round(seconds, 3),
            "slowest": round(max(found), 3), "passed": seconds < RELEASE}  # fmt: skip


def showcase(browser: Any, one: Studio, name: str) -> dict[str, Any]:
    """Measure from the click to a hundred images, after one for which the model was opened."""
    page = opened(browser, one.address, f"?tab=generate&run={RUNS[name]}&seed=1")
    page.locator("#sf-drawn img").wait_for()
    page.evaluate(WATCH, "#sf-drawn")
    page.get_by_text("A showcase of 100").click()
    seconds = page.evaluate("window.waited")
    page.close()
    return {"run": RUNS[name], "seconds": round(seconds, 2), "passed": seconds < SHOWCASE[name]}


def crowd(one: Studio, clients: int, seconds: float) -> dict[str, Any]:
    """Let many clients ask at once; return their troubles, who was served how often, and the memory."""
    from gradio_client import Client

    known = [Client(one.address, verbose=False) for _ in range(clients)]
    answers, troubles, begun = [0] * clients, [], time.monotonic()

    def ask(number: int) -> None:
        while time.monotonic() - begun < seconds:
            try:
                seed = 1000 * number + answers[number]
                made = known[number].predict(RUNS["gan"], 1, seed, api_name="/sample")
                assert len(made) == 1 and made[0].startswith("data:image/png"), "no picture"
                answers[number] += 1
            except Exception as error:
                troubles.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    sizes, process = [], psutil.Process(one.process.pid)
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        sizes.append(sum(resident(process)))
        time.sleep(0.5)
    fair = min(answers) / max(max(answers), 1)
    middle = statistics.median(sizes[len(sizes) // 3 : 2 * len(sizes) // 3 + 1])
    growth = statistics.median(sizes[-max(len(sizes) // 6, 1) :]) / middle
    return {
        "clients": clients, "asked_for_seconds": seconds, "images": sum(answers), "errors": len(troubles),
        "first_errors": troubles[:3], "fewest": min(answers), "most": max(answers),
        "peak_gib": round(max(sizes) / 2**30, 3), "growth": round(growth, 3),
        "passed": not troubles and fair >= FAIR and growth < GROWTH,
    }  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--times", type=int, default=20, help="how often a slider is let go of")
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60, help="how long the clients ask")
    options = parser.parse_args()
    wanted = [part for part in PARTS if part in options.only.split(",")]
    result: dict[str, Any] = {"benchmark": "studio"}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, chromium() as browser:
        folder = Path(name)
        if "start" in wanted:
            result["start"] = start(browser, folder, options.starts)
        with studio(folder) as one:
            for kind in RUNS:
                if "release" in wanted:
                    result[f"release_{kind}"] = release(browser, one, kind, options.times)
                if "showcase" in wanted:
                    result[f"showcase_{kind}"] = showcase(browser, one, kind)
            if "crowd" in wanted:
                result["crowd"] = crowd(one, options.clients, options.seconds)
    result["passed"] = all(found["passed"] for found in result.values() if isinstance(found, dict))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
