"""`file://`: folders of this machine."""
