/* SPDX-License-Identifier: MIT */
/*
 * A screen of the terminal under test as a picture: SVG with text that can be selected. Lines, blocks and dots are
 * drawn as shapes, so that they meet whatever font the viewer has.
 */
#ifndef TESTS_TERM_SVG_H
#define TESTS_TERM_SVG_H

#include <stdio.h>

#include "tests/lib/term_rig.h"

/* title: for the window's bar and for those who cannot see the picture. 0 or -EIO. */
int term_svg_write(const struct term_rig *t, const char *title, FILE *f);

#endif
