"""What a client answered to a service's questions, held against these before it is kept."""

from collections.abc import Iterator, Mapping

from functions.domain.configuration import FormQuestion, Service
from functions.domain.errors import Invalid

LONGEST = {"line": 200, "text": 2000}


def checked(service: Service, answers: Mapping[str, str]) -> dict[str, str]:
    """The answers in the order of the questions, without those that say nothing. Raises `Invalid`; its `errors` name each field and what to do."""
    given = {name: text.strip() for name, text in answers.items()}
    errors = list(_complaints(service, given))
    if errors:
        raise Invalid("Mend the answers that are named in errors.", errors=errors)
    return {question.id: given[question.id] for question in service.questions if given.get(question.id)}


def labelled(service: Service, answers: Mapping[str, str]) -> list[str]:
    """For people to read, each with its question, in the order in which they are asked; last those to questions that are not asked any more."""
    labels = {question.id: question.label for question in service.questions}
    names = [*(name for name in labels if name in answers), *sorted(answers.keys() - labels.keys())]
    return [f"{labels.get(name, name)}: {answers[name]}" for name in names]


def _complaints(service: Service, given: Mapping[str, str]) -> Iterator[dict[str, str]]:
    known = {question.id for question in service.questions}
    for name in given:
        if name not in known:
            asked = ", ".join(sorted(known)) or "none"
            yield _complaint(name, f"Nobody asks this. The questions are: {asked}.")
    for question in service.questions:
        text = given.get(question.id, "")
        wrong = _wrong(question, text) if text else "Answer this question." if question.required else None
        if wrong is not None:
            yield _complaint(question.id, wrong)


def _complaint(name: str, message: str) -> dict[str, str]:
    return {"field": f"answers.{name}", "message": message}


def _wrong(question: FormQuestion, text: str) -> str | None:
    match question.kind:
        case "yes_no":
            return None if text in ("yes", "no") else "Answer yes or no."
        case "choice":
            return None if text in question.choices else f"Choose one of: {', '.join(question.choices)}."
        case "line" if any(character in text for character in "\n\r\t"):
            return "Write it on one line."
        case kind:
            most = LONGEST[kind]
            return None if len(text) <= most else f"Write at most {most} characters; there are {len(text)}."
