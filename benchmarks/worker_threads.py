"""Many workers of a Dask cluster as threads of one process, for trainings of benchmarks/engines.py, which only wait.

`python benchmarks/worker_threads.py 64` prints the address of the scheduler, and ends with its input.
"""

import sys

from distributed import LocalCluster


def main() -> None:
    with LocalCluster(
        n_workers=int(sys.argv[1]),
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        threads_per_worker=1,
        dashboard_address=None,
        memory_limit=0,  # of each thread, though all are in one process
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
