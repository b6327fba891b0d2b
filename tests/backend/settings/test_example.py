"""`.env.example` matches the settings class, and copying it to `.env` changes nothing."""

import re
import shutil
from pathlib import Path

from pydantic import SecretStr

from backend.settings import Settings, load_settings
from tests.servers import ROOT

EXAMPLE = ROOT / ".env.example"


def expected_example() -> str:
    """Build the file's body from the class's group comments, descriptions and defaults."""
    lines: list[str] = []
    groups = group_comments()
    for name, field in Settings.model_fields.items():
        if name in groups:
            lines += ["", f"# --- {groups[name]}"]
        default = field.get_default()
        if isinstance(default, SecretStr):
            default = default.get_secret_value()
        text = ",".join(default) if isinstance(default, list) else str(default)
        quoted = f'"{text}"' if " " in text else text
        lines += [f"# {field.description}", f"#{name}={quoted}"]
    return "\n".join(lines).strip()


def group_comments() -> dict[str, str]:
    """Return the class's `# ---` comments, by the name of the following setting."""
    source = (ROOT / "backend" / "settings" / "fields.py").read_text()
    return {name: comment for comment, name in re.findall(r"^    # --- (.+)\n    ([A-Z0-9_]+):", source, re.MULTILINE)}


def test_the_example_matches_the_settings_class() -> None:
    head, separator, body = EXAMPLE.read_text().partition("\n\n")
    assert all(line.startswith("#") for line in head.splitlines())
    assert separator
    assert len(group_comments()) > 5
    assert body.strip() == expected_example()


def test_a_copied_example_changes_nothing(bare_environment: Path) -> None:
    before = load_settings()
    shutil.copyfile(EXAMPLE, bare_environment / ".env")
    assert load_settings() == before
    assert not load_settings().model_fields_set


def test_an_example_with_all_lines_uncommented_changes_nothing(bare_environment: Path) -> None:
    before = load_settings()
    lines = [re.sub(r"^#([A-Z])", r"\1", line) for line in EXAMPLE.read_text().splitlines()]
    (bare_environment / ".env").write_text("\n".join(lines))
    assert load_settings() == before
    assert len(load_settings().model_fields_set) > len(Settings.model_fields) / 2
