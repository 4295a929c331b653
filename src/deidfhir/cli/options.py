"""Options that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

from deidfhir.cli import values
from deidfhir.config import EXISTING, SERVER_PROFILES, WRITE_MODES
from deidfhir.fhir.versions import FHIR_NAMES
from deidfhir.web.timing import DEFAULT_TIMEOUT


def add_paths(one: argparse.ArgumentParser) -> None:
    """Add PATH and what goes with reading."""
    one.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="file or folder: Part 10 files, and .json holding DICOM JSON",
    )
    _add_source(one)
    one.add_argument(
        "--workers",
        type=values.workers,
        default=0,
        metavar="NUMBER",
        help="processes that read files (as many as there are CPUs); 1 starts none",
    )
    add_site(one)


def _add_source(one: argparse.ArgumentParser) -> None:
    """Add the archive that is read in place of files, and which of its studies are."""
    group = one.add_argument_group("an archive in place of PATHs (docs/archives.md)")
    group.add_argument(
        "--from", dest="source", metavar="ADDRESS", help="such as dicomweb+https://HOST/dicom-web"
    )
    group.add_argument(
        "--source-access", metavar="FILE", help="how the archive is got at (TOML; docs/access.md)"
    )
    group.add_argument(
        "--modality", type=values.matched, metavar="CODE", help="studies that have a series of it"
    )
    group.add_argument(
        "--study-date",
        type=values.matched,
        metavar="RANGE",
        help="such as 20260101-20261231, 20260101- or 20260101",
    )
    group.add_argument(
        "--query",
        type=values.matched,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="what studies must match, by keyword or tag; may be given several times",
    )
    group.add_argument("--limit", type=values.count, default=0, metavar="N", help="so many studies")


def add_site(one: argparse.ArgumentParser) -> None:
    """Add the site's files."""
    one.add_argument(
        "--tools", metavar="FOLDER", help="the site's own tool entries, beside ours (TOML)"
    )
    one.add_argument(
        "--policy", metavar="FILE", help="what the site loosens or tightens (TOML; docs/policy.md)"
    )


def add_fhir(one: argparse.ArgumentParser) -> None:
    """Add the FHIR version."""
    one.add_argument("--fhir", choices=FHIR_NAMES, default="R4", help="FHIR version (R4)")


def add_mapping(one: argparse.ArgumentParser) -> None:
    """Add what goes with mapping."""
    add_paths(one)
    add_accepting(one)


def add_accepting(one: argparse.ArgumentParser) -> None:
    """Add the FHIR version, and what may pass the gate."""
    add_fhir(one)
    one.add_argument(
        "--accept",
        type=values.accept,
        metavar="VERDICTS",
        help="comma-separated: removed, unknown, contradictory, mixed, not-removed, or all; the "
        "rest is refused (the policy's, which is removed by default)",
    )


def add_target(one: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add the target and how it is written to."""
    add_to(one, required=required)
    add_access(one)
    add_timeout(one)
    for option, known, what in (
        ("--server-profile", SERVER_PROFILES, "what kind of server it is"),
        ("--write-mode", WRITE_MODES, "how resources are written, see docs/servers.md"),
    ):
        told = f"{what}: {', '.join(known)}"
        one.add_argument(option, choices=known, metavar="WORD", help=told)


def add_to(one: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add the target and its journal."""
    one.add_argument(
        "--to", required=required, metavar="TARGET", help="FHIR base URL, or a folder for NDJSON"
    )
    one.add_argument("--journal", type=Path, metavar="FILE", help="the target's journal")


def add_vanished(one: argparse.ArgumentParser) -> None:
    """Add what becomes of studies that vanished."""
    one.add_argument(
        "--vanished",
        choices=("retire", "delete", "keep"),
        help="what happens to studies that the PATHs no longer hold (the setting, or retire)",
    )


def add_access(one: argparse.ArgumentParser) -> None:
    """Add how a server is got at."""
    one.add_argument(
        "--access",
        metavar="FILE",
        help="how the server is got at: credentials, TLS, proxy, headers (TOML; docs/access.md)",
    )


def add_timeout(one: argparse.ArgumentParser) -> None:
    """Add the time-out of a request."""
    one.add_argument(
        "--timeout",
        type=values.seconds,
        default=DEFAULT_TIMEOUT,
        metavar="SECONDS",
        help=f"for one request with its repetitions ({DEFAULT_TIMEOUT:.0f})",
    )


def add_observed(one: argparse.ArgumentParser) -> None:
    """Add what tells of a run."""
    one.add_argument(
        "--metrics",
        type=Path,
        metavar="FILE",
        help="write the run's numbers for Prometheus, such as /var/lib/node_exporter/deidfhir.prom",
    )
    one.add_argument("--log", type=Path, metavar="FILE", help="add the run's events, JSON lines")


def add_json(one: argparse.ArgumentParser) -> None:
    """Add `--json`."""
    one.add_argument("--json", action="store_true", help="one JSON object on stdout")


def add_existing(one: argparse.ArgumentParser) -> None:
    """Add `--existing` to a command."""
    one.add_argument(
        "--existing",
        choices=EXISTING,
        help="where the target has someone else's ImagingStudy of a study: let our Provenance "
        "target it (link, the default), add our extensions to it (enrich), write ours beside it "
        "(own), or fail the study",
    )
