/* SPDX-License-Identifier: Apache-2.0 */
/* Proxies that Docker's files name. */
#include "config/proxies.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/strf.h"
#include "files.h"

/* A setting's name in daemon.json, in config.json, and as a variable. */
static const struct setting {
	const char *daemon, *client, *variable, *upper;
} settings[] = {
    {"http-proxy", "httpProxy", "http_proxy", "HTTP_PROXY"},
    {"https-proxy", "httpsProxy", "https_proxy", "HTTPS_PROXY"},
    {"no-proxy", "noProxy", "no_proxy", "NO_PROXY"},
};

enum { SETTINGS = sizeof(settings) / sizeof(settings[0]) };

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

static bool environment_says(void)
{
	for (size_t i = 0; i < SETTINGS; i++)
		if (is_set(settings[i].variable) || is_set(settings[i].upper))
			return true;
	return is_set("all_proxy") || is_set("ALL_PROXY");
}

/* The object in the file; what is missing or broken names no proxy, and is told
 * by who reads the rest of it. */
static json_t *read_file(const char *path)
{
	AUTO_BUF struct buf text = BUF_INIT(CONFIG_FILE_MAX);

	return file_slurp(path, &text, ERR_IGNORE) == 0
		   ? json_loadb(buf_str(&text), text.len, 0, NULL)
		   : NULL;
}

/* Whether it names one. */
static bool use(const json_t *proxies, bool daemon, const char *path)
{
	bool used = false;

	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *setting = &settings[i];
		const char *value = json_string_value(json_object_get(proxies,
		    daemon ? setting->daemon : setting->client));

		if (value && *value &&
		    setenv(setting->variable, value, true) == 0)
			used = true;
	}
	if (used)
		log_info("proxies are used as %s has them", path);
	return used;
}

static bool use_daemons(void)
{
	json_auto_t *root = read_file(DOCKER_DAEMON);

	return use(json_object_get(root, "proxies"), true, DOCKER_DAEMON);
}

static bool use_clients(void)
{
	const char *directory = getenv("DOCKER_CONFIG");
	AUTO_FREE char *home = file_home();
	AUTO_FREE char *path = directory && *directory
				   ? strf("%s/config.json", directory)
			       : home ? strf("%s/.docker/config.json", home)
				      : NULL;
	json_auto_t *root = path ? read_file(path) : NULL;

	return use(json_object_get(json_object_get(root, "proxies"), "default"),
	    false, path);
}

void proxies_use(void)
{
	if (!environment_says() && !use_daemons())
		use_clients();
}
