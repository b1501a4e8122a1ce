"""The table of all keys, for the documentation."""

from collections.abc import Iterator

from pydantic.fields import FieldInfo

from app.settings.keys import SECTIONS, fields_of, written
from app.settings.providers import KINDS, ProviderSettings

Row = tuple[str, str, str, str]


def reference() -> list[Row]:
    """Return each key with how it is written, its default and what it means, in the file's order.

    The default is as the file would have it, "required" where there is none, or "unset".
    """
    rows = [
        _row(f"{section}.{key}", field)
        for section, settings in SECTIONS.items()
        for key, field in settings.model_fields.items()
    ]
    return rows + list(_provider_rows())


def _provider_rows() -> Iterator[Row]:
    kinds = " or ".join(f'"{kind}"' for kind in KINDS)
    yield "providers.<name>.kind", kinds, "required", "What the provider runs."
    for key, field in fields_of(ProviderSettings):
        yield _row(f"providers.<name>.{key}", field)
    for kind, settings in KINDS.items():
        for key, field in fields_of(settings):
            if key != "kind" and key not in ProviderSettings.model_fields:
                yield _row(f"providers.<name>.{key}", field, of=f"{kind}: ")


def _row(key: str, field: FieldInfo, of: str = "") -> Row:
    shape = written(field)
    if field.is_required():
        default = "required"
    else:
        value = field.get_default(call_default_factory=True, validated_data={})
        default = "unset" if value is None else shape.show(value)
    return key, shape.text, default, f"{of}{field.description}"
