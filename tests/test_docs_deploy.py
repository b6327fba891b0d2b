"""Commands and links in docs/deploy are valid: make targets, variables, links, doctl and flyctl commands."""

import re
from pathlib import Path

import pytest

from backend.__main__ import cli

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted((ROOT / "docs" / "deploy").glob("*.md"))
TEXTS = {page.name: page.read_text("utf-8") for page in PAGES}
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
COMMANDS = {command.name or getattr(command.callback, "__name__", "") for command in cli.registered_commands}
CODE = re.compile(r"```.*?```|`[^`]+`", re.DOTALL)
# Only at the start of a command: `apt-get install make python3` does not match.
MAKE = re.compile(r"(?:^|[`;&=…]|\w=\S+) *make ([a-z][a-z-]+)((?: [A-Z_]+=[^\s`]*)*)", re.MULTILINE)
MISSING_COMMANDS = (
    r"create-deployment\b[^\n`]*--image-tag",
    r"\bapps exec\b",
    r"doctl apps [^\n`]*--env-file",
    r"\breleases rollback\b",
    r"\bfly(ctl)? releases list\b",
    r"doctl apps rollback\b",
)


@pytest.mark.parametrize("name", TEXTS)
def test_every_make_target_exists_and_uses_its_variables(name: str) -> None:
    code = "\n".join(CODE.findall(TEXTS[name]))
    for target, rest in MAKE.findall(code):
        recipe = _recipe(target)
        for variable in re.findall(r"([A-Z_]+)=", rest):
            assert re.search(rf"\b{variable}\b", recipe), f"make {target} {variable}=…"


@pytest.mark.parametrize("name", TEXTS)
def test_every_backend_command_exists_or_is_announced(name: str) -> None:
    for paragraph in TEXTS[name].split("\n\n"):
        for command in re.findall(r"python -m backend ([a-z][a-z-]+)", paragraph):
            assert command in COMMANDS or "later change" in paragraph, command


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_has_an_existing_file_and_heading(name: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", TEXTS[name]):
        path, _, anchor = target.partition("#")
        file = (ROOT / "docs" / "deploy" / path) if path else ROOT / "docs" / "deploy" / name
        assert file.is_file(), target
        if anchor:
            assert anchor in _anchors(file.read_text("utf-8")), target


@pytest.mark.parametrize("name", TEXTS)
def test_all_doctl_and_flyctl_commands_exist(name: str) -> None:
    for missing in MISSING_COMMANDS:
        assert not re.search(missing, TEXTS[name]), missing


def _recipe(target: str) -> str:
    """Return the lines of a target and of the variables it uses."""
    found = re.search(rf"^{re.escape(target)}:.*\n(?:\t.*\n|(?:ifdef|else|endif).*\n)+", MAKEFILE, re.MULTILINE)
    assert found, f"make {target}"
    options = re.search(r"^DEPLOY_OPTIONS := .*$", MAKEFILE, re.MULTILINE)
    assert options
    return found[0] + (options[0] if "$(DEPLOY_OPTIONS)" in found[0] else "")


def _anchors(text: str) -> set[str]:
    """Return GitHub's anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
