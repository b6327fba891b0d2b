"""The two apps as an account has them before their first deployment, and the env files for it."""

import json
import secrets
from pathlib import Path

import yaml

from tests.rehearsal.surroundings import KEY_ID, KEY_PLACEHOLDER, STORAGE_URL
from tests.simulators.app_platform.spec import Spec

ROOT = Path(__file__).resolve().parent.parent.parent
# What an account may have set in the control panel, and the tool must keep. One machine plays all users here.
SET_IN_THE_PANEL = {
    "S3_ADDRESSING_STYLE": "path",
    "SMTP_SECURITY": "none",
    "RATE_LIMIT_PER_MINUTE": "1000000",
    "AUTH_RATE_LIMIT_PER_MINUTE": "1000000",
    # A message lost with a container is sent again after this; a minute by default.
    "JOB_REQUEUE_AFTER_SECONDS": "15",
}
# The file in git names DigitalOcean's storage for all components; a component's own value wins.
WITH_STORAGE = ("api", "worker", "beat", "migrate")


def bucket(environment: str) -> str:
    """Return the name of an environment's bucket."""
    return f"photos-{environment}"


def live_spec(environment: str) -> Spec:
    """Return an app's spec as it stands on the platform before the first deployment."""
    written = yaml.safe_load((ROOT / ".do" / f"app.{environment}.yaml").read_text())
    # By way of JSON: an anchor makes one object of several places.
    spec: Spec = json.loads(json.dumps(written))
    # The platform keeps no variable without a value.
    spec["envs"] = [env for env in spec["envs"] if "value" in env]
    spec["envs"] += [_env(key, value) for key, value in SET_IN_THE_PANEL.items()]
    for kind in ("services", "workers", "jobs"):
        for component in spec[kind]:
            component["envs"] = [env for env in component.get("envs", []) if "value" in env]
            if component["name"] in WITH_STORAGE:
                component["envs"].append(_env("S3_ENDPOINT_URL", STORAGE_URL))
    return spec


def _env(key: str, value: str) -> dict[str, str]:
    return {"key": key, "scope": "RUN_TIME", "value": value}


def write_env_file(environment: str, folder: Path) -> Path:
    """Write what the first deployment needs and git does not hold; return the file."""
    values = {
        "JWT_SECRET": secrets.token_urlsafe(48),
        "S3_BUCKET": bucket(environment),
        "S3_ACCESS_KEY_ID": KEY_ID,
        "S3_SECRET_ACCESS_KEY": KEY_PLACEHOLDER,
        "STORAGE_ORIGINS": STORAGE_URL,
        "SMTP_HOST": "mail.internal",
        "SMTP_USERNAME": "rehearsal",
        "SMTP_PASSWORD": secrets.token_urlsafe(16),
        "MAIL_FROM": "studio@example.com",
    }
    path = folder / f".env.{environment}"
    path.touch(mode=0o600)
    path.write_text("".join(f"{key}={value}\n" for key, value in values.items()))
    return path
