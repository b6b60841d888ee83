from itertools import pairwise

import pytest
import torch
from torch import nn

from polyclinic.tensors import CONVOLUTIONS, Encoder, Hints
from polyclinic.training.recipe import write_recipe
from polyclinic.training.updates.optimizer import decayed, make_optimizer
from polyclinic.training.updates.schedule import one_cycle

SMALL = nn.Linear(10, 3)


def stating(hints: Hints) -> Encoder:
    """An encoder that says how it is best trained."""
    encoder = Encoder()
    encoder.hints = hints
    return encoder


class TestRules:
    @pytest.mark.parametrize(
        ("rows", "batch"), [(20, 16), (400, 32), (1000, 64), (5000, 256), (30000, 256), (100000, 1024)]
    )
    def test_batches_grow_with_the_rows(self, bench, rows, batch):
        assert write_recipe(SMALL, bench.training(batch="auto"), rows).batch == batch

    def test_pictures_take_smaller_batches(self, bench):
        assert write_recipe(stating(CONVOLUTIONS), bench.training(batch="auto"), 100000).batch == 128

    @pytest.mark.parametrize("rows", [20, 400, 5000, 100000])
    def test_epochs_shrink_with_the_rows(self, bench, rows):
        recipe = write_recipe(SMALL, bench.training(batch="auto", epochs="auto"), rows)
        assert 12 <= recipe.epochs <= 30
        assert recipe.epochs in (12, 30) or abs(recipe.epochs * rows / recipe.batch / 600 - 1) < 0.15

    def test_larger_networks_learn_more_slowly(self, bench):
        def rate(module):
            return write_recipe(module, bench.training(), 100).learning_rate

        with torch.device("meta"):
            assert rate(SMALL) > rate(nn.Linear(2000, 2000)) > rate(nn.Linear(10000, 10000))

    @pytest.mark.parametrize(("rows", "epochs"), [(60, 12), (290, 10), (450, 7), (5000, 6)])
    def test_questions_about_words_take_as_many_epochs_as_make_the_steps(self, bench, rows, epochs):
        settings = bench.training(batch="auto", epochs="auto", learning_rate="auto")
        reader = stating(Hints(dense_rate=3e-3, dense_steps=1500))
        recipe = write_recipe(reader, settings, rows, points=500 * 512)
        assert (recipe.batch, recipe.epochs, recipe.learning_rate) == (2, epochs, 3e-3)

    def test_a_public_transformer_learns_slowly(self, bench):
        settings = bench.training(epochs="auto", learning_rate="auto")
        assert write_recipe(stating(Hints(rate=3e-5)), settings, 100).learning_rate == 3e-5
        assert write_recipe(stating(Hints(rate=3e-5)), settings, 1000, points=500 * 512).learning_rate == 3e-5

    def test_what_the_study_says_is_taken(self, bench):
        settings = bench.training(batch=7, epochs=9, learning_rate=0.3, l2=0.2, optimizer="sgd", patience=2)
        recipe = write_recipe(SMALL, settings, 100)
        assert (recipe.batch, recipe.epochs, recipe.learning_rate, recipe.l2, recipe.patience) == (7, 9, 0.3, 0.2, 2)


class TestSchedule:
    def test_it_rises_to_the_top_and_falls_to_nearly_nothing(self):
        rates = [one_cycle(i / 400, 0.1) for i in range(401)]
        assert rates[0] == pytest.approx(0.1 / 25)
        assert max(rates) == rates[100] == pytest.approx(0.1)
        assert rates[-1] == pytest.approx(1e-5)
        assert all(a < b for a, b in pairwise(rates[:101]))
        assert all(a > b for a, b in pairwise(rates[100:]))


def test_norms_biases_and_lone_vectors_are_spared():
    model = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm((2, 2)), nn.BatchNorm1d(4), nn.Linear(4, 1))
    assert {id(p) for p in decayed(model)} == {id(model[0].weight), id(model[3].weight)}


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_every_weight_is_in_one_group(bench, name):
    model = bench.model()
    rule = make_optimizer(model, write_recipe(model, bench.training(optimizer=name), 50))
    held = [id(p) for group in rule.param_groups for p in group["params"]]
    assert sorted(held) == sorted(id(p) for p in model.parameters())
    assert [group["weight_decay"] > 0 for group in rule.param_groups] == [True, False]
