#!/bin/sh
# compare.sh A.csv B.csv [PATTERN]: the numbers of two runs of `make bench` side by side, and B divided by A, for the lines
# that contain PATTERN; what only one of them has is left out. Times and memory: below 1, B is better.
[ $# -ge 2 ] && [ -r "$1" ] && [ -r "$2" ] || { echo "usage: compare.sh A.csv B.csv [PATTERN]" >&2; exit 2; }
awk -F, -v pattern="$3" '
    FNR == 1  { file++; next }
    $1 == "about" { value = $0; sub(/^about,,,[a-z]*,,/, "", value); gsub(/"/, "", value)
                    about[file] = about[file] (about[file] ? ", " : "") value; next }
    { key = $1 "," $2 "," $3 "," $4 }
    file == 1 { a[key] = $6; next }
    !(key in a) { next }
    !printed++  { print "A: " about[1]; print "B: " about[2]; print ""
                  printf "%-12s %-28s %3s %-14s %-8s %11s %11s %8s\n", "", "", "thr", "", "", "A", "B", "B/A" }
    pattern == "" || index($0, pattern) {
        printf "%-12s %-28s %3s %-14s %-8s %11.5g %11.5g %8s\n", $1, $2, $3, $4, $5, a[key], $6, a[key] ? sprintf("%.3f", $6 / a[key]) : "-"
    }' "$1" "$2"
