"""From what the engine heard to the transcript document that is stored."""
