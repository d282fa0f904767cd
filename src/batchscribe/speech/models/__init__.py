"""Speech models as folders: which are at hand, where others can be had, and whether their files are the right ones."""

from batchscribe.speech.models.at_hand import ModelInfo, find_model, list_models

__all__ = ["ModelInfo", "find_model", "list_models"]
