"""The layers hold, and no module grows beyond what one reading takes."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import deidfhir

REPO = Path(__file__).resolve().parent.parent
SOURCES = sorted((REPO / "src").rglob("*.py"))


def test_each_room_imports_only_what_stands_below_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "9 kept, 0 broken" in done.stdout


def test_modules_have_at_most_300_lines_and_functions_40() -> None:
    assert len(SOURCES) > 30
    long = [path.name for path in SOURCES if len(path.read_text().splitlines()) > 300]
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
                docstring = ast.get_docstring(node) or ""
                body = node.end_lineno - node.lineno + 1 - len(docstring.splitlines())
                if body > 40:
                    long.append(f"{path.name}:{node.name}")
    assert long == []


def test_every_public_name_is_documented_and_in_the_type_check() -> None:
    used = (REPO / "tests" / "typing" / "api.py").read_text()
    missing = [name for name in deidfhir.__all__ if name not in used]
    assert missing == []
    undocumented = [
        name
        for name in deidfhir.__all__
        if not name.isupper() and not getattr(deidfhir, name).__doc__
    ]
    assert undocumented == []
