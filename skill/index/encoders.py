"""The encoder: texts to unit vectors. One small interface with two homes, the shipped one and sentence-transformers."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from skill import places
from skill.faults import BadInput

EXTRA = "sentence-transformers"


class Encoder(Protocol):
    """Turns texts into vectors; `digest` names the weights, so that vectors of different ones are never mixed."""

    name: str
    digest: str
    dimensions: int

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Give one unit vector a text: (n, dimensions) float32."""
        ...


def open_encoder(model: str | None = None) -> Encoder:
    """Open the shipped encoder, or any sentence-transformers model by name or folder.

    Raises:
        EncoderUnavailable: the shipped weights are missing or damaged.
        BadInput: the extra is not installed, or it cannot load the model.
    """
    if model is None:
        from skill.index.minilm import MiniLM

        return MiniLM(places.DATA / "minilm")
    return _SentenceTransformers(model)


class _SentenceTransformers:
    """Any model that the sentence-transformers library can load."""

    def __init__(self, model: str) -> None:
        try:
            from sentence_transformers import SentenceTransformer  # type: ignore[import-not-found,unused-ignore]
        except ImportError:
            raise BadInput(
                "another model needs the sentence-transformers extra",
                code="missing_extra",
                hint="pip install 'heroku-skill[sentence-transformers]'",
            ) from None
        try:
            self._model: Any = SentenceTransformer(model, device="cpu")
        except Exception as wrong:  # noqa: BLE001 - whatever the library or the model raises
            raise BadInput(
                f"the model {model!r} cannot be loaded: {type(wrong).__name__}", hint="a model's name, or a folder that holds one"
            ) from None
        self.name = model
        # renamed in the library's sixth release
        told = getattr(self._model, "get_embedding_dimension", None) or self._model.get_sentence_embedding_dimension
        self.dimensions = int(told())
        self.digest = _digest_of(self._model)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Give one unit vector a text: (n, dimensions) float32."""
        vectors = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)


def _digest_of(model: Any) -> str:
    import hashlib

    whole = hashlib.sha256()
    for name, weights in sorted(model.state_dict().items()):
        whole.update(name.encode())
        whole.update(weights.detach().cpu().numpy().tobytes())
    return whole.hexdigest()[:16]
