"""Manual decisions take precedence over the rules."""

import numpy as np
import pytest
from candidates import candidates_of

from napari_comparewarp.algorithm.overrides import (
    FootprintKey,
    apply_overrides,
    candidate_key,
    streak_keys,
)
from napari_comparewarp.algorithm.spans import Spans
from napari_comparewarp.algorithm.streaks.stage import StreakFootprints
from napari_comparewarp.algorithm.verdicts import Verdict, Verdicts
from napari_comparewarp.errors import StackError

EPOCHS = ("a", "b")
SHAPE = (20, 30)


def labels_of(*boxes):
    image = np.zeros(SHAPE, np.int64)
    for number, (rows, columns) in enumerate(boxes, start=1):
        image[rows, columns] = number
    return image


FOUND = (
    candidates_of(labels_of((slice(2, 5), slice(3, 8)), (slice(10, 12), slice(0, 4)))),
    candidates_of(labels_of((slice(6, 9), slice(20, 25)))),
)
RULED = tuple(
    Verdicts(
        np.full(len(found), Verdict.PERSISTENT, np.uint8), np.full(len(found), 2),
        np.zeros(len(found)), np.zeros(len(found), np.bool_),
    )
    for found in FOUND
)  # fmt: skip


def region(rows, columns):
    mask = np.zeros(SHAPE, np.bool_)
    mask[rows, columns] = True
    return Spans.of_mask(mask)


def streaks_of(*groups):
    return StreakFootprints(
        Spans.union_of(groups), groups, (9.0,) * len(groups), (False,) * len(groups)
    )


NO_STREAKS = (StreakFootprints.none(), StreakFootprints.none())


def decide(overrides, streaks=NO_STREAKS):
    return apply_overrides(overrides, EPOCHS, FOUND, RULED, streaks)


def test_a_decision_changes_one_candidate_and_says_that_it_is_manual():
    key = candidate_key("a", FOUND[0], 1)
    verdicts, _, lost = decide({key: "clip"})
    assert verdicts[0].verdict.tolist() == [Verdict.PERSISTENT, Verdict.CLIPPED]
    assert verdicts[0].by_hand.tolist() == [False, True]
    assert verdicts[1] is RULED[1]
    assert not RULED[0].by_hand.any()
    assert lost == ()


def test_any_pixel_of_a_candidate_names_it_and_none_beside_it():
    mask = FOUND[0].pixels_of(np.array([True, False])).mask(SHAPE)
    for y, x in np.argwhere(mask):
        assert decide({FootprintKey("a", int(y), int(x)): "clip"})[0][0].by_hand[0]
    for place in [(1, 3), (5, 3), (2, 2), (2, 8), (19, 29)]:
        key = FootprintKey("a", *place)
        assert decide({key: "clip"})[2] == (key,)


def test_of_two_decisions_in_one_candidate_the_later_holds():
    first, second = FootprintKey("a", 2, 3), FootprintKey("a", 4, 7)
    verdicts = decide({first: "keep", second: "clip"})[0]
    assert verdicts[0].verdict[0] == Verdict.CLIPPED
    verdicts = decide({second: "clip", first: "keep"})[0]
    assert verdicts[0].verdict[0] == Verdict.PERSISTENT


def test_a_key_of_an_unknown_epoch_or_of_the_other_kind_is_lost():
    keys = [FootprintKey("c", 2, 3), FootprintKey("b", 2, 3), FootprintKey("a", 2, 3, streak=True)]
    assert decide(dict.fromkeys(keys, "clip"))[2] == tuple(keys)


def test_a_streak_that_is_kept_leaves_the_pixels_that_others_clip():
    first, second = region(slice(4, 6), slice(0, 30)), region(slice(0, 20), slice(9, 11))
    streaks = (streaks_of(first, second), StreakFootprints.none())
    keys = streak_keys("a", streaks[0])
    kept, _, lost = decide({keys[0]: "keep"}, streaks)[1][0], None, ()
    assert not lost
    assert kept.kept == (True, False)
    np.testing.assert_array_equal(kept.spans.mask(SHAPE), second.mask(SHAPE))
    assert streaks[0].kept == (False, False)


def test_the_key_of_a_streak_is_a_pixel_of_its_own():
    first, second = region(slice(4, 6), slice(0, 30)), region(slice(0, 10), slice(9, 11))
    keys = streak_keys("a", streaks_of(first, second))
    assert first.mask(SHAPE)[keys[0].y, keys[0].x]
    assert second.mask(SHAPE)[keys[1].y, keys[1].x]
    assert not first.mask(SHAPE)[keys[1].y, keys[1].x]


def test_a_key_from_the_row_of_a_table_is_made_of_plain_numbers():
    key = FootprintKey(np.int64(7), np.int32(3), np.uint8(4), np.bool_(True))
    assert key == FootprintKey(7, 3, 4, True)
    assert [type(part) for part in (key.epoch, key.y, key.x, key.streak)] == [int, int, int, bool]


@pytest.mark.parametrize(
    ("epoch", "y", "x"),
    [("a\n", 1, 1), (float("nan"), 1, 1), (True, 1, 1), (1, 1.5, 2), (1, 1, 2**31)],
)
def test_a_key_that_no_footprint_has_is_refused_in_one_line(epoch, y, x):
    with pytest.raises(StackError) as raised:
        FootprintKey(epoch, y, x)
    assert str(raised.value).isprintable()
