/* SPDX-License-Identifier: MIT */
/**
 * The themes of the screen by name, for the options and the screen. Any thread.
 */
#ifndef APP_THEME_NAMES_H
#define APP_THEME_NAMES_H

enum theme_name {
    THEME_DEFAULT,     /**< the terminal's own colours */
    THEME_CONTRAST,    /**< white on black, bold; nothing is dim */
    THEME_COLOUR_SAFE, /**< blue and orange, which every kind of colour vision tells apart */
    THEME_MONO,        /**< no colour, as with NO_COLOR */
    THEME_COUNT,
};

/** How words that the model is unsure of are shown. */
enum theme_confidence {
    CONFIDENCE_UNDERLINE,
    CONFIDENCE_SHADE,
    CONFIDENCE_OFF,
    CONFIDENCE_COUNT,
};

/** "default", "contrast", "colour-safe", "mono", and "underline", "shade", "off"; end in NULL. */
extern const char *const THEME_NAMES[];
extern const char *const THEME_CONFIDENCES[];

#endif
