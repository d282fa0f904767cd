"""Support for long-running processes: signals, listening sockets, start and end."""
