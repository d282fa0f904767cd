"""The durable flow: enumerate, shards, finish. `flow.py` is the only module that knows the engine behind it."""
