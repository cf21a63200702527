#!/bin/bash
# Try recipes for the default job on the stand-in data with ILSVRC's statistics, all at the same time on one GPU:
#   experiments/stand_in_recipes.sh OUT [arguments of gapnet train]
# OUT/recipes.txt lists the images, epochs, learning rate and seed of each recipe, and its errors. Two cores train about 2,400 images
# (images x epochs) in 25 seconds; the last recipe is longer, and shows what is possible.
set -u
out=$1
shift
export OMP_NUM_THREADS=1
python=${PYTHON:-python3}
mkdir -p "$out"
cd "$(dirname "$0")/.." || exit
mkdir -p runs/recipes

try() {  # IMAGES EPOCHS RATE SEED ...
  local folder="runs/recipes/$1-$2-$3-$4"
  "$python" train.py data.scenes=ilsvrc "data.train=$1" "trainer.max_epochs=$2" "optim.lr=$3" "seed=$4" "folder=$folder" \
    "trainer.check_val_every_n_epoch=$2" loader.in_memory=true report.images=0 "${@:5}" >"$folder.txt" 2>&1
  "$python" - "$folder" <<'END' >>"$out/recipes.txt"
import json, sys
from pathlib import Path
folder = Path(sys.argv[1])
print(folder.name, (folder / "training.json").read_text().strip())
for metric in json.loads((folder / "metrics.json").read_text()):
    if metric["metric"] in ("top1_error", "top1_localization_error", "gt_known_error"):
        print("  ", *(metric[key] for key in ("metric", "value", "threshold", "chosen_on")))
END
}

for recipe in ${RECIPES:-2400-12-0.004 2400-18-0.004 2400-18-0.008 4800-9-0.004 4800-9-0.008 7200-6-0.004 9600-30-0.004}; do
  IFS=- read -r images epochs rate <<<"$recipe"
  for seed in ${SEEDS:-0}; do
    try "$images" "$epochs" "$rate" "$seed" "$@" &
  done
done
wait
