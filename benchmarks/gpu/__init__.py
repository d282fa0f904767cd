"""Throughput on a GPU: the whole flow against the engine alone, with models of real shape and random weights."""
