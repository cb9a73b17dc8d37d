"""One performance: opens what is needed, tells the story, checks it, and clears everything away."""

import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from node.cli.demo import mailbox
from node.cli.demo.cases import Cases
from node.cli.demo.checking import Search, Summary, places_of, summarise
from node.cli.demo.databases import databases_of
from node.cli.demo.founding import found
from node.cli.demo.looking import Look
from node.cli.demo.nodes import Nodes
from node.cli.demo.people import secrets_of
from node.cli.demo.story import Story
from node.cli.demo.telling import Telling, show_places
from node.cli.demo.workshop import Workshop, find, prepare
from node.cli.entrance import Failed
from protocol import Charter

LOOK_S = 0.5
LOOKING = "looking around"


def perform(*, once: bool, data: Path | None, nodes_on: str) -> None:
    """Play it once and end, or stay up afterwards; Failed names the step that did not come true."""
    signal.signal(signal.SIGTERM, _end)
    telling = Telling()
    earlier = find(data) if data is not None else None
    if earlier is not None:
        _check_again(earlier, once=once, nodes_on=nodes_on)
    try:
        with ExitStack() as stack:
            if earlier is not None:
                _look_again(stack, earlier, telling)
            else:
                _play(stack, data, telling, once=once, nodes_on=nodes_on)
    except KeyboardInterrupt:
        if telling.step_name != LOOKING:
            raise Failed(f"In {telling.step_name}: broken off; the nodes are stopped.") from None
        telling.console.print("\nThe nodes are stopped.")
    except Failed as failure:
        raise Failed(f"In {telling.step_name}: {failure.message}") from failure


def _play(
    stack: ExitStack, data: Path | None, telling: Telling, *, once: bool, nodes_on: str
) -> None:
    started = time.monotonic()
    folder = data or Path(stack.enter_context(tempfile.TemporaryDirectory("-tasuki")))
    bound = stack.enter_context(_bound(0))
    workshop = prepare(folder.absolute(), nodes_on, bound.getsockname()[1])
    elsewhere = stack.enter_context(databases_of(workshop, kept=data is not None))
    with telling.step(1, "Four members found みなと採用連合"):
        charter = found(workshop)
        workshop.save()
        mails = stack.enter_context(mailbox.running(bound))
        look = stack.enter_context(Look(workshop.places))
        nodes = stack.enter_context(Nodes(workshop.places))
        story = Story(workshop, nodes, mails, look, telling)
        story.open_offices(charter)
    cases = Cases(story, look.today())
    _tell(story, cases, telling)
    if once:
        nodes.stop()
    search = Search(secrets_of(story.people + story.seekers + cases.people))
    places = places_of(search, [workshop.folder, *elsewhere], look)
    seconds = time.monotonic() - started
    summary = _summary(story, charter, look, found=bool(places), seconds=seconds)
    workshop.finished = True
    workshop.save()
    _conclude(summary, places, telling, once=once)
    if not once:
        _stay(stack, workshop, mails, nodes, telling)


def _tell(story: Story, cases: Cases, telling: Telling) -> None:
    with telling.step(2, "aoba sends its notices"):
        story.send_notices()
    with telling.step(3, "Ten people decide for themselves"):
        story.collect_consents()
    with telling.step(4, "Referrals travel, and are answered"):
        story.answer_referrals()
    with telling.step(5, "Every acceptance becomes a point"):
        story.count_points()
    with telling.step(6, "bridge refers somebody to aoba: a hire without fee"):
        story.hire_with_slot()
    with telling.step(7, "Somebody takes everything back"):
        story.take_back()
    with telling.step(8, "What every season brings"):
        cases.play()
    telling.step_name = "the summary"


def _summary(story: Story, charter: Charter, look: Look, *, found: bool, seconds: float) -> Summary:
    members, quorum = len(charter.members), charter.q
    return summarise(
        story.facts, look, members=members, quorum=quorum, found=found, seconds=seconds
    )


def _conclude(summary: Summary, places: list[str], telling: Telling, *, once: bool) -> None:
    """The summary, and what in it is not as it should be."""
    wrong = summary.wrong()
    if not wrong:
        telling.say(f"all of it came true, in {summary.seconds:.0f} seconds")
    if once:
        # Whatever reads this waits for the last line of standard output.
        click.echo(summary.to_json())
        sys.stdout.flush()
    if wrong:
        where = f" Readable in: {', '.join(places)}." if places else ""
        raise Failed(f"{'; '.join(wrong)}.{where}")


def _look_again(stack: ExitStack, workshop: Workshop, telling: Telling) -> None:
    """Start the nodes of an earlier run as it left them."""
    telling.console.print(f"The demonstration in {workshop.folder} has been played; nodes start.")
    telling.step_name = "starting the nodes again"
    bound = stack.enter_context(_bound(workshop.smtp_port))
    stack.enter_context(databases_of(workshop, kept=True))
    workshop.write_settings()
    mails = stack.enter_context(mailbox.running(bound))
    nodes = stack.enter_context(Nodes(workshop.places))
    _stay(stack, workshop, mails, nodes, telling)


def _check_again(earlier: Workshop, *, once: bool, nodes_on: str) -> None:
    """An earlier run's folder can be looked at again, and nothing else."""
    other = "Name an empty folder for a new one"
    if not earlier.finished:
        raise Failed(f"The demonstration in {earlier.folder} broke off. Remove it. {other}.")
    if once:
        raise Failed(
            f"The demonstration in {earlier.folder} has been played already. {other}, or leave "
            "out --once to look at it."
        )
    if earlier.nodes_on != nodes_on:
        raise Failed(f"Its nodes are on {earlier.nodes_on}: add --nodes-on {earlier.nodes_on}.")


def _stay(
    stack: ExitStack, workshop: Workshop, mails: mailbox.Mailbox, nodes: Nodes, telling: Telling
) -> NoReturn:
    """Stay up until Ctrl-C, and watch the nodes."""
    show_places(workshop, stack.enter_context(mailbox.page(mails)))
    telling.step_name = LOOKING
    while True:
        nodes.check()
        time.sleep(LOOK_S)


@contextmanager
def _bound(port: int) -> Iterator[socket.socket]:
    try:
        bound = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise Failed(
            f"Port {port}, on which this demonstration took mail, is taken: {error.strerror}."
        ) from error
    with bound:
        yield bound


def _end(_: int, __: FrameType | None) -> NoReturn:
    """SIGTERM ends it as Ctrl-C does: in order, leaving nothing behind."""
    raise KeyboardInterrupt
