"""Every sentence that the program can print, taken from its code and templates: tests/phrases.txt.

`make reference` writes it, `tests/test_phrases.py` holds it against the code. It is there to be read: whoever changes
a sentence sees in one place how the others say it. A line stands for one text, with `{…}` where a value is put in.
Left out are docstrings (those of commands are their help and stay), patterns, names, commands of other programs, and
of scripts all but their comments and what they say.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.generators.reference import ROOT

PACKAGE = ROOT / "upgrade_gate"
PAGE = ROOT / "tests" / "phrases.txt"
VALUE = "{…}"
_TEMPLATES = {".j2", ".sh", ".yml", ".yaml", ""}
_TWO_WORDS = re.compile(r"(?:[^\W\d_]{2,}|\{…\})[\"'`).,:;]* [\"'`(]*(?:[^\W\d_]{2,}|\{…\})")
_WORD = re.compile(r"[^\W\d_]{3,}")
_FOREIGN = re.compile(r"(?:aliyun|aws|az|ccoctl|gcloud|ibmcloud|oc)(?: (?:[\w-]+|\{…\}))*|[\w,-]+: [\w./-]+|\$.*")
_SAID_IN_SCRIPT = re.compile(
    r"""(?mx) ^\s*\#!?(.*) | description:[ ]*"?(.*?)"?$
    | \b(?:echo|stop|refuse|proceed|printf)\s+ (?: "((?:[^"\\]|\\.)*)" | '([^']*)' )"""
)
_SCRIPT = re.compile(r"\$\(|\"\$|\b(?:echo|printf|set -e)|^# ", re.MULTILINE)
_MARKUP = re.compile(r"\{#.*?#\}|\{%.*?%\}|<(?:style|svg|script)\b.*?</(?:style|svg|script)>", re.DOTALL)
_INLINE = re.compile(r"</?(?:a|b|code|em|strong|span|time|kbd|abbr|small)\b[^>]*>")
_ATTRIBUTE = re.compile(r'(?:aria-label|title|alt)="([^"]*)"')
_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'')


def page() -> str:
    """Return the whole list: each module with its texts, sorted, each once."""
    said = {path: sorted(set(texts(path))) for path in sorted(PACKAGE.rglob("*")) if path.is_file()}
    parts = ["\n".join([f"# {path.relative_to(ROOT).as_posix()}", *lines]) for path, lines in said.items() if lines]
    return "\n\n".join(parts) + "\n"


def texts(path: Path) -> Iterator[str]:
    """Yield the texts of a module or a template, each on one line."""
    if path.suffix == ".py":
        found = of_code(path.read_text(encoding="utf-8"))
    elif path.parent.name == "templates" and path.suffix in _TEMPLATES:
        text = path.read_text(encoding="utf-8")
        found = of_page(text) if path.suffix == ".j2" else of_script(text)
    else:
        return
    for text in found:
        line = " ".join(text.split())
        if _TWO_WORDS.search(line) and _WORD.search(line.replace(VALUE, "")) and not _FOREIGN.fullmatch(line):
            yield line


def of_code(source: str) -> Iterator[str]:
    """Yield the texts of Python code that may be printed; an f-string is one of them, a docstring only of a command."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(decorator_list=decorators) if any(
                re.search(r"command\(|group\(", ast.unparse(decorator)) for decorator in decorators
            ):
                yield ast.get_docstring(node) or ""
    for text in _literals(tree):
        if "\n" in text and _SCRIPT.search(text):
            yield from of_script(text)
        else:
            yield text


def of_script(text: str) -> Iterator[str]:
    """Yield what a script or a pipeline says: its comments, its messages, its descriptions."""
    for found in _SAID_IN_SCRIPT.findall(text):
        yield from found


def of_page(text: str) -> Iterator[str]:
    """Yield what a page says: the texts between its tags, in its attributes, and in its expressions."""
    for tag in re.findall(r"\{\{.*?\}\}|\{%.*?%\}", text, re.DOTALL):
        yield from (first or second for first, second in _LITERAL.findall(tag))
    plain = re.sub(r"\{\{.*?\}\}", VALUE, _MARKUP.sub("\n\n", text), flags=re.DOTALL)
    yield from _ATTRIBUTE.findall(plain)
    yield from re.split(r"<[^>]*>|\n\n", _INLINE.sub("", plain))


def _literals(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Expr(value=ast.Constant(value=str())):  # a docstring, or the text under a field
            return
        case ast.AnnAssign(annotation=ast.Name(id="TypeAlias")):
            return
        case ast.Call(func=ast.Attribute(value=ast.Name(id="re"))) | ast.Call(func=ast.Name(id="cast")):
            return
        case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="split")):
            return
        case ast.Constant(value=str()) | ast.JoinedStr():
            yield _written(node)
    for child in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant)):
            yield from _literals(child)


def _written(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return re.sub(r"%(?:\.\d)?[sdrf]|\{\w*\}", VALUE, text)
        case ast.JoinedStr(values=parts):
            return "".join(_written(part) for part in parts)
        case _:
            return VALUE


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
