"""The commands by name, and what their errors come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from constructs_lib.ops import images_check, images_list, images_preview, verify
from constructs_lib.ops.outside import COULD_NOT_RUN, CouldNotRun, Outside, Parser, real

_OF_THE_EXTRA: Final = ("boto3", "botocore", "rich", "yaml")


def main(arguments: Sequence[str] | None = None, outside: Outside | None = None) -> int:
    """Runs one command and returns its exit code: 0 fine, 1 found something, 2 wrong input or could not run."""
    world = outside or real()
    try:
        code = _run(arguments, world)
        world.finish()
    except BrokenPipeError:  # whoever reads has read enough
        return COULD_NOT_RUN
    except CouldNotRun as error:
        world.complain(str(error))
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        world.complain("interrupted before it was done")
        return COULD_NOT_RUN
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in _OF_THE_EXTRA:
            raise
        world.complain(f"this needs {error.name}, which is not installed; install 'moorings[ops]'")
        return COULD_NOT_RUN
    return code


def _run(arguments: Sequence[str] | None, world: Outside) -> int:
    try:
        options = _parser().parse_args(arguments)
        code: int = options.run(options, world)
    except SystemExit as ended:  # argparse has printed its help, or one sentence
        return ended.code if isinstance(ended.code, int) else COULD_NOT_RUN
    return code


def _parser() -> Parser:
    parser = Parser(prog="moorings", description="Keep the images that run.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    images = commands.add_parser("images", help="what a lifecycle policy does to images")
    of_images = images.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, command in (("check", images_check), ("list", images_list), ("preview", images_preview)):
        command.configure(of_images.add_parser(name, help=command.HELP, description=command.__doc__))
    verify.configure(commands.add_parser("verify", help=verify.HELP, description=verify.__doc__))
    return parser
