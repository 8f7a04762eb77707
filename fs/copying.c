/* SPDX-License-Identifier: Apache-2.0 */
/* Images that get another name. */
#include "copying.h"

#include <string.h>

#include "image/copy.h"
#include "image/referrers.h"

int copy_image(const struct mount *mount, struct image *image,
    const char *repository, const char *tag, struct err *err)
{
	const struct push_target target = {.images = mount->images,
	    .repository = repository,
	    .tag = tag};
	int r = image_copy(image, &target, err);

	if (r == 0 && mount->referrers &&
	    strcmp(image->repository, repository) != 0)
		r = referrers_copy(image, repository, err);
	return r;
}
