import numpy as np
import pytest
import torch
from sklearn.metrics import top_k_accuracy_score

from nasgem_core.training.accuracy import AccuracyCount
from nasgem_core.training.distributed import World


def test_counts_over_batches_are_those_of_sklearn():
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(53, 20, generator=generator), torch.randint(0, 20, (53,), generator=generator)
    count = AccuracyCount()
    for part in (slice(0, 30), slice(30, 53)):
        count.add(logits[part], labels[part])
    for k in (1, 5):
        expected = top_k_accuracy_score(labels, logits, k=k, labels=np.arange(20))
        assert count.shares(World())[f"top{k}"] == pytest.approx(expected)
    assert count.shares(World())["images"] == 53


def test_padding_is_counted_nowhere():
    count = AccuracyCount()
    count.add(torch.tensor([[1.0, 0], [1, 0], [1, 0]]), torch.tensor([0, -1, 1]))
    assert count.shares(World()) == {"top1": 0.5, "top5": 1.0, "images": 2}


def test_equal_logits_are_ranked_by_class_and_nan_is_no_hit():
    count = AccuracyCount()
    count.add(torch.zeros(10, 10), torch.arange(10))
    assert count.shares(World()) == {"top1": 0.1, "top5": 0.5, "images": 10}
    count = AccuracyCount()
    count.add(torch.full((2, 3), torch.nan), torch.tensor([0, 1]))
    assert count.shares(World()) == {"top1": 0, "top5": 0, "images": 2}


def test_nothing_counted_is_no_accuracy():
    assert AccuracyCount().shares(World()) == {"top1": 0, "top5": 0, "images": 0}
