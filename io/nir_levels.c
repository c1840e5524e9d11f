/* Strongly connected components by two depth-first searches (Kosaraju; Sharir 1981, doi:10.1016/0898-1221(81)90008-0): the second
 * finds them in topological order, in which the longest paths between them are found at once. */
#include "io/nir_levels.h"

#include <stdlib.h>

#include "sim/error.h"

/* Links by one of their ends. */
typedef struct adjacency {
    int *begin, *link; /* [n + 2], [n_links] */
} adjacency;

typedef struct search {
    int             n, n_links, n_done;
    const nir_link *link;
    adjacency       out, in;
    int            *order; /* [n] as they were finished      */
    int            *stack, *next; /* [n]                     */
    int            *component; /* [n] -1: not yet            */
} search;

static bool open_adjacency(adjacency *a, const nir_link *link, int n, int n_links, bool incoming)
{
    a->begin = calloc((size_t)n + 2, sizeof(int)), a->link = malloc(((size_t)n_links + 1) * sizeof(int));
    if (!a->begin || !a->link) return false;
    for (int k = 0; k < n_links; k++) a->begin[(incoming ? link[k].to : link[k].from) + 2]++;
    for (int k = 2; k < n + 2; k++) a->begin[k] += a->begin[k - 1];
    for (int k = 0; k < n_links; k++) a->link[a->begin[(incoming ? link[k].to : link[k].from) + 1]++] = k;
    return true;
}

static bool open_search(search *s, const nir_link *link, int n, int n_links)
{
    size_t bytes = ((size_t)n + 1) * sizeof(int);
    *s = (search){ .n = n, .n_links = n_links, .link = link, .order = malloc(bytes), .stack = malloc(bytes), .next = malloc(bytes), .component = malloc(bytes) };
    return s->order && s->stack && s->next && s->component && open_adjacency(&s->out, link, n, n_links, false) && open_adjacency(&s->in, link, n, n_links, true);
}

static void close_search(search *s)
{
    free(s->order), free(s->stack), free(s->next), free(s->component);
    free(s->out.begin), free(s->out.link), free(s->in.begin), free(s->in.link);
}

/* Everything that can be reached and has no component yet gets this one. @param backward against the links */
static void visit(search *s, int root, int component, bool backward)
{
    const adjacency *a = backward ? &s->in : &s->out;
    int              depth = 0;
    s->stack[0] = root, s->next[0] = a->begin[root], s->component[root] = component;
    while (depth >= 0) {
        int at = s->stack[depth];
        if (s->next[depth] == a->begin[at + 1]) {
            if (!backward) s->order[s->n_done++] = at;
            depth--;
            continue;
        }
        const nir_link *l = &s->link[a->link[s->next[depth]++]];
        int             to = backward ? l->from : l->to;
        if (s->component[to] >= 0) continue;
        s->component[to] = component;
        s->stack[++depth] = to, s->next[depth] = a->begin[to];
    }
}

static int find_components(search *s)
{
    int n_components = 0;
    for (int k = 0; k < s->n; k++) s->component[k] = -1;
    for (int k = 0; k < s->n; k++)
        if (s->component[k] < 0) visit(s, k, 0, false);
    for (int k = 0; k < s->n; k++) s->component[k] = -1;
    for (int k = s->n - 1; k >= 0; k--)
        if (s->component[s->order[k]] < 0) visit(s, s->order[k], n_components++, true);
    return n_components;
}

/* A spike takes delay + level(to) - level(from) >= 1 steps; members of a component share their level. */
static void raise_levels(search *s, nir_link *link, int n_components, int *of_component, int *level)
{
    int *first = s->stack, *following = s->next; /* members of each component as a list */
    for (int c = 0; c < n_components; c++) first[c] = -1, of_component[c] = 0;
    for (int k = 0; k < s->n; k++) following[k] = first[s->component[k]], first[s->component[k]] = k;
    for (int c = 0; c < n_components; c++)
        for (int k = first[c]; k >= 0; k = following[k])
            for (int e = s->out.begin[k]; e < s->out.begin[k + 1]; e++) {
                nir_link *l = &link[s->out.link[e]];
                int       to = s->component[l->to], least = of_component[c] + 1 - l->delay;
                l->cyclic = to == c;
                if (!l->cyclic && of_component[to] < least) of_component[to] = least;
            }
    for (int k = 0; k < s->n; k++) level[k] = of_component[s->component[k]];
}

rv_status nir_find_levels(int n, nir_link *link, int n_links, int *level, rv_error *error)
{
    search s;
    int   *of_component = malloc(((size_t)n + 1) * sizeof *of_component);
    bool   memory = open_search(&s, link, n, n_links) && of_component;
    if (memory) raise_levels(&s, link, find_components(&s), of_component, level);
    free(of_component);
    close_search(&s);
    return memory ? RV_OK : error_memory(error, "a NIR graph", (double)n * 40);
}
