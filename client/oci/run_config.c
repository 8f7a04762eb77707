/* SPDX-License-Identifier: Apache-2.0 */
/* How a container is run, out of an image's config. */
#include "oci/run_config.h"

#include <stdlib.h>

#include "base/arena.h"
#include "oci/manifest.h"
#include "json/document.h"

struct parsed_run_config {
	struct run_config
	    config; /* first: run_config_free() gets its address */
	struct arena arena;
};

static int add(struct text_list *list, struct arena *arena, const char *text,
    struct err *err)
{
	const char *copy = arena_strdup(arena, text);

	if (!copy)
		return err_nomem(err);
	list->texts[list->count++] = copy;
	return 0;
}

static int reserve(struct text_list *list, struct arena *arena, size_t count,
    struct err *err)
{
	list->texts = arena_array(arena, count + 1, sizeof(*list->texts));
	return list->texts ? 0 : err_nomem(err);
}

/* The strings in an array. */
static int read_list(const json_t *config, const char *name,
    struct arena *arena, struct text_list *out, struct err *err)
{
	const json_t *array = json_object_get(config, name);
	int r = reserve(out, arena, json_array_size(array), err);

	for (size_t i = 0; i < json_array_size(array) && r == 0; i++) {
		const json_t *text = json_array_get(array, i);

		if (json_is_string(text))
			r = add(out, arena, json_string_value(text), err);
	}
	return r;
}

/* The names in an object, and where values is not NULL the strings that they
 * have; a name without one is left out then. */
static int read_object(const json_t *config, const char *name,
    struct arena *arena, struct text_list *names, struct text_list *values,
    struct err *err)
{
	json_t *object = json_object_get(config, name), *value;
	int r = reserve(names, arena, json_object_size(object), err);
	const char *key;

	if (r == 0 && values)
		r = reserve(values, arena, json_object_size(object), err);
	if (r < 0)
		return r;
	json_object_foreach(object, key, value)
	{
		if (values && !json_is_string(value))
			continue;
		r = add(names, arena, key, err);
		if (r == 0 && values)
			r = add(values, arena, json_string_value(value), err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_text(const json_t *config, const char *name,
    struct arena *arena, const char **out, struct err *err)
{
	const char *text = json_string_value(json_object_get(config, name));

	*out = arena_strdup(arena, text ? text : "");
	return *out ? 0 : err_nomem(err);
}

static int read_config(const json_t *config, struct parsed_run_config *parsed,
    struct err *err)
{
	struct run_config *out = &parsed->config;
	struct arena *arena = &parsed->arena;
	int r = read_text(config, "User", arena, &out->user, err);

	if (r == 0)
		r = read_text(config, "WorkingDir", arena, &out->working_dir,
		    err);
	if (r == 0)
		r = read_text(config, "StopSignal", arena, &out->stop_signal,
		    err);
	if (r == 0)
		r = read_list(config, "Entrypoint", arena, &out->entrypoint,
		    err);
	if (r == 0)
		r = read_list(config, "Cmd", arena, &out->command, err);
	if (r == 0)
		r = read_list(config, "Env", arena, &out->environment, err);
	if (r == 0)
		r = read_object(config, "ExposedPorts", arena, &out->ports,
		    NULL, err);
	if (r == 0)
		r = read_object(config, "Volumes", arena, &out->volumes, NULL,
		    err);
	if (r == 0)
		r = read_object(config, "Labels", arena, &out->label_names,
		    &out->label_values, err);
	return r;
}

int run_config_parse(const void *data, size_t len, struct run_config **out,
    struct err *err)
{
	json_auto_t *root = NULL;
	CLEANUP(run_config_free_p) struct run_config *config = NULL;
	struct parsed_run_config *parsed;
	int r =
	    document_read(data, len, CONFIG_MAX_BYTES, JSON_OBJECT, &root, err);

	if (r < 0)
		return r;
	parsed = calloc(1, sizeof(*parsed));
	if (!parsed)
		return err_nomem(err);
	config = &parsed->config;
	r = read_config(json_object_get(root, "config"), parsed, err);
	if (r == 0)
		*out = steal(&config);
	return r;
}

void run_config_free(struct run_config *config)
{
	struct parsed_run_config *parsed = (struct parsed_run_config *)config;

	if (parsed)
		arena_release(&parsed->arena);
	free(parsed);
}
