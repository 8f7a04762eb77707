/* SPDX-License-Identifier: Apache-2.0 */
/* Configs: what was parsed can be printed, and is the same parsed again. */
#include <stdlib.h>

#include "fuzz.h"
#include "oci/config.h"
#include "oci/manifest.h"

static void check_again(const struct config *config)
{
	CLEANUP(config_free_p) struct config *again = NULL;
	AUTO_BUF struct buf out = BUF_INIT(CONFIG_MAX_BYTES);
	struct err err = ERR_INIT;

	if (config_print(&out, &config->platform, config->created,
		config->diff_ids, config->diff_id_count, "", &err) < 0 ||
	    config_parse(out.data, out.len, &again, &err) < 0)
		abort();
	if (!again->has_created || again->created != config->created ||
	    again->diff_id_count != config->diff_id_count)
		abort();
	for (size_t i = 0; i < config->diff_id_count; i++)
		if (!digest_equal(&again->diff_ids[i], &config->diff_ids[i]))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(config_free_p) struct config *config = NULL;
	struct err err = ERR_INIT;

	if (config_parse(data, size, &config, &err) == 0)
		check_again(config);
	else if (config || !err.code || !err.msg[0])
		abort();
	return 0;
}
