"""The parts of README.md and docs/ that are made from the program itself: the demo, commands, options, rules, JSON.

`make reference` writes them; `tests/test_docs.py` holds every page against them.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from tests.worlds.running import run
from upgrade_gate.base import errors, plugins
from upgrade_gate.cli import cli
from upgrade_gate.clouds.shared import risk
from upgrade_gate.gate import findings
from upgrade_gate.report import document, grant_document, identities_document, rollback_document

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
DEMO_LINES = 20
_BLOCK = re.compile(r"(<!-- (?P<name>[a-z-]+) -->\n)(?P<content>.*?\n)(<!-- /(?P=name) -->\n)", re.DOTALL)


def pages() -> tuple[Path, ...]:
    """Return every page that may hold generated blocks, the command examples included."""
    return README, *sorted(DOCS.rglob("*.md"))


def blocks(text: str) -> dict[str, str]:
    """Return the generated blocks of a page by name; others, such as those that are run, are not generated."""
    return {found["name"]: found["content"] for found in _BLOCK.finditer(text) if found["name"] in WRITERS}


def rewritten(text: str) -> str:
    """Return a page with its generated blocks as the program says them now."""

    def one(found: re.Match[str]) -> str:
        if found["name"] not in WRITERS:
            return found[0]
        return f"{found[1]}{WRITERS[found['name']]()}\n{found[4]}"

    return _BLOCK.sub(one, text)


def commands() -> str:
    """Return the table of commands, from their help."""
    rows = [f"| `{path}` | {_cell(command.help or '')} |" for path, command in walk()]
    return "\n".join(["| command | does |", "|---|---|", *rows])


def options() -> str:
    """Return the table of options: each once, with the commands that have it."""
    seen: dict[tuple[str, str], list[str]] = {}
    for path, command in walk():
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                written = ", ".join([*option.opts, *option.secondary_opts])
                metavar = "" if option.is_flag else f" {_metavar(option, click.Context(command))}"
                seen.setdefault((f"`{written}{metavar}`", _cell(option.help or "")), []).append(path)
    rows = [
        f"| {option} | {text} | {', '.join(paths)} |" for (option, text), paths in sorted(seen.items(), key=_by_name)
    ]
    return "\n".join(["| option | meaning | commands |", "|---|---|---|", *rows])


def rules() -> str:
    """Return the table of rules, then what each means."""
    known = findings.catalogue().values()
    rows = [f"| [`{rule.id}`](#{rule.id}) | {rule.severity} | {_cell(rule.title)} |" for rule in known]
    lines = ["| rule | severity | when |", "|---|---|---|", *rows]
    for rule in known:
        lines += ["", f"## {rule.id}", "", f"{rule.title}. Severity {rule.severity}. {rule.acceptance}"]
        lines += ["", rule.explanation]
    return "\n".join(lines)


def exit_code_meanings() -> dict[int, str]:
    """Return what each exit code means, as the code says it."""
    told = _field_docs(errors.__file__ or "")["ExitCode"]
    return {code.value: told[code.name] for code in errors.ExitCode}


def exit_codes() -> str:
    """Return the table of exit codes."""
    rows = [f"| {code} | {_cell(meaning)} |" for code, meaning in exit_code_meanings().items()]
    return "\n".join(["| code | meaning |", "|---|---|", *rows])


def json_keys() -> str:
    """Return one table for each part of the report: its keys, their types, and what they mean."""
    parts = document.schema()["$defs"]
    modules = (document, grant_document, identities_document, rollback_document)
    told = {name: fields for module in modules for name, fields in _field_docs(module.__file__ or "").items()}
    lines: list[str] = []
    for name in _in_order("Report", parts):
        part, kind = parts[name], next(getattr(m, name) for m in modules if hasattr(m, name))
        fields = dict(zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True))
        rows = [
            f"| `{key}` | {_type(schema)} | {_cell(told.get(name, {}).get(fields[key], ''))} |"
            for key, schema in part["properties"].items()
        ]
        lines += [
            f"## {_title(name)}",
            "",
            part["description"],
            "",
            "| key | type | meaning |",
            "|---|---|---|",
            *rows,
            "",
        ]
    return "\n".join(lines).rstrip()


def risks() -> str:
    """Return the table of what a reviewer should look at twice, cloud by cloud, from each cloud's own list."""
    rows: list[str] = []
    for cloud, module in zip(plugins.clouds("risk"), plugins.load_role("risk"), strict=True):
        table = getattr(module, "TABLE", risk.RiskTable(()))
        told: dict[tuple[str, str, str], list[str]] = {}
        for entry in table.entries:
            told.setdefault((entry.risk, entry.reason, entry.source), []).append(f"`{entry.pattern}`")
        for pair in table.pairs:
            told.setdefault((pair.risk, pair.reason, pair.source), []).append(f"`{pair.first}` with `{pair.second}`")
        if table.destroys:
            told["DESTROY", "deletes", "the name"] = [f"`{pattern}`" for pattern in table.destroys]
        rows += [
            f"| {cloud} | {', '.join(patterns)} | {risk_class} | {reason} | {source} |"
            for (risk_class, reason, source), patterns in told.items()
        ]
    return "\n".join(["| cloud | permission | class | it | source |", "|---|---|---|---|---|", *rows])


