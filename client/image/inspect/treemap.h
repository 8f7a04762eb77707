/* SPDX-License-Identifier: Apache-2.0 */
/* Areas as large as what they stand for. */
#ifndef CLIENT_IMAGE_INSPECT_TREEMAP_H
#define CLIENT_IMAGE_INSPECT_TREEMAP_H

#include "analysis.h"
#include "page.h"

/* An SVG with a rectangle for each of the ranking, which are named, and one for
 * the rest: squarified, as by Bruls, Huizing and van Wijk (2000). Nothing where
 * there is nothing. */
void treemap_print(struct html_page *page, const struct ranking *ranking);

#endif
