#!/usr/bin/env bash
# A search on the nodes of a Slurm job. Submit it in the folder of a project that all nodes see: sbatch slurm.sh
# It has not been run under Slurm: see docs/clusters.md.
#SBATCH --job-name=nasgem
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=32
#SBATCH --time=12:00:00
# With four GPUs per node: --ntasks-per-node=4 --cpus-per-task=8 --gpus-per-task=1 --gpu-bind=single:1, and below
# `--workers 1`, so that each task trains on its own GPU.
set -euo pipefail

head=$(hostname --ip-address | awk '{ print $1 }')
address="tls://$head:8786"

nasgem scheduler --host "$head" &
scheduler=$!
trap 'kill "$scheduler"' EXIT
until nasgem status --cluster "$address" > /dev/null 2>&1; do sleep 2; done

srun nasgem worker "$address" --workers "${SLURM_CPUS_PER_TASK:-1}" &
nasgem search --cluster "$address"
