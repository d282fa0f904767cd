#!/bin/sh
# `make demo`: the recordings beside this script become transcripts in .demo, afresh each time.
set -eu
cd "$(dirname "$0")/.."
rm -rf .demo

fail() {
    echo "make demo: $1" >&2
    exit 1
}

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
