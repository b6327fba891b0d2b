"""The flyctl simulator stores secrets, with the pitfalls of flyctl."""

import json

from tests.simulators.flyctl.caller import deploy, run
from tests.simulators.flyctl.install import Flyctl


def test_secrets_are_merged_and_listed_by_digest_only(fly: Flyctl) -> None:
    run(fly, "secrets", "import", "-a", "slipway", "--stage", stdin='A="one"\nB="two"\n')
    ended = run(fly, "secrets", "set", "-a", "slipway", "--stage", "B=three")
    assert "staged" in ended.stdout
    listed = json.loads(run(fly, "secrets", "list", "-a", "slipway", "--json").stdout)
    assert [(one["name"], one["status"]) for one in listed] == [("A", "Staged"), ("B", "Staged")]
    assert "one" not in json.dumps(listed)
    assert fly.app("slipway")["restarts"] == 0
    deploy(fly)
    assert {secret["staged"] for secret in fly.app("slipway")["secrets"].values()} == {False}
    run(fly, "secrets", "unset", "-a", "slipway", "A")
    assert list(fly.app("slipway")["secrets"]) == ["B"]


def test_secrets_without_stage_restart_the_machines(fly: Flyctl) -> None:
    run(fly, "secrets", "import", "-a", "slipway", stdin="A=one\n")
    assert fly.app("slipway")["restarts"] == 1
    run(fly, "secrets", "set", "-a", "slipway", "--stage", "A=two")
    run(fly, "secrets", "deploy", "-a", "slipway")
    assert fly.app("slipway")["restarts"] == 2


def test_import_has_the_pitfalls_of_the_real_one(fly: Flyctl) -> None:
    lines = [
        "CUT=ab#cd",
        "SINGLE='ab#cd'",
        'DOUBLE="ab#cd"',
        'ESCAPED="a\\"b\\n"',
        "export A=1",
        'LINES="""one',
        'two"""',
        "# a comment",
        "",
        "EMPTY=",
        "LONG=" + "x" * 70_000,
        "LOST=1",
    ]
    run(fly, "secrets", "import", "-a", "slipway", "--stage", stdin="\n".join(lines))
    assert {name: secret["value"] for name, secret in fly.app("slipway")["secrets"].items()} == {
        "CUT": "ab",
        "SINGLE": "'ab",
        "DOUBLE": "ab#cd",
        "ESCAPED": 'a\\"b\\n',
        "export A": "1",
        "LINES": "one\ntwo",
        "EMPTY": "",
    }


def test_import_of_nothing_is_refused(fly: Flyctl) -> None:
    assert "requires at least one" in run(fly, "secrets", "import", "-a", "slipway").stderr
    assert "NAME=VALUE" in run(fly, "secrets", "import", "-a", "slipway", stdin="no pair").stderr
