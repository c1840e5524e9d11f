/* The one door to HDF5: files, groups, attributes, datasets. No file but io/hdf5_*.c includes hdf5.h.
 *
 *   hdf5_file file = {0};
 *   rv_status status = hdf5_create("spikes.h5", &file);
 *   if (status == RV_OK) status = hdf5_make_series(&file, "/spikes/E/timestamps", HDF5_F64);
 *   if (status == RV_OK) status = hdf5_set_text(&file, "/spikes/E/timestamps", "units", "ms");
 *   if (status == RV_OK) status = hdf5_append(&file, "/spikes/E/timestamps", HDF5_F64, times_ms, n);
 *   if (hdf5_close(&file) != RV_OK || status != RV_OK) puts(file.error.text);
 *
 * Objects are named by their path from the root; missing groups on the way are made. Values are converted between the
 * type in memory, which every call names, and whatever type the file has.
 *
 * Every failure is an rv_status and one sentence in file.error: file, object, reason. Nothing is ever printed: the
 * first file switches libhdf5's own printing of errors (H5Eset_auto) off for the whole process.
 * A reader of damaged or hostile files gets a sentence too: a dataset that claims more values than its file can hold is
 * refused before anything is allocated.
 *
 * A full disk. libhdf5 1.10 cannot close a file it could not write: the process crashes at exit. So no byte is handed
 * to it before the disk has granted the room (posix_fallocate); the call that finds the disk full fails, what was
 * written before is whole, and the file can still be closed.
 *
 * One thread at a time in the whole process: libhdf5 is not thread-safe. */
#ifndef RV_IO_HDF5_FILE_H
#define RV_IO_HDF5_FILE_H

#include "sim/ranvier.h"

typedef enum hdf5_type { HDF5_U8, HDF5_U16, HDF5_I32, HDF5_U32, HDF5_I64, HDF5_U64, HDF5_F32, HDF5_F64 } hdf5_type;

typedef enum hdf5_mode { HDF5_CLOSED, HDF5_READING, HDF5_WRITING, HDF5_LIVE } hdf5_mode;

/** A file; {0} is one that is not open. */
typedef struct hdf5_file {
    hdf5_mode mode;
    int64_t   id;         /* the library's                                       */
    int       descriptor; /* of the system, beside the library's own             */
    int64_t   room;       /* bytes granted by the disk, if the file is written   */
    char     *path;
    rv_error  error;      /* of the last call that failed; outlives hdf5_close() */
} hdf5_file;

/* ---- files -------------------------------------------------------------------------------------------------- */

/** Whether a file can be read at all: libhdf5 crashes on some damaged files and loops for ever on others (a heap of texts whose
 *  objects have no length), and the checks of hdf5_open() do not reach there. A child process reads first, with read(path, user),
 *  whose result does not matter. @return RV_OK, or RV_FILE_ERROR if the child died or took unreasonably long */
rv_status hdf5_try(const char *path, void (*read)(const char *path, void *user), void *user, rv_error *error);

/** Opens a file for reading: also one that another process is writing (hdf5_open_live), or was when it was killed. */
rv_status hdf5_open(const char *path, hdf5_file *file);

/** Makes a new, empty file; what was at path is lost. */
rv_status hdf5_create(const char *path, hdf5_file *file);

/** Opens an existing file to add to it. A process that dies before hdf5_close() may leave it unreadable. */
rv_status hdf5_edit(const char *path, hdf5_file *file);

/** Opens a file made by hdf5_create() to append to its datasets while others read it. Whenever the process dies, the
 *  file is readable by anyone, with everything up to the last hdf5_append(). Nothing new can be made in it: only
 *  hdf5_append() works, and writing what exists, in the size it has. */
rv_status hdf5_open_live(const char *path, hdf5_file *file);

/** Copies a live file as it is now to path, to be opened with hdf5_edit(): the way to make something new in it. */
rv_status hdf5_copy(hdf5_file *file, const char *path);

/** Gives an open file another name; what had that name is replaced, in one instant. */
rv_status hdf5_rename(hdf5_file *file, const char *path);

/** Writes what is left and closes. Safe on a file that never opened. */
rv_status hdf5_close(hdf5_file *file);

/* ---- what is there ------------------------------------------------------------------------------------------ */

typedef enum hdf5_kind {
    HDF5_NOTHING, HDF5_GROUP, HDF5_DATASET,
    HDF5_OTHER, /* something that is neither: damaged, a link to nowhere, a named type */
} hdf5_kind;

hdf5_kind hdf5_kind_of(hdf5_file *file, const char *object);
bool      hdf5_has_attribute(hdf5_file *file, const char *object, const char *name);

typedef struct hdf5_names {
    int    n;
    char **name; /* [n] */
} hdf5_names;

/** The names in a group, in the order they were made if the file remembers it, else alphabetically. */
rv_status hdf5_list(hdf5_file *file, const char *group, hdf5_names *names);

/** The names of an object's attributes. */
rv_status hdf5_list_attributes(hdf5_file *file, const char *object, hdf5_names *names);
void      hdf5_names_free(hdf5_names *names);

/** group/name, to be used within one call: hdf5_kind_of(&file, hdf5_at("/spikes", name).path) */
typedef struct hdf5_path { char path[1024]; } hdf5_path;
hdf5_path hdf5_at(const char *group, const char *name);

