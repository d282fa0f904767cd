"""What a long-running process needs: signals, listening sockets, start and end."""
