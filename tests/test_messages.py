"""The library says nothing on its own: messages go to its logger, and only commands print them."""

import re
import subprocess
import sys
from pathlib import Path

from tests.test_run import untrained

ROOT = Path(__file__).parents[1]

SAY = """
import logging, sys
from trajectory import messages
if "printed" in sys.argv: messages.print_messages(); messages.print_messages()
if "basic" in sys.argv: logging.basicConfig(level="INFO", stream=sys.stdout, format="%(name)s %(message)s")
logger = logging.getLogger("trajectory.data.x")
logger.info("100% of it")
logger.warning("beware")
"""


def said(how):
    ran = subprocess.run([sys.executable, "-c", SAY, how], capture_output=True, text=True, check=True)
    return ran.stdout.splitlines(), ran.stderr.splitlines()


def test_by_default_only_warnings_show():
    assert said("") == ([], ["beware"])


def test_commands_print_each_message_once():
    assert said("printed") == (["100% of it", "beware"], [])


def test_the_standard_way_of_logging_shows_all_with_where_it_is_from():
    assert said("basic") == (["trajectory.data.x 100% of it", "trajectory.data.x beware"], [])


def test_what_the_readme_says_shows_this_library_alone_whatever_others_have_set():
    (recipe,) = re.findall(r"`(logging\.basicConfig\(\).*?)`", (ROOT / "README.md").read_text())
    code = "import logging; logging.getLogger().addHandler(logging.StreamHandler())\n"  # as absl's first message does
    code += f"{recipe}\nlogging.getLogger('absl').info('noise'); logging.getLogger('trajectory.x').info('ours')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr == "ours\n"


def test_no_module_of_the_library_prints():
    import ast

    import trajectory

    root = Path(trajectory.__file__).parent
    printing = {
        str(file.relative_to(root))
        for file in root.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    commands = {name for name in printing if name.startswith(("cli/", "benchmarks/"))}
    assert printing - commands <= {"messages.py", "faults.py"}


def test_an_import_gives_the_root_logger_no_handler():
    code = "import logging; import trajectory.run, trajectory.training.loop; print(logging.root.handlers)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_a_run_that_is_opened_leaves_the_root_logger_alone(tmp_path):
    workdir = untrained(tmp_path)
    code = f"import logging, trajectory as tj; tj.load_run({str(workdir)!r}); print(logging.root.handlers)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
