"""Secrets are encoded so that every version of flyctl reads them exactly, or refused."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scripts.deploy.errors import Refused
from scripts.deploy.fly.commands import LONGEST_LINE, secrets_input
from tests.simulators.flyctl.program.secrets_input import parse_secrets

# Characters that flyctl's parser treats specially are frequent.
VALUES = st.text(alphabet=st.one_of(st.sampled_from("\"'# =\n$\\a"), st.characters(codec="utf-8")), max_size=12)


@settings(max_examples=1000, deadline=None)
@given(value=VALUES)
@example(value='a"b#c')
@example(value='"""a#\n')
@example(value='a"#\nb')
@example(value="'\"#'")
@example(value='""\n')
@example(value='"""\na')
@example(value=' "#')
def test_a_value_is_imported_exactly_or_refused(value: str) -> None:
    try:
        encoded = secrets_input({"FIRST": value, "SECOND": "x"})
    except Refused:
        assert set(value) & set('"\r\0'), "only double quotes and control characters may be refused"
        return
    for older in (False, True):
        assert parse_secrets(encoded, older=older) == {"FIRST": value, "SECOND": "x"}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", '"plain"'),
        (" a # b $X ", '" a # b $X "'),
        ("it's", '"it\'s"'),
        ("'quoted'", "\"'quoted'\""),
        ('{"a": "#1"}', '{"a": "#1"}'),
        ('a"b', '"a"b"'),
        ("a\n\nb", '"""a\n\nb"""'),
    ],
)
def test_the_shortest_correct_encoding_is_used(value: str, written: str) -> None:
    assert secrets_input({"A": value}) == f"A={written}\n"


@pytest.mark.parametrize("value", ["k\rk", "k\0k", '"', '""k"', ' "#', 'k"#\nk', 'k"""\nk', "k" * LONGEST_LINE])
def test_a_value_that_flyctl_can_not_read_is_refused_by_name(value: str) -> None:
    with pytest.raises(Refused, match=r"^JWT_SECRET has (a CR|a line of|double quotes) .*: choose another value$"):
        secrets_input({"MAIL_FROM": "x", "JWT_SECRET": value})


def test_the_longest_line_matches_the_parsers_limit() -> None:
    longest = "x" * (LONGEST_LINE - len('A=""'))
    assert parse_secrets(secrets_input({"A": longest, "B": "1"})) == {"A": longest, "B": "1"}
    with pytest.raises(Refused, match="64 KB"):
        secrets_input({"A": longest + "x"})
