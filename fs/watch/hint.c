/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of notifications. */
#include "hint.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/reference.h"

struct hints_reading {
	hint_fn *each;
	void *arg;
	unsigned told;
};

static void release_json(json_t **json)
{
	json_decref(*json);
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void tell(struct hints_reading *reading, const char *repository,
    const char *tag)
{
	if (!repository || !repository_valid(repository) ||
	    reading->told >= HINTS_MAX)
		return;
	/* Harbor names a digest there, too. */
	if (tag && !tag_valid(tag, strlen(tag)))
		tag = NULL;
	reading->told++;
	reading->each(reading->arg, repository, tag);
}

/* {"action": …, "target": {"repository": …, "tag": …}} (distribution,
 * notifications.md). What is pushed without a tag is a blob, or part of an
 * image. */
static void read_event(struct hints_reading *reading, const json_t *event)
{
	const json_t *target = json_object_get(event, "target");
	const char *action = text_of(event, "action");

	const char *tag = text_of(target, "tag");

	if (action && ((strcmp(action, "push") == 0 && tag) ||
			  strcmp(action, "delete") == 0))
		tell(reading, text_of(target, "repository"), tag);
}

static void read_distribution(struct hints_reading *reading, const json_t *body)
{
	const json_t *events = json_object_get(body, "events");

	for (size_t i = 0; i < json_array_size(events); i++)
		read_event(reading, json_array_get(events, i));
	read_event(reading, body);
}

/* {"push_data": {"tag": …}, "repository": {"repo_name": …}} (Docker's manual,
 * webhooks). */
static void read_hub(struct hints_reading *reading, const json_t *body)
{
	const json_t *data = json_object_get(body, "push_data");

	if (data)
		tell(reading,
		    text_of(json_object_get(body, "repository"), "repo_name"),
		    text_of(data, "tag"));
}

/* {"resources": [{"tag": …}], "repository": {"repo_full_name": …}}, as
 * "event_data", or "data" of a CloudEvent (Harbor, notifier/model/event.go). */
static void read_harbor(struct hints_reading *reading, const json_t *body)
{
	const json_t *data = json_object_get(body, "event_data");
	const json_t *resources;
	const char *name;

	if (!data)
		data = json_object_get(body, "data");
	resources = json_object_get(data, "resources");
	name = text_of(json_object_get(data, "repository"), "repo_full_name");
	for (size_t i = 0; i < json_array_size(resources); i++)
		tell(reading, name,
		    text_of(json_array_get(resources, i), "tag"));
}

/* {"repository": "a/b", "updated_tags": ["1.0"]}, or an object whose keys are
 * the tags (Quay, notificationevent.py). */
static void read_quay(struct hints_reading *reading, const json_t *body)
{
	const char *repository = text_of(body, "repository");
	json_t *tags = json_object_get(body, "updated_tags");
	const char *tag;
	json_t *value;

	for (size_t i = 0; i < json_array_size(tags); i++)
		tell(reading, repository,
		    json_string_value(json_array_get(tags, i)));
	json_object_foreach(tags, tag, value) tell(reading, repository, tag);
	if (!tags && json_is_string(json_object_get(body, "docker_url")))
		tell(reading, repository, NULL);
}

/* {"registry_package": {"package_version": {"package_url":
 * "ghcr.io/owner/name:tag"}}} (GitHub's manual, events; "package" likewise). */
static void read_ghcr(struct hints_reading *reading, const json_t *body)
{
	const json_t *package = json_object_get(body, "registry_package");
	struct reference reference;
	const char *url;

	if (!package)
		package = json_object_get(body, "package");
	url =
	    text_of(json_object_get(package, "package_version"), "package_url");
	if (url && reference_parse(&reference, url, ERR_IGNORE) == 0 &&
	    strchr(reference.name, '/'))
		tell(reading, strchr(reference.name, '/') + 1, reference.tag);
}

int hints_read(const char *body, size_t len, hint_fn *each, void *arg,
    struct err *err)
{
	struct hints_reading reading = {each, arg, 0};
	json_error_t problem;
	CLEANUP(release_json)
	json_t *json = json_loadb(body, len, 0, &problem);

	if (!json_is_object(json))
		return err_set(err, EINVAL, "a notification is a JSON object");
	read_distribution(&reading, json);
	read_hub(&reading, json);
	read_harbor(&reading, json);
	read_quay(&reading, json);
	read_ghcr(&reading, json);
	return 0;
}
