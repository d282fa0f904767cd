"""The worker process: task handlers, open jobs, health, membership in the fleet, gauges."""
