"""A row an epoch says what was clipped there."""

import numpy as np
from many_verdicts import STREAKS, many_verdicts

import napari_comparewarp as cw
from napari_comparewarp.review.summary import summarise_epochs


def test_the_summary_counts_what_the_table_and_the_masks_show():
    inspection = cw.Inspection(many_verdicts(), cw.CompareWarpConfig(**STREAKS))
    table = inspection.result.footprints
    inspection.override(int(table["id"][table["verdict"] == "streak"][0]), "keep")
    inspection.override(1, "clip")
    result = inspection.result
    table, summary = result.footprints, summarise_epochs(result)
    assert summary["epoch"].tolist() == list(result.stack.epochs)
    for index, row in enumerate(summary):
        here = table[table["epoch_index"] == index]
        assert row["n_footprints"] == len(here)
        assert row["n_clipped"] == np.isin(here["verdict"], ["clipped", "streak"]).sum()
        for verdict in ("persistent", "protected", "prefiltered"):
            assert row[f"n_{verdict}"] == (here["verdict"] == verdict).sum()
        assert row["n_by_hand"] == (here["decided_by"] == "hand").sum()
        assert row["clipped_area"] == result.clipped(index).sum()
        assert row["clipped_fraction"] == result.clipped(index).mean()
    assert summary["n_streaks"].sum() == len(result.products.streaks[3].groups) > 1
    assert summary["n_by_hand"].sum() == 2
    assert summary["clipped_area"].unit == "pix"


def test_a_skipped_epoch_has_a_row_without_footprints():
    stack = many_verdicts()
    stack.direct.image[6] = np.nan
    row = summarise_epochs(cw.run(stack))[6]
    assert (row["weight"], row["n_footprints"], row["clipped_area"]) == (0, 0, 0)
