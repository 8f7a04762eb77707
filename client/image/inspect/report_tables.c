/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of the page about an image. */
#include "report.h"

#include <string.h>

#include "image/referrers.h"
#include "oci/artifact.h"
#include "oci/run_config.h"

static void begin_table(struct html_page *page, const char *title,
    const char *names)
{
	page_section(page, title);
	page_markupf(page, "<div class=\"scroll\"><table>\n<tr>%s</tr>\n",
	    names);
}

static void end_table(struct html_page *page)
{
	page_markup(page, "</table></div>\n");
}

void report_ranking(struct html_page *page, const char *title,
    const struct ranking *ranking)
{
	enum { SHOWN = 20 };

	if (!ranking->count)
		return;
	begin_table(page, title, "<th class=\"n\">Size</th><th>Path</th>");
	for (size_t i = 0; i < ranking->count && i < SHOWN; i++) {
		page_markup(page, "<tr>");
		page_size_cell(page, ranking->list[i].bytes);
		page_markup(page, "<td class=\"path\">/");
		page_text(page, ranking->list[i].path);
		page_markup(page, "</td></tr>\n");
	}
	end_table(page);
}

static void print_digest_cells(struct html_page *page,
    const struct descriptor *descriptor)
{
	char digest[DIGEST_TEXT_SIZE];

	page_size_cell(page, descriptor->size);
	page_markup(page, "<td><code>");
	page_text(page, digest_format(&descriptor->digest, digest));
	page_markup(page, "</code></td></tr>\n");
}

void report_platforms(struct html_page *page, const struct image *top)
{
	if (top->manifest->kind != MANIFEST_INDEX)
		return;
	begin_table(page, "Platforms",
	    "<th>Platform</th><th class=\"n\">Manifest</th><th>Digest</th>");
	for (size_t i = 0; i < top->manifest->entry_count; i++) {
		const struct descriptor *entry = &top->manifest->entries[i];
		char platform[PLATFORM_TEXT_SIZE] = "";

		if (*entry->platform.os)
			platform_format(&entry->platform, '/', platform);
		page_markup(page, "<tr><td>");
		page_text(page, descriptor_is_attestation(entry) ? "attestation"
				: *platform                      ? platform
								 : "not said");
		page_markup(page, "</td>");
		print_digest_cells(page, entry);
	}
	end_table(page);
}

void report_referrers(struct html_page *page, struct image *top)
{
	CLEANUP(referrers_put_p) struct referrers *referrers = NULL;
	struct err err = ERR_INIT;

	if (referrers_list(top, &referrers, &err) < 0) {
		page_section(page, "Referrers");
		page_markup(page, "<p class=\"note\">What refers to the image "
				  "is not known: ");
		page_text(page, err.msg);
		page_markup(page, "</p>\n");
		return;
	}
	if (!referrers->count)
		return;
	begin_table(page, "Referrers",
	    "<th>Type</th><th class=\"n\">Manifest</th><th>Digest</th>");
	for (size_t i = 0; i < referrers->count; i++) {
		const struct descriptor *entry = &referrers->entries[i];

		page_markup(page, "<tr><td>");
		page_text(page,
		    entry->artifact_type ? entry->artifact_type : "not said");
		page_markup(page, "</td>");
		print_digest_cells(page, entry);
	}
	end_table(page);
}

static void print_row(struct html_page *page, const char *name,
    const char *value)
{
	page_markup(page, "<tr><th>");
	page_text(page, name);
	page_markup(page, "</th><td class=\"command\">");
	page_text(page, value);
	page_markup(page, "</td></tr>\n");
}

static void print_text(struct html_page *page, const char *name,
    const char *value)
{
	if (*value)
		print_row(page, name, value);
}

/* Each on a line of its own: a space in one is then told from one between
 * two. */
static void print_list(struct html_page *page, const char *name,
    const struct text_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		print_row(page, i ? "" : name, list->texts[i]);
}

void report_run_config(struct html_page *page, struct image *image)
{
	AUTO_BUF struct buf bytes = BUF_INIT(CONFIG_MAX_BYTES);
	CLEANUP(run_config_free_p) struct run_config *config = NULL;

	if (page->r == 0)
		page->r = image_config_bytes(image, &bytes, page->err);
	if (page->r == 0)
		page->r =
		    run_config_parse(bytes.data, bytes.len, &config, page->err);
	if (page->r < 0)
		return;
	begin_table(page, "How it is run", "");
	print_list(page, "Entrypoint", &config->entrypoint);
	print_list(page, "Command", &config->command);
	print_text(page, "User", config->user);
	print_text(page, "Working directory", config->working_dir);
	print_text(page, "Stop signal", config->stop_signal);
	print_list(page, "Ports", &config->ports);
	print_list(page, "Volumes", &config->volumes);
	print_list(page, "Environment", &config->environment);
	end_table(page);
	if (!config->label_names.count)
		return;
	begin_table(page, "Labels", "");
	for (size_t i = 0; i < config->label_names.count; i++)
		print_row(page, config->label_names.texts[i],
		    config->label_values.texts[i]);
	end_table(page);
}
