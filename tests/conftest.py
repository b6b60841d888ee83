"""Settings of all tests: property tests try the same examples every time; packages that a test installs."""

import random
import sys

import numpy as np
import pytest
import torch
from hypothesis import settings

from polyclinic.formats.base import formats_of
from polyclinic.study import catalogue

settings.register_profile("house", max_examples=25, deadline=None, derandomize=True)
settings.load_profile("house")


@pytest.fixture(autouse=True)
def same_random_numbers():
    """Every test draws the same random numbers each time, whatever ran before it in the same process."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 libraries draw from this stream
    torch.manual_seed(0)


@pytest.fixture
def offering(tmp_path, monkeypatch):
    """Installs a package that offers one thing, for as long as the test runs."""

    def forget() -> None:
        for cached in (catalogue.names, catalogue.find, catalogue.broken, catalogue._plugins, formats_of):
            cached.cache_clear()

    loaded: list[str] = []

    def make(group: str, name: str, target: str, content: str, package: str = "") -> None:
        word, module = package or f"{name}-plug", target.split(":")[0]
        about = tmp_path / "packages" / f"{word.replace('-', '_')}-0.1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {word}\nVersion: 0.1.0\n")
        (about / "entry_points.txt").write_text(f"[{group}]\n{name} = {target}\n")
        (about.parent / f"{module}.py").write_text(content)
        monkeypatch.syspath_prepend(about.parent)
        loaded.append(module)
        forget()

    yield make
    for module in loaded:
        sys.modules.pop(module, None)
    monkeypatch.undo()
    forget()
