"""A sentence of ours that may be said in another language later, by whoever knows which one the reader speaks."""

from collections.abc import Mapping
from typing import Self, final


@final
class Phrase(str):
    """English as it stands, with its values in their places; keeps both apart, so that it can be translated.

    Inputs and readers write phrases and know no language; report and card look the template up.

    Attributes:
        template: The sentence with named places, the key of every translation.
        values: What stands in the places; a phrase among them is translated too.

    Example:
        >>> Phrase("{n} of {all} genes", n=3, all=600)
        '3 of 600 genes'
    """

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, **values: object) -> Self:
        """Fill in; without values the template is the sentence."""
        made = super().__new__(cls, template.format(**values) if values else template)
        made.template, made.values = template, values
        return made
