"""Models: listing the installed ones, pulling others, and verifying their files."""