/* ---- structure ---------------------------------------------------------------------------------------------- */

/** Makes a group that remembers the order of what is made in it; one that exists is fine. */
rv_status hdf5_make_group(hdf5_file *file, const char *group);

/** Gives an existing object a second name (a hard link). */
rv_status hdf5_link(hdf5_file *file, const char *object, const char *name);

/* ---- attributes --------------------------------------------------------------------------------------------- */

/** Sets an attribute, new or there already. Texts are UTF-8 and end at 64 KB; longer ones belong in a dataset. */
rv_status hdf5_set_text(hdf5_file *file, const char *object, const char *name, const char *text);
rv_status hdf5_set_int(hdf5_file *file, const char *object, const char *name, int64_t value);
rv_status hdf5_set_double(hdf5_file *file, const char *object, const char *name, double value);

/** The general case. @param values [n]; n = 0 means one value that is not a list */
rv_status hdf5_set_numbers(hdf5_file *file, const char *object, const char *name, hdf5_type type, const void *values,
                           int n);

/** Sets an HDF5 enumeration: one of names, numbered from 0. @param names [n] */
rv_status hdf5_set_enum(hdf5_file *file, const char *object, const char *name, const char *const *names, int n,
                        int value);

/** Reads any attribute as text: a string as it is, an enumeration by its name, numbers with a space between them.
 *  @return RV_UNKNOWN_NAME if there is none; text is then empty */
rv_status hdf5_get_text(hdf5_file *file, const char *object, const char *name, char *text, size_t size);
rv_status hdf5_get_int(hdf5_file *file, const char *object, const char *name, int64_t *value);
rv_status hdf5_get_double(hdf5_file *file, const char *object, const char *name, double *value);

/* ---- datasets ----------------------------------------------------------------------------------------------- */

enum { HDF5_MAX_RANK = 5 };

typedef struct hdf5_shape {
    int     rank;              /* 0: a single value, or none */
    int64_t n[HDF5_MAX_RANK];
    int64_t count;             /* values in all              */
} hdf5_shape;

/** The shape of a dataset, checked against what the file holds: it is safe to allocate count values. */
rv_status hdf5_shape_of(hdf5_file *file, const char *dataset, hdf5_shape *shape);

/** What kind of values a dataset has. Enumerations (truth values) are numbers of HDF5_U8; numbers of types that hdf5_type has not
 *  are given the next wider one. @param texts whether they are texts; type is then unused */
rv_status hdf5_type_of(hdf5_file *file, const char *dataset, bool *texts, hdf5_type *type);
size_t    hdf5_type_size(hdf5_type type); /* bytes of a value */

/** Bytes that a dataset takes in the file, texts of variable length apart. */
int64_t hdf5_stored_bytes(hdf5_file *file, const char *dataset);

/** Reads rows (the first axis) of a dataset. @param values result, [rows][product of the other axes] of type */
rv_status hdf5_read_rows(hdf5_file *file, const char *dataset, hdf5_type type, int64_t first, int64_t rows,
                         void *values);

/** Reads a whole dataset of any shape into new memory. @param values result, to be freed by the caller; never NULL
 *  after RV_OK @param shape result; may be NULL */
rv_status hdf5_load(hdf5_file *file, const char *dataset, hdf5_type type, void **values, hdf5_shape *shape);

/** Makes an empty dataset that hdf5_append() lengthens: a list of values, or rows of so many columns. */
rv_status hdf5_make_series(hdf5_file *file, const char *dataset, hdf5_type type);
rv_status hdf5_make_table(hdf5_file *file, const char *dataset, hdf5_type type, int64_t columns);

/** Adds rows at the end. @param values [rows] or [rows][columns] of type, converted to the dataset's */
rv_status hdf5_append(hdf5_file *file, const char *dataset, hdf5_type type, const void *values, int64_t rows);

/** Writes a list as a dataset of its own, or over one of the same length. @param values [n] of type */
rv_status hdf5_write(hdf5_file *file, const char *dataset, hdf5_type type, const void *values, int64_t n);

/** The same for an array of any shape. @param values [n[0]][n[1]]... of type @param n [rank] rank 0: a single value that is no list */
rv_status hdf5_write_array(hdf5_file *file, const char *dataset, hdf5_type type, const void *values, int rank, const int64_t *n);

/** The same in pieces: makes a list of n values, of which those never written are 0; then fills any part of it. */
rv_status hdf5_make_list(hdf5_file *file, const char *dataset, hdf5_type type, int64_t n);
rv_status hdf5_write_rows(hdf5_file *file, const char *dataset, hdf5_type type, int64_t first, int64_t rows, const void *values);

/** A text as a dataset. hdf5_load_text() takes strings of fixed and of variable length; to be freed by the caller. */
rv_status hdf5_write_text(hdf5_file *file, const char *dataset, const char *text);
rv_status hdf5_load_text(hdf5_file *file, const char *dataset, char **text);

/** An array of texts, UTF-8 of variable length, as h5py writes them. */
rv_status hdf5_write_texts(hdf5_file *file, const char *dataset, const hdf5_shape *shape, char *const *texts);

/** Reads texts of fixed or variable length. @param budget bytes they may have in all @param texts result: new memory, each text
 *  and the array of shape->count */
rv_status hdf5_load_texts(hdf5_file *file, const char *dataset, int64_t budget, char ***texts, hdf5_shape *shape);

#endif
