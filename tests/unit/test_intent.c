/* SPDX-License-Identifier: Apache-2.0 */
/* What a written file becomes: every kind of directory, every kind of name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "grammar/image_parts.h"
#include "grammar/intent.h"

static const struct write_place top = {WRITE_IN_REPOSITORY, "", NULL, NULL,
    false};
static const struct write_place app = {WRITE_IN_REPOSITORY, "app", NULL, NULL,
    false};
/* The directory of a tag's mirror, which no repository's name is. */
static const struct write_place odd = {WRITE_IN_REPOSITORY, "app/1.0-", NULL,
    NULL, false};
static const struct write_place mirror = {WRITE_IN_MIRROR, "app/:1.0", "1.0",
    NULL, false};
static const struct write_place image = {WRITE_IN_IMAGE, "app", "1.0", NULL,
    false};
static const struct write_place fixed = {WRITE_IN_IMAGE, "app", NULL, NULL,
    false};
static const struct write_place layers = {WRITE_IN_LAYERS, "app", "1.0", NULL,
    false};
static const struct write_place fixed_layers = {WRITE_IN_LAYERS, "app", NULL,
    NULL, false};
static const struct write_place platforms = {WRITE_IN_PLATFORMS, "app", "1.0",
    NULL, false};
static const struct write_place referrers = {WRITE_IN_REFERRERS, "app", NULL,
    "sha256:12", false};
static const struct write_place team = {WRITE_IN_REPOSITORY, "team", NULL, NULL,
    true};

#define NOTHING WRITE_NOTHING, NULL, NULL, NULL
#define REFUSED WRITE_EFFECTS, NULL, NULL, NULL

static const struct {
	const struct write_place *place;
	const char *name;
	enum write_effect effect; /* WRITE_EFFECTS: -EPERM */
	const char *repository, *tag, *detail;
} cases[] = {
    /* A tag, with and without an archive's ending. */
    {&app, "1.0", WRITE_ARCHIVE, "app", "1.0", NULL},
    {&app, "1.0.tar", WRITE_ARCHIVE, "app", "1.0", NULL},
    {&app, "1.0.tar.gz", WRITE_ARCHIVE, "app", "1.0", NULL},
    {&app, "1.0.txz", WRITE_ARCHIVE, "app", "1.0", NULL},
    {&app, "manifest.json", WRITE_ARCHIVE, "app", "manifest.json", NULL},
    {&app, ":2.0.tar", WRITE_ARCHIVE, "app", "2.0", NULL},
    {&app, "web:2.0.tar", WRITE_ARCHIVE, "app/web", "2.0", NULL},
    {&top, "web:2.0", WRITE_ARCHIVE, "web", "2.0", NULL},
    /* Several images, each with a name of its own. */
    {&top, "bundle.tar", WRITE_BUNDLE, "", NULL, NULL},
    {&top, "bundle.tar.gz", WRITE_BUNDLE, "", NULL, NULL},
    {&top, "bundle", REFUSED},
    {&top, ".bundle.tar", REFUSED},
    {&team, "bundle.tar", WRITE_BUNDLE, "team", "bundle", NULL},
    {&team, "app:1.0.tar", WRITE_ARCHIVE, "team/app", "1.0", NULL},
    {&team, ".bundle.tar", NOTHING},
    /* What can be no tag. */
    {&app, ".1.0.tar.Xy12", NOTHING},
    {&app, "1.0~", NOTHING},
    {&app, "Foo bar", NOTHING},
    {&app, ".tar", NOTHING},
    {&app,
	"@sha256:"
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	NOTHING},
    /* An image needs a repository, and that a name. */
    {&top, "1.0", REFUSED},
    {&top, ".note", REFUSED},
    {&odd, "1.0.tar", REFUSED},
    {&mirror, "image.tar", WRITE_MIRROR, "app", "1.0", "app/:1.0"},
    {&mirror, "manifest.json", WRITE_MIRROR_PART, "app", "1.0", "app/:1.0"},
    {&mirror, "config.json", WRITE_MIRROR_PART, "app", "1.0", "app/:1.0"},
    /* A part, an archive by its name, and what is one by its content. */
    {&image, "manifest.json", WRITE_MANIFEST, "app", "1.0", NULL},
    {&image, "config.json", WRITE_CONFIG, "app", "1.0", NULL},
    {&image, "index.json", WRITE_INDEX, "app", "1.0", NULL},
    {&image, "image.tar", WRITE_ARCHIVE, "app", "1.0", NULL},
    {&image, "other.tar", WRITE_ARCHIVE, "app", "1.0", NULL},
    {&image, ".other.tar", WRITE_ARCHIVE, "app", "1.0", NULL},
    {&image, "other", WRITE_NOTHING, "app", "1.0", NULL},
    {&image, ".other", WRITE_NOTHING, "app", "1.0", NULL},
    /* The name of a directory is no file's. */
    {&image, "layers", REFUSED},
    {&image, "files", REFUSED},
    {&fixed, "config.json", REFUSED},
    {&fixed, "other.tar", REFUSED},
    {&layers, "new.tar", WRITE_LAYER, "app", "1.0", NULL},
    {&layers, "my layer", WRITE_LAYER, "app", "1.0", NULL},
    {&layers, ".new.tar", NOTHING},
    {&layers, "new.tar~", NOTHING},
    {&fixed_layers, "new.tar", REFUSED},
    {&fixed_layers, ".new.tar", REFUSED},
    {&platforms, "linux-arm64.tar", WRITE_PLATFORM, "app", "1.0",
	"linux/arm64"},
    {&platforms, "linux-arm-v7", WRITE_PLATFORM, "app", "1.0", "linux/arm/v7"},
    {&platforms, "mine.tar", WRITE_PLATFORM, "app", "1.0", NULL},
    {&platforms, ".linux-arm64.tar", NOTHING},
    {&referrers, "app.spdx.json", WRITE_ATTACHMENT, "app", NULL, "sha256:12"},
    {&referrers, ".app.spdx.json.1a", NOTHING},
};

