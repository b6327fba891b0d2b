"""The table a rehearsal ends with."""

from tests.rehearsal.play import Row
from tests.rehearsal.rollout import Farewell


def table(rows: list[Row], streams: dict[str, int], farewells: list[Farewell]) -> str:
    """Return a line for each step, the first failures below theirs, and how streams and containers ended."""
    lines = [f"{'step':34} {'seconds':>7} {'sent':>6} {'failed':>7} {'jobs':>5} {'lost':>5}"]
    for row in rows:
        lines.append(f"{row.step:34} {row.seconds:7.0f} {row.sent:6} {len(row.failures):7} {row.jobs:5} {row.lost:5}")
        lines += [f"    {failure}" for failure in row.failures[:5]]
    lines.append("streams: " + ", ".join(f"{how} {count}" for how, count in streams.items()))
    longest = {one.component: 0.0 for one in farewells}
    for one in farewells:
        longest[one.component] = max(longest[one.component], one.seconds)
    lines.append("longest farewells: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in longest.items()))
    return "\n" + "\n".join(lines) + "\n"
