"""The shape of the package: where things are, how large they are, and what a start of the command costs."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import upgrade_gate
from upgrade_gate import findings, plugins

PACKAGE = Path(upgrade_gate.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
NAMES = [str(path.relative_to(PACKAGE)) for path in MODULES]
COMMANDS = ("commands", "commands.identities", "commands.init")
GROUPS = (
    *COMMANDS,
    "clouds",
    "collectors",
    "entitlement_readers",
    "formats",
    "readers",
    "remedies",
    "rules",
    "sources",
)
LONGEST = 500
WITHOUT_MEANING = ("utils", "util", "helpers", "helper", "misc", "manager", "tools", "stuff")
HEAVY = ("requests", "urllib3", "kubernetes", "yaml", "jinja2", "deepdiff", "rich", "msgspec", "zstandard", "boto3")


@pytest.mark.parametrize("group", GROUPS)
def test_every_plugin_has_a_test_of_its_name(group: str, repository: Path) -> None:
    folder = repository.joinpath("tests", *group.split("."))
    missing = [
        name
        for name in plugins.names(group)
        if not (folder / f"test_{name}.py").exists() and not (folder / name / "__init__.py").exists()
    ]
    assert not missing, f"{folder} lacks test_{{{','.join(missing)}}}.py"


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_a_module_is_about_one_thing(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= LONGEST, f"{lines} lines: look for the second idea in it"
    assert path.stem.strip("_") not in WITHOUT_MEANING, "a name that says nothing"


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_a_module_opens_with_a_sentence(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module does not say what it knows"


@pytest.mark.parametrize("path", [p for p in MODULES if "__all__" in p.read_text(encoding="utf-8")], ids=str)
def test_all_names_what_is_there(path: Path) -> None:
    dotted = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    module = importlib.import_module(dotted)
    missing = [name for name in module.__all__ if not hasattr(module, name)]
    assert not missing, f"__all__ names {missing}"
    assert len(set(module.__all__)) == len(module.__all__), "__all__ names something twice"


def test_what_one_module_takes_from_another_is_public() -> None:
    """A name that begins with an underscore stays in its module; parts of a plugin are modules of their own."""
    taken = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("upgrade_gate"):
                source = PACKAGE.parent.joinpath(*(node.module or "").split("."))
                for alias in node.names:
                    is_module = (source / f"{alias.name}.py").exists()
                    if alias.name.startswith("_") and not is_module and alias.name != "__version__":
                        taken.append(f"{path.relative_to(PACKAGE)} takes {alias.name} from {node.module}")
    assert not taken, "\n".join(taken)


@pytest.mark.parametrize(("group", "name"), [(group, name) for group in COMMANDS for name in plugins.names(group)])
def test_a_command_file_begins_with_its_line_in_the_help(group: str, name: str) -> None:
    module = plugins.load(group, name)
    first = (module.__doc__ or "").splitlines()[0]
    assert re.fullmatch(rf"`{name.replace('_', '-')}( [a-z-]+)*`: .+[.?]", first), f"first line is {first!r}"


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_the_quickest_commands_load_no_heavy_package(option: str) -> None:
    script = (
        "import sys\n"
        "from upgrade_gate.commands import main\n"
        f"assert main([{option!r}]) == 0\n"
        "print(*sorted({m.split('.')[0] for m in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(done.stderr.split())
    assert not loaded & set(HEAVY), f"{option} loads {sorted(loaded & set(HEAVY))}"
    assert "click" in loaded, "this test does not see what is loaded"


def test_loading_every_command_loads_no_heavy_package() -> None:
    """Shell completion imports every command."""
    script = (
        "import sys\n"
        "from upgrade_gate import plugins\n"
        f"for group in {COMMANDS}: plugins.load_all(group)\n"
        "print(*sorted({m.split('.')[0] for m in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(done.stdout.split()) & {"requests", "urllib3", "kubernetes", "jinja2", "deepdiff", "rich", "boto3"}
    assert not loaded, f"a command module loads {sorted(loaded)} when it is imported"


def test_the_import_contract_names_every_module_of_the_spine(repository: Path) -> None:
    settings = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    contract = next(c for c in settings["contracts"] if c["name"] == "No module of the spine imports a plugin")
    spine = {f"upgrade_gate.{path.stem}" for path in PACKAGE.glob("*.py") if not path.stem.startswith("__")}
    assert set(contract["source_modules"]) == spine
    plugin_packages = {f"upgrade_gate.{group}" for group in GROUPS} - {f"upgrade_gate.{group}" for group in COMMANDS}
    assert set(contract["forbidden_modules"]) == plugin_packages


def test_every_rule_explains_itself() -> None:
    rules = findings.catalogue()
    assert rules
    for rule in rules.values():
        assert rule.title, rule.id
        assert len(rule.explanation) > 40, f"{rule.id} does not say how it is closed"
        assert rule.id == rule.id.lower().replace("_", "-"), rule.id


def test_rule_ids_are_used_by_one_module_each() -> None:
    ids = [rule.id for module in plugins.load_all("rules") for rule in module.RULES]
    assert len(ids) == len(set(ids)), f"twice: {sorted({i for i in ids if ids.count(i) > 1})}"


def test_the_package_has_no_stray_todo() -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "X" * 3)
    found = [
        f"{path.relative_to(PACKAGE)}:{number}"
        for path in MODULES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if any(mark in line.split() for mark in marks)
    ]
    assert not found, found
