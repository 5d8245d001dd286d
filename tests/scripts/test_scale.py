"""The bench of large catalogs measures what it says."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import scale  # noqa: E402


def test_a_made_up_catalog_is_built_and_searched() -> None:
    """Each size gives a row with a build, a file, a first and a warm search, and the same actions every time."""
    (row,) = scale.measure((40,))
    assert row["actions"] == 40
    assert all(row[name] > 0 for name in ("build_s", "import_ms", "open_ms", "first_ms", "warm_ms", "memory_mib"))
    assert list(scale.actions(40)) == list(scale.actions(40))
    assert len({action.key for action in scale.actions(40)}) == 40
