#!/bin/sh
# `make demo`: transcribes the recordings in examples/audio into .demo, from scratch each time. The speech model is
# pulled once, into the default data directory, and stays there.
set -eu
cd "$(dirname "$0")/.."
rm -rf .demo

fail() {
    echo "make demo: $1" >&2
    exit 1
}

# Prints a Python expression over `found`, the JSON that a command of batchscribe prints: `from_json EXPRESSION COMMAND...`
from_json() {
    expression=$1
    shift
    batchscribe "$@" --json | python -c "import json, sys; found = json.load(sys.stdin); print($expression)"
}

if [ "$(from_json 'len(found["models"])' models list)" -eq 0 ] && [ -z "${BATCHSCRIBE_WHISPER_MODEL:-}" ]; then
    echo "No speech model is installed yet. Pulling Whisper base (130 MB), only this once."
    batchscribe models pull base ||
        echo "No speech model could be pulled: the demo continues with the built-in engine pocketsphinx, which is far less accurate."
fi

# The demo's jobs have a separate data directory, which links to the usual models.
mkdir -p .demo/data
ln -s "$(from_json 'found["folder"]' models list)" .demo/data/models

status=0
batchscribe transcribe examples/audio --output .demo/transcripts --data-dir .demo/data --channels --words || status=$?

# interrupted-upload.m4a is broken on purpose, so one failure and exit status 1 are expected.
[ "$status" -eq 1 ] || fail "batchscribe ended with status $status where 1 was expected"
for name in council house library-call shopping village weather; do
    [ -s ".demo/transcripts/$name.json" ] || fail "there is no transcript .demo/transcripts/$name.json"
done

echo
echo "The one failure is intended: interrupted-upload.m4a is half a file, to show how failures are reported."
echo "The transcripts are in .demo/transcripts. This is the text of weather.json:"
echo
python -c 'import json; print(json.load(open(".demo/transcripts/weather.json"))["result"]["text_display"])'

job=$(from_json 'found["jobs"][0]["job_id"]' jobs list --data-dir .demo/data)
call=$(from_json 'next(file["file_id"] for file in found["files"] if "library-call" in file["input_uri"])' \
    jobs files "$job" --data-dir .demo/data)
echo
echo "To read and play the call between a library and a reader in a browser, start a server in this folder:"
echo
echo "  BATCHSCRIBE_AUTH=off BATCHSCRIBE_FILE_ROOTS=\$PWD $(command -v batchscribe) serve --data-dir .demo/data"
echo
echo "Then open http://127.0.0.1:8080/jobs/$job/files/$call"