static void assert_same(const char *got, const char *want)
{
	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
}

static void a_name_says_what_a_file_becomes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CLEANUP(intent_release) struct write_intent intent = {0};
		CLEANUP(intent_release) struct write_intent copy = {0};
		struct err err = ERR_INIT;
		int r = intent_of_name(cases[i].place, cases[i].name, &intent,
		    &err);

		if (cases[i].effect == WRITE_EFFECTS) {
			assert_int_equal(r, -EPERM);
			continue;
		}
		if (r < 0 || intent.effect != cases[i].effect)
			fail_msg("%s: %d, effect %d", cases[i].name, r,
			    intent.effect);
		assert_int_equal(intent.where, cases[i].place->where);
		assert_int_equal(intent_copy(&intent, &copy, &err), 0);
		assert_int_equal(copy.effect, intent.effect);
		assert_same(copy.repository, cases[i].repository);
		assert_same(copy.tag, cases[i].tag);
		assert_same(copy.detail, cases[i].detail);
	}
}

/* Each place and each effect is in the table above. */
static void the_table_has_all(void **state)
{
	bool places[WRITE_PLACES] = {0}, effects[WRITE_EFFECTS] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		places[cases[i].place->where] = true;
		if (cases[i].effect != WRITE_EFFECTS)
			effects[cases[i].effect] = true;
	}
	for (int i = 0; i < WRITE_PLACES; i++)
		assert_true(places[i]);
	for (int i = 0; i < WRITE_EFFECTS; i++)
		assert_true(effects[i]);
}

