/* SPDX-License-Identifier: Apache-2.0 */
/* The page about an image: what it is, and its layers. */
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "oci/config.h"
#include "oci/reference.h"
#include "sizes.h"
#include "steps.h"
#include "treemap.h"

struct report {
	struct html_page page;
	struct image *image;
	struct steps steps;
	struct analysis analysis;
};

static bool is_known(const struct report *report)
{
	return !report->analysis.unknown;
}

static void print_card(struct html_page *page, const char *name,
    const char *text)
{
	page_markupf(page, "<li><b>%s</b>%s</li>\n", text, name);
}

static void print_size_card(struct html_page *page, const char *name,
    uint64_t bytes)
{
	char text[SIZE_TEXT_SIZE];

	size_format(bytes, text);
	print_card(page, name, text);
}

static void print_cards(struct report *report)
{
	struct html_page *page = &report->page;
	struct image_sizes sizes = image_sizes(report->image);
	char text[32];

	page_markup(page, "<ul class=\"cards\">\n");
	print_size_card(page, "stored", sizes.layers);
	print_size_card(page, "unpacked", sizes.unpacked);
	snprintf(text, sizeof(text), "%zu",
	    report->image->manifest->entry_count);
	print_card(page, "layers", text);
	if (is_known(report)) {
		snprintf(text, sizeof(text), "%" PRIu64,
		    report->analysis.files);
		print_card(page, "files", text);
		print_size_card(page, "hidden by upper layers",
		    report->analysis.hidden);
		snprintf(text, sizeof(text), "%.1f %%",
		    100 * analysis_efficiency(&report->analysis));
		print_card(page, "efficiency", text);
	}
	page_markup(page, "</ul>\n");
}

static void print_head(struct report *report, const struct inspection *of,
    const char *reference)
{
	struct html_page *page = &report->page;
	char digest[DIGEST_TEXT_SIZE], created[TIME_TEXT_SIZE];
	const struct config *config = NULL;

	if (page->r == 0)
		page->r = image_config(of->image, &config, page->err);
	page_markup(page, "<h1>");
	page_text(page, reference);
	page_markup(page, "</h1>\n<p class=\"soft\"><code>");
	page_text(page, digest_format(&of->image->digest, digest));
	page_markup(page, "</code>");
	if (config && *config->platform.os) {
		char platform[PLATFORM_TEXT_SIZE];

		platform_format(&config->platform, '/', platform);
		page_markup(page, " · ");
		page_text(page, platform);
	}
	if (config && config->has_created &&
	    time_format(config->created, created, ERR_IGNORE) == 0) {
		page_markup(page, " · created ");
		page_text(page, created);
	}
	page_markup(page, "</p>\n");
	print_cards(report);
	if (!is_known(report))
		page_markupf(page,
		    "<p class=\"note\">%zu of %zu layers have not been read "
		    "yet: what is in them, and what they do to each other, is "
		    "shown once rootfs/ of this image was entered. This page "
		    "reads none.</p>\n",
		    report->analysis.unknown,
		    report->image->manifest->entry_count);
}

static void print_tally(struct report *report, const struct tally *tally)
{
	struct html_page *page = &report->page;

	if (!is_known(report)) {
		page_markup(page, "<td class=\"n\">~</td><td class=\"n\">~</td>"
				  "<td class=\"n\">~</td><td class=\"n\">~"
				  "</td>");
		return;
	}
	page_number_cell(page, tally->added);
	page_number_cell(page, tally->changed);
	page_number_cell(page, tally->removed);
	page_size_cell(page, tally->hidden);
}

static uint64_t largest_layer(const struct image *image)
{
	uint64_t largest = 1;

	for (size_t i = 0; i < image->manifest->entry_count; i++)
		if (image->manifest->entries[i].size > largest)
			largest = image->manifest->entries[i].size;
	return largest;
}

