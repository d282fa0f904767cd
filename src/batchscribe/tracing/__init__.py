"""OpenTelemetry traces, one per file. The extra `otel` installs the SDK, which is imported only if traces are on."""
