/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of the page about an image that are tables of what is known. */
#ifndef CLIENT_IMAGE_INSPECT_REPORT_H
#define CLIENT_IMAGE_INSPECT_REPORT_H

#include "analysis.h"
#include "image/inspect.h"
#include "page.h"

/* Each with its heading, or nothing where there is nothing to be shown. */
void report_ranking(struct html_page *page, const char *title,
    const struct ranking *ranking);
void report_platforms(struct html_page *page, const struct image *top);
/* Asks the source; where that fails the page says why. */
void report_referrers(struct html_page *page, struct image *top);
/* How a container is run, and the labels. */
void report_run_config(struct html_page *page, struct image *image);

#endif