static void print_layer(struct report *report, size_t number,
    const char *command)
{
	const struct image *image = report->image;
	const struct descriptor *layer = &image->manifest->entries[number];
	struct html_page *page = &report->page;
	char digest[DIGEST_TEXT_SIZE];

	page_markup(page, "<tr title=\"");
	page_text(page, digest_format(&layer->digest, digest));
	page_markupf(page, "\"><td class=\"n\">%02zu</td>", number + 1);
	page_size_cell(page, layer->size);
	page_markupf(page,
	    "<td class=\"bars\"><span class=\"bar\" "
	    "style=\"width:%.1f%%\"></span></td>",
	    100 * (double)layer->size / (double)largest_layer(image));
	page_markup(page, "<td class=\"command\">");
	page_text(page, command);
	page_markup(page, "</td>");
	page_size_cell(page, image_layer_unpacked(report->image, number));
	print_tally(report, &report->analysis.layers[number]);
	page_markup(page, "</tr>\n");
}

static void print_step(struct html_page *page, const struct history_step *step,
    const char *mark)
{
	page_markupf(page,
	    "<tr><td class=\"n soft\">%s</td><td colspan=\"2\"></td>"
	    "<td class=\"command soft\">",
	    mark);
	page_text(page, step->command);
	page_markup(page, "</td><td colspan=\"5\"></td></tr>\n");
}

static void print_layers(struct report *report)
{
	const struct history *history = report->steps.history;
	size_t count = report->image->manifest->entry_count;
	struct html_page *page = &report->page;
	int next = 0;

	page_section(page, "Layers");
	page_markup(page,
	    "<div class=\"scroll\"><table>\n"
	    "<tr><th class=\"n\">Layer</th><th class=\"n\">Stored</th><th></th>"
	    "<th>Command</th><th class=\"n\">Unpacked</th>"
	    "<th class=\"n\">Added</th><th class=\"n\">Changed</th>"
	    "<th class=\"n\">Removed</th><th class=\"n\">Hides</th></tr>\n");
	for (size_t i = 0; i < history->count; i++) {
		const struct history_step *step = &history->steps[i];
		int layer = steps_layer(&report->steps, step, &next);

		if (layer == NO_LAYER)
			print_step(page, step, step->is_empty ? "–" : "?");
		else
			print_layer(report, (size_t)layer, step->command);
	}
	for (size_t i = 0; i < count && !report->steps.are_paired; i++)
		print_layer(report, i, "");
	page_markup(page, "</table></div>\n");
	if (!report->steps.are_paired && history->count)
		page_markup(page,
		    "<p class=\"note\">The history does not have as many steps "
		    "with a layer as there are layers: nobody can say which "
		    "made which.</p>\n");
}

static void print_contents(struct report *report)
{
	struct html_page *page = &report->page;

	if (!is_known(report))
		return;
	if (report->analysis.directories.count) {
		page_section(page, "Where the bytes are");
		treemap_print(page, &report->analysis.directories);
	}
	report_ranking(page, "Largest files", &report->analysis.largest);
	report_ranking(page, "Hidden by upper layers",
	    &report->analysis.wasted);
}

static void report_release(struct report *report)
{
	steps_release(&report->steps);
	analysis_release(&report->analysis);
}

/* What is damaged is like what is not there: it is made again when it is
 * used. */
static int analyse(struct report *report, struct err *err)
{
	int r = analysis_of(report->image, &report->analysis, err);

	if (r != -EUCLEAN)
		return r;
	report->analysis.unknown = report->image->manifest->entry_count;
	return 0;
}

int inspect_report(const struct inspection *of, struct buf *out,
    struct err *err)
{
	CLEANUP(report_release)
	struct report report = {.page = {out, err, 0}, .image = of->image};
	struct html_page *page = &report.page;
	char text[REFERENCE_TEXT_SIZE];
	struct reference reference;
	int r = image_reference(of->top, of->tag, &reference, err);

	if (r == 0)
		r = steps_read(of->image, &report.steps, err);
	if (r == 0)
		r = analyse(&report, err);
	if (r < 0)
		return r;
	reference_format(&reference, text);
	page_begin(page, text);
	print_head(&report, of, text);
	print_layers(&report);
	print_contents(&report);
	report_run_config(page, of->image);
	report_platforms(page, of->top);
	report_referrers(page, of->top);
	page_end(page);
	return page->r;
}
