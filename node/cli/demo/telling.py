"""What the demonstration says while it runs: steps, sentences, a bar where there is much to do."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from node.cli.demo.workshop import Workshop

STEPS = 8


class Telling:
    """Speaks to standard error, so that standard output stays for the JSON."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.step_name = "the set-up"
        self._began = time.monotonic()

    @contextmanager
    def step(self, number: int, title: str) -> Iterator[None]:
        """One step of the story; its name goes into the message when it fails."""
        self.step_name = f"step {number} ({title})"
        self.console.print(f"[bold]{number}/{STEPS}  {title}[/bold]")
        yield

    def say(self, sentence: str) -> None:
        """One thing that came true."""
        seconds = time.monotonic() - self._began
        line = f"     [green]✓[/green] {sentence} [dim]({seconds:.0f} s)[/dim]"
        self.console.print(line, soft_wrap=True)

    @contextmanager
    def bar(self, doing: str, total: int) -> Iterator[Callable[[int], None]]:
        """A bar over `total` things; call what it gives with how many are done."""
        columns = (
            TextColumn("    "),
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
        )
        quiet = not self.console.is_terminal
        with Progress(*columns, console=self.console, transient=True, disable=quiet) as progress:
            task = progress.add_task(doing, total=total)
            yield lambda done: progress.update(task, completed=done)


def show_places(workshop: Workshop, mailbox: str) -> None:
    """Where to look around: each node, who signs in there, and the mailbox."""
    console = Console(highlight=False)
    table = Table("node", "address", "role", "user", "password", box=None, padding=(0, 2, 0, 0))
    for place in workshop.places:
        for at, user in enumerate(place.users):
            first = (place.id, place.url) if at == 0 else ("", "")
            table.add_row(*first, user.role, user.login, user.password)
    console.print(table)
    console.print(f"\nEverybody's mail:  {mailbox}")
    console.print("Ctrl-C stops the nodes.")
