/* SPDX-License-Identifier: Apache-2.0 */
/* A text as registries.conf, as hosts.toml and as daemon.json: each is refused
 * in a sentence that names the file, or is something that can be looked up. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "fuzz.h"
#include "toml.h"

#define FILE_NAME "/the.file"

static void check_refusal(const struct err *err)
{
	if (err->code != EINVAL ||
	    strncmp(err->msg, FILE_NAME ": ", strlen(FILE_NAME) + 2) != 0)
		abort();
}

static void check_place(const struct rule_place *place)
{
	if (!place->address || !place->path || !place->namespace)
		abort();
}

static void check_containers(const char *text, size_t len)
{
	CLEANUP(rules_release) struct rules rules = {0};
	struct err err = ERR_INIT;

	if (containers_parse(text, len, FILE_NAME, false, &rules, &err) < 0) {
		check_refusal(&err);
		return;
	}
	for (size_t i = 0; i < rules.count; i++) {
		const struct rule *rule = &rules.list[i];

		if (!rule->stays)
			check_place(&rule->place);
		for (size_t j = 0; j < rule->mirror_count; j++)
			check_place(&rule->mirrors[j]);
		if (rule_match(rule->prefix, rule->prefix) > 0 &&
		    !rules_find(&rules, rule->prefix))
			abort();
	}
}

static void check_containerd(const char *text, size_t len)
{
	CLEANUP(rule_release) struct rule rule = {0};
	struct err err = ERR_INIT;

	if (containerd_parse(text, len, FILE_NAME, "r.x", &rule, &err) < 0) {
		check_refusal(&err);
		return;
	}
	check_place(&rule.place);
	for (size_t j = 0; j < rule.mirror_count; j++)
		check_place(&rule.mirrors[j]);
}

static void check_docker(const char *text, size_t len)
{
	CLEANUP(rule_release) struct rule hub = {0};
	CLEANUP(insecure_release) struct insecure insecure = {0};
	struct err err = ERR_INIT;

	if (docker_parse(text, len, FILE_NAME, &hub, &insecure, &err) < 0)
		check_refusal(&err);
	insecure_has(&insecure, "10.0.0.1 r.x\n", "r.x:5000");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *text = malloc(size + 1);

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	check_containers(text, size);
	check_containerd(text, size);
	check_docker(text, size);
	return 0;
}
