/* Xvfb keeps its picture in a file in the format of xwd, which is mapped here. */
#include "tests/support/display.h"

#include <X11/Xlib.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_MS = 60000, MOST_WORDS = 40, COMMAND_BYTES = 600 };

extern char **environ;

static struct {
    pid_t          server;
    char           window[32];
    int            x, y; /* of the window on the screen */
    const uint8_t *file; /* the picture: header, colour table, pixels */
    size_t         file_bytes;
} display;

/* ---------------------------------------------------------------------------------------------- programs --- */

/* @param output where its standard output goes, -1: nowhere */
static pid_t start_program(char *const words[], int output)
{
    posix_spawn_file_actions_t files;
    pid_t                      program;
    posix_spawn_file_actions_init(&files);
    for (int k = 0; k < 3; k++) posix_spawn_file_actions_addopen(&files, k, "/dev/null", O_RDWR, 0);
    if (output >= 0) posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    if (posix_spawnp(&program, words[0], &files, NULL, words, environ) != 0) program = -1;
    posix_spawn_file_actions_destroy(&files);
    return program;
}

/* A program that ends when this one does, however that ends. */
static pid_t start_companion(char *const words[])
{
    pid_t parent = getpid(), child = fork();
    if (child != 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int nowhere = open("/dev/null", O_RDWR);
    for (int k = 0; k < 3; k++) dup2(nowhere, k);
    if (getppid() == parent) execvp(words[0], words);
    _exit(127);
}

static bool ended_well(pid_t program)
{
    int status = 1;
    while (program > 0 && waitpid(program, &status, 0) < 0 && errno == EINTR) continue;
    return program > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Runs xdotool with words separated by blanks. @param answer what it printed, may be NULL */
static bool run_xdotool(char *command, char *answer, size_t room)
{
    char *words[MOST_WORDS + 1] = { "xdotool" };
    int   n = 1, ends[2];
    for (char *rest, *word = strtok_r(command, " ", &rest); word && n < MOST_WORDS; word = strtok_r(NULL, " ", &rest))
        words[n++] = word;
    if (pipe(ends) != 0) return false;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    pid_t program = start_program(words, ends[1]);
    close(ends[1]);
    size_t  got = 0;
    char    ignored[64];
    ssize_t more = 1;
    while (more > 0) {
        bool keep = answer && got + 1 < room;
        more = read(ends[0], keep ? answer + got : ignored, keep ? room - 1 - got : sizeof ignored);
        if (keep && more > 0) got += (size_t)more;
    }
    if (answer) answer[got] = 0;
    close(ends[0]);
    return ended_well(program);
}

__attribute__((format(printf, 1, 2))) static bool xdotool(const char *format, ...)
{
    char    command[COMMAND_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    return run_xdotool(command, NULL, 0);
}

/* ------------------------------------------------------------------------------------------------- server --- */

/* The server writes its number when it is ready. */
static bool wait_for_number(int from, char *number, size_t room)
{
    size_t        got = 0;
    struct pollfd ready = { .fd = from, .events = POLLIN };
    while (got + 1 < room && poll(&ready, 1, START_MS) > 0) {
        ssize_t more = read(from, number + got, room - 1 - got);
        if (more <= 0) break;
        got += (size_t)more;
        number[got] = 0;
        if (strchr(number, '\n')) {
            *strchr(number, '\n') = 0;
            return true;
        }
    }
    return false;
}

/* Maps the picture, and removes file and folder: memory that is mapped stays. */
static bool map_picture(const char *folder)
{
    char        path[100];
    struct stat about = { 0 };
    snprintf(path, sizeof path, "%s/Xvfb_screen0", folder);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0 && fstat(file, &about) == 0)
        display.file = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_SHARED, file, 0);
    if (file >= 0) close(file);
    unlink(path);
    rmdir(folder);
    display.file_bytes = (size_t)about.st_size;
    if (display.file != MAP_FAILED) return display.file;
    display.file = NULL;
    return false;
}

static bool start_server(void)
{
    char folder[] = "/tmp/ranvier_display_XXXXXX", number_to[16], size[32], number[16] = ":";
    int  ends[2];
    if (!mkdtemp(folder) || pipe(ends) != 0) return false;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    snprintf(number_to, sizeof number_to, "%d", ends[1]);
    snprintf(size, sizeof size, "%dx%dx24", DISPLAY_WIDTH, DISPLAY_HEIGHT);
    char *words[] = { "Xvfb",   "-displayfd", number_to,   "-screen", "0",        size,
                      "-fbdir", folder,       "-nolisten", "tcp",     "-noreset", NULL };
    display.server = start_companion(words);
    close(ends[1]);
    bool ready = wait_for_number(ends[0], number + 1, sizeof number - 1);
    close(ends[0]);
    if (ready) setenv("DISPLAY", number, 1);
    return map_picture(folder) && ready;
}

bool display_start(void)
{
    if (!start_server()) {
        printf("no window can be tested: Xvfb is missing or did not start\n");
        display_stop();
        return false;
    }
    if (xdotool("getmouselocation")) return true;
    printf("no window can be tested: xdotool is missing or finds no display\n");
    display_stop();
    return false;
}

void display_stop(void)
{
    if (display.file) munmap((void *)(uintptr_t)display.file, display.file_bytes);
    if (display.server > 0) {
        kill(display.server, SIGTERM);
        ended_well(display.server);
    }
    display.file = NULL, display.server = 0;
    unsetenv("DISPLAY");
}

/* ------------------------------------------------------------------------------------------------- window --- */

/* xdotool could wait by itself, but without an end. */
static bool search_window(const char *title)
{
    char command[COMMAND_BYTES], answer[200], *end;
    for (int waited_ms = 0; waited_ms < START_MS; waited_ms += 10) {
        snprintf(command, sizeof command, "search --onlyvisible --limit 1 --name %s", title);
        if (run_xdotool(command, answer, sizeof answer) && strtoul(answer, &end, 10) != 0) {
            *end = 0;
            snprintf(display.window, sizeof display.window, "%.20s", answer);
            return true;
        }
        poll(NULL, 0, 10);
    }
    return false;
}

bool display_find(const char *title)
{
    char command[COMMAND_BYTES], answer[200], *place;
    if (!search_window(title)) return false;
    snprintf(command, sizeof command, "windowmove %s 0 0 windowfocus --sync %s getwindowgeometry --shell %s",
             display.window, display.window, display.window);
    if (!run_xdotool(command, answer, sizeof answer)) return false;
    if ((place = strstr(answer, "X="))) display.x = atoi(place + 2);
    if ((place = strstr(answer, "Y="))) display.y = atoi(place + 2);
    return true;
}

void display_key(const char *keys) { xdotool("key %s", keys); }
void display_type(const char *text) { xdotool("type %s", text); }
bool display_layout(const char *layout)
{
    return ended_well(start_program((char *const[]){ "setxkbmap", (char *)(uintptr_t)layout, NULL }, -1));
}

void display_hold(const char *key, bool down) { xdotool("%s %s", down ? "keydown" : "keyup", key); }
void display_move(int x, int y) { xdotool("mousemove --window %s %d %d", display.window, x, y); }

/* Words of a command that hold a modifier down, and let it go. */
static const char *down(const char *modifier, char words[40])
{
    snprintf(words, 40, modifier ? "keydown %s" : "%s", modifier ? modifier : "");
    return words;
}

static const char *up(const char *modifier, char words[40])
{
    snprintf(words, 40, modifier ? "keyup %s" : "%s", modifier ? modifier : "");
    return words;
}

void display_click(int x, int y, int button, const char *modifier, int times)
{
    char before[40], after[40];
    xdotool("mousemove --window %s %d %d %s click --repeat %d --delay 20 %d %s", display.window, x, y,
            down(modifier, before), times, button, up(modifier, after));
}

void display_drag(int x0, int y0, int x1, int y1, int button, const char *modifier)
{
    char before[40], after[40];
    xdotool("mousemove --window %s %d %d %s mousedown %d mousemove --window %s %d %d mousemove --window %s %d %d "
            "mouseup %d %s",
            display.window, x0, y0, down(modifier, before), button, display.window, (x0 + x1) / 2, (y0 + y1) / 2,
            display.window, x1, y1, button, up(modifier, after));
}

void display_wheel(int x, int y, int notches, const char *modifier)
{
    char before[40], after[40];
    xdotool("mousemove --window %s %d %d %s click --repeat %d --delay 5 %d %s", display.window, x, y,
            down(modifier, before), abs(notches), notches > 0 ? 4 : 5, up(modifier, after));
}

void display_resize(int width, int height) { xdotool("windowsize %s %d %d", display.window, width, height); }
void display_hide(void) { xdotool("windowunmap %s", display.window); }
void display_show(void) { xdotool("windowmap --sync %s windowfocus --sync %s", display.window, display.window); }

/* The message that a window manager sends; older versions of xdotool cannot. The library is loaded only here, where SDL
 * has loaded it already. */
void display_close(void)
{
    void *x11 = dlopen("libX11.so.6", RTLD_LAZY);
    if (!x11) return;
    __typeof__(XOpenDisplay)  *open_display = dlsym(x11, "XOpenDisplay");
    __typeof__(XInternAtom)   *atom = dlsym(x11, "XInternAtom");
    __typeof__(XSendEvent)    *send_event = dlsym(x11, "XSendEvent");
    __typeof__(XCloseDisplay) *close_display = dlsym(x11, "XCloseDisplay");
    Display                   *server = open_display(NULL);
    XEvent                     message = { .xclient = {
                                               .type = ClientMessage, .window = strtoul(display.window, NULL, 10), .format = 32 } };
    message.xclient.message_type = atom(server, "WM_PROTOCOLS", False);
    message.xclient.data.l[0] = (long)atom(server, "WM_DELETE_WINDOW", False);
    send_event(server, message.xclient.window, False, NoEventMask, &message);
    close_display(server);
    dlclose(x11);
}

/* ------------------------------------------------------------------------------------------------ picture --- */

/* A number of the header of an xwd file; the most significant byte comes first. */
static uint32_t header_number(int index)
{
    const uint8_t *b = display.file + 4 * index;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

uint32_t display_pixel(int x, int y)
{
    enum { HEADER_BYTES = 0, BYTES_PER_LINE = 12, COLOURS = 19, COLOUR_BYTES = 12 };
    x += display.x, y += display.y;
    if (!display.file || x < 0 || y < 0 || x >= DISPLAY_WIDTH || y >= DISPLAY_HEIGHT) return 0;
    size_t   first = header_number(HEADER_BYTES) + (size_t)header_number(COLOURS) * COLOUR_BYTES;
    uint32_t pixel;
    memcpy(&pixel, display.file + first + (size_t)y * header_number(BYTES_PER_LINE) + 4 * (size_t)x, sizeof pixel);
    return pixel & 0xffffff;
}

/* FNV-1a (draft-eastlake-fnv), on pixels. */
uint64_t display_hash(int x, int y, int width, int height)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (int row = y; row < y + height; row++)
        for (int column = x; column < x + width; column++) hash = (hash ^ display_pixel(column, row)) * 0x100000001b3u;
    return hash;
}
