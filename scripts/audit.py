"""Searches for vulnerable packages, secrets in files, and insecure workflows; run by `make audit`."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
BASELINE = ".secrets.baseline"
# Generated files with thousands of hashes and ids that look like secrets.
GENERATED = ("requirements", "frontend/package-lock.json", "frontend/openapi.json", "frontend/src/api/schema.d.ts")

STEPS = {
    # The lock is complete and checked by hash, so nothing needs to be resolved or installed.
    "Python packages": ["pip-audit", "--strict", "--disable-pip", "--require-hashes", "-r", "requirements.lock"],
    "npm packages": ["npm", "--prefix", "frontend", "audit", "--omit=dev"],
    "workflows": ["zizmor", "--offline", "--persona", "pedantic", "--quiet", ".github"],
}


def main() -> int:
    """Run every step, even after a failure. Returns 1 when any step failed."""
    os.chdir(ROOT)
    os.environ["PATH"] = os.pathsep.join([str(BIN), os.environ.get("PATH", "")])
    failed = [name for name, command in {**STEPS, "secrets": secrets_command()}.items() if not passes(name, command)]
    if failed:
        print(f"audit: FAILED: {', '.join(failed)}. An advisory service that can't be reached counts as failed.")
    return 1 if failed else 0


def secrets_command() -> list[str]:
    """Return the command that scans all files in git; the baseline lists findings reviewed as harmless."""
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True).stdout.splitlines()
    files = [name for name in listed if not name.startswith(GENERATED) and name != BASELINE]
    return ["detect-secrets-hook", "--baseline", BASELINE, *files]


def passes(name: str, command: list[str]) -> bool:
    print(f"audit: {name} …", flush=True)
    passed = subprocess.run(command, check=False).returncode == 0
    print(f"audit: {name} {'passed' if passed else 'FAILED'}", flush=True)
    return passed


if __name__ == "__main__":
    sys.exit(main())
