/* SPDX-License-Identifier: MIT */
#include "app/theme_names.h"

#include <stddef.h>

const char *const THEME_NAMES[] = {"default", "contrast", "colour-safe", "mono", NULL};
const char *const THEME_CONFIDENCES[] = {"underline", "shade", "off", NULL};
