"""What became of the documents of a part, and of a whole job."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

#: Reasons that an account tells by their words; all others count as one.
REASONS = 20


@dataclass(frozen=True, slots=True)
class Rejected:
    """A document that was left out, where it stood, and why."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class Account:
    """What became of one part.

    Attributes:
        part: its name.
        read: documents and lines that were looked at.
        encoded: documents whose text went through the encoder.
        written: documents that are in the output because of this part.
        unchanged: documents that were in the output in the same form already.
        changed: documents that somebody else changed meanwhile; another run sees to them.
        rejected: documents that cannot be encoded or written.
        failure: why the part could not be done; empty if it was. It is done by the next run.
    """

    part: str
    read: int = 0
    encoded: int = 0
    written: int = 0
    unchanged: int = 0
    changed: int = 0
    rejected: tuple[Rejected, ...] = ()
    failure: str = ""

    def plain(self) -> dict[str, Any]:
        """The account as JSON has it; `of` reads it."""
        return asdict(self) | {"rejected": [[item.where, item.reason] for item in self.rejected]}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Account:
        """The account that `plain` made.

        Raises:
            TypeError, ValueError: it made none such.

        Example:
            >>> one = Account("part-000001", read=2, written=1, rejected=(Rejected("a.jsonl:7", "text: is missing"),))
            >>> Account.of(one.plain()) == one
            True
        """
        return cls(**(plain | {"rejected": tuple(Rejected(*item) for item in plain["rejected"])}))


@dataclass(slots=True)
class Total:
    """The sum of accounts.

    Attributes:
        parts: that are done; `earlier` of them by runs before this one.
        failed: parts that are not, by name and reason.
        reasons: how many documents were rejected for which reason.

    Example:
        >>> total = Total()
        >>> total.add(Account("part-000000", read=3, encoded=2, written=2, rejected=(Rejected("a:1", "not JSON"),)))
        >>> str(total)
        '3 read, 2 encoded, 2 written, 1 rejected'
    """

    parts: int = 0
    earlier: int = 0
    read: int = 0
    encoded: int = 0
    written: int = 0
    unchanged: int = 0
    changed: int = 0
    rejected: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, account: Account, earlier: bool = False) -> None:
        """Nothing; the account is added.

        Args:
            earlier: whether an earlier run did the part.
        """
        if account.failure:
            self.failed[account.part] = account.failure
            return
        self.parts += 1
        self.earlier += earlier
        for name in ("read", "encoded", "written", "unchanged", "changed"):
            setattr(self, name, getattr(self, name) + getattr(account, name))
        self.rejected += len(account.rejected)
        for item in account.rejected:
            known = item.reason in self.reasons or len(self.reasons) < REASONS
            self.reasons[item.reason if known else "other reasons"] += 1

    def plain(self) -> dict[str, Any]:
        """The sum as JSON has it."""
        return asdict(self) | {"reasons": dict(self.reasons.most_common())}

    def __str__(self) -> str:
        names = ("read", "encoded", "written", "unchanged", "changed", "rejected")
        told = [f"{getattr(self, name):,} {name}" for name in names if getattr(self, name) or name == "read"]
        return ", ".join(told)
