"""The networks that the paper is compared with (Tables 1 and 2), rebuilt as backbones."""
