"""Prepares a fresh clone: .venv, Python packages, frontend packages. Safe to run twice; run by `make setup`.

The first argument names the environment's folder, .venv without one.
Runs on the system's Python before any package is installed, so it uses only the standard library.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / (sys.argv[1] if len(sys.argv) > 1 else ".venv")
BIN = VENV / "bin"
FRONTEND = ROOT / "frontend"
PYTHON_STAMP = VENV / "installed-lock"
# Every environment uses these packages, so the stamp stands beside them.
NPM_STAMP = FRONTEND / "node_modules" / ".installed-lock"
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = (20, 19)


def main() -> None:
    use_supported_python()
    started = time.monotonic()
    done = [make_venv(), install_python_packages(), install_node(), install_frontend_packages()]
    if any(done):
        say(f"ready after {time.monotonic() - started:.0f} s")


def use_supported_python() -> None:
    """Restart with a newer Python when this one is too old (macOS ships 3.9 as python3)."""
    if sys.version_info >= OLDEST_PYTHON:
        return
    for minor in (14, 13, 12, 11):
        found = shutil.which(f"python3.{minor}")
        # A shim of pyenv may stand for a version that is not selected.
        if found and works(Path(found)):
            os.execv(found, [found, *sys.argv])  # noqa: S606
    stop(
        "Python 3.11 or newer is missing.", "sudo apt install python3.11 python3.11-venv  (macOS: brew install python)"
    )


def make_venv() -> bool:
    """Make .venv with uv or the standard library. Returns False when already done."""
    if (BIN / "python").exists() and works(BIN / "python"):
        return False
    if VENV.exists():
        say(f"making {VENV.name} again: its Python does not start")
        shutil.rmtree(str(VENV))
    uv = shutil.which("uv")
    if uv:
        run([uv, "venv", "--quiet", "--python", sys.executable, str(VENV)], f"making {VENV.name}")
        return True
    result = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        shutil.rmtree(str(VENV), ignore_errors=True)
        version = "python{}.{}-venv".format(*sys.version_info[:2])
        stop("Python's venv module is incomplete.", f"sudo apt install {version}")
    return True


def install_python_packages() -> bool:
    """Install what requirements-dev.lock pins, checked by hash. Returns False when already done."""
    lock = ROOT / "requirements-dev.lock"
    if stamped(PYTHON_STAMP, lock):
        return False
    options = ["--quiet", "--require-hashes", "-r", str(lock)]
    uv = find_uv(lock)
    if uv:
        run([uv, "pip", "install", "--python", str(BIN / "python"), *options], "installing Python packages with uv")
    else:
        run([str(BIN / "python"), "-m", "pip", "install", *options], "installing Python packages with pip")
    PYTHON_STAMP.write_text(digest(lock))
    return True


def find_uv(lock: Path) -> "str | None":
    """Return the path of the system's uv, else of one installed from the lock, else None."""
    found = shutil.which("uv") or shutil.which("uv", path=str(BIN))
    if found:
        return found
    # Each requirement spans the lines up to the next one that is not indented.
    pinned = re.search(r"^uv==.*?(?=^\S)", lock.read_text() + "\nend", re.MULTILINE | re.DOTALL)
    if pinned is None:
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(pinned.group())
        file.flush()
        command = [str(BIN / "python"), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", file.name]
        result = subprocess.run(command, check=False, capture_output=True)
    return shutil.which("uv", path=str(BIN)) if result.returncode == 0 else None


def install_node() -> bool:
    """Install Node into .venv unless the system's is new enough. Returns False when already done."""
    if node_version() >= OLDEST_NODE and shutil.which("npm", path=search_path()):
        return False
    lock = ROOT / "requirements-node.lock"
    command = [str(BIN / "python"), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)]
    uv = find_uv(ROOT / "requirements-dev.lock")
    if uv:
        command = [uv, "pip", "install", "--python", str(BIN / "python"), *command[4:]]
    run(command, f"installing Node.js into {VENV.name}")
    return True


def install_frontend_packages() -> bool:
    """Install what package-lock.json pins. Returns False when already done."""
    lock = FRONTEND / "package-lock.json"
    if stamped(NPM_STAMP, lock):
        return False
    npm = shutil.which("npm", path=search_path()) or "npm"
    run([npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], "installing frontend packages", cwd=FRONTEND)
    NPM_STAMP.write_text(digest(lock))
    return True


def node_version() -> "tuple[int, int]":
    """Return Node's (major, minor), or (0, 0) when it is not installed."""
    node = shutil.which("node", path=search_path())
    if node is None:
        return (0, 0)
    text = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    numbers = re.findall(r"\d+", text)
    return (int(numbers[0]), int(numbers[1])) if len(numbers) > 1 else (0, 0)


def search_path() -> str:
    """Return PATH with .venv's programs first."""
    return os.pathsep.join([str(BIN), os.environ.get("PATH", "")])


def works(python: Path) -> bool:
    """Whether an interpreter starts; it may not after a system upgrade."""
    return subprocess.run([str(python), "-c", ""], check=False, capture_output=True).returncode == 0


def stamped(stamp: Path, lock: Path) -> bool:
    """Whether this version of the lock file is installed."""
    return stamp.exists() and stamp.read_text() == digest(lock)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(command: "list[str]", what: str, cwd: Path = ROOT) -> None:
    """Run a command and print its purpose and duration. On failure print its output and exit."""
    say(what + " …")
    started = time.monotonic()
    environment = {**os.environ, "PATH": search_path()}
    result = subprocess.run(
        command, cwd=str(cwd), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if result.returncode != 0:
        print(result.stdout, file=sys.stderr)
        stop(f"{what.capitalize()} failed.", "make setup  (after fixing the cause above)")
    say(f"  done in {time.monotonic() - started:.0f} s")


def say(text: str) -> None:
    print("setup: " + text, flush=True)


def stop(problem: str, remedy: str) -> NoReturn:
    """Print the problem and the command that fixes it, and exit with 1."""
    print(f"setup: {problem}\n       To fix it: {remedy}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
