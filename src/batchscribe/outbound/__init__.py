"""Requests that leave this machine for URLs that users named: only to where the operator lets them go."""
