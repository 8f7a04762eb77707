/* SPDX-License-Identifier: Apache-2.0 */
/* What each kind of node does. */
#include "node/view.h"

const struct view_ops *const views[NODE_KINDS] = {
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
    [NODE_UPLOAD] = &view_upload,
    [NODE_LINK] = &view_link,
    [NODE_SCRATCH] = &view_scratch,
    [NODE_SCRATCH_FILE] = &view_scratch_file,
    [NODE_CONTROL] = &view_control,
    [NODE_SNAPSHOT] = &view_snapshot,
    [NODE_EVENTS] = &view_events,
};
