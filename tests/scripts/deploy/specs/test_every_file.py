"""Every spec of App Platform and Fly is valid for the platform, and the application starts with it."""

import re
from pathlib import Path

import pytest

from backend.__main__ import cli
from backend.settings import Settings, load_settings
from tests.scripts.deploy.specs.reading import (
    ALL_FILES,
    components,
    environment,
    fly_secrets,
    is_secret,
    problems,
    read,
    variable_lists,
)
from tests.servers import ROOT

# Read by the web image, which does not use Settings.
NOT_SETTINGS = {"STORAGE_ORIGINS"}


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment without settings, in an empty folder."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


@pytest.mark.parametrize("name", ALL_FILES)
def test_every_key_and_value_is_valid(name: str) -> None:
    assert problems(name, read(name)) == []


@pytest.mark.parametrize("name", ALL_FILES)
def test_a_misspelt_key_is_rejected(name: str) -> None:
    document = read(name)
    inner = document["deploy"] if name.endswith(".toml") else document["services"][0]
    inner["instance_cout"] = 1
    assert len(problems(name, document)) == 1


@pytest.mark.parametrize("name", ALL_FILES)
def test_every_variable_is_a_setting(name: str) -> None:
    document = read(name)
    if name.endswith(".toml"):
        lists = [[*document["env"], *fly_secrets(name)]]
    else:
        lists = [[variable["key"] for variable in one] for one in variable_lists(document)]
        # Variables of the app are not repeated on a component.
        assert not [key for keys in lists[1:] for key in keys if key in lists[0]]
    for keys in lists:
        assert len(keys) == len(set(keys))
        assert set(keys) - set(Settings.model_fields) <= NOT_SETTINGS


@pytest.mark.parametrize("name", ALL_FILES)
def test_the_application_starts_with_them(name: str, bare: pytest.MonkeyPatch) -> None:
    for key, value in environment(name).items():
        bare.setenv(key, value)
    settings = load_settings()
    assert settings.deployed
    assert settings.secure_cookies


@pytest.mark.parametrize("name", ALL_FILES)
def test_no_file_contains_a_secret(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "EV[" not in text
    assert not re.search(r"://[^/\s]*:[^/\s]*@", text)
    if name.endswith(".toml"):
        assert not [key for key in read(name)["env"] if is_secret(key)]


@pytest.mark.parametrize("name", ALL_FILES)
def test_every_command_exists_in_the_image(name: str) -> None:
    document = read(name)
    if name.endswith(".toml"):
        roles = {*document["processes"].values(), document["deploy"]["release_command"]}
    else:
        commands = [component.get("run_command") for component in components(document).values()]
        roles = {command.removeprefix("/app/docker/entrypoint ") for command in commands if command}
    procfile = {line.partition(":")[0] for line in (ROOT / "Procfile").read_text().splitlines()}
    commands_of_backend = {command.name or command.callback.__name__ for command in cli.registered_commands}
    assert roles <= procfile | commands_of_backend
