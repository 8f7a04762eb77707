/* SPDX-License-Identifier: Apache-2.0 */
/* What a layer decodes to, as the store keeps it and as the layer has it. */
#ifndef LAYER_KEPT_STREAM_H
#define LAYER_KEPT_STREAM_H

#include "state.h"

/* Whether the layer has it, and it is not to be made again. The first one in
 * the monitor, the other one enters it. */
bool layer_stream_is_there(struct layer *layer);
bool layer_has_stream(struct layer *layer);

/* Opens the stream, if it is kept, as the layer's. 0 also where it is not. */
int layer_find_stream(struct layer *layer, struct err *err);

/* Opens the stream as the layer's, which is decoded when it is read. */
int layer_decode_stream(struct layer *layer, struct err *err);

/* The stream is to be made again, unless that was done meanwhile. */
void layer_lose_stream(struct layer *layer, struct blob *stream);

#endif
