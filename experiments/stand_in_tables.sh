#!/bin/bash
# Compute tables 1 to 3 on the stand-in data, many networks at a time, and pack the runs:
#   experiments/stand_in_tables.sh SECONDS PARALLEL OUT [arguments of gapnet table]
# It ends after SECONDS; repeat the command to continue. To continue on another machine, unpack OUT/runs-*.tar into its folder runs.
# The trainings of table 2 come first, and are those of the other tables. PYTHON is the interpreter, SEEDS the seeds.
set -u
end=$(($(date +%s) + $1)) parallel=$2 out=$3
shift 3
export OMP_NUM_THREADS=1 PYTHONUNBUFFERED=1  # the networks share the cores
python=${PYTHON:-python3} deviates='batch normalisation'
common=(
  data=shapes recipe=stand_in_fine "seeds=[${SEEDS:-0,1,2}]" looks=single single=whole
  "table.networks.vgg16_gap.model=['model=vgg16_bn_gap']" "table.networks.vgg16.model=['model=vgg16_bn','saliency=gradient']"
  "+table.networks.vgg16_gap.deviates=$deviates" "+table.networks.vgg16.deviates=$deviates"
  report.images=0 "parallel=$parallel"
)

table() {  # NUMBER ROWS ...: compute a table in the time that is left
  local left=$((end - $(date +%s)))
  if [ $left -gt 5 ]; then
    "$python" "experiments/table$1.py" "${common[@]}" "rows=[$2]" "${@:3}" \
      "minutes=$((left / 60)).$(printf '%02d' $((left % 60 * 100 / 60)))"
  fi
}

cd "$(dirname "$0")/.." || exit
table 2 "${ROWS2:-googlenet_gap,vgg16_gap,googlenet,alexnet_star_gap,alexnet_gap,nin,googlenet_gmp,googlenet_backprop,vgg16_backprop,alexnet_backprop}" \
  "table.columns.grabcut.arguments=['view=whole','crops=single','boxer=grabcut','boxer.side=64']" "$@"
table 3 "${ROWS3:-heuristics,googlenet_gap,backprop}" "$@"
table 1 "${ROWS1:-vgg16_gap,googlenet_gap,alexnet_star_gap,alexnet_gap,googlenet,vgg16,alexnet,nin,googlenet_gmp}" "$@"
"$python" experiments/pack_runs.py runs "$out"
tar -cf "$out/tables.tar" runs/tables  # with what the commands printed
