"""The shape of the package: where things are, how large they are, and what a start of the command costs."""

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import upgrade_gate
from tests.generators import architecture
from upgrade_gate.base import plugins
from upgrade_gate.gate import findings

PACKAGE = Path(upgrade_gate.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
COMMANDS = ("cli.commands", "cli.commands.identities", "cli.commands.init")
GROUPS = (*COMMANDS, "cluster.readers", "fleet.formats", "gate.rules", "payloads.sources", "report.formats")
ROLES = ("grants", "secret", "scopes", "risk", "holdings", "live", "remedy", "export")
"""Files of a cloud that others find by name."""
LONGEST = 500
MOST_BOXES, MOST_FLOORS = 16, 11
FIGURE = re.compile(r"\d+(?= \|$| modules| lines)", re.MULTILINE)
ACROSS = ("benchmarks", "e2e", "faults", "generators", "integration", "mutation", "release", "worlds")
"""Folders of tests that cross rooms, or hold none, or belong to no room."""
WITHOUT_MEANING = ("utils", "util", "helpers", "helper", "misc", "manager", "tools", "stuff")
HEAVY = (
    "requests",
    "urllib3",
    "kubernetes",
    "yaml",
    "jinja2",
    "deepdiff",
    "rich",
    "msgspec",
    "zstandard",
    "boto3",
    "packaging",
    "prometheus_client",
)


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def plugin_files() -> Iterator[str]:
    """Yield every plugin as a dotted name below the package."""
    for group in GROUPS:
        yield from (f"{group}.{name}" for name in plugins.names(group))
    for role in ROLES:
        yield from (f"clouds.{cloud}.{role}" for cloud in plugins.clouds(role))


def test_the_rooms_are_few_and_import_downwards() -> None:
    assert max(architecture.floors().values()) <= MOST_FLOORS
    assert len(architecture.boxes()) <= MOST_BOXES
    clouds = [(one, other) for one, other in architecture.imports() if one != other and architecture.is_cloud(other)]
    assert not clouds, "only a plugin's loader reaches into a cloud, by file name"


def test_the_page_about_the_architecture_is_true(repository: Path) -> None:
    """Its figures may be some days old: they are measured anew with the rest of the page."""
    written, measured = architecture.PAGE.read_text(encoding="utf-8"), architecture.page()
    assert FIGURE.sub("", written) == FIGURE.sub("", measured), "run `make architecture`"
    for old, new in zip(FIGURE.findall(written), FIGURE.findall(measured), strict=True):
        assert abs(int(old) - int(new)) <= 200 + int(new) / 4, f"run `make architecture`: {old} is {new} by now"


def test_every_plugin_has_a_test_of_its_name(repository: Path) -> None:
    missing = []
    for dotted in plugin_files():
        *folders, name = dotted.split(".")
        folder = repository.joinpath("tests", *folders)
        if not (folder / f"test_{name}.py").exists() and not (folder / name / "__init__.py").exists():
            missing.append(f"tests/{'/'.join(folders)}/test_{name}.py")
    assert not missing, missing


def test_tests_stand_where_what_they_test_stands(repository: Path) -> None:
    """A file of tests is called after a module, its folder, or `every_…` for what the modules of a folder share.

    More words after the name say which side of the module it is about.
    """
    astray = []
    for path in sorted((repository / "tests").glob("*/**/test_*.py")):
        *folders, _ = path.relative_to(repository / "tests").parts
        if folders[0] in ACROSS:
            continue
        room = PACKAGE.joinpath(*folders)
        names = [room.name, "every", *(p.stem.strip("_") for p in room.glob("*") if p.suffix == ".py" or p.is_dir())]
        if not any(f"{path.stem}_".startswith(f"test_{name}_") for name in names):
            astray.append(str(path.relative_to(repository)))
    assert not astray, f"which module is it about? {astray}"


def test_a_module_is_about_one_thing() -> None:
    lengths = {name_of(path): read(path).count("\n") for path in MODULES}
    long = {name: lines for name, lines in lengths.items() if lines > LONGEST}
    assert not long, f"look for the second idea in {long}"
    assert not [name for name in lengths if Path(name).stem.strip("_") in WITHOUT_MEANING], "a name that says nothing"


def test_a_module_opens_with_a_sentence() -> None:
    silent = [name_of(path) for path in MODULES if not ast.get_docstring(ast.parse(read(path)))]
    assert not silent, f"what do they know? {silent}"


def test_all_names_what_is_there() -> None:
    wrong = []
    for path in MODULES:
        if "__all__" not in read(path):
            continue
        dotted = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        module = importlib.import_module(dotted)
        wrong += [f"{dotted}.{name}" for name in module.__all__ if not hasattr(module, name)]
        assert len(set(module.__all__)) == len(module.__all__), f"{dotted}: __all__ names something twice"
    assert not wrong, wrong


def test_what_one_module_takes_from_another_is_public() -> None:
    """A name that begins with an underscore stays in its module; parts of a plugin are modules of their own."""
    taken = []
    for path in MODULES:
        for node in ast.walk(ast.parse(read(path))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("upgrade_gate"):
                source = PACKAGE.parent.joinpath(*(node.module or "").split("."))
                for alias in node.names:
                    is_module = (source / f"{alias.name}.py").exists()
                    if alias.name.startswith("_") and not is_module and alias.name != "__version__":
                        taken.append(f"{name_of(path)} takes {alias.name} from {node.module}")
    assert not taken, "\n".join(taken)


def test_a_command_file_begins_with_its_line_in_the_help() -> None:
    for group in COMMANDS:
        for name in plugins.names(group):
            first = (plugins.load(group, name).__doc__ or "").splitlines()[0]
            wanted = rf"`{name.replace('_', '-')}( [a-z-]+)*`: .+[.?]"
            assert re.fullmatch(wanted, first), f"{group}.{name}: first line is {first!r}"


def test_the_quickest_commands_load_no_heavy_package() -> None:
    for option in ("--help", "--version"):
        script = (
            "import sys\n"
            "from upgrade_gate.cli import main\n"
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
        "from upgrade_gate.base import plugins\n"
        f"for group in {COMMANDS}: plugins.load_all(group)\n"
        "print(*sorted({m.split('.')[0] for m in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(done.stdout.split()) & {
        "requests",
        "urllib3",
        "kubernetes",
        "jinja2",
        "deepdiff",
        "rich",
        "boto3",
        "packaging",
    }
    assert not loaded, f"a command module loads {sorted(loaded)} when it is imported"


def test_every_rule_explains_itself() -> None:
    rules = findings.catalogue()
    assert rules
    for rule in rules.values():
        assert rule.title, rule.id
        assert len(rule.explanation) > 40, f"{rule.id} does not say how it is closed"
        assert rule.id == rule.id.lower().replace("_", "-"), rule.id


def test_rule_ids_are_used_by_one_module_each() -> None:
    ids = [rule.id for module in plugins.load_all("gate.rules") for rule in module.RULES]
    assert len(ids) == len(set(ids)), f"twice: {sorted({i for i in ids if ids.count(i) > 1})}"


def test_the_package_has_no_stray_todo() -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "X" * 3)
    found = [
        f"{name_of(path)}:{number}"
        for path in MODULES
        for number, line in enumerate(read(path).splitlines(), 1)
        if any(mark in line.split() for mark in marks)
    ]
    assert not found, found
