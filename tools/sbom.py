"""The software bill of materials: what requirements.lock pins, as CycloneDX JSON; the same bytes for the same lock file.

Names, versions and the hashes of every file that may be installed come from the lock file, licences and who needs what
from the metadata of what is installed here.
"""

import argparse
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bfaudit import __version__  # noqa: E402 - where this file is, bfaudit need not be installed

EPOCH = 315532800
"""1980, as in wheels, where SOURCE_DATE_EPOCH gives no other time."""
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?:\s*;\s*([^\\]+?))?\s*\\?$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class Pinned(NamedTuple):
    """One package of the lock file."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]


def pinned(lock: str) -> Iterator[Pinned]:
    """Every package that a lock file pins."""
    for block in re.split(r"\n(?=\S)", lock):
        head, *rest = block.splitlines()
        if found := _PINNED.match(head):
            hashes = tuple(sorted(_HASH.findall("\n".join(rest))))
            yield Pinned(canonicalize_name(found[1]), found[2], found[3] or "", hashes)


def bill(lock: str, project: dict[str, Any]) -> Bom:
    """The bill of a lock file."""
    bom = Bom(serial_number=uuid5(NAMESPACE_URL, f"bfaudit {__version__}\n{lock}"))
    at = int(os.environ.get("SOURCE_DATE_EPOCH") or EPOCH)
    bom.metadata.timestamp = datetime.fromtimestamp(at, UTC)
    root = Component(
        name="bfaudit",
        version=__version__,
        type=ComponentType.APPLICATION,
        bom_ref="bfaudit",
        licenses=[LicenseFactory().make_from_string(str(project["license"]))],
        description=str(project["description"]),
    )
    bom.metadata.component = root
    parts = {one.name: component(one) for one in pinned(lock)}
    for part in parts.values():
        bom.components.add(part)
    needs = [Requirement(text) for text in project["dependencies"]]
    bom.register_dependency(root, [parts[name] for name in names(needs) if name in parts])
    for name, part in parts.items():
        found = installed(name)
        told = [Requirement(text) for text in (found.requires or [])] if found else []
        bom.register_dependency(part, [parts[other] for other in names(told) if other in parts])
    return bom


def names(requirements: list[Requirement]) -> list[str]:
    """Whom requirements name, without those of extras and of other platforms."""
    here = (one for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""}))
    return sorted({canonicalize_name(one.name) for one in here})


def component(one: Pinned) -> Component:
    """A package of the lock file."""
    url = PackageURL("pypi", None, one.name, one.version)
    found = installed(one.name)
    part = Component(
        name=one.name,
        version=one.version,
        type=ComponentType.LIBRARY,
        bom_ref=str(url),
        purl=url,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=text) for text in one.hashes],
        licenses=[LicenseFactory().make_from_string(told)] if (told := licence(found)) else [],
    )
    if one.marker:
        part.properties.add(Property(name="bfaudit:marker", value=one.marker))
    return part


def installed(name: str) -> Distribution | None:
    """What is installed of a package here."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def licence(found: Distribution | None) -> str:
    """The licence that a package states in a line; empty where it states none so."""
    if found is None:
        return ""
    for field in ("License-Expression", "License"):
        told = (found.metadata.get(field) or "").strip().partition("\n")[0]
        if told and len(told) < 100:
            return told
    classes = (found.metadata.get_all("Classifier") or []) if found else []
    told = [text.rpartition(" :: ")[2] for text in classes if text.startswith("License ::")]
    return told[0] if told else ""


def written(lock: str, project: dict[str, object]) -> str:
    """The bill as text; raises ValueError where CycloneDX's own schema does not accept it."""
    outputter = make_outputter(bill(lock, project), OutputFormat.JSON, SchemaVersion.V1_6)
    text = outputter.output_as_string(indent=2) + "\n"
    if wrong := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise ValueError(f"not valid CycloneDX: {wrong}")
    return text


def main() -> None:
    """Write the bill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    output = parser.parse_args().output
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    text = written((ROOT / "requirements.lock").read_text("utf-8"), project)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
