"""What becomes of an installation when its proxy is set up otherwise than shipped.

Law: a consequence is observed, never guessed. Each one but the refused start and "no
difference" has an inspection, which asks the running proxy as a browser or an attacker
does and says whether all is well; the worst consequence that shows is the verdict.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from tests.support import inspections
from tests.support.visits import Visit


class Consequence(StrEnum):
    """What a line of a proxy's configuration is good for, seen from its absence.

    The worst comes first. The values are the words of ``docs/proxies``.
    """

    OPENED = "opens a door"
    """Somebody gets in who may not."""

    IDENTITY_FORGEABLE = "identity can be forged"
    """A client tells the application who it is."""

    ADDRESS_FORGEABLE = "address can be forged"
    """A client chooses the address that rules, the throttle and the log go by."""

    EXPOSED = "exposed"
    """What only the proxy should reach is reached from outside."""

    APPLICATION_MISLED = "application misled"
    """A client's word about address, host or path reaches the application."""

    CLAIM_PASSED = "other claim passes"
    """A client's header of the family passes that the service never sets, such as
    ``Remote-Roles``."""

    STRANGE_NAME_SERVED = "strange name served"
    """A name that is nobody's gets an answer as if it were somebody's."""

    REFUSED_BY_PROXY = "refused by the proxy"
    """The proxy does not start."""

    CLOSED = "closed"
    """Nobody gets in."""

    IDENTITY_LOST = "identity lost"
    """The application does not learn who asks."""

    ADDRESS_LOST = "address lost"
    """The service does not learn the client's address: rules, throttle and log go by
    the proxy's."""

    ORIGIN_LOST = "origin lost"
    """The application does not learn host, scheme or address of the request."""

    SIGN_IN_BROKEN = "sign-in broken"
    """The way to the portal, its form, or the way back is broken."""

    LOGOUT_FORCED = "logout can be forced"
    """A foreign page ends the sessions of those who look at it."""

    LOGOUT_BROKEN = "logout broken"
    """The link that applications show ends nothing, or leads nowhere."""

    FORBIDDEN_BROKEN = "refusal broken"
    """Who may not see something is not told so, or finds no way out."""

    APPLICATION_BROKEN = "application broken"
    """Its WebSockets, uploads, cookies or own refusals do not come through."""

    LONG_ADDRESS_BROKEN = "long address broken"
    """An address of 8 kB is not decided like any other."""

    ANSWER_KEPT = "answer may be kept"
    """A cache may keep what was answered to one person."""

    PLAIN_HTTP_BROKEN = "plain HTTP broken"
    """Plain HTTP does not lead to HTTPS."""

    SLOWER = "slower"
    """A new connection for each question."""

    NO_DIFFERENCE = "no difference"
    """None that the inspections could see."""

    @property
    def is_dangerous(self) -> bool:
        """Whether the absence of the line lets somebody do what they must not."""
        return self in _DANGEROUS


_DANGEROUS: Final = frozenset(
    {
        Consequence.OPENED,
        Consequence.IDENTITY_FORGEABLE,
        Consequence.ADDRESS_FORGEABLE,
        Consequence.EXPOSED,
        Consequence.LOGOUT_FORCED,
    }
)

INSPECTIONS: Final[Mapping[Consequence, Callable[[Visit], bool]]] = {
    Consequence.OPENED: inspections.nobody_gets_in_who_may_not,
    Consequence.IDENTITY_FORGEABLE: inspections.nobody_claims_to_be_somebody,
    Consequence.ADDRESS_FORGEABLE: inspections.nobody_chooses_an_address,
    Consequence.EXPOSED: inspections.nothing_internal_is_reached,
    Consequence.APPLICATION_MISLED: inspections.application_is_not_misled,
    Consequence.CLAIM_PASSED: inspections.unknown_claims_do_not_pass,
    Consequence.STRANGE_NAME_SERVED: inspections.strange_name_is_not_served,
    Consequence.CLOSED: inspections.somebody_gets_in,
    Consequence.IDENTITY_LOST: inspections.application_learns_who_asks,
    Consequence.ADDRESS_LOST: inspections.service_learns_the_address,
    Consequence.ORIGIN_LOST: inspections.application_learns_the_origin,
    Consequence.SIGN_IN_BROKEN: inspections.people_can_sign_in,
    Consequence.LOGOUT_FORCED: inspections.nobody_else_signs_people_out,
    Consequence.LOGOUT_BROKEN: inspections.people_can_sign_out,
    Consequence.FORBIDDEN_BROKEN: inspections.refusal_is_explained,
    Consequence.APPLICATION_BROKEN: inspections.application_works,
    Consequence.LONG_ADDRESS_BROKEN: inspections.long_address_is_decided,
    Consequence.ANSWER_KEPT: inspections.answers_are_not_kept,
    Consequence.PLAIN_HTTP_BROKEN: inspections.plain_http_leads_to_https,
    Consequence.SLOWER: inspections.connections_stay_open,
}
"""Whether all is well, for each consequence, the worst one first."""


def observe(
    visit: Visit, *, tolerated: frozenset[Consequence] = frozenset()
) -> Consequence:
    """Return the worst consequence that shows, those *tolerated* left aside."""
    for consequence, is_well in INSPECTIONS.items():
        if consequence not in tolerated and not is_well(visit):
            return consequence
    return Consequence.NO_DIFFERENCE
