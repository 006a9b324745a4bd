"""What a repository declares of the identity behind a Secret, judged as what identities hold is judged.

A declaration proves nothing: it says what will be there once somebody applies it (docs/using/policies.md).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from upgrade_gate.base.errors import UsageError
from upgrade_gate.clouds.contract.declared import Limits, declares
from upgrade_gate.clouds.contract.holdings import (
    Coverage,
    CoverageResult,
    Document,
    KnowsBuckets,
    PlacesContext,
    provider_of_kind,
    unknown,
)
from upgrade_gate.clouds.shared.patterns import intersects
from upgrade_gate.proof import policy_files, policy_names
from upgrade_gate.proof.policy_names import Match

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from upgrade_gate.base.facts import Fact
    from upgrade_gate.clouds.contract.context import Bucket, Context
    from upgrade_gate.clouds.contract.declared import Declaration, Declares
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.holdings import Holdings, Provider
    from upgrade_gate.proof.policy_files import PolicyFile


class Found(Struct, frozen=True):
    """A declaration, and where it stands."""

    kind: str
    """The providerSpec kind of its cloud."""
    file: PolicyFile
    number: int
    """Place of its document among those of the file that are not empty."""
    declaration: Declaration

    @property
    def document(self) -> int:
        """Number of its document in the file."""
        return self.file.documents[self.number].document

    @property
    def shown(self) -> str:
        """The file, and what it is called in there."""
        names = self.declaration.names
        return f"{self.file.name}#{names[0]}" if names else self.file.name


class Served(Struct, frozen=True):
    """What is declared for one Secret."""

    kind: str
    """The providerSpec kind of what it serves."""
    cloud: Declares
    judge: Provider
    secret: str
    """`namespace/name`."""
    found: tuple[Found, ...]
    beside: tuple[Found, ...] = ()
    """What takes away from it and stands elsewhere."""
    perhaps: tuple[Found, ...] = ()
    """What may take away from it: on whom it is put, nobody can tell."""

    @property
    def name(self) -> str:
        """What its identity is called, which the files need not say."""
        return self.secret.replace("/", "-")

    @property
    def identity(self) -> str:
        """Its identity as the cloud spells it."""
        return self.cloud.identity(self.name)

    @property
    def shown(self) -> str:
        """Where it stands, in short."""
        return ", ".join(dict.fromkeys(one.file.name for one in self.found))


_MOST_NAMED = 5
"""Files that one line names."""


class PolicyPlace(Struct, frozen=True):
    """A place in a policy file."""

    file: str
    document: int
    line: int


class Declarations:
    """Everything that the policy files of a run say."""

    def __init__(
        self,
        source: str,
        files: Sequence[PolicyFile],
        named: Mapping[str, Sequence[str]],
        sources: Sequence[str] = (),
    ) -> None:
        """`named` is what the configuration says: `namespace/secret` to files, each perhaps with `#NAME`.

        `sources` are files of the folders in a language that is not read.
        """
        self.source = source
        self.files = tuple(files)
        self._named = named
        self._sources = tuple(sources)
        self._configured_files = {Path(one.partition("#")[0]).resolve() for each in named.values() for one in each}
        self._by_kind: dict[str, tuple[Found, ...]] = {}
        self._reaching: dict[str, tuple[Found, ...]] = {}
        self._limits: dict[str, tuple[Found, ...]] = {}
        self._nameless: set[tuple[str, str]] = set()
        self._served: dict[tuple[str, str], Served | CoverageResult] = {}
        self._built: dict[tuple[str, str], tuple[Holdings, Holdings | None, tuple[str, ...]]] = {}

    def anew(self) -> Declarations:
        """Return the same files for another cluster: what is judged of them rests on its context."""
        return Declarations(self.source, self.files, self._named, self._sources)

    @property
    def unread(self) -> tuple[str, ...]:
        """One line for each file that could not be read: what it allows or denies is unknown."""
        return tuple(file.problem for file in self.files if file.problem is not None)

    @property
    def passed_over(self) -> tuple[str, ...]:
        """One line for the files from which nothing was taken for any Secret, none where there are none."""
        taken = {one.file for found in (*self._by_kind.values(), *self._reaching.values()) for one in found}
        silent = [file.name for file in self.files if file.problem is None and file not in taken]
        names = sorted([*silent, *self._sources]) if self._by_kind else []
        if not names:
            return ()
        listed = ", ".join(names[:_MOST_NAMED]) + (
            f" and {more} more" if (more := len(names) - _MOST_NAMED) > 0 else ""
        )
        return (f"{self.source}: nothing is read from {listed}: no form of a policy that is known",)

    def serving(self, kind: str, secret: str, secrets: Iterable[str], ccoctl: str | None) -> Served | CoverageResult:
        """Return what is declared for a Secret, UNKNOWN where nobody can tell.

        `secrets` are all that the releases name, `ccoctl` the name that ccoctl gave the identity, where that is known.
        """
        key = (kind, secret)
        if key not in self._served:
            self._served[key] = self._serve(kind, secret, tuple(secrets), ccoctl)
        return self._served[key]

    def _serve(self, kind: str, secret: str, secrets: Sequence[str], ccoctl: str | None) -> Served | CoverageResult:
        cloud, judge = declares(kind), provider_of_kind(kind)
        if cloud is None or judge is None:
            return unknown(f"what a file declares cannot be judged for {kind}")
        if kind not in self._by_kind:
            read = tuple(
                Found(kind, file, number, one)
                for file in self.files
                if file.problem is None
                for number, parsed in enumerate(file.documents)
                for one in cloud.declarations(parsed.body)
            )
            self._by_kind[kind] = tuple(one for one in read if one.declaration.reach is None)
            self._reaching[kind] = tuple(one for one in read if one.declaration.reach is not None)
            self._limits[kind] = tuple(_limits(cloud, self._by_kind[kind]))
        named = self._named.get(secret) or self._named.get("default")
        chosen = self._configured(kind, secret, named) if named else self._carried(kind, secret, secrets, ccoctl)
        if isinstance(chosen, CoverageResult):
            return chosen
        return Served(kind, cloud, judge, secret, chosen, *self._taken(kind, secret, secrets, chosen))

    def _taken(
        self, kind: str, secret: str, secrets: Sequence[str], chosen: Sequence[Found]
    ) -> tuple[tuple[Found, ...], tuple[Found, ...]]:
        """Return what takes away from what was chosen, and what may.

        What the files do not say of a name may be that name: of the role itself, where they leave its own name open
        or tell of a policy and of no role. A name that carries another Secret is that one's. Two roles of one document
        are two, whatever they are called.
        """
        own = {name for one in chosen for name in one.declaration.names}
        called = {name.casefold() for one in chosen for name in one.declaration.called}
        every = {name for one in self._by_kind[kind] for name in one.declaration.names}
        holding = (one.declaration for one in self._by_kind[kind] if one.declaration.rest)
        held = {name.casefold() for one in holding for name in one.called}

        def may_mean(name: str) -> bool:
            others = any(policy_names.match(name, other) is not None for other in secrets if other != secret)
            if others and policy_names.carried([name], secret, secrets) is None:
                return False
            if any(intersects(pattern, name.casefold()) for pattern in called):
                return True
            if policy_names.match(name, secret) is not None:
                return name not in every or not called
            return not called and name.casefold() not in held

        documents = {(one.file, one.number) for one in chosen}
        limits = (
            limit
            for limit in self._limits[kind]
            if (limit.file, limit.number) not in documents and self._is_anyones(kind, limit, secrets)
        )
        plain = own | {name for name in called if "*" not in name}
        certain: list[Found] = []
        perhaps: list[Found] = []
        for one in (*self._reaching[kind], *limits):
            names = one.declaration.reach or ()
            if plain.intersection((*names, *(name.casefold() for name in names))):
                certain.append(one)
            elif not names or any(may_mean(name) for name in names):
                perhaps.append(one)
        return tuple(certain), tuple(perhaps)

    def _is_anyones(self, kind: str, limit: Found, secrets: Sequence[str]) -> bool:
        """Return whether nobody can tell on whom something is put: by its name, or by the configuration."""
        if limit.declaration.reach or limit.file.path in self._configured_files:
            return bool(limit.declaration.reach)
        names = self._names(kind, limit, secrets)
        return not any(policy_names.match(name, secret) is not None for name in names for secret in secrets)

    def _configured(self, kind: str, secret: str, named: Sequence[str]) -> tuple[Found, ...] | CoverageResult:
        chosen: list[Found] = []
        for reference in named:
            path, _, name = reference.partition("#")
            place = Path(path).resolve()
            file = next(file for file in self.files if file.path == place)
            if file.problem is not None:
                return unknown(file.problem)
            inside = [one for one in self._by_kind[kind] if one.file is file]
            if name:
                inside = [one for one in inside if name in one.declaration.names]
            elif len({_whose(one) for one in inside}) > 1:
                inside = [one for one in inside if _carries(one, secret)] or inside
            if not inside:
                what = f"nothing called {name}" if name else "no policy whose shape is known"
                return unknown(f"{file.name} holds {what}")
            if len({_whose(one) for one in inside}) > 1:
                listed = ", ".join(sorted(one.shown for one in inside))
                return unknown(f"{file.name} is for several identities: name one of them ({listed})")
            chosen += inside
        return tuple(chosen)

    def _carried(
        self, kind: str, secret: str, secrets: Sequence[str], ccoctl: str | None
    ) -> tuple[Found, ...] | CoverageResult:
        """Return what carries the Secret in its name, the best match where several do."""
        ranked: dict[Match, list[tuple[Found, str]]] = {}
        for one in self._by_kind[kind]:
            names = self._names(kind, one, secrets)
            match = policy_names.carried(names, secret, secrets)
            if one.declaration.secret is not None:
                match = Match.WHOLE if one.declaration.secret == secret else None
            if match is not None:
                best = next((n for n in names if policy_names.match(n, secret) is match), "")
                ranked.setdefault(match, []).append((one, policy_names.plain(best)))
        if ccoctl is not None:
            own = [pair for listed in ranked.values() for pair in listed if pair[1] == policy_names.plain(ccoctl)]
            ranked = {Match.WHOLE: own} if own else ranked
        if not ranked:
            self._nameless.add((kind, secret))
            tell = f"name it in the configuration, identities: {secret}: {{policies: FILE}}"
            return unknown(f"no policy in {self.source} is named for Secret {secret} ({tell})")
        listed = ranked[min(ranked)]
        roles = [pair for pair in listed if pair[0].declaration.rest]
        counting = [pair for pair in listed if pair[0].declaration.parts or len(roles) > 1]
        holding = {(one.file.name, called, _whose(one)) for one, called in counting}
        if len(holding) > 1:
            shown = ", ".join(sorted(one.shown for one, _ in counting))
            return unknown(f"several policies are named for Secret {secret}: {shown} (name one in the configuration)")
        called = {name for _, name, _ in holding}
        return tuple(one for one, name in listed if one.declaration.parts or name in called or not called)

    def _names(self, kind: str, one: Found, secrets: Sequence[str]) -> tuple[str, ...]:
        """Return what a declaration is called: in the file, and by the file's name where it is the only one.

        What says itself for which Secret it is, is for no other, whatever its file is called.
        """
        own = one.declaration.names
        beside = {o.declaration.names for o in self._by_kind[kind] if o.file is one.file}
        if len(beside) > 1 or any(policy_names.match(name, secret) is not None for name in own for secret in secrets):
            return own
        path = Path(one.file.name)
        stem = path.name.split(".")[0]
        return (*one.declaration.names, stem, f"{path.parent.name}-{stem}", str(path.parent / stem))

    def place_for(self, kind: str, secret: str, secrets: Iterable[str]) -> tuple[Path, str] | None:
        """Return where a policy of its own for a Secret would lie, and its name in reports.

        It is called as a neighbour is: a JSON file that is a policy as a whole, named for another Secret and nothing
        else. None where something is named for the Secret, where there is no such neighbour, and where a file is there.
        """
        if (kind, secret) not in self._nameless:
            return None
        for one in self._by_kind[kind]:
            whole = not one.declaration.names and [part.path for part in one.declaration.parts] == [()]
            stem, ending = one.file.path.stem, one.file.path.suffix
            for other in secrets if whole and ending == ".json" else ():
                named = policy_names.renamed(stem, other, secret)
                path = one.file.path.with_name(f"{named}{ending}")
                if named is not None and not path.exists():
                    return path, f"{one.file.name.removesuffix(one.file.path.name)}{path.name}"
        return None

    def judge(
        self,
        served: Served,
        grant: Grant,
        scopes: Sequence[str],
        context: Context | None,
        bucket: Fact[Bucket] | None = None,
    ) -> CoverageResult:
        """Decide whether what is declared gives a grant; where that rests on what is open, nobody knows."""
        least, most, opened = self._holdings(served, context)
        result = _with(least, bucket).judge(served.identity, grant, scopes)
        if most is not None and _with(most, bucket).judge(served.identity, grant, scopes).verdict is not result.verdict:
            return result.unless(opened[0])
        doubts = self._doubts(served)
        if doubts and result.verdict is not Coverage.DENIED:
            return result.unless(doubts[0])
        return replace(result, declared=True)

    def _doubts(self, served: Served) -> tuple[str, ...]:
        """Return what makes all unknown that is not denied: files that cannot be read, and what a file says itself."""
        found = (*served.found, *served.beside, *served.perhaps)
        return (*self.unread, *(f"{one.file.name}: {why}" for one in found for why in one.declaration.doubts))

    def trust(self, served: Served, issuer: str, subjects: Sequence[str], context: Context | None) -> CoverageResult:
        """Decide whether the declared identity trusts every subject of the issuer."""
        least, _, _ = self._holdings(served, context)
        result = least.trust(served.identity, issuer, subjects)
        doubts = self._doubts(served)
        if doubts:
            return result.unless(doubts[0])
        return replace(result, declared=True)

    def _holdings(self, served: Served, context: Context | None) -> tuple[Holdings, Holdings | None, tuple[str, ...]]:
        key = (served.kind, served.secret)
        if key not in self._built:
            named = [_called(one) for one in (*served.found, *served.beside)]
            perhaps = [_called(one) for one in served.perhaps]
            opened = tuple(
                f"{served.shown} does not say what {text} is"
                for one in named
                for part in one.parts
                for text in part.opened
            )
            opened += tuple(
                f"{one.file.name} does not say on whom {part.name} is put"
                for one in served.perhaps
                for part in one.declaration.parts
            )
            least = _build(served, [*named, *perhaps], context, most=False)
            self._built[key] = (least, _build(served, named, context, most=True) if opened else None, opened)
        return self._built[key]

    def places(self, served: Served, grants: Iterable[Grant]) -> tuple[PolicyPlace, ...]:
        """Return where the files speak of these grants, or where each would be added; each place once."""
        found: dict[tuple[str, int, int], None] = {}
        wanted = list(grants)
        for one in served.found:
            for part in one.declaration.parts:
                body = body_at(one.file.documents[one.number].body, part.path)
                for grant in wanted:
                    place = one.file.place(one.document, (*part.path, *served.cloud.where(body, grant)))
                    line = place.line if place is not None else one.file.documents[one.number].line
                    found[one.file.name, one.document, line] = None
        return tuple(PolicyPlace(*key) for key in sorted(found))


def _limits(cloud: Declares, found: Iterable[Found]) -> Iterator[Found]:
    """Yield what takes away in each declaration that says what its role or user is called, or names nobody."""
    if not isinstance(cloud, Limits):
        return
    for one in found:
        limit = cloud.limits(one.declaration)
        if limit is not None:
            yield replace(one, declaration=limit)


def _carries(one: Found, secret: str) -> bool:
    own = one.declaration
    return own.secret == secret or any(policy_names.match(name, secret) is not None for name in own.names)


def _whose(one: Found) -> object:
    """Return what tells the declarations of a file apart: those that name nobody are for one identity together."""
    named = one.declaration
    return (one.number, named.path, named.names) if named.names and named.parts else named.names


def body_at(body: Any, path: Sequence[str | int]) -> Any:
    """Return what stands at a path of a parsed document, None where nothing does."""
    for step in path:
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return None
    return body


def load(source: str, roots: Sequence[Path], named: Mapping[str, Sequence[str]]) -> Declarations:
    """Read policy files and folders, and the files that the configuration names.

    Raises UsageError where one of those does not exist, and where there is nothing to read.
    """
    own: list[Path] = []
    for secret, references in named.items():
        for reference in references:
            path = Path(reference.partition("#")[0])
            if not path.is_file():
                raise UsageError(
                    f"identities: {secret}: {path} is no file", hint="paths are meant from the working folder"
                )
            own.append(path)
    return Declarations(source, policy_files.read(roots, own), named, policy_files.sources(roots))


def _called(one: Found) -> Declaration:
    """Return a declaration whose parts are called by their file."""
    parts = tuple(
        replace(part, name=f"{part.name} in {one.file.name}" if _is_named(one.declaration) else one.file.name)
        for part in one.declaration.parts
    )
    return replace(one.declaration, parts=parts)


def _is_named(one: Declaration) -> bool:
    return bool(one.names) or one.reach is not None


def _build(served: Served, found: Sequence[Declaration], context: Context | None, *, most: bool) -> Holdings:
    if context is not None and isinstance(served.judge, PlacesContext):
        context = served.judge.placed(context)
    bodies = served.cloud.documents(found, served.name, context, most=most)
    return served.judge.build([Document(body, served.shown) for body in bodies], None, context)


def _with(holdings: Holdings, bucket: Fact[Bucket] | None) -> Holdings:
    return holdings.with_bucket(bucket) if bucket is not None and isinstance(holdings, KnowsBuckets) else holdings
