"""`clavilux doctor`: what this machine has, and what it means for speed."""

from dataclasses import asdict

import typer

from clavilux.cli import options

__all__ = ["doctor"]


def doctor(*, as_json: options.Json = False) -> None:
    """Show what this machine has, and what each of it means for speed."""
    from rich.console import Console
    from rich.table import Table

    from clavilux.cli.console import Screen, plain
    from clavilux.make.doctor import examine
    from clavilux.make.workspace import cache_folder

    findings = examine(cache_folder())
    Screen(as_json=as_json).result({"findings": [asdict(finding) for finding in findings]})
    if not as_json:
        table = Table(show_header=False, box=None, pad_edge=False)
        for finding in findings:
            mark = "" if finding.fine else "! "
            table.add_row(*map(plain, (mark + finding.what, finding.found, finding.means)))
        Console(highlight=False).print(table)
    if not all(finding.fine for finding in findings):
        raise typer.Exit(1)
