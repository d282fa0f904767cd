"""The web interface: pages for people, beside the HTTP interface for programs."""
