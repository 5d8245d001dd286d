"""Whether the actions of a user's own service can be searched yet, and making it so."""

from collections.abc import Callable

from skill import places
from skill.catalog import Catalog
from skill.catalog.catalog import Part
from skill.types import Service


def indexed(catalog: Catalog, service: Service) -> bool:
    """Tell whether a service's index is there; that of the built-in one is shipped."""
    parts = _own(catalog, service)
    if not parts:
        return True
    from skill.index.encoders import open_encoder
    from skill.index.minilm import EncoderUnavailable
    from skill.index.open import chosen_model, stale

    try:
        return not stale(parts, open_encoder(chosen_model()))
    except EncoderUnavailable:
        return not stale(parts, None)


def build(catalog: Catalog, service: Service, note: Callable[[str], None]) -> None:
    """Build what is missing of a service's index."""
    from skill.index.open import open_index

    open_index(Catalog(_own(catalog, service)), note)


def _own(catalog: Catalog, service: Service) -> list[Part]:
    return [part for part in catalog.parts if service.name in part.services and part.source != places.ACTIONS]
