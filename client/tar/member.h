/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An entry while its headers are read: what its own says, over that what those
 * in front of it said, and the map after it if it is a sparse file.
 */
#ifndef TAR_MEMBER_H
#define TAR_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "block.h"
#include "pax.h"
#include "sparse.h"
#include "tar/walker.h"

struct member {
	struct block block; /* the last header */
	struct buf pax_text;
	struct pax pax; /* points into pax_text */
	struct buf long_name, long_link;
	enum sparse_version sparse;
	struct sparse_map map;
};

/* init makes an empty one, which owns no memory; release frees what it owns. */
void member_init(struct member *member);
void member_release(struct member *member);

/* Forgets what headers in front of an entry said. */
void member_forget(struct member *member);

/* Parses pax_text. -EINVAL. */
int member_parse_pax(struct member *member, struct err *err);

/*
 * `block` is the entry's own header, data what it was parsed from. 1 where
 * another block of a sparse file's map is next, which goes to member_add_map();
 * 0 where the data is; -EINVAL.
 */
int member_begin(struct member *member, const uint8_t *data, struct err *err);
int member_add_map(struct member *member, const uint8_t *data, struct err *err);

/* Whether it is something in the tree, and no note about the archive. */
bool member_is_entry(const struct member *member);

/* Bytes of the body that is next, negative if the headers say so; and whether
 * they are the entry's data. */
int64_t member_body_size(const struct member *member);
bool member_has_data(const struct member *member);

/* -EINVAL if it cannot be, with a valid size of its body. */
int member_check(const struct member *member, struct err *err);

/* The entry of a member that was checked and is one; points into it. The offset
 * is left to the caller. */
struct tar_entry member_entry(const struct member *member);

#endif
