#!/bin/sh
# run_bench.sh BUILD PROGRAM...: runs the benchmarks, prints their tables, and writes BUILD/bench.csv, which
# compare.sh compares with that of another commit. BENCH_ONLY names the networks to run (part of a name is enough).
build=$1; shift
csv=$build/bench.csv
dirty=$(git status --porcelain --untracked-files=no 2>/dev/null | head -n 1)
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)${dirty:+-changed}
date=$(date -u +%Y-%m-%dT%H:%MZ)
cpu=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
began=$(date +%s)

{
    echo "bench,case,threads,quantity,unit,value"
    echo "about,,,commit,,$commit"
    echo "about,,,date,,$date"
    echo "about,,,cpu,,\"$cpu, $(nproc) cores\""
} >"$csv" || exit 1
echo "Ranvier $commit, $date, $cpu, $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"

failed=0
for program in "$@"; do
    echo
    case $program in
    *bench_networks | *bench_map) BENCH_CSV=$csv "$program" ${BENCH_ONLY:+"$BENCH_ONLY"} || failed=1 ;;
    *) BENCH_CSV=$csv "$program" || failed=1 ;;
    esac
done
echo
echo "$(($(date +%s) - began)) s; the numbers are in $csv (compare two: sh tests/bench/compare.sh A.csv B.csv)"
exit $failed
