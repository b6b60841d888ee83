"""Which plain models a question has: found by the word of its kind, or by the kind whose outcomes it shares."""

from polyclinic.baselines.questions.base import PlainGlobal, PlainModels
from polyclinic.heads.base import Target
from polyclinic.study import catalogue


def plain_models(word: str, target: Target) -> PlainModels:
    """The plain models of a kind of question; where it has none of its own, those of the kind whose target it uses.

    A head of an installed package whose outcomes are the classes of ``classify`` has the plain models of that; any
    other has the linear one, which needs the head's loss only.
    """
    offered = catalogue.names("baselines.questions")
    stems = [cls.__module__.rpartition(".")[2] for cls in type(target).__mro__ if cls is not Target]
    found = next((one for one in (word, *stems) if one in offered), None)
    if found is None:
        return PlainGlobal()
    models: PlainModels = catalogue.find("baselines.questions", found)()
    return models
