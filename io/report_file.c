#include "io/report_file.h"

#include <stdlib.h>

#include "sim/error.h"

rv_status report_file_begin(hdf5_file *file)
{
    const uint32_t magic = 0x0A7A, version[2] = { 0, 1 };
    TRY(hdf5_set_numbers(file, "/", "magic", HDF5_U32, &magic, 0));
    return hdf5_set_numbers(file, "/", "version", HDF5_U32, version, 2);
}

static rv_status write_elements(hdf5_file *file, const char *mapping, int64_t n)
{
    uint32_t *zeros = calloc((size_t)n + 1, sizeof *zeros);
    if (!zeros) return file->error = (rv_error){ RV_OUT_OF_MEMORY, "no memory for a report" }, RV_OUT_OF_MEMORY;
    rv_status status = hdf5_write(file, hdf5_at(mapping, "element_ids").path, HDF5_U32, zeros, n);
    if (status == RV_OK) status = hdf5_write(file, hdf5_at(mapping, "element_pos").path, HDF5_F32, zeros, n); /* 0.0f has no bit set either */
    free(zeros);
    return status;
}

rv_status report_file_mapping(hdf5_file *file, const char *mapping, int64_t *ids, int64_t n)
{
    uint8_t sorted = 1;
    for (int64_t i = 1; i < n; i++) sorted &= ids[i - 1] < ids[i];
    TRY(hdf5_write(file, hdf5_at(mapping, "node_ids").path, HDF5_U64, ids, n));
    TRY(hdf5_set_numbers(file, hdf5_at(mapping, "node_ids").path, "sorted", HDF5_U8, &sorted, 0));
    for (int64_t i = 0; i <= n; i++) ids[i] = i;
    TRY(hdf5_write(file, hdf5_at(mapping, "index_pointers").path, HDF5_U64, ids, n + 1));
    TRY(hdf5_link(file, hdf5_at(mapping, "index_pointers").path, hdf5_at(mapping, "index_pointer").path));
    return write_elements(file, mapping, n);
}
