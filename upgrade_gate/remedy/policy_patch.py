"""The remedy of a policy repository: one patch of its files, and what a person edits where no patch can.

A patch only puts in: what stands in a file, its order, conditions and formatting, stays byte by byte. What somebody
denied or narrowed is never widened by it.
"""

from __future__ import annotations

import copy
import difflib
import json
import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from upgrade_gate.base.steps import BundleFile, Command, Serves, Step, line
from upgrade_gate.clouds.contract.declared import WritesPolicies, declares
from upgrade_gate.clouds.contract.holdings import Coverage, Document, provider_of_kind
from upgrade_gate.proof.declared import body_at
from upgrade_gate.reading import insertion, yaml
from upgrade_gate.remedy.identity_change import NEW_RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.clouds.contract.context import Context
    from upgrade_gate.clouds.contract.declared import Addition, Part
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.remedy import IdentityChange
    from upgrade_gate.gate.findings import Finding
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.proof.declared import Found, Served
    from upgrade_gate.proof.policy_files import PolicyFile
    from upgrade_gate.reading.insertion import Edit
    from upgrade_gate.requests.credentials_request import CredentialsRequest

PATCH = "policies.patch"
_PLAIN_NAME = re.compile(r'[^\x00-\x1f"\\]+')
"""File names that git and patch read as they are written."""
_NAMED = 20
"""Permissions that a step names."""


class PolicyPatch(Struct, frozen=True):
    """What policy files need."""

    steps: tuple[Step, ...] = ()
    secrets: frozenset[str] = frozenset()
    """The Secrets, as `namespace/name`, that nothing but policy files speaks of."""


class _Work(Struct):
    """What one part of one file lacks."""

    found: Found
    part: Part
    grants: dict[str, Grant]
    secrets: set[str]


def make(situation: Situation, findings: Iterable[Finding]) -> PolicyPatch:
    """Return the patch for open findings, and a step for each part of a file that it cannot change."""
    works: dict[tuple[str, int, tuple[Any, ...]], _Work] = {}
    secrets: set[str] = set()
    kept: dict[str, str] = {}
    new: dict[str, tuple[str, Any, dict[str, Grant]]] = {}
    for finding in findings:
        request = situation.request(finding.request) if finding.request and finding.secret else None
        told = situation.proof.declared_results(request, [g.grant for g in finding.grants]) if request else None
        if request is not None and told is None and finding.rule in NEW_RULES:
            _ask_anew(new, situation, request, finding)
        if request is None or told is None or finding.secret is None:
            continue
        served, results = told
        if situation.proof.identity_of(request) is None:
            secrets.add(finding.secret)
        kept.update((grant.permission, r.reason) for grant, r in results if _left(r.verdict))
        missing = [grant for grant, result in results if result.verdict is Coverage.MISSING]
        if missing:
            _ask(works, served, finding.secret, missing, situation.proof.context)
    steps = _steps(works.values(), new, kept, situation.proof.context)
    return PolicyPatch(tuple(steps), frozenset(secrets))


def _ask_anew(
    new: dict[str, tuple[str, Any, dict[str, Grant]]],
    situation: Situation,
    request: CredentialsRequest,
    finding: Finding,
) -> None:
    """Note a policy that no file holds yet: of a new component, or of one that reads another Secret."""
    place = situation.proof.new_policy(request)
    cloud: object = declares(request.provider_kind)
    named = place is not None and _PLAIN_NAME.fullmatch(place[1])
    if place is not None and named and finding.secret is not None and isinstance(cloud, WritesPolicies):
        _, _, grants = new.setdefault(place[1], (finding.secret, cloud, {}))
        grants.update((one.grant.canonical, one.grant) for one in finding.grants)


def serves(patch: PolicyPatch, change: IdentityChange) -> bool:
    """Return whether a change is policy files' alone: nobody knows an identity whose policies could be put."""
    return change.secret_names <= patch.secrets and not (change.create or change.untrusted)


def _left(verdict: Coverage) -> bool:
    return verdict in (Coverage.NARROWER, Coverage.DENIED)


def _ask(
    works: dict[tuple[str, int, tuple[Any, ...]], _Work],
    served: Served,
    secret: str,
    missing: Sequence[Grant],
    context: Context | None,
) -> None:
    """Note what is missing at the first part that can take it by a patch: all at once, else each by itself."""
    parts = [(one, part) for one in served.found for part in one.declaration.parts]
    whole = next(((f, p) for f, p in parts if edits(served.kind, f, p, missing, context)), None)
    for grant in missing if parts else ():
        each = whole or next(((f, p) for f, p in parts if edits(served.kind, f, p, [grant], context)), parts[0])
        found, part = each
        work = works.setdefault((found.file.name, found.number, part.path), _Work(found, part, {}, set()))
        work.grants[grant.canonical] = grant
        work.secrets.add(secret)


