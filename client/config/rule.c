/* SPDX-License-Identifier: Apache-2.0 */
/* Rules, and which of them is for a name. */
#include "rule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

char **strings_add(char **strings, const char *text)
{
	size_t count = 0;
	char **more, *copy = strdup(text);

	while (strings && strings[count])
		count++;
	more = copy ? reallocarray(strings, count + 2, sizeof(*strings)) : NULL;
	if (!more) {
		free(copy);
		return NULL;
	}
	more[count] = copy;
	more[count + 1] = NULL;
	return more;
}

void strings_free(char **strings)
{
	for (char **text = strings; text && *text; text++)
		free(*text);
	free(strings);
}

int place_parse(struct rule_place *place, const char *text, struct err *err)
{
	size_t len = strlen(text), host;

	while (len > 0 && text[len - 1] == '/')
		len--;
	if (len == 0)
		return err_set(err, EINVAL, "it is empty");
	if (strstr(text, "://"))
		return err_set(err, EINVAL,
		    "it has a scheme, which does not belong there");
	host = strcspn(text, "/");
	host = host < len ? host : len;
	if (host == 0)
		return err_set(err, EINVAL, "it has no host");
	place->address = strndup(text, host);
	place->namespace =
	    host < len ? strndup(text + host + 1, len - host - 1) : strdup("");
	place->path = strdup("");
	return place->address && place->namespace && place->path
		   ? 0
		   : err_nomem(err);
}

void place_release(struct rule_place *place)
{
	free(place->address);
	free(place->path);
	free(place->namespace);
	strings_free(place->trust.ca_files);
	free(place->trust.cert_file);
	free(place->trust.key_file);
	*place = (struct rule_place){0};
}

void rule_release(struct rule *rule)
{
	for (size_t i = 0; i < rule->mirror_count; i++)
		place_release(&rule->mirrors[i]);
	free(rule->mirrors);
	place_release(&rule->place);
	free(rule->prefix);
	free(rule->file);
	*rule = (struct rule){0};
}

int rule_add_mirror(struct rule *rule, struct rule_place *place,
    struct err *err)
{
	struct rule_place *more =
	    reallocarray(rule->mirrors, rule->mirror_count + 1, sizeof(*more));

	if (!more)
		return err_nomem(err);
	rule->mirrors = more;
	rule->mirrors[rule->mirror_count++] = *place;
	*place = (struct rule_place){0};
	return 0;
}

int rules_put(struct rules *rules, struct rule *rule, struct err *err)
{
	struct rule *more;

	for (size_t i = 0; i < rules->count; i++) {
		struct rule *there = &rules->list[i];

		if (strcmp(there->prefix, rule->prefix) != 0)
			continue;
		rule_release(there);
		*there = *rule;
		*rule = (struct rule){0};
		return 0;
	}
	more = reallocarray(rules->list, rules->count + 1, sizeof(*more));
	if (!more)
		return err_nomem(err);
	rules->list = more;
	rules->list[rules->count++] = *rule;
	*rule = (struct rule){0};
	return 0;
}

void rules_release(struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		rule_release(&rules->list[i]);
	free(rules->list);
	map_foreach (&rules->aliases, slot)
		free(slot->value);
	map_release(&rules->aliases);
	*rules = (struct rules){0};
}

/* "*.example.com" is for all hosts below example.com, whatever their port. */
static size_t match_wildcard(const char *prefix, const char *name)
{
	const char *domain = prefix + 1; /* ".example.com" */
	size_t len = strlen(domain), host = strcspn(name, ":/@");

	if (host <= len || strncmp(name + host - len, domain, len) != 0)
		return 0;
	return len + 1;
}

size_t rule_match(const char *prefix, const char *name)
{
	size_t len = strlen(prefix);

	if (strncmp(prefix, "*.", 2) == 0)
		return match_wildcard(prefix, name);
	if (strncmp(prefix, name, len) != 0)
		return 0;
	/* A port belongs to the host. */
	if (name[len] == ':' && !memchr(prefix, '/', len))
		return 0;
	return name[len] == '\0' || strchr("/:@", name[len]) ? len : 0;
}

const struct rule *rules_find(const struct rules *rules, const char *name)
{
	const struct rule *best = NULL;
	size_t best_len = 0;

	for (size_t i = 0; i < rules->count; i++) {
		size_t len = rule_match(rules->list[i].prefix, name);

		if (len > best_len) {
			best = &rules->list[i];
			best_len = len;
		}
	}
	return best;
}
