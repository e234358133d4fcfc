"""How the pictures of README and docs were made.

    sfumato studio --port 7861 --runs $(mktemp -d) &
    python recipes/pictures.py http://127.0.0.1:7861 --out docs/studio

opens every tab of a running studio in Chromium, uses it with the examples that came along, and takes its
picture.
The others are single commands:

    sfumato explore example:flow showcase -n 64 --out docs/showcase.png
    sfumato explore example:flow trajectory --seeds 33 --steps 12 --out docs/trajectory.png
    sfumato report example:flow example:ddpm example:gan_cbam example:dcgan example:vae --out report
                                                 # docs/report.webp is its top
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

WIDE, HIGH = 1180, 900
"""Size of the browser's window in pixels."""
MOST = 1400
"""Height above which a long page is cut."""


def drawn(page: Any) -> None:
    """Wait for a picture that was made."""
    page.locator("#sf-drawn img").wait_for()


def explored(page: Any) -> None:
    """Make what the tab Explore was asked for."""
    page.wait_for_timeout(3000)  # until the options are those of this kind
    page.get_by_role("button", name="Make it").click()
    page.locator("#sf-explore .sf-picture img").first.wait_for()


def compared(page: Any) -> None:
    """Wait for every run's row."""
    page.locator("#sf-compare .sf-strip").nth(2).wait_for()


def restored(page: Any) -> None:
    """Restore the example."""
    tab = page.locator("#sf-restore")
    tab.get_by_role("button", name="Try").click()
    tab.locator("figure.sf-photo img").wait_for()
    for method in ("Non-local means", "Total variation", "example:denoiser"):
        tab.get_by_text(method, exact=True).click()
    tab.get_by_role("button", name="Restore", exact=True).click()
    tab.locator(".sf-results > li").nth(3).wait_for()


def examined(page: Any) -> None:
    """Have a set of images looked at."""
    page.get_by_role("button", name="Look at them").click()
    page.locator("#sf-data img").first.wait_for()


def asked(page: Any) -> None:
    """Begin the game."""
    page.get_by_role("button", name="Start").click()
    page.locator("#sf-game .sf-pair img").nth(1).wait_for()


def nothing(page: Any) -> None:
    """Take the page as it is."""


PAGES: Mapping[str, tuple[str, Callable[[Any], None]]] = {
    "home": ("", nothing),
    "data": ("?tab=data&data=portraits", examined),
    "train": ("?tab=train&data=portraits&preset=flow", nothing),
    "generate": ("?tab=generate&run=example:flow&seed=100&n=16", drawn),
    "explore": ("?tab=explore&run=example:gan_cbam&kind=attributes&seeds=1", explored),
    "compare": ("?tab=compare&runs=example:dcgan,example:gan_cbam,example:flow", compared),
    "score": ("?tab=score&run=example:dcgan", nothing),
    "restore": ("?tab=restore", restored),
    "game": ("?tab=game&run=example:flow", asked),
    "models": ("?tab=models&model=flow", nothing),
    "runs": ("?tab=runs&run=example:flow", nothing),
}
"""Name of the picture to an address and to what is done there."""


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("address", help="of a running studio")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(PAGES)}; empty: all")
    parser.add_argument("--out", type=Path, default=Path("pictures"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    chromium = os.environ.get("SFUMATO_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name in options.names or PAGES:
            query, act = PAGES[name]
            page: Any = browser.new_page(viewport={"width": WIDE, "height": HIGH}, locale="en-US")
            page.set_default_timeout(120_000)
            page.goto(f"{options.address}/{query}")
            page.wait_for_function("window.sfumato?.here()")
            act(page)
            page.wait_for_timeout(3000)  # gentle motion, curves and pictures that arrive one by one
            page.evaluate("window.scrollTo(0, 0)")
            page.add_style_tag(content="footer { display: none !important }")  # it names a folder of mine
            found = page.locator(".sf-restored")  # which is below what asks for it
            top = found.bounding_box()["y"] - 20 if found.count() else 0
            high = min(page.evaluate("document.documentElement.scrollHeight") - top, MOST)
            clip = {"x": 0, "y": top, "width": WIDE, "height": high}
            with Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip))) as picture:
                picture.convert("RGB").save(options.out / f"{name}.webp", quality=90, method=6)
            print(options.out / f"{name}.webp", flush=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
