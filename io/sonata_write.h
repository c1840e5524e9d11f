/* Between sonata_write.c, sonata_write_nodes.c and sonata_write_edges.c. */
#ifndef RV_IO_SONATA_WRITE_H
#define RV_IO_SONATA_WRITE_H

#include "io/report_file.h"
#include "io/sonata_internal.h"
#include "sim/net.h"

/** A network on its way into a folder. */
typedef struct saver {
    rv_net     *net;
    const char *dir;
    json_t     *nodes, *edges, *inputs; /* what the configs will list */
    rv_error   *error;
} saver;

/** dir/folder/stem ending, with what file systems do not like in the stem replaced; NULL without memory. Relative to dir if there
 *  is a variable: "$NETWORK_DIR" for example. */
char *sonata_save_path(const char *folder, const char *stem, const char *ending);

rv_status sonata_save_json(const saver *s, const char *folder, const char *stem, const char *ending, const json_t *json);

/** A file of nodes and its types (sonata_write_nodes.c), a file of edges and theirs (sonata_write_edges.c), inputs. */
rv_status sonata_save_nodes(saver *s, int population);
rv_status sonata_save_edges(saver *s, int projection);
rv_status sonata_save_inputs(saver *s);

#endif
