"""Certificate authorities of the rehearsal: one that stands for the public ones, one of the database clusters' own."""

from pathlib import Path

import trustme


class Authority:
    """A certificate authority; its files lie in a folder that nobody else enters."""

    def __init__(self, folder: Path, name: str) -> None:
        self._authority = trustme.CA(organization_name=f"Slipway rehearsal, {name}")
        self._folder = folder
        self.pem = self._authority.cert_pem.bytes().decode()
        self.path = folder / f"{name}-ca.pem"
        self.path.write_text(self.pem)

    def issue(self, *names: str) -> tuple[Path, Path]:
        """Return the files of a certificate for host names or addresses, and of its key."""
        leaf = self._authority.issue_cert(*names)
        certificate, key = (self._folder / f"{names[0]}.{kind}" for kind in ("pem", "key"))
        leaf.cert_chain_pems[0].write_to_path(certificate)
        leaf.private_key_pem.write_to_path(key)
        # Users inside containers read it; the folder keeps those of this machine out.
        key.chmod(0o644)
        return certificate, key
