/* What is in a file, and the groups, links and types of the door to HDF5; see io/hdf5_file.h. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/hdf5_internal.h"

/* ---- what is there ------------------------------------------------------------------------------------------- */

bool hdf5_is_absent(hdf5_file *f, const char *object)
{
    hdf5_path at;
    snprintf(at.path, sizeof at.path, "%s", object);
    for (char *slash = strchr(at.path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        htri_t exists = H5Lexists((hid_t)f->id, at.path, H5P_DEFAULT);
        *slash = '/';
        if (exists <= 0) return exists == 0;
    }
    return H5Lexists((hid_t)f->id, at.path, H5P_DEFAULT) == 0;
}

hdf5_kind hdf5_kind_of(hdf5_file *file, const char *object)
{
    H5O_info_t about;
    if (H5Oget_info_by_name2((hid_t)file->id, object, &about, H5O_INFO_BASIC, H5P_DEFAULT) < 0)
        return hdf5_is_absent(file, object) ? HDF5_NOTHING : HDF5_OTHER;
    return about.type == H5O_TYPE_GROUP ? HDF5_GROUP : about.type == H5O_TYPE_DATASET ? HDF5_DATASET : HDF5_OTHER;
}

bool hdf5_has_attribute(hdf5_file *file, const char *object, const char *name)
{
    return H5Aexists_by_name((hid_t)file->id, object, name, H5P_DEFAULT) > 0;
}

static herr_t add_name(hdf5_names *names, const char *name)
{
    char **longer = realloc(names->name, (size_t)(names->n + 1) * sizeof *longer);
    if (!longer) return -1;
    names->name = longer;
    names->name[names->n] = strdup(name);
    return names->name[names->n] ? (names->n++, 0) : -1;
}

static herr_t add_link(hid_t group, const char *name, const H5L_info_t *about, void *names)
{
    (void)group, (void)about;
    return add_name(names, name);
}

static herr_t add_attribute(hid_t object, const char *name, const H5A_info_t *about, void *names)
{
    (void)object, (void)about;
    return add_name(names, name);
}

rv_status hdf5_list(hdf5_file *file, const char *group, hdf5_names *names)
{
    *names = (hdf5_names){0};
    rv_status status = RV_OK;
    unsigned  order = 0;
    hid_t     id = H5Gopen2((hid_t)file->id, group, H5P_DEFAULT);
    if (id < 0) return hdf5_library_error(file, group, "be opened");
    hid_t made = H5Gget_create_plist(id);
    if (made >= 0) H5Pget_link_creation_order(made, &order), H5Pclose(made);
    H5_index_t by = order & H5P_CRT_ORDER_INDEXED ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
    if (H5Literate(id, by, H5_ITER_INC, NULL, add_link, names) < 0) status = hdf5_library_error(file, group, "be listed");
    H5Gclose(id);
    if (status != RV_OK) hdf5_names_free(names);
    return status;
}

rv_status hdf5_list_attributes(hdf5_file *file, const char *object, hdf5_names *names)
{
    *names = (hdf5_names){0};
    if (H5Aiterate_by_name((hid_t)file->id, object, H5_INDEX_NAME, H5_ITER_INC, NULL, add_attribute, names,
                           H5P_DEFAULT) >= 0)
        return RV_OK;
    rv_status status = hdf5_library_error(file, object, "list its attributes");
    hdf5_names_free(names);
    return status;
}

void hdf5_names_free(hdf5_names *names)
{
    for (int i = 0; i < names->n; i++) free(names->name[i]);
    free(names->name);
    *names = (hdf5_names){0};
}

hdf5_path hdf5_at(const char *group, const char *name)
{
    hdf5_path at;
    snprintf(at.path, sizeof at.path, "%s/%s", strcmp(group, "/") == 0 ? "" : group, name);
    return at;
}

/* ---- types --------------------------------------------------------------------------------------------------- */

hid_t hdf5_memory_type(hdf5_type type)
{
    switch (type) {
    case HDF5_U8: return H5T_NATIVE_UINT8;
    case HDF5_U16: return H5T_NATIVE_UINT16;
    case HDF5_I32: return H5T_NATIVE_INT32;
    case HDF5_U32: return H5T_NATIVE_UINT32;
    case HDF5_I64: return H5T_NATIVE_INT64;
    case HDF5_U64: return H5T_NATIVE_UINT64;
    case HDF5_F32: return H5T_NATIVE_FLOAT;
    case HDF5_F64: return H5T_NATIVE_DOUBLE;
    }
    assert(!"a type");
    return -1;
}

hid_t hdf5_stored_type(hdf5_type type)
{
    switch (type) {
    case HDF5_U8: return H5T_STD_U8LE;
    case HDF5_U16: return H5T_STD_U16LE;
    case HDF5_I32: return H5T_STD_I32LE;
    case HDF5_U32: return H5T_STD_U32LE;
    case HDF5_I64: return H5T_STD_I64LE;
    case HDF5_U64: return H5T_STD_U64LE;
    case HDF5_F32: return H5T_IEEE_F32LE;
    case HDF5_F64: return H5T_IEEE_F64LE;
    }
    assert(!"a type");
    return -1;
}

size_t hdf5_type_size(hdf5_type type)
{
    static const int8_t bytes[] = { [HDF5_U8] = 1,  [HDF5_U16] = 2, [HDF5_I32] = 4, [HDF5_U32] = 4, [HDF5_I64] = 8,
                                    [HDF5_U64] = 8, [HDF5_F32] = 4, [HDF5_F64] = 8 };
    return (size_t)bytes[type];
}

hid_t hdf5_string_type(size_t bytes)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, bytes ? bytes : 1);
    if (bytes != H5T_VARIABLE) H5Tset_strpad(type, H5T_STR_NULLPAD);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}
/* ---- structure ----------------------------------------------------------------------------------------------- */

hid_t hdf5_link_properties(void)
{
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    H5Pset_char_encoding(links, H5T_CSET_UTF8);
    return links;
}

rv_status hdf5_make_group(hdf5_file *file, const char *group)
{
    if (hdf5_kind_of(file, group) == HDF5_GROUP) return RV_OK;
    rv_status status = hdf5_reserve(file, group, 0);
    if (status != RV_OK) return status;
    hid_t links = hdf5_link_properties(), how = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_link_creation_order(how, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    hid_t id = H5Gcreate2((hid_t)file->id, group, links, how, H5P_DEFAULT);
    if (id < 0) status = hdf5_library_error(file, group, "be made");
    else H5Gclose(id);
    H5Pclose(how), H5Pclose(links);
    return status;
}

rv_status hdf5_link(hdf5_file *file, const char *object, const char *name)
{
    rv_status status = hdf5_reserve(file, name, 0);
    if (status != RV_OK) return status;
    hid_t links = hdf5_link_properties();
    if (H5Lcreate_hard((hid_t)file->id, object, H5L_SAME_LOC, name, links, H5P_DEFAULT) < 0)
        status = hdf5_library_error(file, name, "be made");
    H5Pclose(links);
    return status;
}
