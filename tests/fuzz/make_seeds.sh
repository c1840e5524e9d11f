#!/bin/sh
# Small files that the fuzzers begin with, made by Ranvier's own writers: make_seeds.sh BUILD FOLDER
set -e
ranvier=$1/ranvier
out=$2
here=$(dirname "$0")
for fuzzer in "$here"/fuzz_*.c; do
    name=${fuzzer##*/fuzz_}
    mkdir -p "$out/${name%.c}"
done
$ranvier run "$here/seeds.lua" --quiet --out "$out/results/small.h5"
$ranvier convert "$out/results/small.h5" "$out/results/spikes.h5" --quiet
for ending in npz csv dat; do
    folder=$ending
    [ $ending = npz ] || folder=text
    $ranvier convert "$out/results/small.h5" "$out/$folder/small.$ending" --population layer --quiet
done
$ranvier convert "$out/results/small.h5" "$out/npz/two.npz" --quiet
printf '1\t0.1\n2\t0.3\n' >"$out/text/plain.gdf"
printf '# NEST version: 3.8\n# RecordingBackendASCII version: 2\nsender\ttime_ms\n1\t0.1\n' >"$out/text/nest.dat"
printf 'timestamps population node_ids\n0.5 "a b" 3\n' >"$out/text/sonata.csv"
for file in tests/reference/aer/bar*; do head -c 4096 "$file" >"$out/aer/$(basename "$file")"; done
$ranvier export "$here/seeds.lua" --format nir -o "$out/nir/small.nir" --quiet
$ranvier export "$here/seeds.lua" --format netx -o "$out/netx/small.net" --quiet
$ranvier export "$here/seeds.lua" --format ranvier -o "$out/mapping/small.h5" --quiet
$ranvier export "$here/seeds.lua" --format sanafe -o "$out/sanafe/small.net" --quiet && rm -f "$out/sanafe/small.arch.yaml"
$ranvier export "$here/seeds.lua" --format sanafe -o "$out/sanafe/small.yaml" --quiet && rm -f "$out/sanafe/small.arch.yaml"
cp tests/reference/hw/nir/*.nird "$out/nird"
cp tests/reference/hw/risp/*.json "$out/tennlab"
printf 'like = loihi2\ntitle = a board\nneurons_per_core = 2048 # page 7\nenergy_synapse = 11.5 pJ # measured\n' >"$out/chip/board.chip"
printf '\034\000RVEV\001\000\001\000\007\000\000\000\000\000\000\000\350\003\000\000\000\000\000\000\005\000\000\000\020\000RVEV\001\000\000\000\007\000\000\000\002\000\000\000' >"$out/udp/two.bin"
