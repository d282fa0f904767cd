"""The HTTP contract as types: requests and responses."""
