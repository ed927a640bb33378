"""All runs of a simulation: each seed of each variant, on up to two processes."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, wait
from multiprocessing.connection import wait as wait_for
from typing import Any, NamedTuple

from simulation.reading import World
from simulation.run import Run
from simulation.tally import Tally

PROCESSES = 2
"""The most at a time. More would slow down whatever else runs on the machine, such as a worker."""
LOOK = 0.25
"""Seconds between two updates of the progress."""
Progress = Callable[[float], None]
"""Called with the share of all runs that is done."""


class Job(NamedTuple):
    """One run."""

    number: int
    world: World
    seed: int


def play_all(worlds: list[World], seeds: list[int], progress: Progress = lambda _: None) -> list[list[Tally]]:
    """Return the tallies of each world, in the order of the seeds.

    They depend only on the scenario, the policies and the seed. If this call is interrupted, its processes are ended.
    """
    pairs = [(world, seed) for world in worlds for seed in seeds]
    jobs = [Job(number, world, seed) for number, (world, seed) in enumerate(pairs)]
    if len(jobs) == 1:
        tallies = [Run(worlds[0].scenario, worlds[0].policies, seeds[0]).play(progress)]
    else:
        tallies = _on_processes(jobs, progress)
    return [tallies[i * len(seeds) : (i + 1) * len(seeds)] for i in range(len(worlds))]


def _on_processes(jobs: list[Job], progress: Progress) -> list[Tally]:
    # Not forked: a copy of a process with threads can hang.
    context = multiprocessing.get_context("spawn")
    done: Any = context.Array("d", len(jobs))
    pool = ProcessPoolExecutor(min(PROCESSES, len(jobs)), context, initializer=_prepare, initargs=(done,))
    try:
        runs = [pool.submit(_play, job) for job in jobs]
        while wait(runs, timeout=LOOK).not_done:
            progress(sum(done) / len(jobs))
            for run in runs:
                if run.done():
                    run.result()  # an error ends the simulation now, not after all other runs
        progress(1.0)
        return [run.result() for run in runs]
    except BaseException:
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


_done: Any = None


def _prepare(done: Any) -> None:
    """Set up a process: it reports its progress, leaves Ctrl-C to its parent, and ends when its parent has ended."""
    global _done  # noqa: PLW0603 (one for each process)
    _done = done
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(parent: int) -> None:
    wait_for([parent])
    os._exit(1)


def _play(job: Job) -> Tally:
    def report(share: float) -> None:
        _done[job.number] = share

    return Run(job.world.scenario, job.world.policies, job.seed).play(report)
