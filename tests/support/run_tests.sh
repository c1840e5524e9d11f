#!/bin/sh
# Runs every test program, keeps their output in BUILD/tests, prints a line for each and the sum at the end.
build=$1; shift
export RANVIER=$build/ranvier
export LSAN_OPTIONS="suppressions=$PWD/tests/support/lsan.supp:print_suppressions=0"
passed=0; failed=0; skipped=0; broken=""
for program in "$@"; do
    log=$program.log
    timeout 900 "$program" >"$log" 2>&1; rc=$?
    p=$(grep -c '^\[       OK \]' "$log"); s=$(grep -c '^\[  SKIPPED \]' "$log")
    f=$(grep '^\[  FAILED  \] [a-z]' "$log" | sort -u | wc -l)
    [ $rc -ne 0 ] && [ "$f" -eq 0 ] && f=1
    passed=$((passed + p)); failed=$((failed + f)); skipped=$((skipped + s))
    printf '%-44s %3d passed %3d failed %3d skipped\n' "${program#"$build"/}" "$p" "$f" "$s"
    [ $rc -ne 0 ] && { broken="$broken $program"; grep -vE '^\[ (RUN|      OK)' "$log" | tail -n 30; }
done
echo "$passed passed, $failed failed, $skipped skipped"
[ -z "$broken" ] && [ "$passed" -gt 0 ]
