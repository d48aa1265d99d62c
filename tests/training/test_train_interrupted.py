"""Runs that are killed, full disks, dead workers, clusters: what finished stays, and the numbers are the same."""

import errno
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from nem2e_lib.error import Nem2eError
from nem2e_lib.training import train as training
from nem2e_lib.training.batching import Batching
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.devices import processes
from nem2e_lib.training.engine import Outcome
from nem2e_lib.training.results import load_results, save_results
from nem2e_lib.training.sending import sent
from nem2e_lib.training.store import Store
from nem2e_lib.training.train import plan, train_condition
from tests.support.small import make_cycles

SMALL = Configuration(units=8, epochs=40)
SCRIPT = """
import sys
sys.path.insert(0, {here!r})
from tests.training.test_train_interrupted import save_results, train
save_results(train(sys.argv[1]), sys.argv[2])
"""
VARIABLES = ("refined", "attention", "gradient", "training_loss", "validation_loss")


def train(folder, **options):
    return train_condition(
        make_cycles(), "one_entire", SMALL, store=folder, progress=False, batching=Batching(1, 1), **options
    )


def start(folder, out):
    command = [sys.executable, "-c", SCRIPT.format(here=str(Path(__file__).parents[2])), str(folder), str(out)]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def assert_same(a, b):
    for name in VARIABLES:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


@pytest.mark.slow
def test_ten_kills_lose_nothing_but_the_block_in_flight(tmp_path):
    began = time.monotonic()
    assert start(tmp_path / "whole", tmp_path / "whole.nc").wait() == 0
    lasted = time.monotonic() - began
    clock = random.Random(1)
    for _ in range(10):
        running = start(tmp_path / "killed", tmp_path / "killed.nc")
        time.sleep(clock.uniform(0.3, 0.95) * lasted)
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / "killed").rglob("*.npz")}
        running.send_signal(signal.SIGKILL)
        running.wait()
        assert all(path.stat().st_mtime_ns == stamp for path, stamp in before.items())
    assert start(tmp_path / "killed", tmp_path / "killed.nc").wait() == 0
    assert_same(load_results(tmp_path / "whole.nc"), load_results(tmp_path / "killed.nc"))


@pytest.mark.slow
def test_two_processes_on_one_folder_do_not_harm_each_other(tmp_path):
    both = [start(tmp_path / "shared", tmp_path / f"{name}.nc") for name in "ab"]
    assert [process.wait() for process in both] == [0, 0]
    assert_same(load_results(tmp_path / "a.nc"), load_results(tmp_path / "b.nc"))


@pytest.mark.slow
def test_processes_give_the_same_numbers(tmp_path):
    with processes(2) as pool:
        elsewhere = train(tmp_path / "pool", executor=pool)
    np.testing.assert_allclose(elsewhere.refined, train(tmp_path / "here").refined, atol=2e-5)


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_still_finishes(tmp_path):
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed: make test-all adds it")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = list(client.run(os.getpid).values())
        killed = []

        def kill_one(job, count, real=training.Done.after):
            real(job, count)
            if not killed:
                killed.append(pids[0])
                os.kill(pids[0], signal.SIGKILL)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(training.Done, "after", kill_one)
            elsewhere = train(tmp_path / "cluster", executor=client.get_executor())
    assert killed
    np.testing.assert_allclose(elsewhere.refined, train(tmp_path / "here").refined, atol=2e-5)


@pytest.mark.slow
def test_what_all_tasks_share_is_sent_once_and_gone_afterwards(tmp_path):
    carried = []

    class Pickling(ThreadPoolExecutor):
        """Tasks as they go to another process."""

        def submit(self, function, /, *arguments, **options):
            carried.append(pickle.dumps((function, arguments, options)))
            function, arguments, options = pickle.loads(carried[-1])
            return super().submit(function, *arguments, **options)

    with Pickling(1) as pool:
        elsewhere = train(tmp_path, executor=pool)
    inputs = plan(make_cycles(), "one_entire", SMALL).grid.examples.inputs.tobytes()
    assert carried
    assert not any(inputs in task for task in carried)
    assert not list(tmp_path.rglob("*.grid"))
    np.testing.assert_allclose(elsewhere.refined, train(tmp_path / "here").refined, atol=2e-5)


