/* SPDX-License-Identifier: Apache-2.0 */
/* What each kind of node does, and each kind of file that is written. */
#include "node/view.h"

const struct view_ops *const views[NODE_KINDS] = {
    [NODE_HOSTS] = &view_hosts,
    [NODE_REPO] = &view_repo,
    [NODE_IMAGE] = &view_image,
    [NODE_DOCUMENT] = &view_document,
    [NODE_MANIFEST] = &view_manifest,
    [NODE_BLOB] = &view_blob,
    [NODE_ARCHIVE] = &view_archive,
    [NODE_LAYERS] = &view_layers,
    [NODE_FILES] = &view_files,
    [NODE_PLATFORMS] = &view_platforms,
    [NODE_REFERRERS] = &view_referrers,
    [NODE_TREE] = &view_tree,
    [NODE_LAYER_FILE] = &view_layer_file,
    [NODE_WRITTEN] = &view_written,
    [NODE_LINK] = &view_link,
    [NODE_SCRATCH] = &view_scratch,
    [NODE_SCRATCH_FILE] = &view_scratch_file,
    [NODE_CONTROL] = &view_control,
    [NODE_SNAPSHOT] = &view_snapshot,
    [NODE_LISTING] = &view_listing,
    [NODE_EVENTS] = &view_events,
    [NODE_SEARCH] = &view_search,
};

const struct write_kind *const write_kinds[WRITE_EFFECTS] = {
    [WRITE_ARCHIVE] = &write_archive,
    [WRITE_LAYER] = &write_layer,
    [WRITE_CONFIG] = &write_config,
    [WRITE_MANIFEST] = &write_manifest,
    [WRITE_INDEX] = &write_index,
    [WRITE_PLATFORM] = &write_platform,
    [WRITE_ATTACHMENT] = &write_attachment,
    [WRITE_MIRROR] = &write_mirror,
    [WRITE_MIRROR_PART] = &write_mirror_part,
};
