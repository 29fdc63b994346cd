"""A small data set as a user has it: annotations and images of two splits in one folder."""

from tests.detection.toy import eight_images


def write_coco_folder(root):
    """Write annotations/instances_train.json, instances_val.json, train/ and val/; return the folder."""
    for split in ("train", "val"):
        path, _ = eight_images(root, name=split)
        path.rename(path.with_name(f"instances_{split}.json"))
    return root
