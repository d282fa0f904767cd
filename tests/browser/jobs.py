"""Jobs for the pages, in folders of their own."""

from __future__ import annotations

from pathlib import Path

from tests.contract.client import Client
from tests.contract.strict import Json
from tests.recordings import write_wav


def folder_of(recordings: Path, name: str, n_files: int) -> Path:
    """Create a folder with recordings."""
    folder = recordings / name
    folder.mkdir()
    for number in range(n_files):
        write_wav(folder / f"call-{number}.wav")
    return folder


def job_for(folder: Path, **changes: object) -> Json:
    """Return the body of a job for the recordings in a folder."""
    output = folder.parent / f"{folder.name}-out"
    body: Json = {"input": {"uri": f"{folder.as_uri()}/"}, "output": {"uri": f"{output.as_uri()}/"}}
    return body | {"config": {"segmentation_mode": "none"}} | changes


def mixed_job(client: Client, recordings: Path, name: str, **changes: object) -> str:
    """Run a job in which a file succeeds, another fails and a third is skipped. Return its ID."""
    folder = folder_of(recordings, name, 1)
    (folder / "broken.wav").write_bytes(b"RIFF" + b"\0" * 100)
    (folder / "notes.txt").write_text("not a recording")
    done = client.done(job_for(folder, **changes))
    assert done["state"] == "PARTIAL", done
    return str(done["job_id"])
