"""`python -m node.cli`: the same as `tasuki`, for those who start it by its Python."""

from node.cli import main

main(prog_name="tasuki")
