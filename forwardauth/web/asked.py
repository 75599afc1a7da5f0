"""What a proxy has asked, worked out as far as that does not depend on who is there.

Law: nothing here changes while the service runs; it is shared by everybody who asks.
"""

from dataclasses import dataclass
from typing import NamedTuple

from forwardauth.access_control.rules import Selection
from forwardauth.adapters.base import Adapter, RequestKind, SignInNeeded
from forwardauth.redirects import TargetPolicy
from forwardauth.web.answer_bytes import AnswerBytes
from forwardauth.web.question import Question
from forwardauth.web.sign_in import login_url


@dataclass(slots=True, eq=False)
class Reading:
    """What is asked.

    Attributes:
        adapter: The dialect that it is asked in.
        question: May this pass?
        selection: The rules that decide about it, whoever asks.
        case: The same for questions that the rules decide alike, whoever asks.
        targets: Where a browser that asks it may be sent back to.
    """

    adapter: Adapter
    question: Question
    selection: Selection
    case: int
    targets: TargetPolicy
    _sent_to_portal: AnswerBytes | None = None

    def sent_to_portal(self) -> AnswerBytes:
        """Return the answer to a browser in which nobody is signed in."""
        if self._sent_to_portal is None:
            original = self.question.original
            verdict = SignInNeeded(
                login_url=login_url(self.question.domain, original, self.targets),
                kind=RequestKind.NAVIGATION,
                method=original.method,
            )
            self._sent_to_portal = AnswerBytes(self.adapter.answer(verdict))
        return self._sent_to_portal


class Asked(NamedTuple):
    """A question, and what kind of a request asks it."""

    reading: Reading
    kind: RequestKind
