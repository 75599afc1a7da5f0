"""What one question of a proxy comes to, whoever asks it."""

from dataclasses import dataclass, field

from forwardauth.access_control.rules import Selection
from forwardauth.adapters.base import Adapter, RequestKind, SignInNeeded
from forwardauth.redirects import TargetPolicy
from forwardauth.web.answer_bytes import AnswerBytes
from forwardauth.web.question import Question
from forwardauth.web.sign_in import login_url


@dataclass(slots=True, eq=False, kw_only=True)
class Reading:
    """What is asked.

    Attributes:
        adapter: The dialect that it is asked in.
        question: May this pass?
        selection: The rules that decide about it, whoever asks.
        case: The same for questions that the rules decide alike, whoever asks.
        targets: Where a browser that asks it may be sent back to.
        kind: What kind of a request asks it.
        domain: The name of the cookie domain that it is about.
        is_repeated: Whether it has been asked before.
    """

    adapter: Adapter
    question: Question
    selection: Selection
    case: int
    targets: TargetPolicy
    kind: RequestKind
    domain: str
    is_repeated: bool = False
    _sent_to_portal: AnswerBytes | None = field(default=None, init=False)

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
