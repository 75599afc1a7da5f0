"""Questions that were sent to a Redis together, until each has been answered."""

from collections import deque
from collections.abc import Iterable

from forwardauth.sessions.awaited_glances import Found, Question
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.rows import NoGlanceError


class Message:
    """Questions on their way together.

    Attributes:
        questions: Those that are not answered, in the order of the answers.
        deadline: When the answers are too late.
        is_late: Whether they are, which has been told then.
        refused: About which it is told to ask again.
    """

    __slots__ = ("deadline", "is_late", "questions", "refused")

    def __init__(self, questions: Iterable[Question], deadline: float) -> None:
        """Keep *questions*, none of which has been told anything."""
        self.questions = deque(questions)
        self.deadline = deadline
        self.is_late = False
        self.refused: set[Digest] = set()

    def tell(self, question: Question, found: Found, number: int) -> None:
        """Tell *question* what was *found*, unless something has been told before."""
        if self.is_late:
            return
        digest, told = question
        if self.refused and digest in self.refused:
            found = NoGlanceError()
        told(found, number)

    def tell_late(self, found: Found, number: int) -> None:
        """Tell all of them *found*, once; the answers may come all the same."""
        if self.is_late:
            return
        self.is_late = True
        for each in self.questions:
            each.told(found, number)
