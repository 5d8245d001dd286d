"""`action list`: everything, or ranked by one or several intents."""

from collections.abc import Sequence
from typing import Any

from skill.app import Skill
from skill.faces.printing import dump, note, print_actions, wants_json
from skill.shape import brief, full
from skill.types import Hit, Json

DEFAULT_LIMIT = 10


def list_actions(skill: Skill, intents: Sequence[str], limit: int | None, whole: bool) -> None:
    """Print the actions that fit the intents, or all of them.

    Raises:
        BadInput: an intent says nothing.
    """
    if not intents:
        items = _all(skill, whole)
        _print(skill, {"items": items[:limit] if limit else items}, None)
        return
    most = DEFAULT_LIMIT if limit is None else limit
    answers = [_answer(skill, intent, most, whole) for intent in intents]
    if len(answers) == 1:
        _print(skill, answers[0], intents[0])
        return
    results = [{"intent": intent, **answer} for intent, answer in zip(intents, answers, strict=True)]
    if wants_json(skill.options):
        dump({"results": results})
        return
    for result in results:
        print(f"\n# {result['intent']}")
        _print(skill, result, result["intent"])


def _all(skill: Skill, whole: bool) -> list[dict[str, Json]]:
    service = skill.service()
    summaries = [one for one in skill.catalog.summaries() if service is None or one.service == service.name]
    if whole:
        return [full(skill.catalog.action(one.key)) for one in summaries]
    return [{"key": one.key, "name": one.title, "description": one.about, "risk": one.risk} for one in summaries]


def _answer(skill: Skill, intent: str, most: int, whole: bool) -> dict[str, Any]:
    found = skill.search(intent, most)
    shown = full if whole else brief

    def items(hits: Sequence[Hit]) -> list[dict[str, Json]]:
        return [shown(hit.action, hit.score) for hit in hits]

    answer: dict[str, Any] = {"items": items(found.hits)}
    if found.message:
        near = [{"key": hit.action.key, "name": hit.action.title, "score": round(hit.score, 3)} for hit in found.nearest]
        answer.update(nearest=near, message=found.message)
    return answer


def _print(skill: Skill, answer: dict[str, Any], intent: str | None) -> None:
    if wants_json(skill.options):
        dump(answer)
        return
    if answer.get("message"):
        note(answer["message"])
        for one in answer["nearest"]:
            note(f"  {one['key']}  {one['name']}")
    print_actions(answer["items"], skill.options, intent)
