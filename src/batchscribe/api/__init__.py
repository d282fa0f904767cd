"""The HTTP interface: the contract's routes over the rows of the database."""
