"""What this program is made of."""

from skill import __version__


def version_text() -> str:
    """Give the program's version with the digests of its catalog and model."""
    import json

    from skill import places

    def digest(name: str) -> str:
        try:
            return str(json.loads((places.DATA / name).read_bytes())["digest"])[:16]
        except (OSError, ValueError, KeyError):
            return "missing"

    return f"heroku-skill {__version__} (catalog {digest('catalog/catalog.json')}, model {digest('minilm/meta.json')})"
