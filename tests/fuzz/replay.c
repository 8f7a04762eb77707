/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds the files of the directories that are its arguments to a fuzz entry. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/strf.h"
#include "fuzz.h"

enum { CASE_MAX_BYTES = 1 << 24 };

static int replay_file(const char *path, struct err *err)
{
	AUTO_BUF struct buf content = BUF_INIT(CASE_MAX_BYTES);
	AUTO_FREE uint8_t *data = NULL;
	int r = file_slurp(path, &content, err);

	if (r < 0)
		return r;
	/* To the byte, so that a sanitizer sees who reads past it. */
	data = malloc(content.len ? content.len : 1);
	if (!data)
		return err_nomem(err);
	if (content.len)
		memcpy(data, content.data, content.len);
	LLVMFuzzerTestOneInput(data, content.len);
	return 0;
}

static void cleanup_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* How many files there were. */
static int replay_directory(const char *path, struct err *err)
{
	CLEANUP(cleanup_dir) DIR *dir = opendir(path);
	struct dirent *entry;
	int files = 0;

	if (!dir)
		return err_sys(err, "open %s", path);
	while ((entry = readdir(dir))) {
		AUTO_FREE char *file = NULL;

		if (entry->d_name[0] == '.')
			continue;
		file = strf("%s/%s", path, entry->d_name);
		if (!file)
			return err_nomem(err);
		if (replay_file(file, err) < 0)
			return err_wrap(err, "%s", file);
		files++;
	}
	return files;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct err err = ERR_INIT;
		int files = replay_directory(argv[i], &err);

		if (files <= 0) {
			fprintf(stderr, "replay: %s: %s\n", argv[i],
			    files < 0 ? err.msg : "no cases");
			return 1;
		}
		printf("%s: %d cases\n", argv[i], files);
	}
	return argc > 1 ? 0 : 2;
}
