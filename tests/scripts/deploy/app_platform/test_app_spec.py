"""Specs built from the file in git and the live spec, in cases that are hard to reach with whole commands."""

from typing import Any

import pytest

from scripts.deploy.app_platform.app_spec import Spec, components, digests, merged, read_spec, with_digests, with_values
from scripts.deploy.errors import Refused

A, B = ({"repository": "slipway-app", "digest": f"sha256:{letter * 64}"} for letter in "ab")
WEB = {"repository": "slipway-web", "digest": "sha256:" + "c" * 64}


def spec(*envs: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"name": "slipway", "envs": list(envs), **more}


def env(key: str, value: str = "", **more: str) -> dict[str, str]:
    return {"key": key, "scope": "RUN_TIME"} | ({"value": value} if value else {}) | more


def test_components_that_share_an_anchor_are_changed_separately() -> None:
    found = read_spec("name: x\nservices: [{name: a, image: &i {repository: r}}, {name: b, image: *i}]\n", "x.yaml")
    first, second = (component["image"] for _, component in components(found))
    first["digest"] = "changed"
    assert second == {"repository": "r"}


@pytest.mark.parametrize("text", ["", "- a", "services: []", "name: x\nenvs: [{key: A, value: 'EV[1:a:b]'}]"])
def test_an_invalid_spec_file_is_refused(text: str) -> None:
    with pytest.raises(Refused, match=r"x\.yaml"):
        read_spec(text, "x.yaml")


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        ([A, A, WEB], {"slipway-app": A["digest"], "slipway-web": WEB["digest"]}),
        ([A, B], {"slipway-app": ""}),
        ([B, A, B], {"slipway-app": ""}),
        ([{"repository": "slipway-app", "tag": "latest"}], {"slipway-app": ""}),
        ([A, {"repository": "slipway-app", "tag": "latest"}], {"slipway-app": ""}),
        ([], {}),
    ],
)
def test_a_repository_has_a_digest_when_all_its_components_run_it(
    images: list[dict[str, str]], expected: dict[str, str]
) -> None:
    services = [{"name": f"s{number}", "image": image} for number, image in enumerate(images)]
    assert digests({"services": services, "jobs": [{"name": "migrate", "image": B}]}) == expected


def test_a_component_without_an_image_of_the_release_is_refused() -> None:
    with pytest.raises(Refused, match=r"services\.search runs no image of this release: slipway-app"):
        with_digests({"services": [{"name": "search", "image": {"repository": "opensearch"}}]}, {"slipway-app": "x"})
    with pytest.raises(Refused, match=r"static_sites\.docs runs no image"):
        with_digests({"static_sites": [{"name": "docs"}]}, {"slipway-app": "x"})


def test_a_digest_replaces_a_tag() -> None:
    before: Spec = {"workers": [{"name": "w", "image": {"repository": "slipway-app", "tag": "latest"}}]}
    after = with_digests(before, {"slipway-app": "sha256:1"})
    assert after["workers"][0]["image"] == {"repository": "slipway-app", "digest": "sha256:1"}
    assert before["workers"][0]["image"]["tag"] == "latest"


@pytest.mark.parametrize(
    ("in_file", "live", "given", "expected"),
    [
        (env("A", "file"), env("A", "live"), {"A": "given"}, env("A", "file")),
        (env("A"), env("A", "live"), {"A": "given"}, env("A", "given")),
        (env("A"), env("A", "live"), {}, env("A", "live")),
        (env("A", type="SECRET"), env("A", "EV[1:a:b]", type="SECRET"), {}, env("A", "EV[1:a:b]", type="SECRET")),
        (env("A"), env("A", "EV[1:a:b]", type="SECRET"), {}, env("A", "EV[1:a:b]", type="SECRET")),
    ],
)
def test_a_value_comes_from_the_file_else_the_given_values_else_the_platform(
    in_file: dict[str, str], live: dict[str, str], given: dict[str, str], expected: dict[str, str]
) -> None:
    assert merged(spec(in_file), spec(live), given)["envs"] == [expected]


@pytest.mark.parametrize("live", [None, spec(), spec(env("A")), spec(env("A", type="SECRET"))])
def test_a_variable_without_any_value_is_refused(live: dict[str, Any] | None) -> None:
    with pytest.raises(Refused, match="slipway has no value for A, B"):
        merged(spec(env("A"), services=[{"name": "web", "envs": [env("B")]}]), live, {})


def test_settings_in_the_file_override_live_settings() -> None:
    live = spec(domains=[{"domain": "a.example"}], vpc={"id": "1"}, maintenance={"enabled": True}, region="ams")
    result = merged(spec(domains=[{"domain": "b.example"}]), live, {})
    assert result["domains"] == [{"domain": "b.example"}]
    assert result["vpc"] == {"id": "1"}
    assert result["maintenance"] == {"enabled": True}
    assert "region" not in result


BASE: Spec = spec(env("A"), env("S", type="SECRET"), services=[{"name": "web", "envs": [env("W")]}])
LIVE: Spec = spec(
    env("A", "1"), env("S", "EV[1:s:s]", type="SECRET"), services=[{"name": "web", "envs": [env("W", "2")]}]
)


@pytest.mark.parametrize(
    ("given", "pruned", "secret", "of_app", "of_web"),
    [
        ({}, [], [], LIVE["envs"], [env("W", "2")]),
        ({"A": "3"}, [], [], [env("A", "3"), LIVE["envs"][1]], [env("W", "2")]),
        ({"S": "new"}, [], ["S"], [env("A", "1"), env("S", "new", type="SECRET")], [env("W", "2")]),
        ({"W": "4"}, [], [], LIVE["envs"], [env("W", "4")]),
        ({"N": "5"}, [], ["N"], [*LIVE["envs"], env("N", "5", type="SECRET")], [env("W", "2")]),
        ({}, ["A", "W"], [], [LIVE["envs"][1]], None),
    ],
)
def test_variables_are_set_on_the_level_where_the_file_has_them(
    given: dict[str, str], pruned: list[str], secret: list[str], of_app: list[Any], of_web: list[Any] | None
) -> None:
    result = with_values(LIVE, BASE, given, pruned, secret)
    assert result["envs"] == of_app
    assert result["services"][0].get("envs") == of_web
    assert env("A", "1") in LIVE["envs"]
