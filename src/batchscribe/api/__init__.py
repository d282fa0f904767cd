"""The HTTP interface: the routes of the contract."""
