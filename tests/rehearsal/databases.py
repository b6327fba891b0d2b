"""Managed PostgreSQL and Valkey as App Platform binds them: TLS alone, a user of the app's own, few connections."""

import hashlib
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from tests.rehearsal import containers
from tests.rehearsal.certificates import Authority
from tests.rehearsal.containers import PREFIX, Container, DockerError, docker
from tests.simulators.app_platform.spec import Spec

POSTGRES, VALKEY = "postgres:17-trixie", "valkey/valkey:8.1-trixie"
POSTGRES_PORT, VALKEY_PORT = 25060, 25061
# The smallest cluster: 25 for each GB of memory, of which three are the provider's.
CONNECTIONS, RESERVED = 25, 3
START_SECONDS = 90


@dataclass(frozen=True)
class Clusters:
    """What clusters are made with: whose certificates they have, and where their files lie."""

    network: str
    folder: Path
    # Valkey's certificates come from a public authority, PostgreSQL's from one of the account's own.
    public: Authority
    private: Authority

    def start(self, spec: Spec) -> dict[str, str]:
        """Start the databases of a spec and return its bindables. Raises DockerError."""
        bindables: dict[str, str] = {}
        for database in spec.get("databases", []):
            make = {"PG": self._postgres, "VALKEY": self._valkey}[database["engine"]]
            values = make(database)
            bindables |= {f"{database['name']}.{key}": value for key, value in values.items()}
        return bindables

    def _postgres(self, database: dict[str, str]) -> dict[str, str]:
        host, user, name = database["cluster_name"], database["db_user"], database["db_name"]
        password = secrets.token_hex(16)
        certificate, key = self.private.issue(host)
        owner = self._file(f"{host}.password", secrets.token_hex(16))
        roles = self._file(
            f"{host}.sql", f"CREATE ROLE {user} LOGIN PASSWORD '{password}';\nALTER DATABASE {name} OWNER TO {user};\n"
        )
        options = ["--network-alias", host, "--user", "postgres", "--entrypoint", "sh", "--shm-size", "128m"]
        options += mounts({certificate: "/tls/certificate", key: "/tls/key", owner: "/tls/password"})
        options += mounts({roles: "/docker-entrypoint-initdb.d/roles.sql"})
        env = {"POSTGRES_USER": "doadmin", "POSTGRES_DB": name, "POSTGRES_PASSWORD_FILE": "/tls/password"}
        settings = f"-c max_connections={CONNECTIONS} -c superuser_reserved_connections={RESERVED} -c ssl=on"
        files = "-c ssl_cert_file=/tls/certificate -c ssl_key_file=/tmp/key"
        # The server refuses a key that others may read.
        command = f"install -m 600 /tls/key /tmp/key && exec docker-entrypoint.sh postgres {settings} {files}"
        env |= {"PGPORT": str(POSTGRES_PORT)}
        one = containers.start(
            f"{PREFIX}-{host}", POSTGRES, "-c", command, network=self.network, options=options, env=env
        )
        wait_until(one, "pg_isready", "-q", "-h", "127.0.0.1")
        return {
            "DATABASE_URL": f"postgresql://{user}:{password}@{host}:{POSTGRES_PORT}/{name}?sslmode=require",
            "CA_CERT": self.private.pem,
            "HOSTNAME": host,
            "PORT": str(POSTGRES_PORT),
            "USERNAME": user,
            "PASSWORD": password,
            "DATABASE": name,
        }

    def _valkey(self, database: dict[str, str]) -> dict[str, str]:
        host, password = database["cluster_name"], secrets.token_hex(16)
        certificate, key = self.public.issue(host)
        digest = hashlib.sha256(password.encode()).hexdigest()
        users = self._file(f"{host}.users", f"user default on #{digest} ~* &* +@all\n")
        options = ["--network-alias", host, "--user", "valkey"]
        options += mounts({certificate: "/tls/certificate", key: "/tls/key", users: "/tls/users"})
        command = f"valkey-server --port 0 --tls-port {VALKEY_PORT} --tls-auth-clients no --aclfile /tls/users"
        files = "--tls-cert-file /tls/certificate --tls-key-file /tls/key --maxmemory-policy noeviction"
        name = f"{PREFIX}-{host}"
        one = containers.start(name, VALKEY, *command.split(), *files.split(), network=self.network, options=options)
        wait_until(one, "sh", "-c", f"grep -q ':{VALKEY_PORT:04X} .* 0A ' /proc/net/tcp /proc/net/tcp6")
        return {
            "DATABASE_URL": f"rediss://default:{password}@{host}:{VALKEY_PORT}",
            "HOSTNAME": host,
            "PORT": str(VALKEY_PORT),
            "USERNAME": "default",
            "PASSWORD": password,
        }

    def _file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        # Read by a user inside a container; the folder keeps those of this machine out.
        path.chmod(0o644)
        return path


def mounts(files: dict[Path, str]) -> list[str]:
    """Return the options that show files to a container, to be read."""
    return [word for path, place in files.items() for word in ("--volume", f"{path}:{place}:ro")]


def wait_until(container: Container, *command: str) -> None:
    """Wait until a command inside a container succeeds. Raises DockerError with what the container wrote."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            docker("exec", container.id, *command)
            return
        except DockerError as error:
            if time.monotonic() > deadline or containers.exit_code(container) is not None:
                raise DockerError(f"{container.name} did not start: {error}\n{containers.logs(container)}") from None
        time.sleep(0.3)
