"""Transcribe a folder with a server, and print the files that failed.

    python examples/client_submit.py http://127.0.0.1:8080 FOLDER OUTPUT

The server must be able to read the folder: BATCHSCRIBE_FILE_ROOTS. API_KEY and API_SECRET are the server's key, if it
has one.
"""

import os
import sys
from pathlib import Path

from batchscribe import Client
from batchscribe.errors import BatchscribeError


def main(server: str, folder: str, output: str) -> int:
    key, secret = os.environ.get("API_KEY"), os.environ.get("API_SECRET")
    with Client(server, api_key=key, api_secret=secret) as client:
        output_uri = Path(output).resolve().as_uri() + "/"
        job = client.submit(input=Path(folder), output=output_uri, config={"word_time_offsets": True})
        ended = client.wait(job.job_id, on_poll=lambda job: print(f"{job.state}: {job.summary.succeeded} done"))
        for file in client.files(ended.job_id, state="FILE_FAILED"):
            print(f"{file.input_uri}: {file.error.message if file.error else file.state}")
    return 0 if ended.state == "SUCCEEDED" else 1


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    try:
        sys.exit(main(*sys.argv[1:]))
    except BatchscribeError as error:
        sys.exit(str(error))