def test_a_worker_that_does_not_see_the_store_says_so(tmp_path):
    work = plan(make_cycles(), "one_entire", SMALL).grid
    with sent(work, tmp_path / "models") as told:
        assert told.grid.models == work.models
        with pytest.raises(Nem2eError, match=r"\.grid, as .* sees it: is not the file that was written there"):
            replace(told, digest="0").grid  # noqa: B018
        elsewhere = replace(told, path=tmp_path / "unseen" / told.path.name)
        with pytest.raises(Nem2eError, match=r"cannot be read .* let the store lie on a disk that every worker can"):
            elsewhere.grid  # noqa: B018
    assert not list((tmp_path / "models").iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(Nem2eError, match=r"\.grid: cannot be written"), sent(work, tmp_path / "file" / "models"):
        pass


class Dying(Executor):
    """An executor whose second worker dies."""

    def __init__(self):
        self.count = 0

    def submit(self, function, /, *arguments, **options):
        self.count += 1
        future = Future()
        if self.count == 2:
            future.set_exception(BrokenExecutor("gone"))
        else:
            future.set_result(function(*arguments, **options))
        return future


def test_a_dead_worker_is_told_and_finished_models_are_kept(tmp_path):
    with pytest.raises(Nem2eError, match=r"a worker process died.*finished models are kept"):
        train(tmp_path, executor=Dying())
    assert list(tmp_path.rglob("*.npz"))


class KilledWorker(Exception):
    """What dask raises for a task that took down one worker after another."""


def test_a_task_that_takes_its_workers_down_is_told(tmp_path, monkeypatch):
    def down(job):
        raise KilledWorker

    monkeypatch.setattr(training, "run_job", down)
    with ThreadPoolExecutor(1) as pool, pytest.raises(Nem2eError, match=r"a worker process died"):
        train(tmp_path, executor=pool)


def test_any_damage_to_a_stored_model_is_noticed(tmp_path):
    numbers = np.random.default_rng(0).normal(size=(5, 4, 3)).astype(np.float32)
    kept = Store(tmp_path)
    kept.save("key", Outcome(*numbers, weights={"combine": numbers[0], "offset": numbers[1]}))
    whole = kept.path("key").read_bytes()
    found = kept.load("key")
    np.testing.assert_array_equal(found.weights["offset"], numbers[1])
    with np.load(kept.path("key")) as ordinary:
        np.testing.assert_array_equal(ordinary["refined"], numbers[2])
    for place in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        for content in (bytes(damaged), whole[:place]):
            kept.path("key").write_bytes(content)
            assert kept.load("key") is None, place


def test_memory_that_runs_out_is_told(tmp_path, monkeypatch):
    def exhausted(*arguments, **options):
        raise MemoryError

    monkeypatch.setattr(training, "train_block", exhausted)
    with pytest.raises(Nem2eError, match=r"out of memory with 1 models of 8 units.*finished models are kept"):
        train(tmp_path)


def test_a_full_disk_is_told_and_leaves_nothing_half_written(tmp_path, monkeypatch):
    def full(self, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(Nem2eError, match=r"cannot be written \(No space left on device\); make room"):
        train(tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_results_that_do_not_fit_on_the_disk_are_told(tmp_path, monkeypatch):
    def full(self, path, **options):
        Path(path).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    results = train(tmp_path / "models")
    monkeypatch.setattr(xr.Dataset, "to_netcdf", full)
    with pytest.raises(Nem2eError, match=r"r\.nc: cannot be written \(No space left on device\)"):
        save_results(results, tmp_path / "out" / "r.nc")
    assert not list((tmp_path / "out").iterdir())


def test_saved_results_can_be_read_back(tmp_path):
    results = train(tmp_path)
    save_results(results, tmp_path / "r.nc")
    assert_same(results, load_results(tmp_path / "r.nc"))
