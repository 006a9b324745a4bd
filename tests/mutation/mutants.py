"""The mutants of a module: its text with one place changed, by the operators of mutmut and a few more.

What is left out, since a change there is no change of behaviour, or of wording only:
- texts for people: strings with a space, f-strings, what is raised, what is logged;
- docstrings, annotations, decorators, and what runs at import (tables of rules, defaults of parameters): the tests
  of sameness hold these;
- case and quoting of strings: mutmut changes each in three ways, one is enough;
- None in the place of a value or an argument: mypy notices it, without a test.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider
from mutmut.mutation import mutators

_SKIPPED = (cst.Annotation, cst.Decorator, cst.Parameters, cst.Raise, cst.FormattedString, cst.ConcatenatedString)
_LEFT_OUT = (
    mutators.operator_string,
    mutators.operator_arg_removal,
    mutators.operator_assignment,
    mutators.operator_lambda,
)
_TEXT_ARGUMENTS = (cst.SimpleString, cst.FormattedString, cst.ConcatenatedString)


Key: TypeAlias = tuple[str, str, str, str]
"""Module, function, the lines before and the lines after."""


@dataclass(frozen=True)
class Mutant:
    """One change in the function or method `where`: its lines before and after.

    `first` and `last` are the lines of its statement, since what runs is counted by statements.
    """

    path: str
    where: str
    first: int
    last: int
    before: str
    after: str
    text: str

    @property
    def key(self) -> Key:
        """What stays the same while code around it moves."""
        return self.path, self.where, self.before, self.after

    @property
    def draw(self) -> float:
        """Its place between 0 and 1 in a draw, the same in every run."""
        return int(hashlib.sha256("|".join(self.key).encode()).hexdigest()[:8], 16) / 0x100000000

    def __str__(self) -> str:
        return f"{self.path}:{self.first} {self.where}\n    - {self.before}\n    + {self.after}"


def mutants(root: Path, path: str) -> Iterator[Mutant]:
    """Make every mutant of the module at `path` below `root`, in the order of its lines."""
    source = (root / path).read_text(encoding="utf-8")
    wrapper = MetadataWrapper(cst.parse_module(source))
    places = _Places(wrapper.resolve(PositionProvider))
    wrapper.module.visit(places)
    seen = set()
    for where, old, new, span, lines in places.found:
        changed = _changed(wrapper.module, source, old, new, span)
        before, after = _difference(source, changed)
        mutant = Mutant(path, where, lines.start.line, lines.end.line, before, after, changed)
        if before != after and (mutant.key, span.start.line) not in seen:
            seen.add((mutant.key, span.start.line))
            yield mutant


def _changed(module: cst.Module, source: str, old: cst.CSTNode, new: cst.CSTNode, span: CodeRange) -> str:
    """Put the new code in the place of the old; by its position where that is exact, since it is much quicker."""
    lines = source.splitlines(keepends=True)
    start = sum(map(len, lines[: span.start.line - 1])) + span.start.column
    end = sum(map(len, lines[: span.end.line - 1])) + span.end.column
    if source[start:end] == module.code_for_node(old):
        text: str = module.code_for_node(new)
        return source[:start] + text + source[end:]
    changed = module.deep_replace(old, new)
    assert isinstance(changed, cst.Module)
    code: str = changed.code
    return code


def _difference(old: str, new: str) -> tuple[str, str]:
    """Give the lines that differ, each side in one line."""
    before, after = old.splitlines(), new.splitlines()
    while before and after and before[0] == after[0]:
        del before[0], after[0]
    while before and after and before[-1] == after[-1]:
        del before[-1], after[-1]
    return " ".join(" ".join(before).split()), " ".join(" ".join(after).split())


class _Places(cst.CSTVisitor):
    """The nodes inside functions that can be changed, with what they become."""

    def __init__(self, positions: Mapping[cst.CSTNode, CodeRange]) -> None:
        super().__init__()
        self.found: list[tuple[str, cst.CSTNode, cst.CSTNode, CodeRange, CodeRange]] = []
        self._positions = positions
        self._names: list[str] = []
        self._statement: CodeRange | None = None
        self._functions = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, _SKIPPED) or _is_logging(node) or _is_docstring(node):
            return False
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            if not self._functions:
                self._names.append(node.name.value)
            self._functions += isinstance(node, cst.FunctionDef)
        elif isinstance(node, cst.SimpleStatementLine):
            self._statement = self._positions[node]
        elif self._functions and node in self._positions:
            where, lines = ".".join(self._names), self._statement or self._positions[node]
            self.found.extend((where, node, new, self._positions[node], lines) for new in _changes(node))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef):
            self._functions -= isinstance(original_node, cst.FunctionDef)
            if not self._functions:
                self._names.pop()
        elif isinstance(original_node, cst.SimpleStatementLine):
            self._statement = None


def _is_logging(node: cst.CSTNode) -> bool:
    function = node.func if isinstance(node, cst.Call) else None
    return (
        isinstance(function, cst.Attribute)
        and isinstance(function.value, cst.Name)
        and function.value.value == "_logger"
    )


def _is_docstring(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Expr) and isinstance(node.value, cst.SimpleString)


def _changes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    if isinstance(node, cst.SimpleString):
        if " " not in node.raw_value and node.raw_value:
            yield next(iter(mutators.operator_string(node)))
        return
    for kind, operator in mutators.mutation_operators:
        if isinstance(node, kind) and operator not in _LEFT_OUT:
            yield from operator(node)
    yield from _arguments(node)
    yield from _conditions(node)


def _arguments(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Leave out each named argument that is no text: it may have a default."""
    if not isinstance(node, cst.Call):
        return
    for position, argument in enumerate(node.args):
        if argument.keyword and not isinstance(argument.value, _TEXT_ARGUMENTS):
            yield node.with_changes(args=[*node.args[:position], *node.args[position + 1 :]])


def _conditions(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Turn a condition round where nothing else does, and let each part of a comprehension pass."""
    if isinstance(node, cst.If | cst.While | cst.CompIf):
        if not isinstance(node.test, cst.Comparison | cst.UnaryOperation | cst.BooleanOperation):
            yield node.with_changes(test=_negated(node.test))
        if isinstance(node, cst.CompIf):
            yield node.with_changes(test=cst.Name("True"))
    if isinstance(node, cst.BooleanOperation):
        yield node.left.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        yield node.right.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def _negated(test: cst.BaseExpression) -> cst.UnaryOperation:
    inner = test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return cst.UnaryOperation(cst.Not(), inner)
