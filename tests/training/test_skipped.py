from nasgem_core.training.skipped import Skipped, skipped_line


def test_one_line_names_count_reason_and_first_file():
    hidden, other = Skipped("hidden", 1200, ".a"), Skipped("not a regular file", 1, "pipe.png")
    line = "data/train: 1,201 files are skipped: 1,200 hidden (first: .a), 1 not a regular file (first: pipe.png)"
    assert skipped_line("data/train", [hidden, other]) == line
    assert skipped_line("val", [other]).startswith("val: 1 file is skipped: ") and skipped_line("val", []) == ""
