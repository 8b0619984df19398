/* SPDX-License-Identifier: MIT */
#include "app/theme.h"

#include <stdlib.h>
#include <string.h>

enum { PAIR_GOOD = 1, PAIR_WARNING, PAIR_BAD, PAIR_SPEAKER_1, PAIR_SPEAKER_2, PAIR_GROUND };

void theme_start(struct theme *theme)
{
    const char *no_colour = getenv("NO_COLOR");
    theme->colours = (no_colour == NULL || no_colour[0] == '\0') && has_colors();
    if (!theme->colours)
        return;
    start_color();
    use_default_colors();
}

/* A colour of the palette of 256 where there is one, otherwise one of eight. */
static short colour(int of_256, int of_8)
{
    return (short)(COLORS >= 256 ? of_256 : of_8);
}

static void set_pairs(enum theme_name name)
{
    short ground = -1;
    switch (name) {
    case THEME_CONTRAST:
        ground = COLOR_BLACK;
        init_pair(PAIR_GOOD, colour(46, COLOR_GREEN), ground);
        init_pair(PAIR_WARNING, colour(226, COLOR_YELLOW), ground);
        init_pair(PAIR_BAD, colour(203, COLOR_RED), ground);
        init_pair(PAIR_SPEAKER_1, colour(51, COLOR_CYAN), ground);
        init_pair(PAIR_SPEAKER_2, colour(226, COLOR_YELLOW), ground);
        break;
    case THEME_COLOUR_SAFE: /* near the palette of Okabe and Ito */
        init_pair(PAIR_GOOD, colour(75, COLOR_CYAN), ground);
        init_pair(PAIR_WARNING, colour(214, COLOR_YELLOW), ground);
        init_pair(PAIR_BAD, colour(202, COLOR_RED), ground);
        init_pair(PAIR_SPEAKER_1, colour(75, COLOR_CYAN), ground);
        init_pair(PAIR_SPEAKER_2, colour(214, COLOR_YELLOW), ground);
        break;
    default:
        init_pair(PAIR_GOOD, COLOR_GREEN, ground);
        init_pair(PAIR_WARNING, COLOR_YELLOW, ground);
        init_pair(PAIR_BAD, COLOR_RED, ground);
        init_pair(PAIR_SPEAKER_1, COLOR_CYAN, ground);
        init_pair(PAIR_SPEAKER_2, COLOR_MAGENTA, ground);
    }
    init_pair(PAIR_GROUND, colour(231, COLOR_WHITE), COLOR_BLACK);
}

static const attr_t SHAPES[ROLE_COUNT] = {
    [ROLE_DRAFT] = A_DIM,
    [ROLE_UNSURE] = A_UNDERLINE,
    [ROLE_NOTICE] = A_DIM,
    [ROLE_TIME] = A_DIM,
    [ROLE_MATCH] = A_BOLD | A_REVERSE,
    [ROLE_SELECTED] = A_REVERSE,
    [ROLE_MARK] = A_BOLD,
    [ROLE_STRONG] = A_BOLD,
    [ROLE_HELP] = A_DIM,
    [ROLE_SPEAKER_1] = A_BOLD,
    [ROLE_SPEAKER_2] = A_BOLD,
    [ROLE_BAD] = A_BOLD,
};

/* Bold for what stays, thin and italic for what may change; nothing that is hard to see. */
static const attr_t CONTRAST_SHAPES[ROLE_COUNT] = {
    [ROLE_FIRM] = A_BOLD,
    [ROLE_LIKELY] = A_NORMAL,
    [ROLE_DRAFT] = A_ITALIC,
    [ROLE_UNSURE] = A_BOLD | A_UNDERLINE,
    [ROLE_NOTICE] = A_ITALIC,
    [ROLE_MATCH] = A_BOLD | A_REVERSE,
    [ROLE_SELECTED] = A_BOLD | A_REVERSE,
    [ROLE_MARK] = A_BOLD,
    [ROLE_STRONG] = A_BOLD,
    [ROLE_SPEAKER_1] = A_BOLD | A_UNDERLINE,
    [ROLE_SPEAKER_2] = A_BOLD,
    [ROLE_GOOD] = A_BOLD,
    [ROLE_WARNING] = A_BOLD,
    [ROLE_BAD] = A_BOLD | A_REVERSE,
};

attr_t theme_ground(const struct theme *theme)
{
    bool black = theme->colours && theme->name == THEME_CONTRAST;
    return black ? (attr_t)COLOR_PAIR(PAIR_GROUND) : A_NORMAL;
}

void theme_set(struct theme *theme, enum theme_name name, enum theme_confidence confidence)
{
    static const struct {
        enum theme_role role;
        int pair;
    } coloured[] = {
        {ROLE_GOOD, PAIR_GOOD},
        {ROLE_WARNING, PAIR_WARNING},
        {ROLE_BAD, PAIR_BAD},
        {ROLE_SPEAKER_1, PAIR_SPEAKER_1},
        {ROLE_SPEAKER_2, PAIR_SPEAKER_2},
        {ROLE_MARK, PAIR_WARNING},
    };
    bool contrast = name == THEME_CONTRAST;
    theme->name = name;
    theme->confidence = confidence;
    memcpy(theme->attributes, contrast ? CONTRAST_SHAPES : SHAPES, sizeof theme->attributes);
    if (confidence == CONFIDENCE_OFF)
        theme->attributes[ROLE_UNSURE] = theme->attributes[ROLE_FIRM];
    else if (confidence == CONFIDENCE_SHADE) /* drafts are then told by italics, too */
        theme->attributes[ROLE_UNSURE] = contrast ? A_NORMAL : A_DIM;
    if (confidence == CONFIDENCE_SHADE)
        theme->attributes[ROLE_DRAFT] |= A_ITALIC;
    if (!theme->colours || name == THEME_MONO)
        return;
    set_pairs(name);
    for (size_t i = 0; contrast && i < ROLE_COUNT; i++)
        theme->attributes[i] |= (attr_t)COLOR_PAIR(PAIR_GROUND);
    for (size_t i = 0; i < sizeof coloured / sizeof coloured[0]; i++) {
        attr_t *attributes = &theme->attributes[coloured[i].role];
        *attributes = (*attributes & ~A_COLOR) | (attr_t)COLOR_PAIR(coloured[i].pair);
    }
}
