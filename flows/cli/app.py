"""The `nasgem` command: as a stage it follows `dvc` from its first line on; only then are the commands imported."""

from flows.runtime.dvc_parent import follow_dvc


def main() -> None:
    """Entry point of the console command."""
    follow_dvc()
    from flows.cli.search_commands import app

    app()


if __name__ == "__main__":
    main()
