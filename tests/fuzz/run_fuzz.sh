#!/bin/sh
# Runs every fuzzer for FUZZ_SECONDS, one after the other: run_fuzz.sh BUILD FUZZER...
# What was found lies in BUILD/fuzz/found; the corpora grow in BUILD/fuzz/corpus from run to run.
build=$1
shift
work=$build/fuzz
sh "$(dirname "$0")/make_seeds.sh" "$build" "$work/seeds" || exit 1
mkdir -p "$work/found"
failed=""
for fuzzer in "$@"; do
    name=${fuzzer##*/fuzz_}
    mkdir -p "$work/corpus/$name"
    OMP_NUM_THREADS=1 LSAN_OPTIONS=suppressions=tests/support/lsan.supp:print_suppressions=0 \
        nice "$fuzzer" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=120 -rss_limit_mb=4096 -print_final_stats=1 \
        -artifact_prefix="$work/found/$name-" "$work/corpus/$name" "$work/seeds/$name" >"$work/$name.log" 2>&1 || failed="$failed $name"
    printf '%-10s %s executions, %s in the corpus%s\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name.log")" \
        "$(ls "$work/corpus/$name" | wc -l)" "$(grep -m1 -o 'SUMMARY: .*\|ERROR: .*' "$work/$name.log" | sed 's/^/, /')"
done
[ -z "$failed" ] || { echo "What was found is in $work/found; the reports are in $work/NAME.log:$failed"; exit 1; }
