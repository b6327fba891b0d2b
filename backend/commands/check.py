"""Prints the settings as a table, without secrets."""

from pydantic import SecretStr
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from backend.settings import Settings, load_settings
from backend.settings.sources import SettingsError


def print_settings() -> int:
    """Print all settings, or all problems. Returns the exit code: 0 if the application would start."""
    console = Console(width=None if Console().is_terminal else 160)
    try:
        settings = load_settings()
    except SettingsError as error:
        for problem in error.problems:
            console.print(f"[red]✗[/red] {escape(problem)}", highlight=False, soft_wrap=True)
        console.print(f"{len(error.problems)} problem(s): the application would not start.")
        return 1
    table = Table("Setting", "Value", "Source", "Description")
    for name, field in Settings.model_fields.items():
        source = "set" if name in settings.model_fields_set else "default"
        table.add_row(name, escape(_display(getattr(settings, name))), source, escape(field.description or ""))
    console.print(table)
    console.print("The application would start.")
    return 0


def _display(value: object) -> str:
    if isinstance(value, SecretStr):
        return "(set)" if value.get_secret_value() else "(empty)"
    text = ", ".join(value) if isinstance(value, list) else str(value)
    return "(PEM text)" if "-----BEGIN" in text else text
