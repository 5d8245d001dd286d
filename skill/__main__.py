"""`python -m skill` is the command itself."""

from skill.faces.cli import main

main()