def _steps(
    works: Iterable[_Work],
    new: Mapping[str, tuple[str, Any, dict[str, Grant]]],
    kept: Mapping[str, str],
    context: Context | None,
) -> Iterable[Step]:
    by_file: dict[str, tuple[PolicyFile, list[Edit]]] = {}
    patched: list[_Work] = []
    for work in works:
        kind = work.found.kind
        found = edits(kind, work.found, work.part, list(work.grants.values()), context)
        if found:
            by_file.setdefault(work.found.file.name, (work.found.file, []))[1].extend(found)
            patched.append(work)
        else:
            yield _by_hand(work)
    notes = tuple(f"Left as somebody made it, {name}: {reason}." for name, reason in sorted(kept.items())[:_NAMED])
    if by_file or new:
        diffs = {name: _diff(file, insertion.apply(file.text, own)) for name, (file, own) in by_file.items()}
        diffs |= {
            name: _new_file(name, cloud.document(list(grants.values()))) for name, (_, cloud, grants) in new.items()
        }
        patch = BundleFile(PATCH, "".join(text for _, text in sorted(diffs.items())).encode("utf-8"))
        number = sum(len(work.grants) for work in patched) + sum(len(grants) for _, _, grants in new.values())
        yield Step(
            f"Put {number} permission{'s' * (number > 1)} into the policy files",
            "before",
            "In the repository of the policies; then merge it and let it be applied. The patch only adds.",
            Serves.GRANTS,
            frozenset((*(one for work in patched for one in work.secrets), *(secret for secret, _, _ in new.values()))),
            commands=(Command(line("git apply", patch)),),
            files=(patch,),
            notes=(f"patch -p1 < {PATCH} does the same.", *notes),
            scripted=False,
        )


def _by_hand(work: _Work) -> Step:
    names = sorted({grant.permission for grant in work.grants.values()})
    listed = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    return Step(
        f"Add to {work.part.name} in {work.found.file.name}: {listed}",
        "before",
        "Its text cannot be patched: edit what it is made from, keep its conditions, and let it be applied.",
        Serves.GRANTS,
        frozenset(work.secrets),
        scripted=False,
    )


def edits(kind: str, found: Found, part: Part, grants: Sequence[Grant], context: Context | None) -> list[Edit] | None:
    """Return the edits that give grants, None where the text cannot take them and nothing else."""
    cloud, file = declares(kind), found.file
    place, body = file.root(found.document), body_at(file.documents[found.number].body, part.path)
    if cloud is None or place is None or not file.encoding or not _PLAIN_NAME.fullmatch(file.name):
        return None
    additions = cloud.additions(body, grants)
    made: list[Edit] = []
    for addition in additions:
        put = insertion.insert(file.text, place, (*part.path, *addition.path), addition.values)
        if put is None:
            return None
        made += put
    changed = _changed(file, made, found.number, part, additions) if made else None
    return made if changed is not None and _gives(kind, found, changed, grants, context) else None


def _changed(
    file: PolicyFile, made: Sequence[Edit], number: int, part: Part, additions: Sequence[Addition]
) -> Any | None:
    """Return the edited document, None unless the file reads as the old one with the additions and nothing else."""
    bodies = [copy.deepcopy(parsed.body) for parsed in file.documents]
    for addition in additions:
        path = (*part.path, *addition.path)
        owner = body_at(bodies[number], path[:-1])
        held = body_at(owner, path[-1:])
        if owner is None:
            return None
        owner[path[-1]] = [*(held if isinstance(held, list) else [held]), *addition.values]
    try:
        changed = yaml.parse(insertion.apply(file.text, made).encode(), file.name, functions=True)
    except yaml.DocumentError:
        return None
    read = [parsed.body for parsed in changed] == bodies and not any(parsed.duplicate_keys for parsed in changed)
    return bodies[number] if read else None


def _gives(kind: str, found: Found, body: Any, grants: Sequence[Grant], context: Context | None) -> bool:
    """Return whether what an edited document declares lacks none of the grants any more: a disabled role gives none."""
    cloud, judge, own = declares(kind), provider_of_kind(kind), found.declaration
    if cloud is None or judge is None:
        return False
    same = [one for one in cloud.declarations(body) if (one.path, one.names) == (own.path, own.names)]
    documents = cloud.documents(same, "name", context, most=False) if same else ()
    held = judge.build([Document(one) for one in documents], None, context)
    results = [held.judge(cloud.identity("name"), grant, ()) for grant in grants]
    return bool(same) and all(result.verdict is not Coverage.MISSING for result in results)


def _diff(file: PolicyFile, changed: str) -> str:
    """Return the change of a file as a unified diff, as `git apply` and `patch -p1` read it."""
    mark = "\ufeff" if file.encoding == "utf-8-sig" else ""
    before, after = (_lines(mark + text) for text in (file.text, changed))
    end = "\t" if " " in file.name else ""
    lines = difflib.unified_diff(before, after, f"a/{file.name}{end}", f"b/{file.name}{end}")
    return "".join(one if one.endswith("\n") else f"{one}\n\\ No newline at end of file\n" for one in lines)


def _new_file(name: str, body: Any) -> str:
    """Return a new file of JSON as a unified diff."""
    lines = _lines(json.dumps(body, indent=2, ensure_ascii=False) + "\n")
    end = "\t" if " " in name else ""
    return "".join(difflib.unified_diff([], lines, "/dev/null", f"b/{name}{end}"))


def _lines(text: str) -> list[str]:
    """Return the lines with their ends; `splitlines` would end lines that no patch ends."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)
