/* Runs the command $RANVIER (default build/ranvier) in a folder of its own. Header only; a suite includes it once, after cmocka. */
#ifndef RV_TESTS_COMMAND_RUN_H
#define RV_TESTS_COMMAND_RUN_H

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char ranvier[PATH_MAX];

/* What a run of the command printed and how it ended. */
typedef struct outcome {
    int  status;
    char out[16384], err[16384];
} outcome;

static inline void read_file(const char *name, char *text, size_t room)
{
    FILE  *file = fopen(name, "r");
    size_t n = file ? fread(text, 1, room - 1, file) : 0;
    text[n] = 0;
    if (file) fclose(file);
}

static inline pid_t start(const char *arguments)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0) return child;
    char line[PATH_MAX + 8192];
    snprintf(line, sizeof line, "exec %s %s", ranvier, arguments);
    if (!freopen("out", "w", stdout) || !freopen("err", "w", stderr)) _exit(99);
    execl("/bin/sh", "sh", "-c", line, (char *)NULL);
    _exit(99);
}

static inline outcome finish(pid_t child)
{
    outcome o;
    int     status;
    assert_int_equal(waitpid(child, &status, 0), child);
    o.status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    read_file("out", o.out, sizeof o.out);
    read_file("err", o.err, sizeof o.err);
    return o;
}

static inline outcome run(const char *arguments) { return finish(start(arguments)); }

static inline void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static char test_folder[] = "/tmp/ranvier_test_XXXXXX", project[PATH_MAX]; /* where the suite was started */

/** Finds the command and goes to a new folder. @return false after a message */
static inline bool enter_folder(void)
{
    const char *command = getenv("RANVIER");
    if (!realpath(command ? command : "build/ranvier", ranvier)) return printf("no %s\n", command ? command : "build/ranvier"), false;
    unsetenv("DISPLAY"), unsetenv("WAYLAND_DISPLAY");
    return getcwd(project, sizeof project) && mkdtemp(test_folder) && chdir(test_folder) == 0;
}

/** Removes it. @return whether that went well */
static inline bool leave_folder(void)
{
    char clean[64];
    snprintf(clean, sizeof clean, "rm -rf %s", test_folder);
    return chdir(project) == 0 && system(clean) == 0;
}

#endif
