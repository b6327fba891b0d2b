"""What the platform's apps find outside: a registry, object storage, a mail server, and the network to reach them."""

from dataclasses import dataclass
from pathlib import Path

import boto3
import httpx

from scripts.valkey import free_port
from tests.rehearsal import containers
from tests.rehearsal.containers import LABEL, PREFIX, DockerError, docker
from tests.rehearsal.databases import mounts, wait_until

MAIL_SINK = Path(__file__).resolve().parents[1] / "stack" / "mail_sink.py"
# Where mail services listen for customers of clouds that close 587.
MAIL_PORT = "2525"
# One of the private networks that the specs name as the platform's (FORWARDED_ALLOW_IPS).
SUBNET = "10.202.7.0/24"
# Signed addresses hold the storage's name: people on this machine and the containers reach this one alike.
STORAGE_ADDRESS = "10.202.7.250"
STORAGE_URL = f"http://{STORAGE_ADDRESS}:5000"
KEY_ID = "rehearsal"
KEY_PLACEHOLDER = "not-checked-by-this-storage"


@dataclass(frozen=True)
class Surroundings:
    """The network, and the registry's address with the name of the account's registry in it."""

    network: str
    image_prefix: str


def surround(folder: Path) -> Surroundings:
    """Start everything. Raises DockerError."""
    network = docker("network", "create", "--label", f"{LABEL}=network", "--subnet", SUBNET, PREFIX) and PREFIX
    port = free_port()
    published = ["--publish", f"127.0.0.1:{port}:5000"]
    containers.start(f"{PREFIX}-registry", "registry:2", network=network, options=published)
    _start_mail(network)
    _start_storage(network)
    return Surroundings(network, f"127.0.0.1:{port}/{PREFIX}/")


def _start_mail(network: str) -> None:
    options = ["--network-alias", "mail.internal", *mounts({MAIL_SINK: "/mail_sink.py"})]
    command = ("python", "-u", "/mail_sink.py", MAIL_PORT)
    containers.start(f"{PREFIX}-mail", "python:3.13-slim-trixie", *command, network=network, options=options)


def _start_storage(network: str) -> None:
    # The bucket is in the path, whatever the host name looks like.
    env = {"S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true"}
    storage = containers.start(
        f"{PREFIX}-storage",
        "motoserver/moto:5.2",
        network=network,
        options=["--ip", STORAGE_ADDRESS],
        env=env,
    )
    wait_until(storage, "python", "-c", "import socket; socket.create_connection(('127.0.0.1', 5000))")
    try:
        httpx.get(STORAGE_URL, timeout=5)
    except httpx.TransportError:
        raise DockerError(
            f"{STORAGE_URL} can't be reached from here: the rehearsal needs a Docker whose containers have addresses "
            "on this machine, as on Linux when it is not rootless"
        ) from None


def make_bucket(name: str) -> None:
    """Make a bucket."""
    client = boto3.client(
        "s3",
        endpoint_url=STORAGE_URL,
        region_name="us-east-1",
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=KEY_PLACEHOLDER,
    )
    client.create_bucket(Bucket=name)
