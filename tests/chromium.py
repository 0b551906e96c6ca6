"""A real Chromium for the browser tests: where it comes from, how it starts, and what is checked on every page."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from playwright.async_api import Browser, Page, ViewportSize, async_playwright

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "tests" / "browser"
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
RESULTS = ROOT / "test-results"
SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PHONE = ViewportSize(width=390, height=844)
DESKTOP = ViewportSize(width=1280, height=800)

# Without fonts of its own the packed browser crashes on every page.
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{folder}/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{folder}/fonts-cache</cachedir>
</fontconfig>
"""


@dataclass(frozen=True)
class Chromium:
    """A program and what it needs around it."""

    program: Path
    environment: dict[str, str] = field(default_factory=dict)


def find_chromium() -> Chromium:
    """CHROME_PATH, else the system's, else the packed one, which is unpacked at the first call."""
    named = os.environ.get("CHROME_PATH")
    if named:
        return Chromium(Path(named))
    for name in SYSTEM_NAMES:
        found = shutil.which(name)
        if found:
            return Chromium(Path(found))
    folder = _packed_chromium()
    (folder / "fonts.conf").write_text(FONTS.format(folder=escape(str(folder))))
    libraries = {"LD_LIBRARY_PATH": str(folder / "lib"), "FONTCONFIG_FILE": str(folder / "fonts.conf")}
    return Chromium(folder / "chromium", libraries)


def _packed_chromium() -> Path:
    if (sys.platform, os.uname().machine) != ("linux", "x86_64"):
        raise FileNotFoundError("There is no packed Chromium for this system: install Chromium or set CHROME_PATH.")
    version: str = json.loads((PACKAGE / "package.json").read_text())["dependencies"]["@sparticuz/chromium"]
    folder = ROOT / ".cache" / "chromium" / version
    if not folder.exists():
        draft = folder.with_name(f"{folder.name}.{os.getpid()}")
        shutil.copytree(PACKAGE, draft / "npm")
        _npm(draft / "npm", "ci")
        _npm(draft / "npm", "run", "unpack", "--", str(draft))
        shutil.rmtree(draft / "npm")
        draft.rename(folder)
    return folder


def _npm(folder: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, ROOT / "frontend" / "npm.py", folder, *arguments], check=True)


@asynccontextmanager
async def launch_browser() -> AsyncIterator[Browser]:
    """A headless Chromium, closed at the end; about a second."""
    chromium = find_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium.program,
            # Inside a container there are no privileges to make a sandbox with.
            args=["--no-sandbox"],
            env={**os.environ, **chromium.environment},
        )
        try:
            yield browser
        finally:
            await browser.close()


@dataclass(frozen=True)
class Tab:
    """A page and what went wrong on it: errors on the console, exceptions, failed requests."""

    page: Page
    problems: list[str]


@asynccontextmanager
async def open_tab(
    browser: Browser, *, viewport: ViewportSize = DESKTOP, locale: str = "en-GB", scripts: bool = True
) -> AsyncIterator[Tab]:
    """A tab with cookies and storage of its own."""
    context = await browser.new_context(viewport=viewport, locale=locale, java_script_enabled=scripts)
    tab = Tab(await context.new_page(), [])
    tab.page.on("console", lambda message: tab.problems.append(message.text) if message.type == "error" else None)
    tab.page.on("pageerror", lambda error: tab.problems.append(str(error)))
    tab.page.on("requestfailed", lambda request: tab.problems.append(f"{request.method} {request.url} failed"))
    try:
        yield tab
    finally:
        await context.close()


async def axe_violations(page: Page) -> list[str]:
    """What axe-core has against the page, contrast included: one line per rule with the places."""
    await page.evaluate(AXE.read_text())
    result = await page.evaluate("axe.run()")
    return [
        f"{each['id']}: {each['help']} at {', '.join(' '.join(node['target']) for node in each['nodes'])}"
        for each in result["violations"]
    ]


async def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window; 0 if it fits."""
    pixels: int = await page.evaluate("Math.max(0, document.documentElement.scrollWidth - window.innerWidth)")
    return pixels


async def screenshot(page: Page, name: str) -> Path:
    """Save the whole page as test-results/NAME.png."""
    path = RESULTS / f"{name}.png"
    await page.screenshot(path=path, full_page=True)
    return path


if __name__ == "__main__":
    find_chromium()
