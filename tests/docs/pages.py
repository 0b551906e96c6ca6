"""Reads the documentation: pages, their sections, tables, code blocks and links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A block of code: its language and its text."""

    language: str
    text: str


@dataclass(frozen=True)
class Page:
    """One page, or a part of one."""

    name: str
    text: str

    @property
    def prose(self) -> str:
        """The text with its blocks of code made blank; everything else stays where it is."""
        return FENCE.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), self.text)

    def headings(self) -> list[str]:
        """The headings, without their marks."""
        return re.findall(r"^#+ (.+)$", self.prose, re.M)

    def section(self, heading: str) -> "Page":
        """What stands below ``heading``, up to the next heading that is not deeper."""
        start = re.search(rf"^(#+) {re.escape(heading)}$", self.prose, re.M)
        assert start is not None, f"{self.name} has no heading {heading!r}"
        end = re.compile(rf"^#{{1,{len(start[1])}}} ", re.M).search(self.prose, start.end())
        return Page(f"{self.name}, {heading}", self.text[start.end() : end.start() if end else None])

    def blocks(self, *languages: str) -> list[Block]:
        """The blocks of code in one of these languages, in order, moved to the margin."""
        found = []
        for indent, language, text in FENCE.findall(self.text):
            if not languages or language in languages:
                found.append(Block(language, re.sub(rf"^{indent}", "", text, flags=re.M)))
        return found

    def tables(self) -> list[list[list[str]]]:
        """Every table: rows of cells, the head left out."""
        found = []
        for table in re.findall(r"(?:^ *\|.*\|$\n?)+", self.prose, re.M):
            lines = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table.splitlines()]
            found.append(lines[2:])
        return found

    def rows(self) -> dict[str, list[str]]:
        """The rows of all tables by the code in their first cell; the other cells."""
        return {row[0].strip("`"): row[1:] for table in self.tables() for row in table if row[0].startswith("`")}

    def code(self) -> list[str]:
        """Everything written as code: each line of each block, and each code span."""
        lines = [line for block in self.blocks() for line in block.text.splitlines()]
        return lines + re.findall(r"`([^`\n]+)`", self.prose)

    def links(self) -> list[str]:
        """The targets of links and pictures."""
        return re.findall(r"\]\(([^)\s]+)\)", self.prose)

    def anchors(self) -> set[str]:
        """What a link may name behind ``#``, by the rule of GitHub."""
        words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in self.headings())
        return {word.replace(" ", "-") for word in words}


def page(name: str) -> Page:
    """The page of this path."""
    return Page(name, (ROOT / name).read_text("utf-8"))


def pages() -> list[Page]:
    """Every page of the documentation."""
    files = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return [page(str(file.relative_to(ROOT))) for file in sorted(files)]


def command_lines(shown: Page) -> Iterator[str]:
    """The ``cartback`` command lines in blocks that show a terminal."""
    for block in shown.blocks("console", "sh"):
        for line in block.text.splitlines():
            found = re.match(r"\$ (?:\.venv/bin/)?(cartback .+)", line)
            if found:
                yield found[1]
