"""Runs the whole application on this machine: `make run`, or with --dev `make dev`."""

import contextlib
import os
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

from honcho.manager import Manager

from scripts.build_frontend import build_frontend
from scripts.procfile import read_procfile
from scripts.valkey import embedded_valkey, free_port

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 60


def main() -> int:
    """Start Valkey unless REDIS_URL is set, migrate, run the Procfile, print the address. Ctrl-C stops it."""
    os.chdir(ROOT)
    dev = "--dev" in sys.argv
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    settings_error = _check_settings()
    if settings_error:
        print(settings_error, file=sys.stderr)
        return 1
    with contextlib.ExitStack() as stack:
        environment = _environment(stack, dev)
        if not dev:
            build_frontend()
        for command in ("migrate", "create-demo"):
            code = subprocess.run([sys.executable, "-m", "backend", command], env=environment, check=False).returncode
            if code != 0:
                return code
        return _run_processes("Procfile.dev" if dev else "Procfile", environment)


def _check_settings() -> str | None:
    from backend.settings import get_settings
    from backend.settings.sources import SettingsError

    try:
        settings = get_settings()
    except SettingsError as error:
        return str(error)
    if settings.ENVIRONMENT != "development":
        return f"make run is for development, and ENVIRONMENT is {settings.ENVIRONMENT}. Fix: unset ENVIRONMENT"
    return None


def _environment(stack: contextlib.ExitStack, dev: bool) -> dict[str, str]:
    """Return the processes' environment. The developer's environment and .env take precedence."""
    from backend.settings import get_settings

    settings = get_settings()
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "GIT_SHA": _git_sha()}
    if "REDIS_URL" not in settings.model_fields_set:
        environment["REDIS_URL"] = stack.enter_context(embedded_valkey())
    # The development server and docker/with-metrics read these variables, but not .env.
    environment["FORWARDED_ALLOW_IPS"] = settings.FORWARDED_ALLOW_IPS
    environment["METRICS_PORT"] = str(settings.METRICS_PORT)
    port = free_port(settings.PORT)
    if port != settings.PORT:
        print(f"run: port {settings.PORT} is in use, using {port}")
    environment["PORT"] = str(port)
    public_port = port
    if dev:
        public_port = free_port(5173)
        environment |= {"VITE_PORT": str(public_port), "BACKEND_URL": f"http://127.0.0.1:{port}"}
    if "PUBLIC_URL" not in settings.model_fields_set:
        environment["PUBLIC_URL"] = f"http://127.0.0.1:{public_port}"
    return environment


def _run_processes(procfile: str, environment: dict[str, str]) -> int:
    from backend.settings import get_settings

    manager = Manager()
    for name, command in read_procfile(procfile).items():
        # exec, so that the stop signal reaches the program and not a shell.
        manager.add_process(name, f"exec {command}", env=environment, cwd=str(ROOT))
    announcer = threading.Thread(target=_announce, args=(environment, get_settings().APP_NAME), daemon=True)
    announcer.start()
    manager.loop()
    return 0 if manager.returncode in (0, 130) else 1


def _announce(environment: dict[str, str], name: str) -> None:
    from backend.commands.create_demo import DEMO_EMAIL, DEMO_PASSWORD

    deadline = time.monotonic() + READY_SECONDS
    urls = [f"http://127.0.0.1:{environment['PORT']}/health/ready"]
    if "VITE_PORT" in environment:
        urls.append(f"http://127.0.0.1:{environment['VITE_PORT']}/")
    while urls and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(urls[0], timeout=2):
                urls.pop(0)
        except OSError:
            time.sleep(0.1)
    if urls:
        print(f"run: no response from {urls[0]} within {READY_SECONDS} s; see the log lines above", flush=True)
        return
    address = environment["PUBLIC_URL"]
    print(
        f"\n  {name} runs at {address}  ·  log in as {DEMO_EMAIL} with {DEMO_PASSWORD}  ·  Ctrl-C stops it\n",
        flush=True,
    )


def _git_sha() -> str:
    result = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return result.stdout.strip() or "development"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
