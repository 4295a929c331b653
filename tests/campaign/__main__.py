"""Play a fault campaign on a real server, and write its table.

python -m tests.campaign --episodes 1000 --seed 1 --page docs/campaign.md
python -m tests.campaign --episodes 1 --seed 17 --only cut-after
"""

from __future__ import annotations

import argparse
import atexit
import os
import platform
import shutil
import sys
import tempfile
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path

from tests.campaign.episode import Episode, Result
from tests.campaign.faults import CLASSES
from tests.campaign.ground import Ground, HapiGround
from tests.campaign.results import rendered
from tests.campaign.schedule import SHIPPED, Turn, schedule


def main() -> int:
    """Play, tell what failed and how to play it again, and end with 1 if anything did."""
    parser = argparse.ArgumentParser(description="A fault campaign on a real FHIR server.")
    parser.add_argument("--episodes", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("", *CLASSES), default="")
    parser.add_argument("--page", type=Path, help="where the table goes")
    options = parser.parse_args()
    _keep_away_from_the_user()
    begun = time.monotonic()
    with HapiGround() as ground:
        turns = schedule(options.episodes, options.seed, options.only)
        results = [_played(turn, ground) for turn in turns]
    failed = [one for one in results if one.wrong]
    minutes = (time.monotonic() - begun) / 60
    day = datetime.now(UTC).date().isoformat()
    summary = f"{len(results):,} episodes on {day}, {minutes:.0f} minutes on {platform.machine()}."
    print(f"{summary} {len(failed)} failed.")
    if options.page:
        command = f"make campaign EPISODES={options.episodes} SEED={options.seed}"
        page = rendered(results, command, summary, len(schedule(SHIPPED, 1)))
        options.page.write_text(page, encoding="utf-8")
    return 1 if failed else 0


def _keep_away_from_the_user() -> None:
    """Let no setting of whoever plays it in, and no lease out."""
    for name in [one for one in os.environ if one.startswith("DEIDFHIR_")]:
        del os.environ[name]
    state = tempfile.mkdtemp(prefix="deidfhir-campaign-")
    atexit.register(shutil.rmtree, state, ignore_errors=True)
    os.environ |= {"XDG_STATE_HOME": state, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


def _played(turn: Turn, ground: Ground) -> Result:
    """Play one episode; what it cannot cope with is a failure of it, not the end of all."""
    with tempfile.TemporaryDirectory() as folder:
        episode = Episode(CLASSES[turn.name], turn.seed, ground, Path(folder))
        try:
            result = episode.play()
        except Exception:  # noqa: BLE001 - told, and the next one is played
            result = episode.result
            result.odd.append(traceback.format_exc())
    for one in result.wrong:
        print(f"{turn.name} {turn.seed}: {one}", flush=True)
    if result.wrong:
        print(f"    {result.replay}", flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
