"""`keras-reid zoo`."""

from keras_reid.cli.common import add_command

__all__ = ["add"]


def add(commands) -> None:
    """Adds the commands to the parser."""
    zoo = add_command(commands, "zoo", _zoo, "list the zoo, or print one card")
    zoo.add_argument("name", nargs="?", help="zoo entry, or a folder that keras_reid.zoo.save wrote")


def _zoo(options) -> int:
    from keras_reid import zoo

    if options.name:
        print(zoo.card(options.name))
        return 0
    for name in zoo.list():
        print(f"{name:<20} {zoo.card(name).title}")
    return 0
