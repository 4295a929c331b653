"""Write `docs/servers.md` from `mappings/server-profiles.toml`.

python -m tools.generate_servers_page
"""

from __future__ import annotations

from pathlib import Path

from deidfhir.tables import table

TARGET = Path(__file__).resolve().parent.parent / "docs" / "servers.md"
_HEAD = """\
# Kinds of FHIR servers

Made from [`mappings/server-profiles.toml`](../mappings/server-profiles.toml) by
`python -m tools.generate_servers_page`; do not edit.

A server is known by the name of its software in its CapabilityStatement, or by its host name; an
unknown one is `plain`. `--server-profile NAME` (setting `server_profile`) says what it is where
neither tells, or tells wrong. Each run's report says what the server was taken for, and why.

| profile | product | write mode | entries, bytes | studies | connections | gzip | an equal PUT |
|---|---|---|---|---|---|---|---|
"""
_TAIL = """\

A transaction has at most so many entries, bytes of JSON and studies; a study that is larger goes
alone. A run begins with 25 studies in one and doubles that while answers are quick; of those that
are due together one transaction takes no more than half, if that is at least 25. Bodies are
compressed where the profile says so, until the server refuses the first one. What the target
holds as it is stated is never written, and what came of a lost answer is read before anything is
sent again: so no version is made for nothing where an equal PUT would make one, either.

## Write modes

| mode | a resource that the server does not have | one that it has |
|---|---|---|
| `put` | `PUT Type/our-id` | the same |
| `conditional` | `PUT Type?_tag=<system>\\|our-id`: the server gives the id | `PUT Type/its-id` |
| `read-then-write` | a search for the tag, then `POST Type` | `PUT Type/its-id` |

Our ids are made in the namespace of the site and are the same in every run. Where the server gives
ids, ours is a tag of the resource, in the system `<canonical>/resource-id`. `verify`, `reverse` and
withdrawal see our ids. The journal keeps which id is which; if it is lost, the tags
tell. What is not tagged with one of our ids is never taken for ours, and never written.

`--write-mode MODE` (setting `write_mode`) chooses. By default it is the profile's, unless the
CapabilityStatement says that clients choose no ids (`updateCreate` false). If a server refuses our
ids although nothing said so, the run goes on by conditional update, or by reading where the
statement denies that, too, and the report says so. The journal remembers the mode: from the second
run on it is the first. From `put` to another mode nothing is doubled; the way back is refused.

If several resources of the server carry the id of one of ours, their study is set aside
(`ambiguous-resource`) and none is touched.

## What was tried

`put`, `conditional` and `read-then-write` are run against HAPI FHIR JPA 8.8.0, the latter two with
client ids switched off, and the second implementation is Medplum's router (`@medplum/fhir-router`)
in memory. Of Blaze, Azure, GCP and HealthLake the profiles hold what their documentation says, and
no test has met them.

## Where the facts were read

"""


def rendered() -> str:
    """Return the page."""
    profiles = table("server-profiles.toml")
    rows = (
        f"| `{name}` | {row['title']} | `{row['mode']}` | {row['entries']:,}, {row['size']:,} "
        f"| {row['studies']} | {row['connections']} | {'yes' if row['gzip'] else 'no'} "
        f"| makes {'no version' if row['no_change'] else 'perhaps a version'} |\n"
        for name, row in profiles.items()
    )
    sources = (f"- `{name}`: {row['source']}\n" for name, row in profiles.items())
    return _HEAD + "".join(rows) + _TAIL + "".join(sources)


if __name__ == "__main__":
    TARGET.write_text(rendered(), encoding="utf-8")
