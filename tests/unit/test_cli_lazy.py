"""Modules that run only when a command uses them."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from batchscribe.database.job_rows import end_job
from batchscribe.queue.records import open_records
from batchscribe.settings import Settings
from batchscribe.wire.choices import JobState
from tests.jobs_on_record import stored_job


def run(script: str) -> str:
    """What a new interpreter prints."""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


SCRIPT = """
import sys
from batchscribe.cli.lazy import lazy_imports

with lazy_imports():
    from batchscribe.jobs import globs
    from batchscribe.database import schema
print("sqlalchemy" in sys.modules, "batchscribe.jobs.globs" in sys.modules)
print(globs.path_filter(("*.wav",), ()).admits("a.wav"), "sqlalchemy" in sys.modules)
print(callable(schema.migrate), "sqlalchemy" in sys.modules)
from batchscribe.jobs import layout
print(type(layout).__name__)
"""


def test_a_module_runs_at_the_first_use_of_one_of_its_names_and_others_stay_as_they_are() -> None:
    assert run(SCRIPT).splitlines() == ["False True", "True False", "True True", "module"]


def test_a_missing_module_is_reported_where_it_is_imported() -> None:
    script = (
        "from batchscribe.cli.lazy import lazy_imports\n"
        "try:\n    with lazy_imports():\n        from batchscribe.cli import no_such_module\n"
        "except ImportError as error: print(error.name)\n"
        "import sys; print(any(type(each).__name__ == 'LazyFinder' for each in sys.meta_path))\n"
    )
    assert run(script).splitlines() == ["batchscribe.cli", "False"]


INTERRUPTED = """
import batchscribe
batchscribe.__path__.append({folder!r})
from batchscribe.cli.lazy import lazy_imports

with lazy_imports():
    from batchscribe import slow
from batchscribe.slow import value
"""


def test_an_interrupt_while_a_lazy_module_runs_ends_the_process(tmp_path: Path) -> None:
    """Python discards exceptions there, and would then miss a name of the module."""
    slow = "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(5)\nvalue = 1\n"
    (tmp_path / "slow.py").write_text(slow)
    script = INTERRUPTED.format(folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


HEAVY = ("dbos", "alembic", "psycopg", "fastapi", "uvicorn", "faster_whisper", "ctranslate2", "av")


@pytest.mark.parametrize(
    "command", [["jobs", "list"], ["keys", "list"], ["models", "list"], ["search", "word"], ["--help"]], ids=" ".join
)
def test_a_command_that_only_reads_loads_no_library_that_works(command: list[str], tmp_path: Path) -> None:
    """Each of them costs every call of the command some tenths of a second of CPU."""
    heavy = (*HEAVY, "numpy")
    place = ["--data-dir", str(tmp_path)]
    create = [sys.executable, "-m", "batchscribe", "keys", "create", "--tenant", "acme", *place]
    subprocess.run(create, capture_output=True, timeout=60, check=True)  # a command that reads makes no database
    arguments = ["batchscribe", *command, *([] if command == ["--help"] else place)]
    script = (
        f"import sys; sys.argv = {arguments}\n"
        "from batchscribe.__main__ import main\n"
        "try: main()\nexcept SystemExit as end: assert not end.code, end.code\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    assert run(script).splitlines()[-1] == "[]"


def test_modules_are_imported_without_garbage_collections_which_work_again_afterwards(tmp_path: Path) -> None:
    script = (
        "import gc, sys\n"
        "collections = []\n"
        "gc.callbacks.append(lambda phase, facts: collections.append(facts['generation']))\n"
        f"sys.argv = ['batchscribe', 'models', 'list', '--data-dir', {str(tmp_path)!r}]\n"
        "from batchscribe.__main__ import main\n"
        "try: main()\nexcept SystemExit as end: assert not end.code, end.code\n"
        "print(collections.count(2), gc.isenabled(), gc.get_freeze_count() > 50_000)"
    )
    assert run(script).splitlines()[-1] == "0 True True"


@pytest.mark.parametrize("words", ["jobs show", "jobs files", "jobs wait", "jobs watch", "deliveries list"])
def test_a_command_that_reads_a_job_loads_no_library_that_works(words: str, tmp_path: Path) -> None:
    database = open_records(Settings(data_dir=tmp_path)).database
    with database.begin() as connection:
        end_job(connection, stored_job(connection), JobState.SUCCEEDED)
    database.dispose()
    arguments = ["batchscribe", *words.split(), "job_1", "--data-dir", str(tmp_path)]
    script = (
        f"import sys; sys.argv = {arguments}\n"
        "from batchscribe.__main__ import main\n"
        "try: main()\nexcept SystemExit as end: assert not end.code, end.code\n"
        f"print([name for name in {(*HEAVY, 'numpy', 'pygments')} if name in sys.modules])"
    )
    assert run(script).splitlines()[-1] == "[]"


#: What a server and a worker need for requests, pages and files, and load with the first of them.
LATER = (
    "alembic", "av", "ctranslate2", "faster_whisper", "httpcore2", "httpx2", "jinja2", "jwt", "limits", "numpy",
    "onnxruntime", "wcwidth", "batchscribe.stages.shard", "batchscribe.storage.http_client",
    "batchscribe.transcript.formats", "batchscribe.transcript.profanity", "batchscribe.web.transcript_download",
    "batchscribe.webhooks.sender",
)  # fmt: skip

SERVED = """
import os, signal, sys
import typer

echo = typer.echo

def announce(message, **options):
    echo(message, **options)
    if "is ready" in message:
        print([name for name in {later} if name in sys.modules])
        os.kill(os.getpid(), signal.SIGTERM)

typer.echo = announce
sys.argv = {arguments}
from batchscribe.__main__ import main
main()
"""


def test_a_server_loads_what_requests_need_only_with_the_first_of_them(tmp_path: Path) -> None:
    """Without a worker, because that tries its engines out meanwhile."""
    place = ["--data-dir", str(tmp_path)]
    create = [sys.executable, "-m", "batchscribe", "keys", "create", "--tenant", "acme", *place]
    subprocess.run(create, capture_output=True, timeout=60, check=True)  # alembic creates the tables
    arguments = ["batchscribe", "serve", "--no-worker", "--port", "0", *place]
    assert run(SERVED.format(later=(*LATER, "pygments"), arguments=arguments)).splitlines()[-1] == "[]"


def test_a_worker_loads_what_files_need_only_with_the_first_of_them() -> None:
    script = (
        "import sys\n"
        "import batchscribe.cli.process.lifecycle, batchscribe.queue.flow\n"
        "assert 'batchscribe.worker.worker' in sys.modules\n"
        f"print([name for name in {LATER} if name in sys.modules])"
    )
    assert run(script).splitlines()[-1] == "[]"
