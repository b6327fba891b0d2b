"""The changes of a spec are listed one per line, without the values of variables."""

from typing import Any

import pytest

from scripts.deploy.app_platform.spec_changes import changes

API = {"name": "api", "instance_count": 1, "alerts": [{"rule": "RESTART_COUNT", "value": 2}]}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"services": [API]}, {"services": [API]}, []),
        ({"region": "fra", "services": [API]}, {"services": [API]}, []),
        ({}, {"region": "fra"}, ['+ region: "fra"']),
        (
            {"services": [API]},
            {"services": [API | {"instance_count": 2}]},
            ["~ services.api.instance_count: 1 → 2"],
        ),
        (
            {"services": [API]},
            {"services": [API | {"alerts": [{"rule": "RESTART_COUNT", "value": 9}]}]},
            ["~ services.api.alerts.RESTART_COUNT.value: 2 → 9"],
        ),
        ({"services": [API], "workers": [{"name": "w"}]}, {"services": [API]}, ["- workers.w"]),
        ({"domains": [{"domain": "a.example"}]}, {}, ["- domains.a.example"]),
        ({"databases": [{"name": "db", "engine": "PG"}]}, {}, ["- databases.db"]),
        ({"features": ["a"]}, {"features": ["b"]}, ['~ features: ["a"] → ["b"]']),
        ({"envs": [{"key": "A", "value": "1"}]}, {"envs": [{"key": "A", "value": "2"}]}, ["~ envs.A.value"]),
        ({"envs": [{"key": "A", "value": "1"}]}, {}, ["- envs.A"]),
        ({}, {"envs": [{"key": "A", "value": "1"}]}, ["+ envs.A.value"]),
        (
            {"services": [{"name": "api", "envs": [{"key": "A", "value": "1"}]}]},
            {"services": [{"name": "api", "envs": [{"key": "A", "value": "2"}, {"key": "B", "value": "3"}]}]},
            ["+ services.api.envs.B.value", "~ services.api.envs.A.value"],
        ),
    ],
)
def test_each_change_is_listed(before: dict[str, Any], after: dict[str, Any], expected: list[str]) -> None:
    assert changes(before, after) == expected


def test_the_order_of_named_items_is_no_change() -> None:
    envs = [{"key": "A", "value": "1"}, {"key": "B", "value": "2"}]
    assert changes({"envs": envs}, {"envs": envs[::-1]}) == []
