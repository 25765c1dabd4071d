"""Serving never imports torch, nor the package that does."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import plugin_server

FORBIDDEN = {"torch", "transformers", "optimum", "onnx", "onnx_export", "sentence_transformers"}
FILES = sorted(Path(plugin_server.__file__).parent.rglob("*.py"))

VERIFY = """
from plugin_server import Reranker
assert Reranker.load().verify("a red car", "a car that is red").probability is not None
"""
HELP = """
from click.testing import CliRunner
from plugin_server.cli import main
result = CliRunner().invoke(main, ["--help"])
assert result.exit_code == 0 and "evaluate" in result.output, result.output
sys.modules = {name: module for name, module in sys.modules.items() if name.partition(".")[0] != "onnx_export"}
"""


@pytest.mark.parametrize("code", [VERIFY, HELP], ids=["verify", "help"])
def test_a_process_stays_free_of_torch(code: str) -> None:
    check = f"found = {FORBIDDEN!r} & {{name.partition('.')[0] for name in sys.modules}}\nassert not found, found"
    result = subprocess.run([sys.executable, "-c", f"import sys\n{code}\n{check}"], capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode()


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_no_file_imports_it_anywhere(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            imported.add((node.module or "").partition(".")[0])
    assert not imported & FORBIDDEN