def make() -> str:
    """Return the table of make's targets."""
    found = re.findall(r"(?m)^([a-z]+):.*?## (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"))
    return "\n".join(
        ["| target | does |", "|---|---|", *(f"| `make {name}` | {_cell(text)} |" for name, text in found)]
    )


def demo() -> str:
    """Return the first lines of what `upgrade-gate demo` prints, as a block of text."""
    first = "\n".join(run("demo").out.splitlines()[:DEMO_LINES])
    return f"```text\n{first}\n…\n```"


WRITERS = {
    "commands": commands,
    "demo": demo,
    "exit-codes": exit_codes,
    "json": json_keys,
    "make": make,
    "options": options,
    "risks": risks,
    "rules": rules,
}


def walk() -> list[tuple[str, click.Command]]:
    """Return every command with its path, those of groups included, sorted."""
    found: list[tuple[str, click.Command]] = []
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None, name
        if isinstance(command, click.Group):
            children = {child: command.get_command(context, child) for child in command.list_commands(context)}
            found += [(f"{name} {child}", one) for child, one in sorted(children.items()) if one is not None]
        else:
            found.append((name, command))
    return found


def _metavar(option: click.Option, context: click.Context) -> str:
    return option.make_metavar(context)


def _cell(text: str) -> str:
    return " ".join(text.replace("\b", "").split("\n\n")[0].split()).replace("|", "\\|")


def _by_name(item: tuple[tuple[str, str], list[str]]) -> str:
    return item[0][0].split("--")[-1]


def _field_docs(file: str) -> dict[str, dict[str, str]]:
    """Return the text under each field of each class of a module, which Python itself does not keep."""
    docs: dict[str, dict[str, str]] = {}
    for node in ast.parse(Path(file).read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for field, after in zip(node.body, [*node.body[1:], None], strict=True):
            match field, after:
                case (
                    (ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)])),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    docs.setdefault(node.name, {})[name] = text
    return docs


def _in_order(name: str, parts: dict[str, Any]) -> list[str]:
    """Return a part and every part that it leads to, each once, in the order of the keys."""
    found = [name]
    for one in found:
        found += [other for other in dict.fromkeys(_refs(parts[one])) if other not in found]
    return found


def _refs(schema: Any) -> Iterator[str]:
    match schema:
        case {"$ref": str(ref)}:
            yield ref.rpartition("/")[2]
        case dict():
            for value in schema.values():
                yield from _refs(value)
        case list():
            for value in schema:
                yield from _refs(value)


def _type(schema: dict[str, Any]) -> str:
    match schema:
        case {"$ref": str(ref)}:
            title = _title(ref.rpartition("/")[2])
            return f"[{title}](#{title.lower().replace(' ', '-')})"
        case {"enum": list(members)}:
            return ", ".join("null" if member is None else f"`{member}`" for member in members)
        case {"anyOf": list(members)}:
            return " or ".join(_type(member) for member in members)
        case {"type": "array", "items": dict(items)}:
            return f"list of {_type(items)}"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"mapping to {_type(values)}"
        case {"type": str(name)}:
            return {"string": "text", "boolean": "true or false", "integer": "number"}.get(name, name)
    return "any"


def _title(name: str) -> str:
    """Return the heading of a part: `ChangeSelection` is "Change selection"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("View")).capitalize()


if __name__ == "__main__":
    for page in pages():
        before = page.read_text(encoding="utf-8")
        if (after := rewritten(before)) != before:
            page.write_text(after, encoding="utf-8")
