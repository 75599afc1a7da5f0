"""The files of the repository, as its own tests read them."""

import ast
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = ROOT / "forwardauth"

_SKIPPED_FOLDERS: Final = frozenset({"__pycache__", "build", "dist", "node_modules"})
_KEPT_DOT_FOLDERS: Final = frozenset({".ci", ".github"})


def _is_ours(folder: str) -> bool:
    if folder.startswith("."):
        return folder in _KEPT_DOT_FOLDERS
    return folder not in _SKIPPED_FOLDERS and not folder.endswith(".egg-info")


def texts() -> Iterator[tuple[str, str]]:
    """Yield name and text of every text file of the repository."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = filter(_is_ours, folders)
        for path in sorted(Path(folder) / name for name in files):
            if not path.is_file():  # a socket, or a link to nowhere
                continue
            try:
                yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")
            except UnicodeDecodeError:
                continue


def trees(top: Path) -> Iterator[tuple[str, ast.Module]]:
    """Yield name, relative to *top*, and syntax tree of every module below it."""
    for path in sorted(top.rglob("*.py")):
        yield path.relative_to(top).as_posix(), ast.parse(path.read_bytes())


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the top-level name of every absolute import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def undocumented(name: str, node: ast.AST) -> Iterator[str]:
    """Yield the public definitions in *node* that say nothing about themselves."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                if child.name.startswith("_"):
                    continue
                place = f"{name}.{child.name}"
                if ast.get_docstring(child) is None:
                    yield place
                if isinstance(child, ast.ClassDef):
                    yield from undocumented(place, child)
            case ast.If() | ast.Try():
                yield from undocumented(name, child)
            case _:
                pass
