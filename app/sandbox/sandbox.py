"""The sandbox: invented customers, three emulated providers, and control over them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

from app.sandbox.carecloud.api import CareCloudProject
from app.sandbox.carecloud.logins import LOGIN_FIELDS
from app.sandbox.cloudreve.api import CloudreveSite
from app.sandbox.faults import fault_of
from app.sandbox.gate import Traffic
from app.sandbox.history import Account, ControlError
from app.sandbox.hostup.api import HostUpPanel
from app.sandbox.people import CONFIGURED_NAMES, PROVIDERS, holders, people
from app.sandbox.timeline import NEWEST
from app.sandbox.upstream import KEEP, SINGLE_USE, Clock, Settings, Surroundings, Upstream

_TOKEN_KINDS = ("access", "refresh", "all")


def _now() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """Three providers with `entries` entries in every history, the same for the same seed.

    `latency` delays every provider's answers, `clock` returns now, aware. All methods may be
    called from any thread, also while the sandbox is being served.
    """

    def __init__(
        self,
        seed: int = 1,
        entries: int = 120,
        latency: timedelta = timedelta(0),
        customers: int = 3,
        clock: Clock = _now,
    ) -> None:
        self.seed = seed
        self.entries = entries
        self.people = people(seed, customers)
        self.traffic = Traffic()
        self.around = Surroundings(seed, clock, Settings(latency=latency))
        self.upstreams: Mapping[str, Upstream] = {
            kind.name: kind(self.around, holders(self.people, kind.name), entries)
            for kind in (CloudreveSite, HostUpPanel, CareCloudProject)
        }
        self._closing = Event()

    def sample_customers(self) -> list[dict[str, Any]]:
        """Return the customers and their accounts' first credentials, as lines to import."""
        with self.around.lock:
            return [
                {
                    "reference": person.reference,
                    "displayName": f"{person.first_name} {person.last_name}",
                    "accounts": self._accounts_of(person.reference),
                }
                for person in self.people
            ]

    def state(self) -> dict[str, Any]:
        """Return the constants, the settings, the faults and the counters."""
        with self.around.lock:
            return {
                "seed": self.seed,
                "entries": self.entries,
                "customers": len(self.people),
                "newest": NEWEST.isoformat(),
                "providers": {name: self._provider_state(name) for name in PROVIDERS},
                "settings": self.settings(),
                "calls": self.calls(),
            }

    def calls(self) -> dict[str, int]:
        """Return how often each endpoint was asked, as `provider /path`."""
        with self.around.lock:
            return dict(sorted(self.traffic.calls.items()))

    def reset_calls(self) -> None:
        """Count from nothing again; empties the log too."""
        with self.around.lock:
            self.traffic.calls.clear()
            self.traffic.log.clear()

    def log(self) -> list[dict[str, Any]]:
        """Return the last requests, oldest first, without credentials."""
        with self.around.lock:
            return list(self.traffic.log)

    def add_entry(
        self,
        provider: str,
        stream: str,
        reference: str,
        *,
        account: int = 0,
        entry: Mapping[str, Any] | None = None,
        at: datetime | None = None,
        position: int = 0,
    ) -> dict[str, Any]:
        """Add an entry and return it as the provider answers it.

        Without `at` it happened now, at the newest end not before the entry that is newest.
        `position` counts the entries that stay newer; CareCloud orders by time alone.
        """
        with self.around.lock:
            owner = self._account(provider, reference, account)
            rows = owner.newest_first(stream)
            when = at or self.around.clock()
            if at is None and position == 0 and rows:
                when = max(when, rows[0].at)
            return owner.add(stream, entry or {}, when, position)

    def change_entry(
        self,
        provider: str,
        stream: str,
        reference: str,
        *,
        account: int = 0,
        entry: Mapping[str, Any],
        entry_id: str | None = None,
        index: int | None = None,
    ) -> dict[str, Any]:
        """Replace fields of an entry, named by its own id or its index from the newest."""
        with self.around.lock:
            owner = self._account(provider, reference, account)
            return owner.change(stream, entry, key=entry_id, index=index)

    def delete_entry(
        self,
        provider: str,
        stream: str,
        reference: str,
        *,
        account: int = 0,
        entry_id: str | None = None,
        index: int | None = None,
    ) -> dict[str, Any]:
        """Remove an entry, named as for a change, and return it."""
        with self.around.lock:
            owner = self._account(provider, reference, account)
            return owner.remove(stream, key=entry_id, index=index)

    def expire_tokens(self, provider: str, what: str = "all") -> None:
        """Stop accepting everything issued until now; HostUp's keys and first tokens too."""
        if what not in _TOKEN_KINDS:
            raise ControlError(f"what expires is one of {', '.join(_TOKEN_KINDS)}")
        with self.around.lock:
            self._upstream(provider).expire(what)

    def issue_credentials(self, provider: str, reference: str, account: int = 0) -> dict[str, str]:
        """Return new credentials of an account, for linking it again."""
        with self.around.lock:
            return self._upstream(provider).issue(self._account(provider, reference, account))

    def set_fault(self, provider: str, fault: Mapping[str, Any]) -> None:
        """Let a provider's requests meet a fault, in the place of the one before."""
        with self.around.lock:
            self._upstream(provider)
            self.traffic.faults[provider] = fault_of(provider, fault)

    def clear_fault(self, provider: str) -> None:
        """Let a provider answer as it should."""
        with self.around.lock:
            self._upstream(provider)
            self.traffic.faults.pop(provider, None)

    def settings(self) -> dict[str, Any]:
        """Return the settings; None means each provider's usual life of access tokens."""
        settings = self.around.settings
        life = settings.access_life
        return {
            "latency_ms": settings.latency / timedelta(milliseconds=1),
            "rotate": settings.rotate,
            "access_token_seconds": None if life is None else life.total_seconds(),
        }

    def change_settings(self, **wishes: object) -> dict[str, Any]:
        """Change `latency_ms`, `rotate` (`keep`, `single_use`), `access_token_seconds`."""
        with self.around.lock:
            settings = self.around.settings
            for name, value in wishes.items():
                if name == "rotate" and value in (KEEP, SINGLE_USE):
                    settings.rotate = str(value)
                elif name == "latency_ms" and _is_number(value):
                    settings.latency = timedelta(milliseconds=float(str(value)))
                elif name == "access_token_seconds" and value is None:
                    settings.access_life = None
                elif name == "access_token_seconds" and _is_number(value):
                    settings.access_life = timedelta(seconds=float(str(value)))
                else:
                    raise ControlError(f"there is no such setting: {name}={value!r}")
            return self.settings()

    def open(self) -> None:
        """Be served (again)."""
        self._closing.clear()

    def close(self) -> None:
        """Let go of requests that a fault holds, so that a server can stop."""
        self._closing.set()

    def is_closing(self) -> bool:
        """Tell whether requests should not be held any longer."""
        return self._closing.is_set()

    def _accounts_of(self, reference: str) -> list[dict[str, Any]]:
        return [
            {
                "provider": CONFIGURED_NAMES[provider],
                "label": account.holder.label,
                "credentials": {provider: self.upstreams[provider].credentials(account)},
            }
            for provider in PROVIDERS
            for account in self.upstreams[provider].accounts.values()
            if account.holder.person.reference == reference
        ]

    def _provider_state(self, name: str) -> dict[str, Any]:
        upstream = self.upstreams[name]
        fault = self.traffic.faults.get(name)
        state: dict[str, Any] = {
            "path": upstream.base_path,
            "accounts": len(upstream.accounts),
            "fault": None if fault is None else {"kind": fault.kind, "seen": fault.seen},
        }
        if name == CareCloudProject.name:
            state["login"] = dict(LOGIN_FIELDS)
        return state

    def _account(self, provider: str, reference: str, index: int) -> Account:
        return self._upstream(provider).account(reference, index)

    def _upstream(self, provider: str) -> Upstream:
        if provider not in self.upstreams:
            raise ControlError(f"the provider is one of {', '.join(PROVIDERS)}", 404)
        return self.upstreams[provider]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
