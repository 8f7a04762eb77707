/* SPDX-License-Identifier: Apache-2.0 */
/* Squarified treemaps. */
#include "treemap.h"

#include <stdbool.h>

enum {
	WIDTH = 960,
	HEIGHT = 360,
	LABEL_WIDTH = 46, /* the least that a name is written in */
	LABEL_HEIGHT = 18,
};

struct box {
	double x, y, width, height;
};

struct treemap {
	struct html_page *page;
	const struct ranking *ranking;
	size_t count; /* with the rest, which is the last */
	double scale; /* of area a byte */
};

static bool is_rest(const struct treemap *map, size_t i)
{
	return i == map->ranking->count;
}

static double area_of(const struct treemap *map, size_t i)
{
	return map->scale * (double)(is_rest(map, i)
					 ? map->ranking->rest
					 : map->ranking->list[i].bytes);
}

/* How far from a square the worst of a row is that has that area in all, beside
 * a side of that length. */
static double worst(double least, double most, double sum, double side)
{
	double thick = sum / side;
	double of_most = most / thick / thick, of_least = thick * thick / least;

	return of_most > of_least ? of_most : of_least;
}

/* How many from the first on make the best row along that side; *sum: their
 * area. */
static size_t choose_row(const struct treemap *map, size_t first, double side,
    double *sum)
{
	double least = area_of(map, first), most = least, best;
	size_t n = 1;

	*sum = least;
	best = worst(least, most, *sum, side);
	for (; first + n < map->count; n++) {
		double next = area_of(map, first + n), now;

		least = next < least ? next : least;
		most = next > most ? next : most;
		now = worst(least, most, *sum + next, side);
		if (now > best)
			break;
		best = now;
		*sum += next;
	}
	return n;
}

static void print_name(const struct treemap *map, size_t i)
{
	const char *path = is_rest(map, i) ? "" : map->ranking->list[i].path;

	page_markup(map->page, *path ? "/" : "");
	page_text(map->page, is_rest(map, i) ? "all others"
			     : *path         ? path
					     : "/");
}

/* What is in one directory of the root has one hue. */
static unsigned hue_of(const char *path)
{
	unsigned hash = 2166136261u; /* FNV-1a */

	for (; *path && *path != '/'; path++)
		hash = (hash ^ (unsigned char)*path) * 16777619u;
	return hash % 360;
}

static void print_box(const struct treemap *map, size_t i,
    const struct box *box)
{
	struct html_page *page = map->page;

	page_markupf(page,
	    "<svg x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">"
	    "<title>",
	    box->x, box->y, box->width, box->height);
	print_name(map, i);
	page_markup(page, ": ");
	page_size(page,
	    is_rest(map, i) ? map->ranking->rest : map->ranking->list[i].bytes);
	page_markup(page, "</title><rect width=\"100%\" height=\"100%\"");
	if (!is_rest(map, i))
		page_markupf(page, " style=\"fill:hsl(%u,45%%,40%%)\"",
		    hue_of(map->ranking->list[i].path));
	page_markup(page, "/>");
	if (box->width >= LABEL_WIDTH && box->height >= LABEL_HEIGHT) {
		page_markup(page, "<text x=\"6\" y=\"15\">");
		print_name(map, i);
		page_markup(page, "</text>");
	}
	page_markup(page, "</svg>\n");
}

/* Takes the row from the box. */
static void print_row(const struct treemap *map, size_t first, size_t n,
    double sum, struct box *left)
{
	bool is_column = left->width >= left->height;
	double thick = sum / (is_column ? left->height : left->width);
	struct box box = *left;

	for (size_t i = first; i < first + n; i++) {
		double length = area_of(map, i) / thick;

		box.width = is_column ? thick : length;
		box.height = is_column ? length : thick;
		print_box(map, i, &box);
		box.x += is_column ? 0 : length;
		box.y += is_column ? length : 0;
	}
	left->x += is_column ? thick : 0;
	left->width -= is_column ? thick : 0;
	left->y += is_column ? 0 : thick;
	left->height -= is_column ? 0 : thick;
}

void treemap_print(struct html_page *page, const struct ranking *ranking)
{
	struct treemap map = {page, ranking,
	    ranking->count + (ranking->rest > 0), 0};
	struct box left = {0, 0, WIDTH, HEIGHT};
	double total = (double)ranking->rest;
	size_t n;

	for (size_t i = 0; i < ranking->count; i++)
		total += (double)ranking->list[i].bytes;
	if (total <= 0)
		return;
	map.scale = WIDTH * HEIGHT / total;
	page_markupf(page, "<svg viewBox=\"0 0 %d %d\" role=\"img\">\n", WIDTH,
	    HEIGHT);
	for (size_t i = 0; i < map.count; i += n) {
		double sum;

		n = choose_row(&map, i,
		    left.width < left.height ? left.width : left.height, &sum);
		print_row(&map, i, n, sum, &left);
	}
	page_markup(page, "</svg>\n");
}
