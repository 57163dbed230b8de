#!/bin/sh
# @WRITTEN_BY@
# One line per machine; start all of them within the same second. Each runs its part of the stages in @FILE@.
# Copy @FILE@ to each machine, then run there: BASE_URL=@BASE_URL@ sh @SPLIT_FILE@ NUMBER   (1 to @PARTS@)
# Up to @PEAK@ users (or requests a second) in all, for @SECONDS@ s: the stages in the script say so, which `--vus N` alone does not.
# Thresholds are evaluated per machine, on that machine's part of the answers.
set -eu
cd "$(dirname "$0")"
case "${1:-}" in
@LINES@
*) echo "usage: sh $0 NUMBER (1 to @PARTS@)" >&2; exit 64 ;;
esac
