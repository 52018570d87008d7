"""The commands that README and docs name, as their readers type them."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from dagster_project.settings import PROJECT_ROOT

PAGES = [PROJECT_ROOT / "README.md", *sorted((PROJECT_ROOT / "docs").glob("*.md"))]


def blocks(pages: Sequence[Path] = PAGES) -> list[str]:
    """The commands of all ```bash blocks, those that delete last."""
    lines = [
        shlex.join(words)
        for page in pages
        for block in re.findall(r"^```bash\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
        for line in block.splitlines()
        if (words := shlex.split(line, comments=True)) and words[0] in ("b2chat", "make")
    ]
    return sorted(dict.fromkeys(lines), key=lambda line: " delete " in line)


def mentioned(pages: Sequence[Path] = PAGES) -> list[str]:
    """The commands in the text, without those that are cut short (`b2chat export …`)."""
    found = [
        command
        for page in pages
        for command in re.findall(r"(?<!`)`(b2chat [^`\n]*)`", page.read_text())
        if "…" not in command
    ]
    return sorted(set(found))
