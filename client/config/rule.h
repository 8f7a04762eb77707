/* SPDX-License-Identifier: Apache-2.0 */
/* What the files come to: rules for repositories whose names begin with a
 * prefix, whichever of the tools they are written for. */
#ifndef CLIENT_CONFIG_RULE_H
#define CLIENT_CONFIG_RULE_H

#include "base/map.h"
#include "config/registries.h"

/* Where a prefix leads to. */
struct rule_place {
	char *address;   /* of a registry, as in struct endpoint */
	char *path;      /* likewise */
	char *namespace; /* in it, or "" */
	struct endpoint_trust trust;
	bool by_tag, by_digest;
};

struct rule {
	char
	    *prefix; /* "host", "host/name", "*.example.com", "host/name:tag" */
	char *file;  /* that has it */
	bool blocked;
	bool stays;              /* what matches is read where it is named */
	struct rule_place place; /* else there; the trust is of both */
	struct rule_place *mirrors;
	size_t mirror_count;
};

struct rules {
	struct rule *list;
	size_t count;
	/* Short names → what they stand for, owned; "": for nothing. */
	struct map aliases;
};

/* Insecure registries of Docker's: a host, or addresses. */
struct insecure {
	char **entries; /* NULL-ended; NULL: none */
};

/* A place "HOST[:PORT][/NAMESPACE]". -EINVAL with what is wrong. */
int place_parse(struct rule_place *place, const char *text, struct err *err);
void place_release(struct rule_place *place);

/* Takes the rule, in the place of one with the same prefix if there is one. */
int rules_put(struct rules *rules, struct rule *rule, struct err *err);
/* One more mirror, which is taken. */
int rule_add_mirror(struct rule *rule, struct rule_place *place,
    struct err *err);
void rule_release(struct rule *rule);
void rules_release(struct rules *rules);

/* Whether a prefix is for the name "host/repository[:tag|@digest]", and how
 * long it is: 0 where it is not. */
size_t rule_match(const char *prefix, const char *name);

/* The rule of the longest prefix, or NULL. */
const struct rule *rules_find(const struct rules *rules, const char *name);

/* The same strings and one more, a copy; NULL when out of memory, where the
 * strings are as they were. They are NULL-ended, or NULL. */
char **strings_add(char **strings, const char *text);
void strings_free(char **strings);

#endif
