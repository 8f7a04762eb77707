/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states of a file that is written, and what comes of what programs do.
 *
 *	KEPT     it becomes nothing by its name, and waits for another one
 *	FOUND    it has what its file had, and nobody has changed it
 *	OPEN     it is being written
 *	LATE     it was closed by a process that did not open it, and may be
 *	         whole: that is seen at the last close
 *	CUT      it was closed in the middle; more may come
 *	DONE     it has become what it was to: its name is that of the image
 *	OVERRUN  so it has, and something came after its end
 *	FAILED   it was refused: it is called .NAME.failed
 *
 *	         write    flush    end      close    rename   empty    resize
 *	KEPT     keep     look     look     -        move     restart  resize
 *	FOUND    change   -        -        -        move     restart  change
 *	OPEN     take     hold     finish   -        move     restart  resize
 *	LATE     take     hold     finish   finish   move     restart  resize
 *	CUT      take     hold     finish   fail     move     restart  resize
 *	DONE     pad      -        -        -        busy     restart  refuse
 *	OVERRUN  again    -        -        -        busy     restart  refuse
 *	FAILED   again    again    again    -        move     restart  resize
 *
 * An end is the close of a descriptor, or fsync(), by the process that opened
 * it; a flush is that by another one; a close the last of all. open(2) changes
 * a state by O_TRUNC alone, which empties the file as truncate(2) to 0 does;
 * to resize is to truncate to another size.
 *
 *	keep     nothing is done with the bytes
 *	look     where the content says that it is an image's archive, it is
 *	         OPEN, and goes on as that; else nothing
 *	change   -EPERM for an archive, which is replaced as a whole; else OPEN
 *	take     the bytes go on to the push: OPEN, or DONE, or FAILED
 *	hold     LATE, unless it is an archive: that says itself where it ends,
 *	         DONE, or CUT, or FAILED
 *	finish   DONE, or FAILED; CUT where more may come, OPEN where it is
 *	         empty
 *	fail     FAILED, as it was told when it was cut
 *	pad      zeros may follow an archive; anything else is OVERRUN
 *	again    fails with the words of the failure
 *	move     it has its new name, under which it is KEPT, or OPEN, or DONE;
 *	         where that fails it has its old one, and is as if it had just
 *	         been written
 *	restart  empty, and KEPT or OPEN by its name
 */
#ifndef FS_UPLOAD_STATE_H
#define FS_UPLOAD_STATE_H

#include <stdint.h>

#include "base/err.h"

struct renaming;
struct written_file;

enum file_state {
	FILE_KEPT,
	FILE_FOUND,
	FILE_OPEN,
	FILE_LATE,
	FILE_CUT,
	FILE_DONE, /* and from here on it has come to its end */
	FILE_OVERRUN,
	FILE_FAILED,
	FILE_STATES,
};

enum file_event {
	ON_WRITE,
	ON_FLUSH,
	ON_END,
	ON_CLOSE,
	ON_RENAME,
	ON_EMPTY,
	ON_RESIZE,
	FILE_EVENTS,
};

/* What a program does; the fields are those of its event. */
struct file_action {
	enum file_event event;
	const void *data; /* written, len bytes at off */
	size_t len;
	uint64_t off;
	uint64_t size;             /* to which it is truncated */
	struct renaming *renaming; /* to which it is renamed */
};

/* Takes the step of the table above. Between written_file_begin() and
 * written_file_end(). 0, or -errno. */
int written_file_act(struct written_file *file,
    const struct file_action *action, struct err *err);

#endif
