"""The local vector index: built from the actions, saved, loaded, searched; offline, and without torch.

numpy is imported by the modules of this room only, and this room only when someone searches or builds.
"""

import os

# one thread is enough for one query, and starting more costs as much as the query; before numpy is first imported
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from skill.index.ranking import Found, search

__all__ = ["Found", "search"]
