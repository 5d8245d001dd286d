"""The catalog: every action there is, read from YAML, compiled once, opened in a few milliseconds."""

from skill.catalog.catalog import Catalog, open_catalog

__all__ = ["Catalog", "open_catalog"]
