"""Work is shared longest first, and none of it is lost or done twice when a worker dies."""

from __future__ import annotations

import pytest

from benchctl.errors import BadConfig
from benchctl.types import Choose, Generate, Message, Perplexity
from benchctl_plugins.models.cluster.chunks import MOST_SAMPLES, Work, cost
from benchctl_plugins.models.cluster.resources import Node, Share, fit


def texts(*lengths):
    return [Perplexity("x" * length) for length in lengths]


def taken(work):
    while (chunk := work.take()) is not None:
        yield chunk


def test_work_is_measured_in_characters():
    assert cost(Choose("abc", ("de", "f"))) == 6
    assert cost(Perplexity("abcd")) == 4
    assert cost(Generate((Message("user", "abc"),), max_tokens=10)) == 43


def test_the_longest_come_first_and_everything_comes_once():
    lengths = [(i * 37) % 400 + 1 for i in range(1000)]
    work = Work(texts(*lengths), range(1000), workers=4)
    places = [place for chunk in taken(work) for place in chunk.places]
    assert sorted(places) == list(range(1000))
    assert [lengths[place] for place in places] == sorted(lengths, reverse=True)


def test_chunks_are_large_at_first_and_small_at_the_end_so_that_all_workers_end_together():
    sizes = [len(chunk.places) for chunk in taken(Work(texts(*[10] * 1000), range(1000), workers=2))]
    assert max(sizes) <= MOST_SAMPLES
    assert sizes[-1] <= 8
    assert sizes == sorted(sizes, reverse=True)


def test_few_samples_are_still_shared_among_all_workers():
    assert sum(1 for _ in taken(Work(texts(5, 5, 5, 5), range(4), workers=4))) == 4


def test_the_requests_of_a_sample_stay_together_and_in_order():
    work = Work(texts(1, 2, 3, 40, 50, 60), [0, 0, 0, 1, 1, 1], workers=2)
    assert [chunk.places for chunk in taken(work)] == [[3, 4, 5], [0, 1, 2]]


def test_what_a_dead_worker_left_goes_to_others_and_what_it_answered_does_not():
    work = Work(texts(*[9] * 16), range(16), workers=1)
    chunk = work.take()
    answered, left = chunk.places[:3], chunk.places[3:]
    assert all(work.answered(place) for place in answered)
    assert work.give_back(chunk) == []
    again = [place for half in taken(work) for place in half.places if place in chunk.places]
    assert sorted(again) == sorted(left)
    assert not work.answered(answered[0]), "an answer that was there already is not a second one"


def test_a_sample_that_kills_every_worker_is_found_and_given_up_and_no_other():
    work = Work(texts(*[9] * 64), range(64), workers=2)
    given_up: list[int] = []
    deaths = 0
    while work.open:
        chunk = work.take()
        deadly = 13 in chunk.places
        for place in chunk.places[: chunk.places.index(13)] if deadly else chunk.places:
            work.answered(place)
        if deadly:
            deaths += 1
            given_up += work.give_back(chunk)
            for place in given_up:
                work.answered(place)
    assert given_up == [13]
    assert deaths <= 8, "so few that the workers' restarts last"


@pytest.mark.parametrize(
    ("nodes", "workers", "share"),
    [
        ([Node(2, 0)], 2, Share(2, 1, 0)),
        ([Node(2, 0)], 4, Share(4, 0.5, 0)),
        ([Node(16, 0)], 3, Share(3, 5, 0)),
        ([Node(1, 0), Node(1, 0)], 2, Share(2, 1, 0)),
        ([Node(0, 0), Node(8, 0), Node(4, 0)], 3, Share(3, 4, 0)),
        ([Node(16, 4)], 4, Share(4, 4, 1)),
        ([Node(16, 4)], None, Share(4, 4, 1)),
        ([Node(8, 0), Node(8, 2)], None, Share(2, 4, 1)),
        ([Node(4, 0), Node(4, 0)], None, Share(2, 4, 0)),
    ],
)
def test_workers_get_the_most_cpus_with_which_all_fit_and_a_gpu_where_there_are_any(nodes, workers, share):
    assert fit(nodes, workers, None, None) == share


def test_workers_may_share_a_gpu_if_told_so():
    assert fit([Node(16, 1)], 2, 0.5, None) == Share(2, 8, 0.5)
    assert fit([Node(16, 1)], None, 0.5, None).workers == 2
    assert fit([Node(16, 1)], 2, 0.0, 2.0) == Share(2, 2, 0)


def test_workers_that_do_not_fit_are_refused_with_what_to_do():
    with pytest.raises(BadConfig, match="4 workers with 1 GPUs each do not fit: the cluster has 2") as refused:
        fit([Node(16, 2)], 4, None, None)
    assert "gpus_per_worker" in refused.value.hint
    with pytest.raises(BadConfig, match="CPUs"):
        fit([Node(2, 0)], 2, None, 2)
