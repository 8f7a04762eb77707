/* SPDX-License-Identifier: Apache-2.0 */
/* The writer of JSON. */
#include "base/json.h"

#include "base/escape.h"

static void add(struct json *json, const char *text)
{
	if (json->r == 0)
		json->r = buf_addstr(json->out, text, json->err);
}

static void add_line(struct json *json)
{
	if (json->pretty && json->r == 0)
		json->r = buf_addf(json->out, json->err, "\n%*s",
		    (int)json->depth * 2, "");
}

/* What stands before a value. */
static void begin(struct json *json, const char *name)
{
	if (json->follows)
		add(json, ",");
	if (json->depth)
		add_line(json);
	json->follows = true;
	if (name && json->r == 0)
		json->r = buf_addf(json->out, json->err, "\"%s\":%s", name,
		    json->pretty ? " " : "");
}

void json_open(struct json *json, const char *name, char bracket)
{
	const char text[] = {bracket, '\0'};

	begin(json, name);
	add(json, text);
	json->depth++;
	json->follows = false;
}

void json_close(struct json *json, char bracket)
{
	const char text[] = {bracket, '\0'};

	json->depth--;
	if (json->follows)
		add_line(json);
	add(json, text);
	if (!json->depth)
		add(json, "\n");
	json->follows = true;
}

void json_null(struct json *json, const char *name)
{
	begin(json, name);
	add(json, "null");
}

void json_text(struct json *json, const char *name, const char *text)
{
	if (!text) {
		json_null(json, name);
		return;
	}
	begin(json, name);
	if (json->r == 0)
		json->r = escape_json(json->out, text, json->err);
}

void json_count(struct json *json, const char *name, uint64_t count)
{
	if (count == UINT64_MAX) {
		json_null(json, name);
		return;
	}
	begin(json, name);
	if (json->r == 0)
		json->r = buf_addf(json->out, json->err, "%llu",
		    (unsigned long long)count);
}

void json_seconds(struct json *json, const char *name, double seconds)
{
	begin(json, name);
	if (json->r == 0)
		json->r = buf_addf(json->out, json->err, "%.3f", seconds);
}

void json_bool(struct json *json, const char *name, bool value)
{
	begin(json, name);
	add(json, value ? "true" : "false");
}

void json_time(struct json *json, const char *name, time_t time)
{
	char text[32];
	struct tm tm;

	if (!time || !gmtime_r(&time, &tm)) {
		json_null(json, name);
		return;
	}
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_text(json, name, text);
}
