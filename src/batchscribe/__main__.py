"""The `batchscribe` command and `python -m batchscribe`.

Kept free of imports on purpose: every child process (decoder, engine) imports the main module again, and must
not pay for the command line.
"""


def main() -> None:
    from batchscribe.cli.lazy import ended_by_interrupts, paused_collection

    with ended_by_interrupts(), paused_collection():
        from batchscribe.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
