"""Components get the variables, memory and times that App Platform gives them."""

import pytest

from tests.rehearsal.environment import SpecError, environment, instances, memory_mb, seconds


def test_own_variables_win_and_bindables_are_filled_in() -> None:
    spec = {"envs": [{"key": "A", "value": "of the app"}, {"key": "URL", "value": "${db.USERNAME}@${db.HOSTNAME}"}]}
    api = {"name": "api", "http_port": 8000, "envs": [{"key": "A", "value": "of api"}]}
    found = environment(spec, api, {"db.USERNAME": "me", "db.HOSTNAME": "there"})
    assert found == {"A": "of api", "URL": "me@there", "PORT": "8000"}


def test_value_for_the_build_alone_is_not_there_at_run_time() -> None:
    spec = {"envs": [{"key": "A", "value": "x", "scope": "BUILD_TIME"}]}
    assert environment(spec, {"name": "worker"}, {}) == {}


def test_unknown_bindable_is_named() -> None:
    spec = {"envs": [{"key": "REDIS_URL", "value": "${cache.DATABASE_URL}"}]}
    with pytest.raises(SpecError, match=r"api: REDIS_URL names \$\{cache.DATABASE_URL\}"):
        environment(spec, {"name": "api"}, {"APP_URL": "https://studio.example.com"})


def test_sizes_counts_and_times_are_read() -> None:
    assert memory_mb({"name": "api", "instance_size_slug": "apps-d-1vcpu-0.5gb"}) == 512
    assert memory_mb({"name": "api", "instance_size_slug": "apps-s-1vcpu-1gb-fixed"}) == 1024
    assert instances({"autoscaling": {"min_instance_count": 2, "max_instance_count": 3}}) == 2
    assert instances({}) == 1
    assert seconds("1h30m") == 5400
