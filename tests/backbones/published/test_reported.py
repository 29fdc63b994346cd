from nasgem_core.backbones.published.reported import REPORTED


def test_rows_are_told_apart_and_say_where_they_come_from():
    assert len({row.name for row in REPORTED}) == len({row.title for row in REPORTED}) == len(REPORTED)
    assert all(row.source for row in REPORTED)


def test_table_1_is_complete():
    # Top-1 error, millions of params and multiply-adds, as the paper prints them.
    table = {
        "RandWire-WS": (25.3, 5.6, 583),
        "DARTS": (26.7, 4.7, 574),
        "P-DARTS": (24.7, 5.1, 577),
        "PC-DARTS": (25.1, 5.3, 586),
        "SNAS": (27.3, 4.3, 522),
        "GDAS": (26.0, 5.3, 581),
        "MiLeNAS": (25.4, 4.9, 570),
        "BayesNAS": (26.5, 3.9, None),
        "NAONet": (25.7, 11.35, 584),
        "NGE": (25.3, 5.0, 563),
        "GATES": (24.1, 5.6, None),
    }
    assert {row.title: (row.top1_error, row.params, row.macs) for row in REPORTED if row.top1_error} == table
