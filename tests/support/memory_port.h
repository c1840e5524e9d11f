/* A checkpoint in memory: what a file would hold, by path. */
#ifndef RV_TESTS_MEMORY_PORT_H
#define RV_TESTS_MEMORY_PORT_H

#include "sim/checkpoint.h"

typedef struct memory_item {
    char           *path, *text; /* text: NULL if it is an array */
    checkpoint_type type;
    int64_t         n, written;
    char           *values;
} memory_item;

typedef struct memory_file {
    memory_item *item; /* [n], in the order they were made */
    int          n, at;
} memory_file;

size_t          memory_width(checkpoint_type type);
checkpoint_port memory_port(memory_file *file);
memory_item    *memory_find(memory_file *file, const char *path);
void            memory_close(memory_file *file);

/** The path of the first item in which two files differ, NULL if they are the same. */
const char *memory_difference(const memory_file *a, const memory_file *b);

#endif
