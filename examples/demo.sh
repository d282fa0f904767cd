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

# Prints a Python expression over the output of `batchscribe models list --json`.
models() {
    batchscribe models list --json | python -c "import json, sys; installed = json.load(sys.stdin); print($1)"
}

if [ "$(models 'len(installed["models"])')" -eq 0 ] && [ -z "${BATCHSCRIBE_WHISPER_MODEL:-}" ]; then
    echo "No speech model is installed yet. Pulling Whisper base (130 MB), only this once."
    batchscribe models pull base ||
        echo "No speech model could be pulled: the demo continues with the built-in engine pocketsphinx, which is far less accurate."
fi

# The demo's jobs have a separate data directory, which links to the usual models.
mkdir -p .demo/data
ln -s "$(models 'installed["folder"]')" .demo/data/models

status=0
batchscribe transcribe examples/audio --output .demo/transcripts --data-dir .demo/data --channels || status=$?

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
