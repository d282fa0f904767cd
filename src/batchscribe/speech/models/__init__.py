"""Speech models as folders: which are at hand, where others can be had, and whether their files are the right ones."""
