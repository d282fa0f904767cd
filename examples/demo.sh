#!/bin/sh
# `make demo`: the recordings beside this script become transcripts in .demo, afresh each time. The speech model is pulled
# once, to where every batchscribe command finds it, and stays there.
set -eu
cd "$(dirname "$0")/.."
rm -rf .demo

fail() {
    echo "make demo: $1" >&2
    exit 1
}

# Prints a fact about the models at hand: an expression in Python over what `batchscribe models list --json` says.
models() {
    batchscribe models list --json | python -c "import json, sys; at_hand = json.load(sys.stdin); print($1)"
}

if [ "$(models 'len(at_hand["models"])')" -eq 0 ] && [ -z "${BATCHSCRIBE_WHISPER_MODEL:-}" ]; then
    echo "There is no speech model here yet: pulling Whisper base, 130 MB, once."
    batchscribe models pull base ||
        echo "No speech model could be pulled: the demo goes on with the built-in engine, pocketsphinx, which hears far worse."
fi

# The demo's jobs have a data directory of their own; its models are those of everyday use.
mkdir -p .demo/data
ln -s "$(models 'at_hand["folder"]')" .demo/data/models

status=0
batchscribe transcribe examples/audio --output .demo/transcripts --data-dir .demo/data --channels || status=$?

# interrupted-upload.m4a is broken on purpose: one failure, and so exit status 1, is what should happen.
[ "$status" -eq 1 ] || fail "batchscribe ended with status $status where 1 was expected"
for name in council house library-call shopping village weather; do
    [ -s ".demo/transcripts/$name.json" ] || fail "there is no transcript .demo/transcripts/$name.json"
done

echo
echo "The one failure is meant: interrupted-upload.m4a is half a file, to show how a failure is told."
echo "The transcripts are in .demo/transcripts. This is the text of weather.json:"
echo
python -c 'import json; print(json.load(open(".demo/transcripts/weather.json"))["result"]["text_display"])'
