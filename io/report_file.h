/* What all reports (samples of a variable over time) have in common in SONATA's layout, whoever writes them. */
#ifndef RV_IO_REPORT_FILE_H
#define RV_IO_REPORT_FILE_H

#include "io/hdf5_file.h"

/** The numbers by which SONATA files are known: the attributes magic and version of the root. */
rv_status report_file_begin(hdf5_file *file);

/** The columns of a report of point neurons: one for each, element 0. Writes node_ids, index_pointers (and index_pointer, as bmtk
 *  calls them), element_ids and element_pos. @param mapping a group @param ids [n] overwritten; room for n + 1 */
rv_status report_file_mapping(hdf5_file *file, const char *mapping, int64_t *ids, int64_t n);

#endif
