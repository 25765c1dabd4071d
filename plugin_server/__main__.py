"""``python -m plugin_server`` is the command ``simgate``."""

from plugin_server.cli import main

main(prog_name="simgate")
