"""The invented people whose accounts the sandbox holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from app.sandbox.timeline import draw

CLOUDREVE = "cloudreve"
HOSTUP = "hostup"
CARECLOUD = "carecloud"
PROVIDERS = (CLOUDREVE, HOSTUP, CARECLOUD)

LABELS: Mapping[str, tuple[str, ...]] = {
    CLOUDREVE: ("Cloud drive",),
    HOSTUP: ("Hosting", "Hosting of the association"),
    CARECLOUD: ("Loyalty card",),
}
CONFIGURED_NAMES: Mapping[str, str] = {
    CLOUDREVE: "cloud",
    HOSTUP: "hosting",
    CARECLOUD: "loyalty",
}

_FIRST = (
    *("Anna", "Bedřich", "Cecilia", "Dmitri", "Elin", "František", "Greta", "Håkan", "Ida"),
    *("Jiří", "Klara", "Lukáš", "Mei", "Nils", "Olga", "Petra", "Quentin", "Renata", "Stig"),
)
_LAST = (
    *("Fjällmark", "Novotnik", "Lindquell", "Ostravan", "Berghöjd", "Kolářek", "Sandvass"),
    *("Weilong", "Tallhage", "Vltavský", "Norrbacke", "Hradílek", "Ekströmmer", "Zlatník"),
)


@dataclass(frozen=True)
class Person:
    """A customer of the operator."""

    reference: str
    first_name: str
    last_name: str


@dataclass(frozen=True)
class Holder:
    """A person as the holder of one account.

    `index` counts the person's accounts at the provider, `number` all accounts there, of which
    there are `total`; the last two keep ids of different accounts apart.
    """

    person: Person
    provider: str
    index: int
    number: int
    total: int

    @property
    def path(self) -> tuple[str, str, int]:
        """What tells this account from all others, for drawing its samples."""
        return self.provider, self.person.reference, self.index

    @property
    def label(self) -> str:
        return LABELS[self.provider][self.index]


def people(seed: int, count: int) -> list[Person]:
    """Return the customers C-1001, C-1002, …; the first is always an Anna."""
    choices = draw(seed, "people")
    return [
        Person(
            reference=f"C-{1000 + number}",
            first_name=_FIRST[0] if number == 1 else choices.choice(_FIRST),
            last_name=choices.choice(_LAST),
        )
        for number in range(1, count + 1)
    ]


def holders(persons: list[Person], provider: str) -> list[Holder]:
    """Return who has accounts at a provider; the second customer has two at HostUp."""
    twice = persons[: 2 if provider == HOSTUP else 0][-1:]
    owners = [(person, 0) for person in persons] + [(person, 1) for person in twice]
    return [
        Holder(person, provider, index, number, len(owners))
        for number, (person, index) in enumerate(owners)
    ]


def digits(length: int, *names: object) -> str:
    """Return hexadecimal digits that are always the same for the same names."""
    return sha256("/".join(map(str, names)).encode()).hexdigest()[:length]
