"""Measurements of long recordings: memory and CPU, all cores, work repeated after a kill, and the end of a cancel."""
