"""HTML and SVG that cannot be broken by what a user wrote: plain text is escaped wherever it meets markup."""

from html import escape


class Html(str):
    """Markup that is safe to show as it is. Plain ``str`` is text and gets escaped."""

    __slots__ = ()


Child = Html | str | float | int | None


def element(name: str, *children: Child, **attributes: str | float | int | bool | None) -> Html:
    """One element. ``class_`` gives ``class``, ``font_size`` gives ``font-size``; None and False leave it out.

    Example:
        >>> element("p", "a < b", class_="note")
        '<p class="note">a &lt; b</p>'
    """
    words = "".join(_attribute(key, value) for key, value in attributes.items())
    return Html(f"<{name}{words}>{join(*children)}</{name}>")


def join(*children: Child) -> Html:
    """Children one after another; text is escaped, markup is not, None is nothing."""
    return Html("".join(child if isinstance(child, Html) else text(child) for child in children if child is not None))


def text(value: Child) -> Html:
    """Any value as text."""
    return Html(escape(str(value), quote=True))


def _attribute(key: str, value: str | float | int | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    shown = f"{value:.6g}" if isinstance(value, float) else str(value)
    return f" {name}" if value is True else f' {name}="{escape(shown, quote=True)}"'
