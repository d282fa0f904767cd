"""Looks at everything that batchscribe needs, changes none of it, and says what to do."""
