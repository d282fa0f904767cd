"""Outbound requests to URLs that users supply, limited to the addresses that the operator allows."""
