"""What serves needs no extra, and tells nobody of itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

#: Packages of extras, which are not there unless they were asked for.
EXTRAS = ("elasticsearch", "opentelemetry", "pyarrow", "ray", "torch", "transformers", "onnx")
HELP = f"""
import sys
sys.modules.update(dict.fromkeys({EXTRAS!r}))
from click.testing import CliRunner
from plugin_server.cli import main
for command in (["--help"], ["serve", "--help"], ["index", "--help"], ["bundle", "check"]):
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, (command, done.output, done.exception)
"""
USE = "from plugin_server import Reranker; assert Reranker.load().verify('a red car', 'a car that is red').probability"
MAKE = f"import onnx_export.parity; {USE}"


def python(code: str, **environment: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr


def test_the_commands_work_without_any_extra() -> None:
    python(HELP, **os.environ)


@pytest.mark.parametrize("code", [USE, MAKE], ids=["serving", "making bundles"])
def test_onnxruntime_keeps_no_record_of_its_use(code: str, tmp_path: Path) -> None:
    """Its builds from 1.29 on do by default, for Microsoft, except where a variable of CI is set."""
    python(code, HOME=str(tmp_path), PYTHONPATH=os.pathsep.join(sys.path))
    assert list(tmp_path.rglob("*")) == []
