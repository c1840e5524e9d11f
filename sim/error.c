#include "sim/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

rv_status error_set(rv_error *error, rv_status status, const char *format, ...)
{
    if (!error) return status;
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return status;
}

rv_status error_in_file(rv_error *error, const char *path, int line, const char *format, ...)
{
    char    text[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (line > 0) return error_set(error, RV_FILE_ERROR, "\"%s\", line %d: %s", path, line, text);
    return error_set(error, RV_FILE_ERROR, "\"%s\": %s", path, text);
}

rv_status error_memory(rv_error *error, const char *what, double bytes)
{
    if (bytes < 1e6) return error_set(error, RV_OUT_OF_MEMORY, "no memory for %s (%.0f bytes)", what, bytes);
    return error_set(error, RV_OUT_OF_MEMORY, "no memory for %s (%.1f MB)", what, bytes / 1e6);
}

/* "a, b, c", as far as it fits; what was left out shows as dots. */
static void join(const char *const *names, int n, char *text, size_t size)
{
    size_t used = 0;
    text[0] = 0;
    for (int k = 0; k < n; k++) {
        if (used + strlen(names[k]) + sizeof ", ..." > size) {
            snprintf(text + used, size - used, "%s...", k ? ", " : "");
            return;
        }
        used += (size_t)snprintf(text + used, size - used, "%s%s", k ? ", " : "", names[k]);
    }
}

rv_status error_unknown(rv_error *error, const char *object, const char *kind, const char *name,
                        const char *const *names, int n)
{
    const char *owner = strstr(kind, " of ");
    int         kind_length = owner ? (int)(owner - kind) : (int)strlen(kind);
    char        what[200], there[220];
    if (name) snprintf(what, sizeof what, "no %.*s \"%.60s\"%s", kind_length, kind, name, owner ? owner : "");
    else snprintf(what, sizeof what, "no %.*s given%s", kind_length, kind, owner ? owner : "");

    const char *colon = object ? ": " : "", *near = name ? rv_suggest(name, names, n) : NULL;
    if (!object) object = "";
    if (near)
        return error_set(error, RV_UNKNOWN_NAME, "%s%s%s; did you mean \"%s\"?", object, colon, what, near);
    if (n == 0) return error_set(error, RV_UNKNOWN_NAME, "%s%s%s; there is none", object, colon, what);
    join(names, n, there, sizeof there);
    return error_set(error, RV_UNKNOWN_NAME, "%s%s%s; there is: %s", object, colon, what, there);
}
