"""Transcript documents, assembled from the recognized text."""
