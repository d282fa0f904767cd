"""The web interface: pages for people, on top of the same functions as the HTTP interface."""
