"""Accuracy and cost of diarization, on conversations made from the corpus."""
