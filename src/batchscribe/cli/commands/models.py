"""`batchscribe models`: list, pull, verify and remove speech models and speaker models."""

from __future__ import annotations

import typer

from batchscribe.cli import options
from batchscribe.cli.lazy import lazy_imports

with lazy_imports():
    from batchscribe.cli.present import console, speech_models
    from batchscribe.models import at_hand, folders, model_format
    from batchscribe.models import pull as pulling
    from batchscribe.models import verify as verifying
    from batchscribe.speakers import speaker_format
    from batchscribe.speech import engine_record, registry

EXIT_WRONG = 1

models_app = typer.Typer(help="List, pull, verify and remove speech models and speaker models.", no_args_is_help=True)


def model_formats() -> tuple[model_format.ModelFormat, ...]:
    """Return the formats of all models that can be pulled."""
    return (*registry.model_formats(), speaker_format.SPEAKER_FORMAT)


@models_app.command("list")
def list_models(as_json: options.AsJson = False, data_dir: options.DataDir = None) -> None:
    """Show the installed models, best first."""
    settings = options.read_settings(data_dir=data_dir)
    models = at_hand.list_models(settings, model_formats())
    if as_json:
        folder = str(settings.models_dir.absolute())
        described = [speech_models.describe_model(model, settings) for model in models]
        console.print_json({"folder": folder, "models": described})
    elif models:
        speech_models.show_models(models, settings)
    else:
        typer.echo(f"No model is installed; get one with {engine_record.PULL}.")


@models_app.command("pull")
def pull(
    name: options.ModelName,
    source: options.ModelSource = None,
    as_json: options.AsJson = False,
    data_dir: options.DataDir = None,
) -> None:
    """Download a model. An interrupted pull continues where it stopped."""
    settings = options.read_settings(data_dir=data_dir)
    with speech_models.show_pull() as watch:
        model = pulling.pull_model(name, settings, model_formats(), source=source, watch=watch)
    if as_json:
        console.print_json(speech_models.describe_model(model, settings))
    else:
        speech_models.show_pulled(model)


@models_app.command("verify")
def verify(
    name: options.VerifiedModel = None, as_json: options.AsJson = False, data_dir: options.DataDir = None
) -> None:
    """Verify the files of models. The exit status is 1 if a file is missing or wrong."""
    settings = options.read_settings(data_dir=data_dir)
    with speech_models.show_pull() as watch:
        verdicts = verifying.verify_models(name, settings, watch, model_formats())
    is_well = not any(verdict.is_wrong for model in verdicts.values() for verdict in model)
    if as_json:
        console.print_json({"ok": is_well, "models": speech_models.describe_verdicts(verdicts)})
    else:
        speech_models.show_verdicts(verdicts)
    raise typer.Exit(0 if is_well else EXIT_WRONG)


@models_app.command("remove")
def remove(name: options.PulledModel, as_json: options.AsJson = False, data_dir: options.DataDir = None) -> None:
    """Delete a model, or the files of an unfinished pull."""
    folders.remove_model(name, options.read_settings(data_dir=data_dir))
    if as_json:
        console.print_json({"name": name, "removed": True})
    else:
        typer.echo(f"{name} is removed.")
