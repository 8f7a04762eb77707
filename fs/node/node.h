/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes: what the kernel knows by a number.
 *
 * A node has a key, a text that says what it is: "blob:sha256:…" for content,
 * the path for a directory. Its inode number is a hash of the key, so the same
 * blob has the same number whichever tag, repository or mount leads to it, and
 * the kernel keeps its pages once. Directories have one key a path, because a
 * directory can have only one name. Keys are made of what is immutable: where a
 * tag moves, the nodes below it get other keys and so other numbers.
 *
 * The number's top bit is set: those without it are of files in layers, which
 * are located by their number alone (place.h).
 *
 * A node lives while the kernel has looked it up more often than it has
 * forgotten it, or somebody here holds it.
 */
#ifndef FS_NODE_H
#define FS_NODE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct mount;
struct mount_source;
struct place;
struct view_ops;
struct written_dir;

enum { NODE_ROOT = 1 };

/* What a node stands for. */
enum node_kind {
	NODE_HOSTS,    /* the mount point above several sources */
	NODE_REPO,     /* a namespace, a repository, or both */
	NODE_IMAGE,    /* the directory of an image */
	NODE_DOCUMENT, /* a file of it, or its archive, that can be written */
	NODE_MANIFEST,
	NODE_BLOB,
	NODE_ARCHIVE, /* an image as one file */
	NODE_LAYERS,
	NODE_FILES, /* of an artifact */
	NODE_PLATFORMS,
	NODE_REFERRERS,
	NODE_TREE,       /* a directory of a root file system or of a layer */
	NODE_LAYER_FILE, /* what is no directory there */
	NODE_WRITTEN,    /* a file that is being written */
	NODE_LINK,
	NODE_SCRATCH, /* a directory on the local disk */
	NODE_SCRATCH_FILE,
	NODE_CONTROL, /* .registryfs */
	NODE_SNAPSHOT,
	NODE_LISTING, /* a text as long as a tree is large */
	NODE_EVENTS,
	NODE_SEARCH, /* .registryfs/search, and what is found by words */
	NODE_KINDS,
};

struct node {
	uint64_t ino;
	enum node_kind kind;
	const struct view_ops *view; /* of its kind */
	struct mount *mount;
	_Atomic(struct mount_source *) source; /* that it is of */
	_Atomic(char *) key; /* NULL: it is located by its number */
	struct place *place; /* then that is where */
	/* The directory that it is in, held; NULL: the root, repositories,
	 * which are known by their name, contents, which are wherever they are
	 * read, and what is written, whose names are elsewhere. Under the
	 * table's lock. */
	struct node *parent;
	/* Its name in there; NULL without a parent. That of a blob is another
	 * one in other directories: under the table's lock. */
	_Atomic(char *) name;
	/* The files that are written in it (upload/written_dir.h), or NULL. */
	struct written_dir *written;
	double names_ttl; /* how long the kernel may keep its entries' names */
	double attr_ttl;  /* and its attributes */
	atomic_bool undated; /* its time could not be read: the attributes are
			      * for now only */
	uint64_t lookups;    /* the kernel's; under the table's lock */
	uint64_t holds;      /* ours; under the table's lock */
	struct node *next;   /* in its bucket; under the table's lock */
	bool rekeyed;        /* under the table's lock */
	struct node *next_rekeyed; /* likewise */
};

struct node_table;

/* The nodes of a mount. NULL: out of memory, err filled. */
struct node_table *node_table_new(struct err *err);

/* Frees the table and all its nodes, also those that the kernel never gave back
 * and those that are held. */
void node_table_free(struct node_table *table);

/*
 * Makes node (allocated with malloc() by its view, filled by node_init() or
 * node_init_in(), which may have been out of memory) the one of its key, or, if
 * there already is one, frees it with its view's free() and returns the other.
 * Held; to be given back with node_put(). Takes node, also on failure, which is
 * NULL.
 */
struct node *node_add(struct node_table *table, struct node *node,
    struct err *err);

/* What a node is called; others may be reading what it was called as long as it
 * lives. */
struct node_names {
	char *key, *name;
};

/*
 * Gives a node of the table another directory, and other names (taken), as a
 * rename does; its number stays. Who asks for the node of the old key then gets
 * another one, and who asks for that of the new key this one. Returns the old
 * names.
 */
struct node_names node_move(struct node *node, struct node *parent,
    struct node_names names);

/* Like node_add(), as the root. */
struct node *node_add_root(struct node_table *table, struct node *node,
    struct err *err);

/* One that is in no table: *out is the caller's, or -ENOMEM where it has no
 * key. */
int node_made(struct node *node, struct node **out, struct err *err);

/* Frees one that was never added; NULL does nothing. */
void node_discard(struct node *node);

/* The node of a number that the kernel has looked up. Held; NULL: none. */
struct node *node_find(struct node_table *table, uint64_t ino);

/* Whether a number is that of a file in a layer. */
bool node_is_located(uint64_t ino);

/* From any thread. What is held stays until it is put, by which it may be
 * freed; node_put(NULL) does nothing. */
struct node *node_hold(struct node *node);
void node_put(struct node *node);

DEFINE_CLEANUP(struct node *, node_put);

/* The kernel was told about it once more; it has forgotten it n times. */
void node_looked_up(struct node *node);
void node_forget(struct node_table *table, uint64_t ino, uint64_t n);

/* Whether a node of the table is in a directory itself, and whether it is below
 * it. */
bool node_is_in(const struct node *node, const struct node *dir);
bool node_is_below(const struct node *node, const struct node *dir);

/* The directory that a node of the table is in; held, or NULL. */
struct node *node_parent(const struct node *node);

/* The same, and a new string: its name in there, NULL where it has none or out
 * of memory. */
struct node *node_parent_and_name(const struct node *node, char **name);

/* How many of the directories that lead to a node, and itself, are of a kind.
 */
unsigned node_nesting(const struct node *node, enum node_kind kind);

/* The number that a node of this kind and key (usually) has. */
uint64_t node_number(enum node_kind kind, const char *key);

#endif
