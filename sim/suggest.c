/* "Did you mean ...?": the nearest name by the restricted Damerau-Levenshtein distance (Damerau 1964,
 * doi:10.1145/363958.363994), in which a swap of neighbours counts as one mistake, whatever the case of letters. */
#include <ctype.h>
#include <string.h>

#include "sim/ranvier.h"

enum { LONGEST = 100 };

static int smaller(int a, int b) { return a < b ? a : b; }

/* Mistakes that lead from a to b: insertions, deletions, substitutions, swaps. Row i of the table holds the distances
 * of the first i letters of a to all beginnings of b; a swap looks two rows back. */
static int mistakes(const char *a, int n, const char *b, int m)
{
    int rows[3][LONGEST + 1];
    for (int j = 0; j <= m; j++) rows[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            row[j] = smaller(above[j - 1] + (x != y), 1 + smaller(above[j], row[j - 1]));
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) && y == tolower((unsigned char)a[i - 2]))
                row[j] = smaller(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

const char *rv_suggest(const char *name, const char *const *names, int n)
{
    size_t length = name ? strlen(name) : 0;
    if (length == 0 || length > LONGEST) return NULL;
    const char *best = NULL;
    int         fewest = length < 3 ? 1 : (int)length / 3;
    for (int k = 0; k < n; k++) {
        size_t other = strlen(names[k]);
        if (other == 0 || other > LONGEST) continue;
        int distance = mistakes(name, (int)length, names[k], (int)other);
        bool nearer = distance < fewest || (distance == fewest && !best);
        if (nearer && distance < (int)length) best = names[k], fewest = distance; /* something must be in common */
    }
    return best;
}
