"""The tables. Shard and job rows have counters, so that no query counts files; times are Unix seconds."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSVECTOR

metadata = sa.MetaData()

#: SQLite increments only INTEGER keys automatically; PostgreSQL gets BIGINT.
Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")

job = sa.Table(
    "job",
    metadata,
    sa.Column("number", Key, primary_key=True, autoincrement=True),
    sa.Column("job_id", sa.String, nullable=False, unique=True),
    sa.Column("tenant", sa.String, nullable=False),
    sa.Column("lane", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("submitted_at", sa.Double, nullable=False),
    sa.Column("completed_at", sa.Double),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("sources", sa.JSON, nullable=False),
    sa.Column("file_roots", sa.JSON, nullable=False),
    sa.Column("s3", sa.JSON, nullable=False),  # settings of all clouds; older releases had only those of S3
    sa.Column("engine", sa.String, nullable=False),
    # The model that was chosen when the job was accepted; NULL if no worker was live, or for jobs of older releases.
    sa.Column("model", sa.String),
    sa.Column("model_revision", sa.String),
    # Of the engine when the job was accepted, in seconds of audio per second; it determines the size of shards.
    sa.Column("speed", sa.Double, nullable=False, server_default="1"),
    sa.Column("tracking_id", sa.String),  # of the request that submitted the job
    sa.Column("fingerprint", sa.String, nullable=False),
    # The progress of the enumeration, updated in the transaction that stores the files that were read.
    sa.Column("cursor_source", sa.Integer, nullable=False, default=0),
    sa.Column("cursor_after", sa.String),
    sa.Column("last_seq", sa.Integer, nullable=False, default=0),
    sa.Column("last_shard", sa.Integer, nullable=False, default=0),
    sa.Column("listed", sa.Boolean, nullable=False, default=False),
    sa.Column("shards_done", sa.Integer, nullable=False, default=0),
    sa.Column("total_files", sa.Integer, nullable=False, default=0),
    sa.Column("succeeded", sa.Integer, nullable=False, default=0),
    sa.Column("failed", sa.Integer, nullable=False, default=0),
    sa.Column("skipped", sa.Integer, nullable=False, default=0),
    sa.Column("audio_sec", sa.Double, nullable=False, default=0.0),
    sa.Column("estimated_audio_sec", sa.Double, nullable=False, default=0.0),
    sa.Column("error_code", sa.String),
    sa.Column("error_message", sa.String),
    # How many times the job got fresh credentials, and whether the storage ever accepted any of them.
    sa.Column("credentials_version", sa.Integer, nullable=False, server_default="0"),
    sa.Column("credentials_accepted", sa.Boolean, nullable=False, server_default=sa.false()),
    # The version that expired without fresh credentials in time.
    sa.Column("credentials_given_up", sa.Integer, nullable=False, server_default="-1"),
    # What its files have cost so far, like the counters above; and when an outcome was last counted.
    sa.Column("begun_at", sa.Double),
    sa.Column("changed_at", sa.Double),
    sa.Column("compute_sec", sa.Double, nullable=False, server_default="0"),
    sa.Column("bytes_in", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("extra_attempts", sa.Integer, nullable=False, server_default="0"),
    # The part of `estimated_audio_sec` that belongs to files that succeeded, and that of files that failed or were
    # skipped.
    sa.Column("estimated_done_sec", sa.Double, nullable=False, server_default="0"),
    sa.Column("estimated_lost_sec", sa.Double, nullable=False, server_default="0"),
    # How many times its failed files were retried. While a retry requeues them, the number of the last requeued file.
    sa.Column("retry_number", sa.Integer, nullable=False, server_default="0"),
    sa.Column("retry_after", sa.Integer),
    # The names of its storage secrets, from its submission on; they are needed to retry files. NULL in older releases.
    sa.Column("secrets", sa.JSON(none_as_null=True)),
    # A deleted job is no longer shown; a task deletes its rows.
    sa.Column("deleted_at", sa.Double),
    sa.Index("job_by_fingerprint", "fingerprint", "state"),
    sa.Index("job_by_tenant", "tenant", "number"),
    sa.Index("job_by_state", "tenant", "state", "number"),
    sa.Index("job_by_end", "completed_at"),
    sqlite_autoincrement=True,
)

#: For the task that deletes the rows of deleted jobs.
sa.Index(
    "job_deleted",
    job.c.number,
    sqlite_where=job.c.deleted_at.is_not(None),
    postgresql_where=job.c.deleted_at.is_not(None),
)

shard = sa.Table(
    "shard",
    metadata,
    sa.Column("job", sa.ForeignKey("job.number", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("succeeded", sa.Integer, nullable=False, default=0),
    sa.Column("failed", sa.Integer, nullable=False, default=0),
    sa.Column("skipped", sa.Integer, nullable=False, default=0),
    sa.Column("audio_sec", sa.Double, nullable=False, default=0.0),
    # How many times it was begun; only the latest run may claim files.
    sa.Column("run", sa.Integer, nullable=False, server_default="0"),
    sa.Column("changed_at", sa.Double),
    sa.Column("compute_sec", sa.Double, nullable=False, server_default="0"),
    sa.Column("bytes_in", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("extra_attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("estimated_done_sec", sa.Double, nullable=False, server_default="0"),
    sa.Column("estimated_lost_sec", sa.Double, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)
#: Reading a job adds the counters of running shards; this index keeps the cost independent of the job's size.
sa.Index(
    "shard_running", shard.c.job, sqlite_where=shard.c.state == "RUNNING", postgresql_where=shard.c.state == "RUNNING"
)

file = sa.Table(
    "file",
    metadata,
    sa.Column("job", sa.ForeignKey("job.number", ondelete="CASCADE"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("shard", sa.Integer),
    sa.Column("input_uri", sa.String, nullable=False),
    sa.Column("output_uri", sa.String, nullable=False),
    # First 8 bytes of the output URI's SHA-256: finds a used output name without an index of long strings.
    sa.Column("output_hash", sa.BigInteger),
    sa.Column("size_bytes", sa.BigInteger),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    sa.Column("duration_sec", sa.Double),
    sa.Column("error_code", sa.String),
    sa.Column("error_message", sa.String),
    sa.Column("warnings", sa.JSON(none_as_null=True)),
    # SHA-256 of the transcript in each format, from just before it is written.
    sa.Column("output_digests", sa.JSON(none_as_null=True)),
    sa.Index("file_by_shard", "job", "shard"),
    sa.Index("file_by_state", "job", "state", "seq"),
    sa.Index("file_by_output", "job", "output_hash", unique=True),
    sqlite_with_rowid=False,
)

#: The words of a file in progress, sealed; deleted with its outcome. Every attempt adds rows, and reads those of all.
checkpoint = sa.Table(
    "checkpoint",
    metadata,
    sa.Column("job", sa.ForeignKey("job.number", ondelete="CASCADE"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True),
    # How many windows from the start of the recording are stored without a gap, with this part.
    sa.Column("n_known", sa.Integer, nullable=False),
    # Stands for everything that determines the transcript; parts with another identity are ignored.
    sa.Column("identity", sa.String, nullable=False),
    sa.Column("key_id", sa.String, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)
#: For summaries, which list the few files with warnings.
sa.Index(
    "file_with_warnings",
    file.c.job,
    file.c.seq,
    sqlite_where=file.c.warnings.is_not(None),
    postgresql_where=file.c.warnings.is_not(None),
)

#: What waits for fresh credentials: a shard, or number 0 for the listing. `number` is part of the resuming task's ID.
waiting = sa.Table(
    "waiting",
    metadata,
    sa.Column("number", Key, primary_key=True, autoincrement=True),
    sa.Column("job", sa.ForeignKey("job.number", ondelete="CASCADE"), nullable=False),
    sa.Column("shard", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),  # of the credentials that have expired
    sa.Index("waiting_of_job", "job", "shard", unique=True),
    sqlite_autoincrement=True,
)

#: Sealed with AES-GCM. After the end of its job, a secret is deleted at once or at `expires_at`.
secret = sa.Table(
    "secret",
    metadata,
    sa.Column("job", sa.ForeignKey("job.number", ondelete="CASCADE"), primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("key_id", sa.String, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("expires_at", sa.Double),
    sa.Index("secret_by_expiry", "expires_at"),
)

#: The loudness of a recording over time, for a plot: see `Waveform`.
waveform = sa.Table(
    "waveform",
    metadata,
    sa.Column("job", sa.ForeignKey("job.number", ondelete="CASCADE"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("peak_sec", sa.Double, nullable=False),
    sa.Column("channels", sa.Integer, nullable=False),
    sa.Column("peaks", sa.LargeBinary, nullable=False),
)

#: The names that people gave to the speakers and channels of a transcript.
speaker_name = sa.Table(
    "speaker_name",
    metadata,
    sa.Column("job", sa.ForeignKey("job.number", ondelete="CASCADE"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("label", sa.String, primary_key=True),  # as in the transcript, such as "Speaker 1"
    sa.Column("name", sa.String, nullable=False),
)

#: What was said, for search: one row per segment of a transcript, in an order that puts the latest transcript last and
#: the first segment of a transcript after the others.
transcript_segment = sa.Table(
    "transcript_segment",
    metadata,
    sa.Column("number", Key, primary_key=True, autoincrement=True),
    sa.Column("tenant", sa.String, nullable=False),
    sa.Column("job", sa.ForeignKey("job.number", ondelete="CASCADE"), nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),  # of its file
    sa.Column("start_sec", sa.Double, nullable=False),
    sa.Column("end_sec", sa.Double, nullable=False),
    sa.Column("channel", sa.Integer, nullable=False),
    sa.Column("speaker", sa.String),
    sa.Column("text", sa.String, nullable=False),
    # See `database/segment_index.py`. In SQLite, triggers keep the full-text table `segment_index` in step.
    sa.Column("terms", sa.Text().with_variant(TSVECTOR(), "postgresql"), nullable=False),
    sa.Index("transcript_segment_of_file", "job", "seq"),
)
sa.Index("transcript_segment_by_tenant", transcript_segment.c.tenant, transcript_segment.c.number).ddl_if("postgresql")
sa.Index("transcript_segment_by_terms", transcript_segment.c.terms, postgresql_using="gin").ddl_if("postgresql")

#: What a tenant's files cost, by the day (UTC) on which their shard ended. Outlives the jobs.
usage_day = sa.Table(
    "usage_day",
    metadata,
    sa.Column("tenant", sa.String, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("files", sa.BigInteger, nullable=False),
    sa.Column("audio_sec", sa.Double, nullable=False),
    sa.Column("compute_sec", sa.Double, nullable=False),
    sa.Column("bytes_in", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

#: The sessions of people who are signed in to the web interface.
web_session = sa.Table(
    "web_session",
    metadata,
    sa.Column("token_digest", sa.String, primary_key=True),  # SHA-256
    sa.Column("api_key", sa.ForeignKey("api_key.api_key", ondelete="CASCADE"), nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False),
    sa.Index("web_session_by_expiry", "expires_at"),
)

#: The API keys of clients; secrets are sealed with AES-GCM.
api_key = sa.Table(
    "api_key",
    metadata,
    sa.Column("api_key", sa.String, primary_key=True),
    sa.Column("tenant", sa.String, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("revoked_at", sa.Double),
    sa.Column("key_id", sa.String, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)

#: The job or vocabulary of each tenant's Idempotency-Key; kept for a day.
idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("tenant", sa.String, primary_key=True),
    sa.Column("idempotency_key", sa.String, primary_key=True),
    sa.Column("digest", sa.String, nullable=False),  # of the body, keyed with the sealing key
    sa.Column("job_id", sa.String, nullable=False),  # or the ID of the vocabulary
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Index("idempotency_by_age", "created_at"),
    sa.Index("idempotency_by_job", "job_id"),
)

#: The stored vocabularies of tenants. The row of a job that uses one has a copy.
vocabulary = sa.Table(
    "vocabulary",
    metadata,
    sa.Column("vocabulary_id", sa.String, primary_key=True),
    sa.Column("tenant", sa.String, nullable=False),
    sa.Column("name", sa.String),
    sa.Column("content", sa.JSON, nullable=False),  # phrases and aliases
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Index("vocabulary_by_tenant", "tenant", "created_at", "vocabulary_id"),
)

#: The outbox: written in the transaction that changes the job's state.
webhook_delivery = sa.Table(
    "webhook_delivery",
    metadata,
    sa.Column("number", Key, primary_key=True, autoincrement=True),
    sa.Column("job", sa.ForeignKey("job.number", ondelete="CASCADE"), nullable=False),
    sa.Column("event_id", sa.String, nullable=False, unique=True),
    sa.Column("event_type", sa.String, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("next_attempt_at", sa.Double),
    sa.Column("replayed_at", sa.Double),  # the last time a user asked to send it again
    sa.Index("webhook_delivery_by_job", "job"),
    sqlite_autoincrement=True,
)
#: For the backlog.
sa.Index(
    "webhook_delivery_pending",
    webhook_delivery.c.created_at,
    sqlite_where=webhook_delivery.c.state == "PENDING",
    postgresql_where=webhook_delivery.c.state == "PENDING",
)

#: The delivery log: one row per attempt.
webhook_attempt = sa.Table(
    "webhook_attempt",
    metadata,
    sa.Column("delivery", sa.ForeignKey("webhook_delivery.number", ondelete="CASCADE"), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("sent_at", sa.Double, nullable=False),
    sa.Column("took_sec", sa.Double, nullable=False),
    sa.Column("status", sa.Integer),  # HTTP status; null if there was no response
    sa.Column("error", sa.String),
    sqlite_with_rowid=False,
)

#: One row per worker process, from its start until it ends or is declared dead; see `database/worker_rows.py`.
worker = sa.Table(
    "worker",
    metadata,
    sa.Column("worker_id", sa.String, primary_key=True),  # its name in the queue
    sa.Column("name", sa.String, nullable=False),
    sa.Column("host", sa.String, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("version", sa.String, nullable=False),
    # The data directory that it uses exclusively, if any: the next process there knows that this one is dead.
    sa.Column("home", sa.String),
    sa.Column("lanes", sa.JSON, nullable=False),
    sa.Column("slots", sa.Integer, nullable=False),
    sa.Column("engines", sa.JSON, nullable=False),  # its engines: see `Capability`
    sa.Column("state", sa.String, nullable=False),
    sa.Column("troubles", sa.JSON),  # what its machine cannot do at present: see `Fitness`
    sa.Column("started_at", sa.Double, nullable=False),
    sa.Column("seen_at", sa.Double, nullable=False),  # by the clock of the database
)

#: Periodic tasks that one process does for all, and when each was last done.
turn = sa.Table(
    "turn",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("taken_at", sa.Double, nullable=False),
)

#: The ID of the sealing key, so that a process with another key fails at its start. One row.
sealing_key = sa.Table(
    "sealing_key",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("key_id", sa.String, nullable=False),
)
