"""One episode: an archive, edits, runs under one class of faults, and what came of it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from tests.campaign import disturbances
from tests.campaign.checker import Faults
from tests.campaign.client import FastTime, Ran, Site, joined, retry_dead, run_here
from tests.campaign.faults import FaultClass, fits
from tests.campaign.ground import Ground
from tests.campaign.proxy import Exchange, FaultProxy, Injection
from tests.campaign.stages import checker_of, world_of
from tests.campaign.world import World

_PATIENT = 20.0
"""Seconds that a run gives a request: enough for every repetition."""

_MOST_SETTLING = 2
"""So many runs may follow the faults until all is as planned."""

_DONE = frozenset({"claim-withdrawn", "study-vanished"})
"""What a run tells of what it has done as it should."""


@dataclass
class Result:
    """What came of an episode.

    Attributes:
        name: Its fault class.
        seed: Its seed.
        faults: How many faults happened.
        requests: How many requests reached the proxy.
        settling: How many runs without faults it took.
        found: What the checker found.
        odd: What else was not as it should be: exit codes, messages, second jobs.
    """

    name: str
    seed: int
    faults: int = 0
    requests: int = 0
    settling: int = 0
    found: Faults = field(default_factory=Faults)
    odd: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        """Everything that is not as it should be."""
        return [*self.found.all, *(f"odd: {one}" for one in self.odd)]

    @property
    def replay(self) -> str:
        """The command that plays it again."""
        return f"make campaign ONLY={self.name} SEED={self.seed} EPISODES=1"


@dataclass
class Episode:
    """One episode under way.

    Args:
        fault: Its fault class.
        seed: Makes every choice, but for how threads take turns.
        ground: The server.
        folder: Where archive and journal go.
    """

    fault: FaultClass
    seed: int
    ground: Ground
    folder: Path
    since: str = field(init=False)
    rng: Random = field(init=False)
    world: World = field(init=False)
    proxy: FaultProxy = field(init=False)
    sites: list[Site] = field(init=False)
    result: Result = field(init=False)
    time: FastTime = field(default_factory=FastTime, init=False)

    def __post_init__(self) -> None:
        """Make the archive, and what stands on the server before any run."""
        self.since = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.rng = Random(f"{self.fault.name} {self.seed}")
        namespace = f"https://tests.example/campaign/{self.fault.name}/{self.seed}"
        base, studies = self.rng.getrandbits(40), self.rng.randint(1, 4)
        access = self._bearer() if self.fault.name == "token-expired" else ""
        begin = world_of(self.fault.name, self.ground.url)
        self.world = begin(self.folder / "archive", self.rng, namespace, base, studies, access)
        self.proxy = FaultProxy(self.ground.url)
        journal = self.folder / "journal" / "j.sqlite3"
        self.sites = [
            Site(folder, self.proxy.url, journal, self.world.context)
            for folder in self.world.folders
        ]
        self.result = Result(self.fault.name, self.seed)

    @property
    def site(self) -> Site:
        """The site of a job; most classes have but one."""
        return self.sites[0]

    @property
    def token(self) -> Path:
        """The file of the token."""
        return self.folder / "token"

    def _bearer(self) -> str:
        """Write the first token, and the file that says that there is one; return its path."""
        self.token.write_text("token")
        access = self.folder / "access.toml"
        access.write_text('[auth]\nkind = "bearer"\ntoken = { file = "token" }\n')
        return str(access)

    def play(self) -> Result:
        """Play it to its end."""
        with self.proxy:
            self._play()
            counts = self.proxy.counts
            self.result.requests = counts.requests
            self.result.faults += counts.faults
        where = (self.ground.url, self.world, self.site.journal, self.since)
        check = checker_of(self.fault.name)
        self.result.found = check(*where, marks=self.fault.marks).check()
        return self.result

    def _play(self) -> None:
        if self.rng.random() < 0.6:
            self.world.plan()
            self.expect_settled(self.run())
        for left in reversed(range(self.rng.randint(1, 3))):
            for _ in range(self.rng.randint(1, 3)):
                self.world.edit(removal=self.fault.name != "journal-lost")
            self.world.plan()
            disturb = disturbances.DISTURBANCES.get(self.fault.name, disturbances.spoil)
            disturb(self, last=not left)
            self.proxy.script = None
            self.proxy.let_go()
        self._settle()

    def _settle(self) -> None:
        """The faults stop: at most two runs make all as planned, and one more writes nothing."""
        with_letters = retry_dead(self.site)
        if with_letters and not self.fault.sets_aside:
            self.result.odd.append(f"{with_letters} studies were set aside for what passes")
        for self.result.settling in range(1, _MOST_SETTLING + 1):
            before = self.proxy.counts.writes
            ran = self.run()
            # Of several jobs, the first may have to see what the last has done.
            is_last = len(self.sites) == 1 or self.proxy.counts.writes == before
            if self._is_well(ran) and is_last:
                break
        self.expect_settled(ran)
        before = self.proxy.counts.writes
        ran = self.run()
        if ran.code != self.settled_code or ran.err or ran.troubles:
            told = f"{ran.err} {sorted(ran.troubles)}"
            self.result.odd.append(f"exit {ran.code} after all was settled: {told}")
        if self.proxy.counts.writes != before:
            self.result.odd.append("a run after all was settled wrote something")

    @property
    def settled_code(self) -> int:
        """The exit code of a run in which all went well."""
        return 3 if self.world.plans[-1].refused else 0

    @property
    def _settling_codes(self) -> set[int]:
        """The exit codes of a run in which all went well: one that retires a study tells of it."""
        return {self.settled_code, 3} if self.world.plans[-1].vanished else {self.settled_code}

    def run(self, timeout: float = _PATIENT) -> Ran:
        """Run the client in this process; where there are several jobs, each in its turn."""
        jobs = self.rng.sample(self.sites, len(self.sites)) if len(self.sites) > 1 else self.sites
        return joined([run_here(job, timeout, self.time.clock()) for job in jobs])

    def _is_well(self, ran: Ran) -> bool:
        """Whether a run has done all that it had to do, and tells of nothing but that."""
        return ran.code in self._settling_codes and not ran.err and ran.troubles <= _DONE

    def expect_settled(self, ran: Ran) -> None:
        """Note a run that should have gone well and did not."""
        if not self._is_well(ran):
            told = f"{ran.err} {sorted(ran.troubles)}"
            self.result.odd.append(f"exit {ran.code}, not {self.settled_code}: {told}")

    def expect(self, ran: Ran, exits: frozenset[int] | None = None) -> None:
        """Note an exit code or a message that is not among those of the fault class."""
        wanted = set(exits or self.fault.exits)
        if 0 in wanted:
            wanted = wanted - {0} | self._settling_codes
        if ran.code not in wanted:
            self.result.odd.append(f"exit {ran.code}, not one of {sorted(wanted)}: {ran.err}")
        if "Traceback" in ran.err or "internal error" in ran.err or ran.err.count("\n") > 2:
            self.result.odd.append(f"said: {ran.err}")

    def expect_held(self, ran: Ran) -> None:
        """Note a second job that was not told who holds the target."""
        holder = f"process {os.getpid()} on {socket.gethostname()} since "
        if ran.code != 5 or holder not in ran.err:
            self.result.odd.append(f"the second job: exit {ran.code}: {ran.err}")

    def spoiling(self, most: int, share: float) -> Callable[[Exchange], Injection | None]:
        """Return a script that spoils some requests, writes more than reads."""
        left = most

        def script(exchange: Exchange) -> Injection | None:
            nonlocal left
            assert self.fault.inject is not None
            injection = self.fault.inject(self.rng)
            chance = share if exchange.is_write else share / 3
            if not left or self.rng.random() >= chance or not fits(self.fault, exchange):
                return None
            left -= 1
            return injection

        return script
