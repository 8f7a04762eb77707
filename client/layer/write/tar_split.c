/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar-split's lines of JSON, tar/storage/entry.go: type 1 is a file, its
 * payload a CRC-64 of its bytes, or null; type 2 are bytes.
 */
#include "tar_split.h"

#include <inttypes.h>
#include <isa-l.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "tar/format.h"
#include "toc_print.h"

enum { NAME_MAX_BYTES = 8 * TAR_NAME_MAX };

struct tar_split {
	struct toc_text *text;
	struct buf line; /* without the bytes, which can be many */
	uint64_t position;
	uint64_t crc; /* of the file whose bytes come */
};

int tar_split_new(struct tar_split **out, struct err *err)
{
	CLEANUP(tar_split_free_p)
	struct tar_split *split = calloc(1, sizeof(*split));
	int r = split ? toc_text_new(&split->text, err) : err_nomem(err);

	if (r < 0)
		return r;
	split->line = BUF_INIT(NAME_MAX_BYTES);
	*out = steal(&split);
	return 0;
}

void tar_split_free(struct tar_split *split)
{
	if (!split)
		return;
	toc_text_free(split->text);
	buf_release(&split->line);
	free(split);
}

static int end_line(struct tar_split *split, struct err *err)
{
	int r = buf_addf(&split->line, err, "\"position\":%" PRIu64 "}\n",
	    split->position++);

	if (r == 0)
		r = toc_text_add(split->text, split->line.data, split->line.len,
		    err);
	buf_reset(&split->line);
	return r;
}

int tar_split_add(struct tar_split *split, const void *data, size_t len,
    struct err *err)
{
	AUTO_FREE char *text =
	    base64_encode("{\"type\":2,\"payload\":\"", data, len);
	int r = text ? toc_text_add(split->text, text, strlen(text), err)
		     : err_nomem(err);

	if (r == 0)
		r = buf_addstr(&split->line, "\",", err);
	return r < 0 ? r : end_line(split, err);
}

void tar_split_sum(struct tar_split *split, const void *data, size_t len)
{
	split->crc = crc64_iso_refl(split->crc, data, len);
}

static int add_crc(struct tar_split *split, struct err *err)
{
	AUTO_FREE char *text = NULL;
	char bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(split->crc >> (56 - 8 * i));
	text = base64_encode("\"", bytes, sizeof(bytes));
	if (!text)
		return err_nomem(err);
	return buf_addf(&split->line, err, "%s\",", text);
}

int tar_split_end_entry(struct tar_split *split, const char *name,
    uint64_t size, struct err *err)
{
	struct buf *line = &split->line;
	int r = buf_addstr(line, "{\"type\":1,\"name\":", err);

	if (r == 0)
		r = toc_print_string(line, name, err);
	if (r == 0)
		r = toc_print_number(line, "size", size, err);
	if (r == 0)
		r = buf_addstr(line, ",\"payload\":", err);
	if (r == 0)
		r = size > 0 ? add_crc(split, err)
			     : buf_addstr(line, "null,", err);
	split->crc = 0;
	return r < 0 ? r : end_line(split, err);
}

int tar_split_end(struct tar_split *split, const struct buf **out,
    uint64_t *size, struct err *err)
{
	return toc_text_end(split->text, out, size, err);
}
