"""What every check needs: the configuration, the key, the clock, and the way."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from forwardauth.clock import Clock
from forwardauth.config.inspection import Inspection
from forwardauth.config.schema import Settings
from forwardauth.doctor.exchange import Reach
from forwardauth.web.doctor_proof import DoctorProofs


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One look at one installation.

    Attributes:
        inspection: The configuration, sound.
        proofs: Of the key of the service; ``None`` where it cannot be read.
        clock: Ours.
        version: Of this command.
        reach: The way to the proxy.
        proxy: Its name in ``deploy/``, if it was said.
        urls: Protected addresses to ask for.
    """

    inspection: Inspection
    proofs: DoctorProofs | None
    clock: Clock
    version: str
    reach: Reach = field(default_factory=Reach)
    proxy: str | None = None
    urls: Sequence[str] = ()

    @property
    def settings(self) -> Settings:
        """What the service should run with."""
        return self.inspection.settings

    def place_of(self, key: str) -> str:
        """Return where *key* is to be changed: file and line, and the key."""
        return str(self.inspection.place_of(key))
