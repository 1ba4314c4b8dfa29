"""Which files a script is made of."""

from __future__ import annotations

import ast
import hashlib
import os
import sys


def files(script: str) -> dict[str, str]:
    """SHA-256 of a script and of the files beside it that it imports, also within functions, by
    their paths relative to its folder."""
    folder = os.path.dirname(os.path.abspath(script))
    found: dict[str, str] = {}
    open_files = [os.path.abspath(script)]
    while open_files:
        path = open_files.pop()
        name = os.path.relpath(path, folder)
        if name in found:
            continue
        with open(path, "rb") as file:
            content = file.read()
        found[name] = hashlib.sha256(content).hexdigest()
        if path.endswith(".py"):
            open_files += _imported(ast.parse(content, path), folder, os.path.dirname(path))
    return found


def loaded(script: str) -> set[str]:
    """Relative paths of the files beside a script that modules were loaded from."""
    folder = os.path.dirname(os.path.abspath(script))
    found = set()
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        # Some modules that are no files have a name of their own making here.
        if not path or not os.path.isabs(path) or not os.path.isfile(path):
            continue
        # A virtual environment may lie beside the script.
        is_beside = path.startswith(folder + os.sep) and "site-packages" not in path
        if is_beside and not path.startswith(sys.prefix + os.sep):
            found.add(os.path.relpath(path, folder))
    return found


def _imported(tree: ast.AST, folder: str, here: str) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found += _modules(folder, alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            base = folder
            if node.level:
                base = here
                for _ in range(node.level - 1):
                    base = os.path.dirname(base)
            parts = node.module.split(".") if node.module else []
            found += _modules(base, parts)
            for alias in node.names:
                found += _modules(base, [*parts, alias.name])
    return found


def _modules(base: str, parts: list[str]) -> list[str]:
    """Files of a module and of the packages that it is in."""
    found = []
    for end in range(len(parts) + 1):
        path = os.path.join(base, *parts[:end])
        candidates = [os.path.join(path, "__init__.py")]
        if end:
            candidates.append(path + ".py")
        found += [c for c in candidates if os.path.isfile(c)]
    # The folder of the script is no package.
    return [f for f in found if f != os.path.join(base, "__init__.py") or not parts]
