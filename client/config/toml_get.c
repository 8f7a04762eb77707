/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a type. */
#include <errno.h>

#include "toml.h"

static const char *const names[] = {
    [TOML_TABLE] = "a table",
    [TOML_ARRAY] = "an array",
    [TOML_STRING] = "a string",
    [TOML_BOOLEAN] = "true or false",
    [TOML_OTHER] = "a number",
};

/* 1 with the value, 0 where it is missing. */
static int find(const struct toml *table, const char *key, enum toml_type type,
    const struct toml **out, struct err *err)
{
	const struct toml *value = toml_get(table, key);

	if (!value)
		return 0;
	if (value->type != type)
		return toml_refuse(value, err, "\"%s\" is not %s", key,
		    names[type]);
	*out = value;
	return 1;
}

int toml_string(const struct toml *table, const char *key, const char **out,
    struct err *err)
{
	const struct toml *value;
	int r = find(table, key, TOML_STRING, &value, err);

	if (r > 0)
		*out = value->text;
	return r < 0 ? r : 0;
}

int toml_boolean(const struct toml *table, const char *key, bool *out,
    struct err *err)
{
	const struct toml *value;
	int r = find(table, key, TOML_BOOLEAN, &value, err);

	if (r > 0)
		*out = value->truth;
	return r < 0 ? r : 0;
}

int toml_table(const struct toml *table, const char *key,
    const struct toml **out, struct err *err)
{
	int r = find(table, key, TOML_TABLE, out, err);

	return r < 0 ? r : 0;
}

int toml_elements(const struct toml *table, const char *key,
    enum toml_type type, const struct toml **out, struct err *err)
{
	const struct toml *array, *element;
	int r = find(table, key, TOML_ARRAY, &array, err);

	if (r <= 0)
		return r;
	for (element = array->first; element; element = element->next)
		if (element->type != type)
			return toml_refuse(element, err,
			    "what is in \"%s\" is not %s", key, names[type]);
	*out = array->first;
	return 0;
}
