"""Child processes: their start and end, communication, confinement, and the detection of hanging ones."""
