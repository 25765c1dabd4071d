"""Parts done with a progress bar, and the final account told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from plugin_server.commands.common import Bar, console, emit, settings
from plugin_server.offline.account import Account, Rejected, Total
from plugin_server.offline.part import Part
from plugin_server.offline.runner import Cluster, here
from plugin_server.offline.task import Task
from plugin_server.offline.worker import Recipe
from plugin_server.printed import shown

#: Rejected documents that are told on standard error one by one.
SHOWN = 100


def done(
    title: str, task: Task, bundle: str, parts: Sequence[Part], where: Cluster | None, before: Sequence[Account] = ()
) -> tuple[Total, list[Rejected]]:
    """The sum of all accounts, and what was rejected; the parts are done, with a progress bar on the way.

    Args:
        before: accounts of parts that earlier runs did.
    """
    recipe = Recipe(task, settings(bundle))
    total, rejected = Total(), list[Rejected]()
    for account in before:
        total.add(account, earlier=True)
        rejected += account.rejected
    earlier = {account.part for account in before}
    left = [part for part in parts if part.name not in earlier]
    with Bar(title) as bar:
        bar.update(total.parts, len(parts), _note(total, len(parts)))
        for account in _accounts(recipe, left, where):
            total.add(account)
            rejected += account.rejected
            bar.update(total.parts, len(parts), _note(total, len(parts)))
    return total, rejected


def told(total: Total, rejected: Sequence[Rejected], as_json: bool, **more: Any) -> int:
    """The exit code; the account is printed, on standard output with `as_json`."""
    out = console(errors=True)
    for item in rejected[:SHOWN]:
        out.print(f"{shown(item.where)}: {shown(item.reason)}", soft_wrap=True)
    if len(rejected) > SHOWN:
        out.print(f"… and {len(rejected) - SHOWN:,} more; of all that were rejected:")
        for reason, count in total.reasons.most_common():
            out.print(f"{count:>9,}  {shown(reason)}", soft_wrap=True)
    for part, reason in total.failed.items():
        out.print(f"{part} failed, the next run does it again: {shown(reason, 500)}", soft_wrap=True)
    if as_json:
        emit(total.plain() | more)
    return 1 if rejected or total.failed else 0


def _accounts(recipe: Recipe, parts: Sequence[Part], where: Cluster | None) -> Iterator[Account]:
    return where.run(recipe, parts) if where else here(recipe, parts)


def _note(total: Total, parts: int) -> str:
    earlier = f", {total.earlier} of them earlier" if total.earlier else ""
    failed = f", {len(total.failed)} failed" if total.failed else ""
    return f"{total}; {total.parts} of {parts} parts{earlier}{failed}"
