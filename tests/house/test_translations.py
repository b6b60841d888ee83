"""Report and card are translated once, when they are rendered: nothing that builds them knows a language."""

import ast
from pathlib import Path

import polyclinic

DELIVERY = Path(polyclinic.__file__).parent / "delivery"
RENDERERS = {"markup.py", "markdown.py"}


def test_no_function_of_delivery_takes_a_language():
    takes = [
        f"{path.name}: {node.name}"
        for path in sorted(DELIVERY.rglob("*.py"))
        if path.name not in RENDERERS
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        for argument in (*node.args.args, *node.args.kwonlyargs)
        if argument.arg == "language" or (argument.annotation and "Language" in ast.unparse(argument.annotation))
    ]
    assert takes == []


def test_only_the_renderers_import_a_language():
    importers = {
        path.name
        for path in DELIVERY.rglob("*.py")
        if "polyclinic.translations.language" in path.read_text(encoding="utf-8")
    }
    assert importers == RENDERERS
