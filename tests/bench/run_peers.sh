#!/bin/sh
# run_peers.sh BUILD: the networks of bench_networks in Ranvier and in Brian 2 (C++ standalone), in turn on this machine,
# on 1 and on 2 threads. Brian 2 compiles its program first; construction and compiling are not counted. BENCH_ONLY names
# one network. Brian 2 and its compiler's -ffast-math are as it comes.
build=$1
python=
for candidate in /usr/bin/python3 python3; do
    $candidate -c 'import brian2' 2>/dev/null && python=$candidate && break
done
if [ -z "$python" ]; then
    echo "Brian 2 is not installed (Debian: apt install python3-brian)" >&2
    exit 1
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
version=$($python -c 'import brian2; print(brian2.__version__)' 2>/dev/null)
echo "Real-time factors beside Brian 2 $version, $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
echo
printf '%-18s %7s %10s %10s %8s %16s\n' '' threads Ranvier 'Brian 2' ratio 'rates (Hz)'
for network in Brunel 'CUBA 4000' 'CUBA 40000' 'Izhikevich 10000' 'sparse 100000'; do
    case $network in *"$BENCH_ONLY"*) ;; *) continue ;; esac
    : >"$folder/ours.csv"
    BENCH_CSV=$folder/ours.csv "$build/tests/bench/bench_networks" "$network" >/dev/null || exit 1
    for threads in 1 2; do
        ours=$(awk -F, -v n="$network" -v t=$threads '$2 == n && $3 == t && $4 == "rtf" { rtf = $6 } $2 == n && $3 == t && $4 == "rate" { r = $6 } END { print rtf, r }' "$folder/ours.csv")
        theirs=$($python tests/bench/brian2_networks.py "$network" $threads "$folder/brian" 2>"$folder/errors" | tail -n 1)
        [ -n "$theirs" ] || { cat "$folder/errors" >&2; exit 1; }
        rm -rf "$folder/brian"
        echo "$ours $theirs" | awk -v n="$network" -v t=$threads '{ printf "%-18s %7d %10.4f %10.4f %8.1f %8.2f %7.2f\n", n, t, $1, $3, $3 / $1, $2, $4 }'
    done
done
