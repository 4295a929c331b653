"""What happens to the runs of an episode, class by class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from signal import SIGTERM
from threading import Timer
from typing import TYPE_CHECKING, Final, Protocol

from tests.campaign.client import RunningClient, run_here
from tests.campaign.faults import CLASSES
from tests.campaign.late import Late
from tests.campaign.others import OthersWorld
from tests.campaign.proxy import Exchange, Injection

if TYPE_CHECKING:
    from tests.campaign.episode import Episode

_PATIENT, _HURRIED = 20.0, 0.8


class Disturbance(Protocol):
    """Makes one run under faults."""

    def __call__(self, episode: Episode, *, last: bool) -> None:
        """Make it; `last` if no other follows."""


def spoil(episode: Episode, *, last: bool) -> None:
    """Run while the proxy spoils some requests, or all from some on."""
    rng = episode.rng
    untouched = last and not episode.proxy.counts.faults
    share = 1.0 if untouched else rng.choice((0.3, 0.7, 1.0))
    most = rng.choice((1, 2, 3, 5, 1000))
    episode.proxy.script = episode.spoiling(most, share)
    episode.expect(episode.run(_HURRIED if episode.fault.may_stall else _PATIENT))


def _at_request(number: int, act: Injection) -> Callable[[Exchange], Injection | None]:
    """Return a script that does something at one request."""
    seen = 0

    def script(_: Exchange) -> Injection | None:
        nonlocal seen
        seen += 1
        return act if seen == number else None

    return script


def _kill_client(episode: Episode, *, last: bool) -> None:
    del last
    after, late, at = episode.rng.random() < 0.5, episode.rng.random(), episode.rng.randint(1, 5)
    with RunningClient(episode.site, _PATIENT) as client:

        def kill(exchange: Exchange) -> None:
            if late < 0.3:
                # While the server is at it, whatever it has done by then.
                Timer(late / 6, client.process.kill).start()
                exchange.passed()
                return
            if after:
                exchange.forward()
            client.process.kill()
            if not after and late < 0.6:
                exchange.forward()

        episode.proxy.script = _at_request(at, kill)
        episode.expect(client.ended(), frozenset({0, -9}))


def _stop_client(episode: Episode, *, last: bool) -> None:
    del last
    with RunningClient(episode.site, _PATIENT) as client:

        def stop(exchange: Exchange) -> None:
            client.process.send_signal(SIGTERM)
            exchange.passed()

        episode.proxy.script = _at_request(episode.rng.randint(1, 6), stop)
        episode.expect(client.ended())


def _kill_server(episode: Episode, *, last: bool) -> None:
    rng = episode.rng
    if not last:
        # A restart takes longer than a hundred runs: one an episode, after some history.
        episode.expect_settled(episode.run())
        return
    for _ in range(6):
        episode.world.add_study()
    episode.world.plan()
    number, pause, writes = rng.randint(1, 2), rng.uniform(0, 0.08), 0

    def kill(exchange: Exchange) -> None:
        timer = Timer(pause, episode.ground.kill)
        timer.start()
        try:
            exchange.passed()
        finally:
            timer.join()

    def script(exchange: Exchange) -> Injection | None:
        nonlocal writes
        writes += exchange.is_write
        return kill if exchange.is_write and writes == number else None

    episode.proxy.script = script
    episode.expect(episode.run())
    episode.ground.restart()


def _restart_server(episode: Episode, *, last: bool) -> None:
    if not last:
        episode.expect_settled(episode.run())
        return
    episode.result.faults += 1
    episode.ground.kill()
    episode.expect(episode.run(), frozenset({5}))
    episode.ground.restart()


def _second_job(episode: Episode, *, last: bool) -> None:
    del last
    rng = episode.rng
    other = replace(episode.site, journal=episode.folder / "other" / "j.sqlite3")
    site, process = rng.choice((episode.site, other)), rng.random() < 0.2

    def meanwhile(exchange: Exchange) -> None:
        if process:
            with RunningClient(site, _PATIENT) as client:
                episode.expect_held(client.ended())
        else:
            episode.expect_held(run_here(site, _PATIENT))
        exchange.passed()

    episode.proxy.script = _at_request(rng.randint(1, 4), meanwhile)
    episode.expect_settled(episode.run())


def _fill_disk(episode: Episode, *, last: bool) -> None:
    del last
    episode.result.faults += 1
    room = episode.rng.choice((0, 10, 4096, episode.rng.randint(0, 60_000)))
    with RunningClient(episode.site, _PATIENT, room) as client:
        episode.expect(client.ended())


def _jump_clock(episode: Episode, *, last: bool) -> None:
    del last
    rng = episode.rng
    busy = CLASSES["status-503"].inject
    assert busy is not None

    def script(_: Exchange) -> Injection | None:
        if rng.random() < 0.5:
            episode.result.faults += 1
            episode.time.jump += rng.choice((-1, 1)) * rng.choice((1, 3600, 86_400, 10**8))
        return busy(rng) if rng.random() < 0.1 else None

    episode.proxy.script = script
    episode.expect(episode.run())


def _lose_journal(episode: Episode, *, last: bool) -> None:
    spoilt = episode.rng.random() < 0.4
    if spoilt:
        inject = CLASSES["cut-after"].inject
        assert inject is not None
        cut = inject(episode.rng)
        episode.proxy.script = _at_request(episode.rng.randint(1, 5), cut)
    episode.expect(episode.run())
    if last or episode.rng.random() < 0.5:
        episode.result.faults += 1
        for one in episode.site.journal.parent.glob(f"{episode.site.journal.name}*"):
            one.unlink()


def _expire_token(episode: Episode, *, last: bool) -> None:
    """Let tokens expire; something keeps the file fresh, or nothing does for a while."""
    del last
    rng, token = episode.rng, episode.token
    fresh = rng.random() < 0.6
    expires = {rng.randint(1, 4), rng.randint(7, 9)}
    valid, seen = token.read_text(), 0

    def script(exchange: Exchange) -> Injection | None:
        nonlocal valid, seen
        seen += 1
        if seen in expires:
            valid = f"token-{rng.getrandbits(32)}"
            if fresh:
                token.write_text(valid)
        return None if exchange.bearer == valid else _unauthorised

    episode.proxy.script = script
    episode.expect(episode.run(), frozenset({0}) if fresh else None)
    token.write_text(valid)


def _meddle(episode: Episode, *, last: bool) -> None:
    """Spoil requests, and let the owner of others' ImagingStudies write amid the run's writes."""
    world, rng = episode.world, episode.rng
    assert isinstance(world, OthersWorld)
    spoiling = episode.spoiling(rng.choice((0, 1, 3, 8)), rng.choice((0.5, 0.9)))
    left = rng.choice((0, 1, 1, 2))

    def meddle(exchange: Exchange) -> None:
        world.owner_writes(exchange.urls)
        world.plan()
        exchange.passed()

    def script(exchange: Exchange) -> Injection | None:
        nonlocal left
        if left and not exchange.urls.isdisjoint(world.names) and rng.random() < 0.7:
            left -= 1
            return meddle
        return spoiling(exchange)

    del last
    episode.proxy.script = script
    episode.expect(episode.run(_HURRIED))


def _arrive_late(episode: Episode, *, last: bool) -> None:
    del last
    late, counts = Late(episode.rng), episode.proxy.counts
    before = counts.faults
    episode.proxy.script = late.script
    episode.expect(episode.run())
    late.arrive()
    counts.faults = before + late.faults


def _unauthorised(exchange: Exchange) -> None:
    exchange.made(401, b"", WWW_Authenticate='Bearer error="invalid_token"')


DISTURBANCES: Final[dict[str, Disturbance]] = {
    "client-killed": _kill_client,
    "client-stopped": _stop_client,
    "server-killed": _kill_server,
    "server-restarted": _restart_server,
    "two-jobs": _second_job,
    "disk-full": _fill_disk,
    "clock-jump": _jump_clock,
    "journal-lost": _lose_journal,
    "token-expired": _expire_token,
    "others-linked": _meddle,
    "others-enriched": _meddle,
    "late": _arrive_late,
}
"""How a run is disturbed, where it is not the proxy alone that does it."""
