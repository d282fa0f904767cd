"""How accurate and how fast speech models are through batchscribe, against the same engines used directly."""
