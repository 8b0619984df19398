/* SPDX-License-Identifier: MIT */
#include "app/score.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <unistr.h>

enum { COST_SUBSTITUTION = 4, COST_INSERTION = 3, COST_DELETION = 3 };
enum step { STEP_PAIR, STEP_INSERTION, STEP_DELETION }; /* two bits each in the table of steps */

/* Folds `text` to one case; white space and invalid bytes become single spaces between units. */
static uint8_t *fold(const char *text)
{
    size_t length = 0;
    uint8_t *folded = u8_casefold((const uint8_t *)text, strlen(text), NULL, NULL, NULL, &length);
    if (!folded)
        return NULL;
    uint8_t *terminated = realloc(folded, length + 1);
    if (!terminated) {
        free(folded);
        return NULL;
    }
    terminated[length] = 0;
    return terminated;
}

static bool split(struct score_units *units, const char *text, bool characters)
{
    *units = (struct score_units){0};
    uint8_t *folded = fold(text);
    if (!folded)
        return false;
    size_t length = strlen((char *)folded);
    /* One unit a character at most, each with its terminator. */
    units->storage = malloc(2 * length + 1);
    units->units = malloc((length + 1) * sizeof *units->units);
    if (!units->storage || !units->units) {
        free(folded);
        score_units_free(units);
        return false;
    }
    char *out = units->storage;
    bool inside = false;
    for (size_t i = 0; i < length;) {
        ucs4_t c;
        int bytes = u8_mbtouc(&c, folded + i, length - i);
        if (uc_is_property_white_space(c)) {
            if (inside)
                *out++ = 0;
            inside = false;
        } else {
            if (!inside)
                units->units[units->count++] = out;
            memcpy(out, folded + i, (size_t)bytes);
            out += bytes;
            inside = !characters;
            if (characters)
                *out++ = 0;
        }
        i += (size_t)bytes;
    }
    *out = 0;
    free(folded);
    return true;
}

bool score_split_words(struct score_units *units, const char *text)
{
    return split(units, text, false);
}

bool score_split_characters(struct score_units *units, const char *text)
{
    return split(units, text, true);
}

void score_units_free(struct score_units *units)
{
    free(units->storage);
    free(units->units);
    *units = (struct score_units){0};
}

static enum step step_at(const uint8_t *steps, size_t cell)
{
    return steps[cell / 4] >> 2 * (cell % 4) & 3;
}

/* Fills in steps [reference + 1, hypothesis + 1]: the last step of the cheapest way to each cell.
 */
static void find_steps(const struct score_units *reference, const struct score_units *hypothesis,
                       uint8_t *steps, long *cost /* [hypothesis + 1] */)
{
    size_t columns = hypothesis->count + 1;
    for (size_t j = 0; j < columns; j++) {
        cost[j] = (long)j * COST_INSERTION;
        steps[j / 4] |= (uint8_t)(STEP_INSERTION << 2 * (j % 4));
    }
    for (size_t i = 1; i <= reference->count; i++) {
        long diagonal = cost[0];
        cost[0] = (long)i * COST_DELETION;
        size_t cell = i * columns;
        steps[cell / 4] |= (uint8_t)(STEP_DELETION << 2 * (cell % 4));
        for (size_t j = 1; j < columns; j++) {
            bool same = !strcmp(reference->units[i - 1], hypothesis->units[j - 1]);
            long best = diagonal + (same ? 0 : COST_SUBSTITUTION);
            enum step step = STEP_PAIR;
            if (cost[j - 1] + COST_INSERTION < best) {
                best = cost[j - 1] + COST_INSERTION;
                step = STEP_INSERTION;
            }
            if (cost[j] + COST_DELETION < best) {
                best = cost[j] + COST_DELETION;
                step = STEP_DELETION;
            }
            diagonal = cost[j];
            cost[j] = best;
            steps[(cell + j) / 4] |= (uint8_t)(step << 2 * ((cell + j) % 4));
        }
    }
}

bool score_align(const struct score_units *reference, const struct score_units *hypothesis,
                 struct score *score, long *pairs)
{
    size_t columns = hypothesis->count + 1;
    size_t cells = (reference->count + 1) * columns;
    uint8_t *steps = calloc(cells / 4 + 1, 1);
    long *cost = malloc(columns * sizeof *cost);
    if (!steps || !cost) {
        free(steps);
        free(cost);
        return false;
    }
    find_steps(reference, hypothesis, steps, cost);

    *score = (struct score){.reference = (long)reference->count};
    size_t i = reference->count;
    size_t j = hypothesis->count;
    while (i || j) {
        enum step step = step_at(steps, i * columns + j);
        if (step == STEP_INSERTION) {
            score->insertions++;
            j--;
            continue;
        }
        i--;
        if (pairs)
            pairs[i] = step == STEP_PAIR ? (long)j - 1 : -1;
        if (step == STEP_DELETION) {
            score->deletions++;
            continue;
        }
        j--;
        if (strcmp(reference->units[i], hypothesis->units[j]))
            score->substitutions++;
        else
            score->correct++;
    }
    free(steps);
    free(cost);
    return true;
}

void score_add(struct score *sum, const struct score *score)
{
    sum->reference += score->reference;
    sum->correct += score->correct;
    sum->substitutions += score->substitutions;
    sum->insertions += score->insertions;
    sum->deletions += score->deletions;
}

double score_error_rate(const struct score *score)
{
    long errors = score->substitutions + score->insertions + score->deletions;
    if (score->reference == 0)
        return errors ? 1 : 0;
    return (double)errors / (double)score->reference;
}
