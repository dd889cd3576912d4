"""Opening a page in headless Chromium and measuring what it shows.

A headless window cannot be as narrow as a telephone, so the page stands in a frame of that width.
The script that measures is put into a copy of the page and sends what it finds to the page around.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")

# Put first, so that it sees every complaint; it measures when all is laid out.
_LISTEN = """<script>
window.complaints = [];
addEventListener("error", event => complaints.push(String(event.message)));
addEventListener("securitypolicyviolation", event => complaints.push(event.blockedURI));
addEventListener("load", () => {
  const parts = [...document.querySelectorAll("details")];
  const before = parts.map(part => part.open);
  const buttons = [...document.querySelectorAll("nav button")];
  const press = number => { if (buttons.length) buttons[number].click(); };
  press(1);
  const folded = parts.every(part => !part.open);
  const summary = document.querySelector("summary");
  if (summary) summary.click();
  const opened = parts.length > 0 && parts[0].open;
  const shown = parts.length > 0 && parts[0].querySelector(".inside").clientHeight > 0;
  press(0);
  parts.forEach(part => part.open = true);
  const box = element => element.getBoundingClientRect();
  const size = name => [...document.querySelectorAll(name)].map(
    element => [box(element).width, box(element).height,
                parseFloat(getComputedStyle(element).fontSize)]);
  parent.postMessage(JSON.stringify({
    complaints, before, folded, opened, shown,
    unfolded: parts.every(part => part.open),
    has_buttons: buttons.length > 0 && box(buttons[0]).height > 0,
    width: innerWidth,
    scroll_width: document.documentElement.scrollWidth,
    scrolling_boxes: [...document.querySelectorAll(".step, .left, .wide, pre")]
      .filter(element => element.scrollWidth > element.clientWidth).length,
    math: size("math"), fractions: size("mfrac"), tables: size("mtable"),
    images: [...document.images].map(image => [image.naturalWidth, box(image).width]),
    colours: [getComputedStyle(document.body).color,
              getComputedStyle(document.body).backgroundColor],
  }), "*");
});
</script>"""


def chromium() -> str:
    """Find the browser, or skip the test."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip(f"no browser to open pages in: none of {', '.join(_NAMES)} is installed")
    return found


def measured(page: str, folder: Path, width: int, *, dark: bool = False) -> dict[str, Any]:
    """Open a page at a width and return what it measures, with what the console said.

    Parameters
    ----------
    page : str
        HTML of the page.
    folder : path
        Where to put it.
    width : int
        Of the frame, in CSS pixels.
    dark : bool, default False
        Whether the browser prefers dark colours.
    """
    inside, around = folder / "page.html", folder / "around.html"
    inside.write_text(page.replace("<head>", f"<head>{_LISTEN}", 1), encoding="utf-8")
    around.write_text(
        '<!DOCTYPE html><meta charset="utf-8"><title>around</title><pre id="found"></pre><script>'
        'addEventListener("message", event => found.textContent = event.data);</script>'
        f'<iframe src="page.html" width="{width}" height="800" style="border:0"></iframe>',
        encoding="utf-8",
    )
    options = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
        f"--user-data-dir={folder / 'profile'}",
        f"--window-size={max(width + 40, 600)},900",
        "--virtual-time-budget=4000",
        f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        "--dump-dom",
    ]
    run = subprocess.run(
        [chromium(), *options, around.as_uri()], capture_output=True, text=True, timeout=120
    )
    found = re.search(r'<pre id="found">(.+?)</pre>', run.stdout, re.DOTALL)
    assert found, f"the page did not answer:\n{run.stdout[-2000:]}\n{run.stderr[-2000:]}"
    console = [line for line in run.stderr.splitlines() if ":CONSOLE" in line]
    return {**json.loads(html.unescape(found[1])), "console": console}
