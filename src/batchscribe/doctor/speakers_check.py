"""The check of the speaker models, which diarization needs."""

from __future__ import annotations

import time

from batchscribe.check import Check, ok, report_failure
from batchscribe.errors import MachineTrouble, ModelDamaged
from batchscribe.settings import Settings
from batchscribe.speakers.speaker_models import PULL, PULL_AGAIN, find_speaker_models, read_speaker_models
from batchscribe.speakers.speaker_pool import SpeakerPool
from batchscribe.worker.capacity import speaker_threads

NAME = "diarization"


def check_speakers(settings: Settings, *, load: bool) -> Check:
    """Check the files of the speaker models. With `load`, also run a trial, as a worker does when it starts."""
    folder = find_speaker_models(settings)
    if folder is None:
        return ok(
            NAME, f"The speaker models are not installed, so jobs with diarization are refused; {PULL} gets them."
        )
    try:
        read_speaker_models(folder)
    except ModelDamaged as error:
        return report_failure(NAME, "The speaker models are damaged.", error.message)
    except OSError as error:
        reason = f"The speaker models cannot be read ({error.strerror})."
        return report_failure(NAME, reason, f"Make the folder {folder} readable for this user.")
    return check_trial(settings) if load else ok(NAME, "The speaker models are installed and unchanged.")


def check_trial(settings: Settings) -> Check:
    pool = SpeakerPool(settings, threads=speaker_threads(), most_idle=1)
    began_at = time.monotonic()
    try:
        pool.try_out()
    except MachineTrouble as trouble:
        return report_failure(NAME, trouble.message, f"Check the memory with `free`. {PULL_AGAIN}")
    finally:
        pool.close()
    return ok(
        NAME, f"The speaker models were loaded and diarized a trial recording in {time.monotonic() - began_at:.2f} s."
    )
