"""`batchscribe models`: the Whisper models at hand, and pulling one from the hub."""

from __future__ import annotations

from typing import Annotated

import typer

from batchscribe.cli.options import DataDir, settings_of

models_app = typer.Typer(help="List and pull speech models.", no_args_is_help=True)
Name = Annotated[
    str, typer.Argument(metavar="NAME", help="large-v3-turbo, small.en and so on, or OWNER/REPOSITORY of the hub.")
]


@models_app.command("list")
def list_models(data_dir: DataDir = None) -> None:
    """Show the models that were pulled."""
    from batchscribe.cli.tables import show_models
    from batchscribe.speech.models import list_models as pulled

    models = pulled(settings_of(data_dir=data_dir))
    if models:
        show_models(models)
    else:
        typer.echo("No model was pulled yet; `batchscribe models pull large-v3-turbo` gets one.")


@models_app.command("pull")
def pull(name: Name, data_dir: DataDir = None) -> None:
    """Download a model. An interrupted download goes on where it stopped."""
    from batchscribe.speech.models import pull_model

    model = pull_model(name, settings_of(data_dir=data_dir))
    typer.echo(f"{model.name} is in {model.path}.")
