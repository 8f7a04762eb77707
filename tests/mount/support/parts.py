# SPDX-License-Identifier: Apache-2.0
"""What stands in the directory of an image, sorted as a listing is compared.
test_grammar.py holds it against the table of the program."""

ANY = ["image.tar", "referrers"]
IMAGE = sorted([*ANY, "config.json", "layers", "manifest.json", "rootfs"])
ARTIFACT_WITHOUT_CONFIG = sorted([*ANY, "files", "manifest.json"])
ARTIFACT = sorted([*ARTIFACT_WITHOUT_CONFIG, "config.json"])
# Of an index that has no image of the mount's platform, and of one that has.
INDEX_OF_OTHERS = sorted([*ANY, "index.json", "platforms"])
INDEX = sorted({*INDEX_OF_OTHERS, *IMAGE})
EVERY = {*INDEX, *ARTIFACT}
