"""The help of every command: an example that can be typed, every option of the contract."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from deidfhir.cli.arguments import parser
from deidfhir.version import __version__

if TYPE_CHECKING:
    from tests.conftest import Cli

SOURCE = {
    *("--from", "--source-access", "--modality", "--study-date", "--query", "--limit"),
    *("--timeout", "--workers"),
}
COMMANDS = {
    "show": {"--json", "--config", "--tools", "--policy"} | SOURCE,
    "map": SOURCE
    | {"--fhir", "--accept", "--recorded", "--findings", "--config", "--tools", "--policy"},
    "sync": SOURCE
    | {
        *("--to", "--fhir", "--accept", "--journal", "--dry-run", "--json", "--existing"),
        *("--config", "--tools", "--policy", "--vanished", "--confirm-vanished"),
        *("--connections", "--deadline", "--access", "--metrics", "--log"),
        *("--server-profile", "--write-mode", "--full"),
    },
    "verify": SOURCE
    | {
        *("--to", "--fhir", "--accept", "--journal", "--json", "--existing"),
        *("--config", "--tools", "--policy", "--access", "--vanished", "--repair"),
        *("--metrics", "--log", "--server-profile", "--write-mode"),
    },
    "reverse": {"--from", "--study", "--fhir", "--timeout", "--config", "--access"},
    "package": {"--fhir", "--out", "--config"},
    "install": {"--to", "--fhir", "--json", "--timeout", "--config", "--access"},
    "doctor": {
        *("--to", "--from", "--fhir", "--json", "--timeout", "--config", "--access"),
        "--source-access",
    },
    "dead": {"--all", "--to", "--fhir", "--journal", "--json", "--config"},
    "serve": {
        *("--host", "--port", "--token-file", "--tls-certificate", "--tls-key", "--behind-proxy"),
        *("--max-body", "--max-requests", "--request-timeout", "--fhir", "--accept", "--tools"),
        *("--policy", "--to", "--journal", "--access", "--timeout", "--server-profile", "--log"),
        *("--write-mode", "--existing", "--config"),
    },
    "explain": {"--json", "--config", "--tools", "--policy"},
}


def example_of(text: str) -> str:
    """Return the first line below `example:`."""
    lines = text.splitlines()
    return lines[lines.index("example:") + 1].strip()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_an_example_that_its_parser_takes(cli: Cli, name: str) -> None:
    run = cli(name, "--help")
    assert (run.code, run.err) == (0, "")
    example = example_of(run.out)
    assert example.startswith(f"deidfhir {name} ")
    words = shlex.split(example.partition(" > ")[0])
    assert parser().parse_args(words[1:]).command == name


@pytest.mark.parametrize(("name", "options"), COMMANDS.items())
def test_the_help_of_a_command_tells_its_options(cli: Cli, name: str, options: set[str]) -> None:
    text = cli(name, "--help").out
    assert options == {
        word.strip("[],") for word in text.split() if word.startswith(("--", "[--"))
    } - {"--help"}


def test_the_help_of_all_names_the_commands_the_exit_codes_and_an_example(cli: Cli) -> None:
    run = cli("--help")
    assert run.code == 0
    assert example_of(run.out).startswith("deidfhir show ")
    for name in COMMANDS:
        assert f"\n    {name} " in run.out
    codes = [
        line.split()[0]
        for line in run.out.partition("exit codes:")[2].splitlines()
        if line.strip()[:1].isdigit()
    ]
    assert codes == ["0", "1", "2", "3", "5"]
    assert "2, 1, 5, 3, 0" in run.out


def test_the_version_is_told(cli: Cli) -> None:
    run = cli("--version")
    assert (run.code, run.out, run.err) == (0, f"deidfhir {__version__}\n", "")
