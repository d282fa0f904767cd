"""Faults of every kind in a running service, and a ledger outside its database that records their effects.

`python -m tests.chaos` is the long run behind docs/chaos.md; `test_chaos.py` is the short one.
"""
