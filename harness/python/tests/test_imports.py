from __future__ import annotations

from pathlib import Path

from harness_sdk import _imports


def test_files_beside_a_script_are_found_wherever_they_are_imported(tmp_path: Path) -> None:
    def write(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    write("main.py", "import numpy, one\ndef f():\n    from pack.sub import deep, value\n")
    write("one.py", "import main, two as t\n")
    write("two.py", "")
    write("beside.py", "")
    write("pack/__init__.py", "from . import always\n")
    write("pack/always.py", "from ..pack import sub\n")
    write("pack/sub/__init__.py", "value = 1\n")
    write("pack/sub/deep.py", "from .. import other\n")
    write("pack/other.py", "")
    write("pack/unused.py", "")
    found = _imports.files(str(tmp_path / "main.py"))
    assert set(found) == {
        "main.py",
        "one.py",
        "two.py",
        "pack/__init__.py",
        "pack/always.py",
        "pack/other.py",
        "pack/sub/__init__.py",
        "pack/sub/deep.py",
    }
    assert all(len(digest) == 64 for digest in found.values())
