"""`python -m deidfhir`."""

from deidfhir.cli.main import run

run()
