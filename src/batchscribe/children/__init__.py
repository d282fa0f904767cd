"""Child processes: how they start and end, how they are talked to, and how one that hangs is noticed."""
