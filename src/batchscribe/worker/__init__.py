"""One process that works: task handlers, open jobs, health, its place in the fleet, gauges."""
