"""Which metrics exist, by the code and by the programs we run, and which ones a PromQL expression names."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
OF_A_TARGET = {"job", "instance"}

# Asked of the running programs by test_monitoring.
CADDY = {"caddy_http_request_duration_seconds_count", "caddy_reverse_proxy_upstreams_healthy"}
POSTGRES_EXPORTER = {
    "pg_up",
    "pg_database_size_bytes",
    "pg_locks_count",
    "pg_settings_max_connections",
    "pg_stat_database_blks_hit",
    "pg_stat_database_blks_read",
    "pg_stat_database_deadlocks",
    "pg_stat_database_numbackends",
    "pg_stat_database_tup_deleted",
    "pg_stat_database_tup_fetched",
    "pg_stat_database_tup_inserted",
    "pg_stat_database_tup_updated",
    "pg_stat_database_xact_commit",
    "pg_stat_database_xact_rollback",
    "pg_stat_user_tables_n_dead_tup",
}
REDIS_EXPORTER = {
    "redis_up",
    "redis_memory_used_bytes",
    "redis_memory_max_bytes",
    "redis_connected_clients",
    "redis_commands_processed_total",
    "redis_rejected_connections_total",
    "redis_evicted_keys_total",
    "redis_db_keys",
}
PROMETHEUS = {"up", "ALERTS"}
# Their images can't be had everywhere. blackbox_exporter v0.27.0: prober/handler.go and prober/http.go, prober/tcp.go.
BLACKBOX_EXPORTER = {"probe_success", "probe_ssl_earliest_cert_expiry"}
# node_exporter v1.9.1: collector/filesystem_common.go, collector/cpu_linux.go and collector/meminfo_linux.go.
NODE_EXPORTER = {
    "node_filesystem_avail_bytes",
    "node_filesystem_size_bytes",
    "node_cpu_seconds_total",
    "node_memory_MemAvailable_bytes",
    "node_memory_MemTotal_bytes",
}

ASKED = CADDY | POSTGRES_EXPORTER | REDIS_EXPORTER | {"up"}
OF_OTHERS = ASKED | PROMETHEUS | BLACKBOX_EXPORTER | NODE_EXPORTER


def metrics_of_the_code() -> dict[str, set[str] | None]:
    """Return the names that backend/ and worker/ declare, each with its labels, or None where those are computed."""
    found: dict[str, set[str] | None] = {}
    for package in ("backend", "worker"):
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text()
            tree = ast.parse(text)
            for kind, name, labels in _declarations(tree):
                if kind == "Histogram":
                    found |= {f"{name}_bucket": {*labels, "le"}, f"{name}_count": labels, f"{name}_sum": labels}
                else:
                    found[name] = labels
            if "MetricFamily" in text:
                found |= _families(tree)
    return found


def names_in(expression: str) -> set[str]:
    """Return the names of metrics in an expression that Prometheus accepts."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", bare)
    bare = re.sub(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", "", bare)
    words = re.findall(r"(?<![\w:.])([a-zA-Z_:][\w:]*)\b(?!\s*\()", bare)
    return {word for word in words if word not in {"and", "or", "unless", "bool", "offset"}}


def labels_in(expression: str) -> set[str]:
    """Return the labels an expression selects or groups by."""
    groups = re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression)
    selected = re.findall(r'([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)\s*"', expression)
    return {*selected, *(label.strip() for group in groups for label in group.split(","))}


def _declarations(tree: ast.AST) -> Iterator[tuple[str, str, set[str]]]:
    for call in _calls(tree):
        if isinstance(call.func, ast.Name) and call.func.id in {"Counter", "Gauge", "Histogram"}:
            name, _, *labels = [ast.literal_eval(argument) for argument in call.args]
            yield call.func.id, name, set(*labels)


def _families(tree: ast.AST) -> dict[str, set[str] | None]:
    """Return what collectors make: named in the call, or in a table by (name, meaning)."""
    found: dict[str, set[str] | None] = {}
    for call in _calls(tree):
        if isinstance(call.func, ast.Name) and call.func.id.endswith("MetricFamily"):
            labels = next((keyword.value for keyword in call.keywords if keyword.arg == "labels"), ast.List([]))
            literal = {str(item.value) for item in ast.walk(labels) if isinstance(item, ast.Constant)}
            if isinstance(call.args[0], ast.Constant):
                found[str(call.args[0].value)] = literal if isinstance(labels, ast.List) else None
    for pair in (node for node in ast.walk(tree) if isinstance(node, ast.Tuple) and len(node.elts) == 2):
        texts = [item.value for item in pair.elts if isinstance(item, ast.Constant) and isinstance(item.value, str)]
        if len(texts) == 2 and re.fullmatch(r"[a-z]+(_[a-z]+)+", texts[0]) and texts[1].endswith("."):
            found[texts[0]] = set()
    return found


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))
