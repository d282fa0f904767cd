"""The numbers in the documents against the constants and settings that they follow from."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from math import log10

import pytest

from batchscribe.audio.speech_spans import VoiceOptions
from batchscribe.queue.flow import LIMITS
from batchscribe.queue.tasks import QueueKind
from batchscribe.settings import Settings
from tests.documents import ROOT

# Numbers: `{}` stands for a number, in digits or as a word, that follows from the source.

WORDS = {
    "half": 0.5, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "eight": 8, "ten": 10,
    "tenth": 10, "twice": 2,
    "second": 1, "minute": 60, "half a minute": 30, "half a second": 0.5, "millisecond": 0.001, "day": 86_400,
}  # fmt: skip


def source(name: str) -> float:
    """A constant by its path below `batchscribe`, or an element of one: `stages.shard.PAUSES_SEC[0]`."""
    path, _, index = name.rstrip("]").partition("[")
    module, _, constant = path.rpartition(".")
    value = vars(import_module(f"batchscribe.{module}"))[constant]
    return float(value[int(index)] if index else value)


def default(setting: str) -> float:
    return float(Settings.model_fields[setting].default)


ARCHITECTURE = [
    ("every {} s: renews the row", default("heartbeat_sec")),
    ("silent for {} s; requeues", default("silent_sec")),
    ("Ended tasks are deleted once a {}.", source("queue.flow.SWEPT_AFTER_SEC")),
    ("There are {} threads per engine process", source("worker.capacity.FILES_PER_ENGINE")),
    ("{} per tenant and 32 in total", source("api.service.PER_TENANT")),
    ("four per tenant and {} in total", source("api.service.IN_ALL")),
    ("{} per tenant, and in total two that read a body", source("api.turns.PER_TENANT")),
    ("two per tenant, and in total {} that read a body", source("api.turns.BODIES")),
    ("switches threads every {} instead", source("cli.process.lifecycle.SWITCH_SEC")),
    ("{} of the descriptors are for connections", 1 / source("api.connections.SHARE")),
    ("`DELETE` waits at most {} s", source("api.job_routes.SETTLE_SEC")),
    ("An enumeration yields after {} s", source("stages.enumerate_files.TURN_SEC")),
    ("A process takes {} as many shards as one tenant may have in it", source("queue.flow.TENANTS_AT_ONCE")),
    ("{} times a second one statement checks", 1 / source("queue.dispatcher.LOOK_SEC")),
    ("also polls {} s after a task ends", source("queue.dispatcher.SETTLE_SEC")),
    ("starts or ends here, or after a {}.", source("queue.dispatcher.FULL_SEC")),
    ("ends a transaction that is idle for {} s", source("database.connect.IDLE_SEC")),
    ("a garbage collection a {} later", source("worker.open_jobs.COLLECT_SEC")),
    ("A file is retried after {}, 4 and 16 s", source("stages.shard.PAUSES_SEC[0]")),
    ("A file is retried after 1, {} and 16 s", source("stages.shard.PAUSES_SEC[1]")),
    ("A file is retried after 1, 4 and {} s", source("stages.shard.PAUSES_SEC[2]")),
    ("16 s and then every {}, with at most", source("stages.shard.PAUSES_SEC[3]")),
    ("A shard is at most {} files", source("jobs.sharding.MAX_FILES")),
    ("64 files or about a {} of work", source("jobs.sharding.MAX_WORK_SEC")),
    ("up to {} such files of a page get one shard each", source("jobs.sharding.UNKNOWN_SHARDS")),
    ("If the page has more, up to {} share one", source("jobs.sharding.MAX_UNKNOWN")),
    ("Now a decoder asks {} a second", 1 / source("audio.decoder_child.BEAT_SEC")),
    ("checkpointed every {} pages", source("database.connect.CHECKPOINT_PAGES")),
    ("Only the first and last {} KiB of a transcript", source("stages.existing_output.END_BYTES") / 2**10),
    ("it decodes {} of generated sound", source("audio.decoder_trial.DURATION_SEC")),
    ("Trials are repeated after {} s", source("worker.machine_health.FIRST_PAUSE_SEC")),
    ("pauses that double up to {} s", source("worker.machine_health.LONGEST_PAUSE_SEC")),
    ("becomes unfit later for {} s", source("cli.work_session.UNFIT_SEC")),
    ("A file may crash its worker {} times", default("max_attempts")),
    ("On the command line the limit is {}, because", source("cli.work_session.MAX_DEATHS")),
    ("is retried every {} seconds", source("database.connect.RETRY_SEC")),
    ("with at most {} range reads", source("audio.wav_chunks.MAX_CHUNKS")),
    ("estimated from the {} frames on each side", source("audio.mp3_walk.NEIGHBORS")),
    ("So up to {} blocks of such a file", source("audio.loudness._LOOKS")),
    ("the one that {} % of the samples exceed, so a click", 100 * source("audio.loudness._CLICKS_SHARE")),
    ("If more than {} % of a second is above", 100 * source("audio.loudness._LOUD_SHARE")),
    ("the level that {} % of its samples exceed", 100 * source("audio.loudness._CLIPPED_SHARE")),
    ("a fifth of the last {} s had", source("audio.loudness._MEMORY_BLOCKS")),
    ("overlaps of up to {} are cut", source("audio.timeline.MAX_OVERLAP_SEC")),
    ("Up to {} s counts as rounding", source("audio.timeline.TOLERANCE_SEC")),
    ("once it has lasted {} s", source("audio.timeline.LASTING_SEC")),
    ("If more than {} packets in a row", source("audio.timeline._MAX_GAPS_IN_ROW")),
    ("again from the next track, up to {} times", source("audio.track_choice.MAX_TRIED")),
    ("less than {} % of their total energy", 100 * source("audio.cancellation._CANCELED_SHARE")),
    ("total energy over {}, the", source("audio.cancellation.STRETCH_SEC")),
    ("compared, {} to 4,000 Hz", source("audio.cancellation._SPEECH_HZ[0]")),
    ("compared, 250 to {} Hz", source("audio.cancellation._SPEECH_HZ[1]")),
    ("Whisper takes up to {} in one call", source("speech.whisper_spec.CPU_BATCH")),
    ("in one call, or {} on a GPU", source("speech.whisper_spec.CUDA_BATCH")),
    ("packed into windows of up to {} s", source("speech.engine.WINDOW_SEC")),
    ("Pauses of up to {} s stay inside", source("audio.packing.MAX_PAUSE_SEC")),
    ("of more than {} s between padded stretches", source("audio.packing.SHORT_PAUSE_SEC")),
    ("at pauses of a {}, at sentence ends", source("transcript.sentences.PAUSE_SEC")),
    ("never more than {} s after it", source("transcript.cue_times.MAX_SHIFT_MS") / 1000),
    ("if for a {} it uses no CPU", source("speech.engine_thread.IDLE_LIMIT_SEC")),
    ("The parent checks once a {}, and", source("children.watchdog.LOOK_SEC")),
    ("the first {} at first", source("stages.recognize.VOTERS")),
    ("and every {} vote as well", source("stages.recognize.ASK_EVERY")),
    ("Speech is padded by {} s", VoiceOptions().pad_sec),
    ("voice detector's threshold is {}, and", VoiceOptions().threshold),
    ("gain of at most {} dB", 20 * log10(source("audio.loudness.MAX_GAIN"))),
    ("receiver hangs has at most {} attempts", LIMITS[QueueKind.WEBHOOKS].of_tenant),
    ("a scrape waits {} s", source("worker.gauges.ANSWER_SEC")),
]  # fmt: skip

HTTP = [
    ("A server process runs up to {} dry runs per tenant", source("api.service.PER_TENANT")),
    ("per tenant at once, and {} in total", source("api.service.IN_ALL")),
    ("works on {} requests of a tenant at a time", source("api.turns.PER_TENANT")),
    ("take up the memory of {} bodies", source("api.turns.BODIES_OF_TENANT")),
    ("one value for every {} bytes of the largest size", source("api.body.MIN_BYTES_PER_VALUE")),
    ("largest size: {} by default", default("max_body_bytes") // source("api.body.MIN_BYTES_PER_VALUE")),
    ("or at {} KiB/s or faster", source("api.protocol.MIN_BYTES_PER_SEC") / 2**10),
    ("may expand to at most {} globs", source("jobs.globs.MAX_ALTERNATIVES")),
    ("all globs of a job to at most {} KiB", source("jobs.globs.MAX_EXPANDED_CHARS") / 2**10),
    ("Clocks may differ by {} seconds", source("api.auth.LEEWAY_SEC")),
    ("valid for up to {} days", source("api.auth.MAX_LIFETIME_SEC") / 86_400),
    ("the same key again within {} hours", source("database.idempotency_rows.KEPT_SEC") / 3600),
    ("the first {} pairs of input and output", source("intake.preview.MOST_PLANNED")),
    ("limited to about {} MiB", source("database.job_rows.MAX_PAGE_CHARS") / 2**20),
    ("newest first, `page_size` {} (at most 100)", source("api.job_routes.PAGE_JOBS")),
    ("newest first, `page_size` 50 (at most {})", default("max_page_jobs")),
    ("the listing, `page_size` {} (at most 1,000)", source("api.file_routes.PAGE_FILES")),
    ("the listing, `page_size` 200 (at most {})", default("max_page_files")),
]

DEPLOYMENT = [
    # SQLAlchemy's default for connections beyond the pool, and the dispatcher's own.
    ("A process opens up to {} connections", source("database.connect.POOL_SIZE") + 10 + 1),
    ("`max_connections` to {} times the number of processes", source("database.connect.POOL_SIZE") + 10 + 1),
    ("has `BATCHSCRIBE_GRACE_SEC` ({}) to finish", default("grace_sec")),
    ("Allow {} s more before you kill it", source("cli.process.signals.END_SEC")),
    ("`BATCHSCRIBE_SILENT_SEC` ({}) later", default("silent_sec")),
    ("sends {} short queries a second", 1 / source("queue.dispatcher.LOOK_SEC")),
    ("Each is up to {} files", source("jobs.sharding.MAX_FILES")),
    ("client_max_body_size {}m;", default("max_body_bytes") / 2**20),
]

TRANSCRIPTS = [
    ("more than {} s or 40 words is split again", source("transcript.sentences.MAX_SEC")),
    ("more than 15 s or {} words is split again", source("transcript.sentences.MAX_SENTENCE_WORDS")),
    ("has more than {} words, more than one channel", source("transcript.segments.MAX_WORDS")),
    ("If there are more than {}, neighbors", source("transcript.segments.MAX_SEGMENTS")),
    ("two lines of {} columns", source("transcript.line_breaking.MAX_COLUMNS")),
    ("is shown for at most {} s", source("transcript.passages.MAX_MS") / 1000),
    ("is shown for at least {} s", source("transcript.passages.MIN_MS") / 1000),
    ("more than {} s away from its speech", source("transcript.cue_times.MAX_SHIFT_MS") / 1000),
    ("A cue has at most {} columns a second", source("transcript.passages.COLUMNS_PER_SEC")),
    ("A pause of {} s always ends a cue", source("transcript.passages.PAUSE_MS") / 1000),
    ("Gaps of less than {} s between cues", source("transcript.cue_times.SMALL_GAP_MS") / 1000),
    ("speaker changes and at a pause of {} s", source("transcript.paragraphs.PAUSE_SEC")),
    ("A paragraph of more than {} columns", source("transcript.paragraphs.LONG_COLUMNS")),
    ("At most {} tracks are tried", source("audio.track_choice.MAX_TRIED")),
    ("take up to {} globs each", default("max_globs")),
]

WEBHOOKS = [
    ("The whole request has {} s", source("outbound.guarded_client.TOTAL_SEC")),
    ("of which the connection has {} s", source("outbound.guarded_client.CONNECT_SEC")),
    ("The first retry follows after about {} s", default("webhook_first_retry_sec")),
    ("twice as long, up to {} h", source("webhooks.payload.MAX_DELAY_SEC") / 3600),
    ("After {} h batchscribe stops", default("webhook_give_up_sec") / 3600),
    ("older than {} minutes", source("webhooks.signature.TOLERANCE_SEC") / 60),
]

OTHERS = [
    ("command-line.md", "a plain line every {} seconds", source("cli.present.progress.LINE_EVERY_SEC")),
    ("command-line.md", "the job has at most {} files", source("cli.served_jobs.REPORTED_FILES")),
    ("command-line.md", "The hub has {} seconds to answer", source("models.from_hub.ANSWER_SEC")),
    ("monitoring.md", "does not answer within {} s", source("worker.gauges.ANSWER_SEC")),
    ("monitoring.md", "batch has up to {} windows", source("speech.whisper_spec.CPU_BATCH")),
    ("monitoring.md", "30 s on a CPU and {} on a GPU", source("speech.whisper_spec.CUDA_BATCH")),
    ("security.md", "A decoder handles up to {} recordings", source("audio.decoder.FILES_PER_PROCESS")),
    ("security.md", "killed after {} s of CPU without sound", source("audio.decoder_child.FRUITLESS_CPU_SEC")),
    ("security.md", "An engine is killed after {} minutes of CPU", source("speech.engine_thread.LEAST_CPU_SEC") / 60),
    ("security.md", "cut to {} characters", source("speech.engine_replies.MAX_REASON_CHARS")),
    ("storage.md", "is tried up to {} times", source("storage.retrying_client.TRIES")),
]

NUMBERS = [
    *(("architecture.md", *each) for each in ARCHITECTURE),
    *(("http.md", *each) for each in HTTP),
    *(("deployment.md", *each) for each in DEPLOYMENT),
    *(("transcripts.md", *each) for each in TRANSCRIPTS),
    *(("webhooks.md", *each) for each in WEBHOOKS),
    *OTHERS,
]


@cache
def text_of(document: str) -> str:
    return " ".join((ROOT / "docs" / document).read_text().split())


@pytest.mark.parametrize(
    ("document", "phrase", "value"), NUMBERS, ids=[f"{name}: {phrase}" for name, phrase, _ in NUMBERS]
)
def test_every_number_is_that_of_the_source(document: str, phrase: str, value: float) -> None:
    """If not, correct the document, or the phrase here if the sentence has changed."""
    before, after = map(re.escape, phrase.split("{}"))
    found = re.search(f"{before}([\\d.,]*\\d|[A-Za-z][a-z ]*?){after}", text_of(document))
    assert found, f"docs/{document} does not say: {phrase}"
    text = found[1].lower()
    number = WORDS[text] if text in WORDS else float(text.replace(",", ""))
    assert number == pytest.approx(value)