static void names_are_temporary_by_their_directory(void **state)
{
	static const struct {
		const char *name;
		bool in_repository, elsewhere;
	} names[] = {
	    {".new", true, true},
	    {"1.0~", true, true},
	    {"1.0", false, false},
	    {"app:1.0", false, false},
	    {"Foo bar", true, false},
	    {"~", true, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		for (int where = 0; where < WRITE_PLACES; where++) {
			bool is_repository = where == WRITE_IN_REPOSITORY ||
					     where == WRITE_IN_MIRROR;

			assert_int_equal(name_is_temporary((enum write_where)
							       where,
					     names[i].name),
			    is_repository ? names[i].in_repository
					  : names[i].elsewhere);
		}
	}
}

static void content_says_what_a_name_does_not(void **state)
{
	static const struct {
		const struct write_place *place;
		const char *name;
		bool stays, moved;
	} names[] = {
	    {&image, "other", true, true},
	    {&image, ".other", false, true},
	    {&image, "other~", false, true},
	    {&image, "other.tar", false, false},
	    {&image, "config.json", false, false},
	    {&app, ".other", false, false},
	    {&layers, ".other", false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		CLEANUP(intent_release) struct write_intent intent = {0};
		struct err err = ERR_INIT;

		assert_int_equal(intent_of_name(names[i].place, names[i].name,
				     &intent, &err),
		    0);
		assert_int_equal(intent_may_be_archive(&intent, names[i].name,
				     false),
		    names[i].stays);
		assert_int_equal(intent_may_be_archive(&intent, names[i].name,
				     true),
		    names[i].moved);
	}
}

/* A scratch directory that is renamed. */
static void trees_become_tags(void **state)
{
	static const struct {
		const struct write_place *place;
		const char *name;
		enum write_effect effect;
		const char *tag;
	} names[] = {
	    {&app, "2.0", WRITE_ARCHIVE, "2.0"},
	    {&app, "2.0.tar", WRITE_ARCHIVE, "2.0"},
	    {&app, ".other", WRITE_NOTHING, NULL},
	    {&image, "config.json", WRITE_ARCHIVE, "1.0"},
	    {&image, ".new", WRITE_ARCHIVE, "1.0"},
	    {&fixed, ".new", WRITE_EFFECTS, NULL},
	    {&layers, "new", WRITE_EFFECTS, NULL},
	    {&referrers, "new", WRITE_EFFECTS, NULL},
	    {&top, "2.0", WRITE_EFFECTS, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		CLEANUP(intent_release) struct write_intent intent = {0};
		struct err err = ERR_INIT;
		int r = intent_of_tree(names[i].place, names[i].name, &intent,
		    &err);

		if (names[i].effect == WRITE_EFFECTS) {
			assert_int_equal(r, -EPERM);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(intent.effect, names[i].effect);
		assert_same(intent.tag, names[i].tag);
	}
}

static void the_way_back(void **state)
{
	static const struct {
		const struct write_place *place;
		const char *name, *final, *try;
	} names[] = {
	    {&app, "1.0.tar.gz", "1.0", "1.0.tar"},
	    {&app, "1.0", "1.0", "1.0.tar"},
	    {&image, "image.tar", "image.tar", "image.tar"},
	    {&layers, "new.tar", "new.tar", "new.tar"},
	    {&referrers, "a.json", "a.json", "a.json"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		CLEANUP(intent_release) struct write_intent intent = {0};
		struct err err = ERR_INIT;
		AUTO_FREE char *final = NULL;
		AUTO_FREE char *try = NULL;

		assert_int_equal(intent_of_name(names[i].place, names[i].name,
				     &intent, &err),
		    0);
		final = intent_final_name(&intent, names[i].name);
		try = intent_name_to_try(&intent, final);
		assert_string_equal(final, names[i].final);
		assert_string_equal(try, names[i].try);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_name_says_what_a_file_becomes),
	    cmocka_unit_test(the_table_has_all),
	    cmocka_unit_test(names_are_temporary_by_their_directory),
	    cmocka_unit_test(content_says_what_a_name_does_not),
	    cmocka_unit_test(trees_become_tags),
	    cmocka_unit_test(the_way_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
