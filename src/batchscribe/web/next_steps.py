"""What a person can do about the error of a file or a job, in the words of the pages. See `docs/errors.md`."""

from __future__ import annotations

_RETRY = "Then retry what failed."
_LATER = "Retry what failed when the storage works again."

#: By the code of the error. The message itself may name a more specific step.
NEXT_STEPS = {
    "STORAGE_ERROR": f"Correct what the storage reports. {_RETRY}",
    "OBJECT_NOT_FOUND": "Check the name; the object may have been deleted since the job began.",
    "OBJECT_ARCHIVED": f"Restore the object and wait until the restore has finished. {_RETRY}",
    "BUCKET_NOT_FOUND": "Check the name of the bucket or folder, and the endpoint.",
    "INVALID_BUCKET_NAME": "Submit the job again with the right name of the bucket.",
    "ACCESS_DENIED": "Retry what failed with credentials that may read the recordings and write the transcripts.",
    "UNKNOWN_ACCESS_KEY": "Retry what failed with the right access key; the key may belong to another service.",
    "WRONG_SECRET_KEY": "Retry what failed with the right secret key.",
    "CLOCK_SKEWED": f"Ask the operator to set the clock of the machine. {_RETRY}",
    "ENCRYPTION_KEY_UNUSABLE": f"Enable the KMS key, or allow the credentials to use it. {_RETRY}",
    "INVALID_CREDENTIALS": "Retry what failed with fresh credentials.",
    "WRONG_REGION": "Retry what failed with the region of the bucket in the credentials.",
    "STORAGE_REDIRECTED": "Submit the job again with the address of the redirect's target.",
    "CERTIFICATE_NOT_TRUSTED": "Ask the operator to add the certificate authority of the storage, or renew its "
    f"certificate. {_RETRY}",
    "STORAGE_FULL": f"Free some space. {_RETRY}",
    "CONDITIONAL_WRITE_UNSUPPORTED": "Submit the job again with “Replace existing transcripts”, preferably into a "
    "separate folder.",
    "INVALID_STORAGE_ANSWER": "Check the endpoint, and whether a proxy or a login page answers instead.",
    "LOCATION_NOT_ALLOWED": "Use a location that the server may access, or ask the operator to allow this one.",
    "INPUT_CHANGED": "Retry what failed when the recording is complete.",
    "OUTPUT_NAME_TOO_LONG": "Shorten the recording's name or the output folder, and submit the job again.",
    "OUTPUT_EXISTS": "Submit a job with “Replace existing transcripts”, or with another output folder.",
    "STORAGE_UNAVAILABLE": _LATER,
    "STORAGE_UNREACHABLE": f"Check the address of the storage and the network. {_RETRY}",
    "STORAGE_BUSY": "Retry what failed later, or ask the operator for fewer engine processes.",
    "UNSUPPORTED_MEDIA": "Convert the recording to WAV, MP3 or M4A. If it keeps its name, retry what failed.",
    "EMPTY_RECORDING": "Check the source of the recording; there is nothing to transcribe.",
    "CORRUPT_MEDIA": f"Fetch the recording again from its source; often an upload was cut off. {_RETRY}",
    "NO_AUDIO_TRACK": "Check that it is the right file; a video may have been exported without sound.",
    "DECODE_LIMIT_EXCEEDED": "Split the recording, or ask the operator to raise the limit.",
    "DECODE_TIMEOUT": f"Fetch the recording again, or convert it; it is probably damaged. {_RETRY}",
    "DECODER_CRASHED": f"Convert the recording. {_RETRY}",
    "ENGINE_ERROR": "Retry what failed. If it fails again, ask the operator to report it with the message.",
    "ENGINE_CRASHED": f"Ask the operator whether the machine has enough memory. {_RETRY}",
    "ENGINE_TIMEOUT": "Retry what failed. If it fails again, ask the operator to check the machine.",
    "DIARIZATION_CRASHED": f"Ask the operator whether the machine has enough memory. {_RETRY}",
    "DIARIZATION_TIMEOUT": "Retry what failed. If it fails again, ask the operator to report it with the message.",
    "NO_INPUT_FILES": "Check the folder and the globs with a dry run, and submit the job again.",
    "ALL_FILES_FAILED": "See below why each file failed.",
    "TOO_MANY_FILES": "Split the job, or ask the operator to raise the limit.",
    "SECRET_KEY_CHANGED": "Ask the operator to configure the earlier secret key, too, or submit the job again.",
    "FILE_CRASHED_WORKER": "Ask the operator whether the machine has enough memory; submit the file alone.",
    "INTERNAL_ERROR": "Ask the operator to report it with the log.",
}


def next_step(code: str) -> str:
    """Return the step; empty for a code of a later release."""
    return NEXT_STEPS.get(code, "")
