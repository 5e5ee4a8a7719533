"""The shape of the source itself: which room may import which, what a module says of itself, its size."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

import clavilux

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "clavilux"
MODULES = sorted(SOURCE.rglob("*.py"))
PYTHON_FILES = [
    path
    for folder in ("src", "tests", "tools", "examples", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported_by(statement: str) -> set[str]:
    """Names of all modules loaded by a fresh interpreter that runs one statement."""
    program = f"import sys; {statement}\nprint(*sys.modules, sep='\\n')"
    environment = os.environ | {"PYTHONPATH": str(SOURCE.parent)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    return set(done.stdout.split())


def test_rooms_import_strictly_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(SOURCE.parent))
    assert lint_imports(no_cache=True, is_debug_mode=False) == EXIT_STATUS_SUCCESS


@pytest.mark.parametrize("statement", ["import clavilux", "import clavilux.cli"])
def test_it_starts_without_torch(statement: str) -> None:
    modules = imported_by(statement)
    assert "clavilux" in modules
    assert modules.isdisjoint({"torch", "scipy", "matplotlib", "av"})


def test_every_module_of_the_generator_can_be_imported_first() -> None:
    """A circle of imports shows only where it is entered in another place."""
    paths = [path.relative_to(SOURCE.parent) for path in MODULES if "generator" in path.parts]
    names = [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in paths]
    program = """
for name in names:
    for known in [known for known in sys.modules if known.partition(".")[0] == "clavilux"]:
        del sys.modules[known]
    importlib.import_module(name)
"""
    assert imported_by(f"import importlib; names = {names}\n{program}") > {names[-1]}


def test_public_names_are_sorted_and_there() -> None:
    assert list(clavilux.__all__) == sorted(clavilux.__all__)
    for name in clavilux.__all__:
        assert getattr(clavilux, name).__doc__, name


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_what_it_is_and_what_it_offers(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "has no docstring"
    names = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    only_documentation = path.name == "__init__.py" and len(tree.body) == 1
    assert only_documentation or path.name == "__main__.py" or "__all__" in names, "has no __all__"


@pytest.mark.parametrize("path", PYTHON_FILES, ids=name_of)
def test_a_file_stays_readable(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500


def test_no_public_name_is_also_a_room() -> None:
    """A room, once imported, would take the name's place."""
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir()}
    assert not rooms & set(clavilux.__all__)
