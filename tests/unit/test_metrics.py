"""Metrics of a process: names that Prometheus accepts, and seconds in the right stage."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from prometheus_client.core import Metric

from batchscribe.metrics import REGISTRY, Stage, count_file, count_request, observe_file, stage

BASE_UNITS = ("_seconds", "_bytes")
OTHER_UNITS = re.compile("_(sec|secs|ms|millis|minutes|kb|mb|percent)(_|$)")


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@contextmanager
def rises(name: str, by: float, **labels: str) -> Iterator[None]:
    before = value(name, **labels)
    yield
    assert value(name, **labels) - before == pytest.approx(by)


def fail_after(sec: float) -> None:
    time.sleep(sec)
    raise OSError("full")


def own_metrics() -> list[Metric]:
    return [metric for metric in REGISTRY.collect() if not metric.name.startswith("process_")]


@pytest.mark.parametrize("metric", own_metrics(), ids=lambda metric: metric.name)
def test_names_follow_the_conventions_of_prometheus(metric: Metric) -> None:
    assert metric.name.startswith("batchscribe_")
    assert metric.documentation.endswith(".")
    assert not OTHER_UNITS.search(metric.name)
    if metric.type == "histogram":
        assert metric.name.endswith(BASE_UNITS)
    for sample in metric.samples:
        assert sample.name.endswith("_total") == (metric.type == "counter")


def test_no_label_is_an_id_or_a_tenant() -> None:
    labels = {label for metric in own_metrics() for sample in metric.samples for label in sample.labels}
    assert labels <= {
        "outcome",
        "code",
        "stage",
        "engine",
        "what",
        "state",
        "result",
        "method",
        "route",
        "status",
        "child",
        "layer",
        "reason",
    } | {
        "le",
        "part",
        "version",
        "worker",
    }


def test_counters_begin_at_zero_or_their_first_event_is_not_seen() -> None:
    """In a process that has done nothing yet."""
    script = (
        "from batchscribe.metrics import REGISTRY\n"
        "for outcome in ('succeeded', 'failed', 'skipped'):\n"
        "    assert REGISTRY.get_sample_value('batchscribe_files_total', {'outcome': outcome}) == 0.0\n"
        "assert REGISTRY.get_sample_value('batchscribe_retries_total', {'what': 'storage'}) == 0.0\n"
        "assert REGISTRY.get_sample_value('batchscribe_reaped_workers_total') == 0.0\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_a_file_is_observed_once_for_each_stage_that_it_came_through() -> None:
    with (
        rises("batchscribe_stage_seconds_count", 1, stage="read"),
        rises("batchscribe_stage_seconds_count", 1, stage="decode"),
        rises("batchscribe_stage_seconds_count", 0, stage="write"),
        observe_file(),
    ):
        for _ in range(3):
            with stage(Stage.READ):
                pass
            with stage(Stage.DECODE):
                pass


def test_the_seconds_of_a_stage_are_those_spent_in_it_also_when_it_fails() -> None:
    before, began_at = value("batchscribe_stage_seconds_sum", stage="write"), time.perf_counter()
    with pytest.raises(OSError, match="full"), observe_file(), stage(Stage.WRITE):
        fail_after(0.05)
    elapsed_sec = time.perf_counter() - began_at
    assert 0.05 <= value("batchscribe_stage_seconds_sum", stage="write") - before <= elapsed_sec


def test_files_in_other_threads_are_distinguished() -> None:
    def transcribe() -> None:
        with observe_file(), stage(Stage.TRANSCRIBE):
            together.wait(60)

    together = threading.Barrier(4)
    with rises("batchscribe_stage_seconds_count", 4, stage="transcribe"):
        threads = [threading.Thread(target=transcribe) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def test_outside_of_a_file_a_stage_counts_by_itself() -> None:
    with rises("batchscribe_stage_seconds_count", 2, stage="commit"):
        for _ in range(2):
            with stage(Stage.COMMIT):
                pass


def test_files_are_counted_by_outcome_with_their_audio_and_their_error() -> None:
    with (
        rises("batchscribe_files_total", 1, outcome="succeeded"),
        rises("batchscribe_audio_seconds_total", 12.5, outcome="succeeded"),
        rises("batchscribe_files_total", 1, outcome="failed"),
        rises("batchscribe_audio_seconds_total", 0, outcome="failed"),
        rises("batchscribe_file_errors_total", 1, code="CORRUPT_MEDIA"),
    ):
        count_file("FILE_SUCCEEDED", 12.5, None)
        count_file("FILE_FAILED", None, "CORRUPT_MEDIA")


def test_what_strangers_make_up_adds_no_series() -> None:
    with rises("batchscribe_http_requests_total", 2, method="other", route="other", status="404"):
        count_request("BREW", None, 404, 0.1)
        count_request("PROPFIND", None, 404, 0.1)


def test_processes_that_decode_and_hear_do_not_load_what_they_cannot_use() -> None:
    loaded = "import sys, batchscribe.audio.decoder_child, batchscribe.speech.engine_child\n"
    script = f"{loaded}assert 'prometheus_client' not in sys.modules\n"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
