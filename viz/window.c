/* The one door to SDL. The window's thread waits for events, lets the view answer them, and draws a frame when
 * something changed: at most 60 a second, none while nothing happens, fewer while a simulation wants all processors. */
#include "viz/window.h"
#include "viz/frames.h"

#include <SDL.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FRAMES_KEPT = 256, PATH_BYTES = 4096 };

static const double PIXELS_PER_POINT = 1.4; /* text of 8 points is 11 pixels high, as in other windows    */
static const double FRAME_SECONDS = 1.0 / 60;
static const double PUNCTUAL_SECONDS = 0.002; /* a frame that is later than that delays the following ones too */
static const double FILM_SECONDS = 1.0 / 30;  /* between the pictures of a film                             */
static const double DRAW_SECONDS = 0.006;     /* of a frame, for spikes that have to be drawn anew          */
static const double LOOK_SECONDS = 0.004;     /* between looks at a feed in which something may happen soon */
static const double IDLE_SECONDS = 0.1;       /* between looks at a feed in which nothing happens           */
static const double LIVELY_SECONDS = 0.5;     /* after an action: answers of the simulation are on the way  */
static const double COUNTED_SECONDS = 0.5;    /* over which frames are counted                              */
static const double CPU_SHARE = 0.015;        /* of one processor, for frames beside a busy simulation      */
static const double LONGEST_DEBT = 2;         /* seconds without a frame after costly ones                  */

/* What the window looks at to find out whether the simulation went on. */
typedef struct feed_glance {
    int     state;
    double  t_ms, end_ms, older_from_ms, older_to_ms, weights_ms, knobs;
    int64_t n_spikes, n_events, n_pending, n_bytes, n_samples;
} feed_glance;

struct window {
    feed           *feed;
    char           *folder;
    bool            busy;
    screen         *screen;
    pthread_mutex_t lock; /* taken to change what other threads may ask for: the view, the counts of frames */
    view            view;
    _Atomic bool    over;

    SDL_Window   *shown;
    SDL_Renderer *renderer;
    SDL_Texture  *texture;
    canvas       *canvas;        /* of the size of the texture */
    int           columns, rows; /* pixels of the window       */
    double        density;       /* pixels of the window per unit of the mouse's coordinates         */
    double        text_scale;    /* dense screens whose window system does not scale, Ctrl+plus/minus */
    unsigned      keys_down;     /* SDL_Keymod as of the last key event */
    bool          key_repeats;

    bool        changed, touched; /* since the last frame; by the user */
    bool        settled; /* the frame after all came to rest was drawn: with what the screen counts at leisure */
    double      changed_at, touched_at, looked_at, shown_at; /* seconds */
    double      allowance, thread_cpu; /* seconds of processor time that frames may use; used at the last look */
    feed_glance glance;
    double      counted_at; /* frames per second: since when, and how many there were then */
    int64_t     counted_from;

    frames *film;
    double  film_at; /* when its next picture is due */

    double  frame_seconds[FRAMES_KEPT];
    int64_t frames_shown, frames_dropped;
};

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double wall_seconds(void) { return seconds_of(CLOCK_MONOTONIC); }

static void has_changed(window *w)
{
    if (!w->changed) w->changed_at = wall_seconds();
    w->changed = true, w->settled = false;
}

/* ------------------------------------------------------------------------------------------------- opening --- */

static bool names_display(void)
{
#ifdef __APPLE__
    return true;
#else
    return getenv("DISPLAY") || getenv("WAYLAND_DISPLAY") || getenv("SDL_VIDEODRIVER");
#endif
}

/* Without a display SDL would take over a text console, so it is not even asked. */
static rv_status start_sdl(rv_error *error)
{
    static const char advice[] = "write pictures with --frames FOLDER, or draw the results with ranvier plot";
    if (!names_display())
        return canvas_fail(error, RV_FILE_ERROR, "window: no display, DISPLAY is not set; %s", advice);
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1"); /* Ctrl-C belongs to the command */
    SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0"); /* this is no game */
    SDL_SetHint(SDL_HINT_APP_NAME, "Ranvier");
    if (!getenv("SDL_VIDEODRIVER") && getenv("DISPLAY")) SDL_SetHint(SDL_HINT_VIDEODRIVER, "x11,wayland");
    if (SDL_InitSubSystem(SDL_INIT_VIDEO) == 0) return RV_OK;
    const char *display = getenv("DISPLAY");
    return canvas_fail(error, RV_FILE_ERROR, "window: display \"%s\" cannot be opened (%s); %s", display ? display : "",
                       SDL_GetError(), advice);
}

static void end_sdl(void)
{
    SDL_QuitSubSystem(SDL_INIT_VIDEO);
    if (!SDL_WasInit(0)) SDL_Quit();
}

rv_status window_check(rv_error *error)
{
    rv_status status = start_sdl(error);
    if (status == RV_OK) end_sdl();
    return status;
}

/* OpenGL without a graphics card takes threads of its own from the simulation. */
static bool imitates_card(SDL_Renderer *renderer)
{
    enum { GL_RENDERER_NAME = 0x1F01 };
    SDL_RendererInfo info;
    const unsigned char *(*get_string)(unsigned) = NULL;
    if (SDL_GetRendererInfo(renderer, &info) != 0 || strncmp(info.name, "opengl", 6)) return false;
    *(void **)&get_string = SDL_GL_GetProcAddress("glGetString");
    const char *name = get_string ? (const char *)get_string(GL_RENDERER_NAME) : NULL;
    return name && (strstr(name, "llvmpipe") || strstr(name, "softpipe") || strstr(name, "Software"));
}

/* Without a card pixels are copied to the display, unless only OpenGL can reach it. */
static SDL_Renderer *make_renderer(SDL_Window *shown)
{
    SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
    SDL_Renderer *renderer = SDL_CreateRenderer(shown, -1, SDL_RENDERER_ACCELERATED);
    if (renderer && !imitates_card(renderer)) return renderer;
    if (renderer) SDL_DestroyRenderer(renderer);
    renderer = SDL_CreateRenderer(shown, -1, SDL_RENDERER_SOFTWARE);
    if (renderer) return renderer;
    SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "1");
    return SDL_CreateRenderer(shown, -1, 0);
}

/* How much larger things are to be where a unit of the window is a tiny pixel: 1, 1.5, 2, ... Other systems scale the
 * window, X11 knows only how long the screen is in millimetres; projectors and virtual machines make that up, so small
 * differences do not count. */
static double screen_density(void)
{
    float dpi = 0;
    if (strcmp(SDL_GetCurrentVideoDriver(), "x11") != 0) return 1;
    if (SDL_GetDisplayDPI(0, NULL, &dpi, NULL) != 0 || !(dpi > 140 && dpi < 600)) return 1;
    return fmin(floor(dpi / 96 * 2) / 2, 3);
}

static rv_status show_window(window *w, int width, int height, rv_error *error)
{
    SDL_Rect usable = { .w = width, .h = height };
    char     title[sizeof w->feed->title + 16];
    w->text_scale = screen_density();
    SDL_GetDisplayUsableBounds(0, &usable);
    snprintf(title, sizeof title, "%s%sRanvier", w->feed->title, w->feed->title[0] ? " – " : "");
    w->shown = SDL_CreateWindow(title, SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED,
                                (int)fmin(width * w->text_scale, usable.w), (int)fmin(height * w->text_scale, usable.h),
                                SDL_WINDOW_ALLOW_HIGHDPI | SDL_WINDOW_RESIZABLE);
    if (w->shown) w->renderer = make_renderer(w->shown);
    if (w->renderer) {
        SDL_StartTextInput();
        return RV_OK;
    }
    return canvas_fail(error, RV_FILE_ERROR, "window: it cannot be shown (%s)", SDL_GetError());
}

/* The sizes the window has now; the view is told in its own lengths. */
static void measure_window(window *w)
{
    int width = 1, height = 1;
    SDL_GetWindowSize(w->shown, &width, &height);
    if (SDL_GetRendererOutputSize(w->renderer, &w->columns, &w->rows) != 0) w->columns = width, w->rows = height;
    w->columns = w->columns > 0 ? w->columns : 1, w->rows = w->rows > 0 ? w->rows : 1;
    w->density = width > 0 ? (double)w->columns / width : 1;
}

static void fit_view(window *w)
{
    measure_window(w);
    w->view.scale = PIXELS_PER_POINT * w->density * w->text_scale;
    w->view.width = w->columns / w->view.scale;
    w->view.height = w->rows / w->view.scale;
    has_changed(w);
}

rv_status window_open(feed *f, const window_options *options, window **result, rv_error *error)
{
    window *w = *result = calloc(1, sizeof *w);
    if (!w) return canvas_fail(error, RV_OUT_OF_MEMORY, "window: no memory");
    pthread_mutex_init(&w->lock, NULL);
    w->feed = f, w->busy = options->busy;
    w->folder = strdup(options->folder ? options->folder : ".");
    rv_status status = w->folder ? view_open(&w->view, f) : RV_OUT_OF_MEMORY;
    if (status == RV_OK) status = (w->screen = screen_new(f)) ? RV_OK : RV_OUT_OF_MEMORY;
    if (status != RV_OK) canvas_fail(error, status, "window: no memory");
    if (status == RV_OK) status = start_sdl(error);
    if (status == RV_OK)
        status = show_window(w, options->width > 0 ? options->width : 1280, options->height > 0 ? options->height : 800,
                             error);
    if (status != RV_OK) {
        window_close(w);
        *result = NULL;
        return status;
    }
    w->view.dark = !options->light;
    w->counted_at = w->looked_at = wall_seconds();
    w->thread_cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    fit_view(w);
    return RV_OK;
}

static void drop_canvas(window *w)
{
    if (w->texture) SDL_DestroyTexture(w->texture);
    canvas_free(w->canvas);
    w->texture = NULL, w->canvas = NULL;
}

void window_close(window *w)
{
    if (!w) return;
    frames_close(w->film, NULL);
    drop_canvas(w);
    if (w->renderer) SDL_DestroyRenderer(w->renderer);
    if (w->shown) SDL_DestroyWindow(w->shown);
    end_sdl();
    screen_free(w->screen);
    view_close(&w->view);
    pthread_mutex_destroy(&w->lock);
    free(w->folder);
    free(w);
}

/* ------------------------------------------------------------------------------------------------ keyboard --- */

/* Characters come as text, which knows the user's keyboard layout; these keys and Ctrl with a key make no text. */
static int key_of(SDL_Keycode code)
{
    static const struct {
        SDL_Keycode code;
        int         key;
    } keys[] = {
        { SDLK_ESCAPE, VIEW_KEY_ESCAPE }, { SDLK_BACKSPACE, VIEW_KEY_BACKSPACE }, { SDLK_TAB, VIEW_KEY_TAB },
        { SDLK_RETURN, VIEW_KEY_RETURN }, { SDLK_KP_ENTER, VIEW_KEY_RETURN },     { SDLK_F1, VIEW_KEY_F1 },
        { SDLK_LEFT, VIEW_KEY_LEFT },     { SDLK_PAGEUP, VIEW_KEY_PAGE_UP },      { SDLK_HOME, VIEW_KEY_HOME },
        { SDLK_RIGHT, VIEW_KEY_RIGHT },   { SDLK_PAGEDOWN, VIEW_KEY_PAGE_DOWN },  { SDLK_END, VIEW_KEY_END },
        { SDLK_UP, VIEW_KEY_UP },         { SDLK_DOWN, VIEW_KEY_DOWN },
    };
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        if (keys[k].code == code) return keys[k].key;
    return 0;
}

static unsigned view_modifiers(unsigned sdl)
{
    return (sdl & KMOD_SHIFT ? VIEW_SHIFT : 0) | (sdl & KMOD_CTRL ? VIEW_CTRL : 0) | (sdl & KMOD_ALT ? VIEW_ALT : 0);
}

/* Ctrl+plus and Ctrl+minus make everything larger and smaller, Ctrl+0 as it was. */
static bool scale_text(window *w, SDL_Keycode key)
{
    double scale = key == SDLK_PLUS || key == SDLK_EQUALS || key == SDLK_KP_PLUS ? w->text_scale * 1.1
                   : key == SDLK_MINUS || key == SDLK_KP_MINUS                   ? w->text_scale / 1.1
                   : key == SDLK_0 || key == SDLK_KP_0                           ? screen_density()
                                                                                 : 0;
    if (scale == 0) return false;
    w->text_scale = fmin(fmax(scale, 0.5), 5);
    fit_view(w);
    return true;
}

/* A key that is held down repeats what is worth repeating; a pause is not. */
static bool may_repeat(int key)
{
    if (key < 0x80) return key > 0 && strchr(".,+-[]", key);
    return key == VIEW_KEY_BACKSPACE || (key >= VIEW_KEY_LEFT && key <= VIEW_KEY_PAGE_DOWN);
}

/* @return whether something on the screen changed, as all below */
static bool press_key(window *w, const SDL_KeyboardEvent *key)
{
    view_event event = { .kind = VIEW_KEY, .key = key_of(key->keysym.sym) };
    w->keys_down = key->keysym.mod;
    w->key_repeats = key->repeat;
    event.modifiers = view_modifiers(w->keys_down);
    if (w->key_repeats && !may_repeat(event.key)) event.key = 0;
    if (event.key == 0 && w->keys_down & KMOD_CTRL && !(w->keys_down & KMOD_RALT)) {
        if (scale_text(w, key->keysym.sym)) return true;
        if (key->keysym.sym > 32 && key->keysym.sym < 127) event.key = key->keysym.sym;
    }
    return event.key != 0 && view_handle(&w->view, w->feed, &event);
}

/* One character. In the search line it is text, elsewhere a command; Shift counts for letters only, since layouts
 * differ in how one types the others. AltGr makes characters, Alt and Ctrl do not. */
static bool type_character(window *w, const char *character, size_t bytes)
{
    view_event event = { .kind = VIEW_TEXT };
    memcpy(event.text, character, bytes);
    if (!w->view.searching) {
        if (bytes > 1 || (w->key_repeats && !may_repeat(*character))) return false;
        event = (view_event){ .kind = VIEW_KEY, .key = SDL_tolower(*character) };
        if (SDL_isalpha(*character)) event.modifiers = view_modifiers(w->keys_down & KMOD_SHIFT);
    }
    return view_handle(&w->view, w->feed, &event);
}

static bool type_text(window *w, const char *text)
{
    bool changed = false, is_command = w->keys_down & (KMOD_CTRL | KMOD_LALT | KMOD_GUI) && !(w->keys_down & KMOD_RALT);
    if (is_command) return false;
    while (*text) {
        size_t bytes = 1;
        while ((text[bytes] & 0xc0) == 0x80 && bytes < sizeof(((view_event *)0)->text) - 1) bytes++;
        changed |= type_character(w, text, bytes);
        text += bytes;
    }
    return changed;
}

/* --------------------------------------------------------------------------------------------------- mouse --- */

static view_event at_mouse(const window *w, view_event_kind kind, double x, double y)
{
    double points = w->density / w->view.scale;
    return (view_event){ .kind = kind, .modifiers = view_modifiers(w->keys_down), .x = x * points, .y = y * points };
}

static bool press_button(window *w, const SDL_MouseButtonEvent *button)
{
    view_event event = at_mouse(w, button->state == SDL_PRESSED ? VIEW_PRESS : VIEW_RELEASE, button->x, button->y);
    event.button = button->button == SDL_BUTTON_LEFT     ? VIEW_LEFT
                   : button->button == SDL_BUTTON_MIDDLE ? VIEW_MIDDLE
                   : button->button == SDL_BUTTON_RIGHT  ? VIEW_RIGHT
                                                         : 0;
    event.clicks = button->clicks;
    return event.button != 0 && view_handle(&w->view, w->feed, &event);
}

/* Two fingers that move sideways move in time, as the wheel with Ctrl does. */
static bool turn_wheel(window *w, const SDL_MouseWheelEvent *wheel)
{
    view_event event = at_mouse(w, VIEW_WHEEL, wheel->mouseX, wheel->mouseY);
    bool       sideways = fabsf(wheel->preciseX) > fabsf(wheel->preciseY);
    event.wheel = sideways ? -wheel->preciseX : wheel->preciseY;
    if (sideways) event.modifiers = VIEW_CTRL;
    return event.wheel != 0 && view_handle(&w->view, w->feed, &event);
}

static bool move_mouse(window *w, view_event_kind kind, double x, double y)
{
    view_event event = at_mouse(w, kind, x, y);
    return view_handle(&w->view, w->feed, &event);
}

/* ------------------------------------------------------------------------------------------------ the rest --- */

static bool change_window(window *w, const SDL_WindowEvent *event)
{
    switch (event->event) {
    case SDL_WINDOWEVENT_SIZE_CHANGED:
        fit_view(w);
        return true;
    case SDL_WINDOWEVENT_SHOWN:
    case SDL_WINDOWEVENT_EXPOSED:
    case SDL_WINDOWEVENT_RESTORED:
        return true;
    case SDL_WINDOWEVENT_LEAVE:
        return move_mouse(w, VIEW_LEAVE, -1, -1);
    case SDL_WINDOWEVENT_CLOSE:
        atomic_store(&w->over, true);
        return false;
    default:
        return false;
    }
}

static bool obey_event(window *w, const SDL_Event *event)
{
    switch (event->type) {
    case SDL_QUIT:
        atomic_store(&w->over, true);
        return false;
    case SDL_WINDOWEVENT:
        return change_window(w, &event->window);
    case SDL_KEYDOWN:
        return press_key(w, &event->key);
    case SDL_KEYUP:
        w->keys_down = event->key.keysym.mod;
        return false;
    case SDL_TEXTINPUT:
        return type_text(w, event->text.text);
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP:
        return press_button(w, &event->button);
    case SDL_MOUSEMOTION:
        return move_mouse(w, VIEW_MOTION, event->motion.x, event->motion.y);
    case SDL_MOUSEWHEEL:
        return turn_wheel(w, &event->wheel);
    case SDL_RENDER_TARGETS_RESET:
    case SDL_RENDER_DEVICE_RESET:
        drop_canvas(w);
        return true;
    default:
        return false;
    }
}

static void obey_user(window *w)
{
    SDL_Event event;
    bool      changed = false;
    pthread_mutex_lock(&w->lock);
    while (SDL_PollEvent(&event)) {
        changed |= obey_event(w, &event);
        w->touched_at = wall_seconds();
    }
    if (changed) has_changed(w);
    w->touched |= changed;
    pthread_mutex_unlock(&w->lock);
}

/* --------------------------------------------------------------------------------------- files and the end --- */

static void say_error(window *w, const rv_error *error)
{
    view_note(&w->view, "%s", error->text);
    has_changed(w);
}

static void name_file(const window *w, int number, const char *ending, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/ranvier-%04d.%s", w->folder, number, ending);
}

/* The first number that no file of the window in the folder has yet; nothing is overwritten. */
static int free_number(const window *w)
{
    static const char *const endings[] = { "png", "svg", "pdf" };
    char                     path[PATH_BYTES];
    for (int n = 1;; n++) {
        bool taken = false;
        for (int k = 0; k < 3; k++) {
            name_file(w, n, endings[k], path);
            taken |= access(path, F_OK) == 0;
        }
        if (!taken) return n;
    }
}

static rv_status save_as(window *w, int number, const char *ending, rv_error *error)
{
    char path[PATH_BYTES];
    name_file(w, number, ending, path);
    return screen_save(w->screen, &w->view, path, error);
}

static void save_view(window *w, bool vector)
{
    rv_error  error = { 0 };
    int       number = free_number(w);
    rv_status status = save_as(w, number, vector ? "svg" : "png", &error);
    if (status == RV_OK && vector) status = save_as(w, number, "pdf", &error);
    if (status != RV_OK) say_error(w, &error);
    else view_note(&w->view, "saved %s/ranvier-%04d.%s", w->folder, number, vector ? "svg and .pdf" : "png");
    has_changed(w);
}

static void end_film(window *w)
{
    rv_error error = { 0 };
    char     folder[200];
    int64_t  added = frames_added(w->film), left_out = frames_left_out(w->film);
    snprintf(folder, sizeof folder, "%s", frames_folder(w->film));
    if (frames_close(w->film, &error) != RV_OK) say_error(w, &error);
    else if (left_out == 0) view_note(&w->view, "%lld frames in %s", (long long)added, folder);
    else
        view_note(&w->view, "%lld frames in %s; %lld came too fast and were left out", (long long)added, folder,
                  (long long)left_out);
    w->film = NULL;
    w->view.recording = false;
    has_changed(w);
}

/* V began or ended a film. */
static void follow_recording(window *w)
{
    rv_error error = { 0 };
    if (w->film && !w->view.recording) end_film(w);
    if (w->film || !w->view.recording) return;
    if (frames_record(w->folder, &w->film, &error) == RV_OK) {
        view_note(&w->view, "recording into %s", frames_folder(w->film));
    } else {
        w->view.recording = false;
        say_error(w, &error);
    }
    has_changed(w);
}

static void fulfil_wishes(window *w)
{
    unsigned wishes = w->view.wishes;
    w->view.wishes = 0;
    if (wishes & VIEW_WISH_PNG) save_view(w, false);
    if (wishes & VIEW_WISH_VECTOR) save_view(w, true);
    if (wishes & VIEW_WISH_END) feed_send(w->feed, (feed_command){ .kind = FEED_FINISH });
    if (wishes & (VIEW_WISH_CLOSE | VIEW_WISH_END)) atomic_store(&w->over, true);
    follow_recording(w);
}

/* Nobody watches any more: a paused or slow simulation goes on as fast as it can. */
static void leave(window *w)
{
    pthread_mutex_lock(&w->lock);
    if (w->film) end_film(w);
    pthread_mutex_unlock(&w->lock);
    SDL_HideWindow(w->shown);
    SDL_PumpEvents();
    atomic_store(&w->feed->speed, INFINITY);
    atomic_store(&w->feed->paused, false);
    atomic_store(&w->feed->closed, true);
}

/* ----------------------------------------------------------------------------------------- when to draw --- */

static feed_glance glance_at(feed *f)
{
    feed_glance         g = { .state = atomic_load(&f->state),
                              .t_ms = atomic_load(&f->t_ms),
                              .end_ms = atomic_load(&f->end_ms),
                              .older_from_ms = atomic_load(&f->older_from_ms),
                              .older_to_ms = atomic_load(&f->older_to_ms),
                              .n_spikes = atomic_load(&f->n_spikes),
                              .n_events = atomic_load(&f->n_events),
                              .n_pending = atomic_load(&f->n_pending),
                              .n_bytes = atomic_load(&f->n_bytes) };
    const feed_weights *weights = feed_weights_latest(f);
    if (weights) g.weights_ms = weights->t_ms + 1e12 * (1 + weights->learning);
    for (int k = 0; k < f->n_knobs; k++) g.knobs += (k + 1) * atomic_load(&f->knob[k].value);
    for (int k = 0; k < FEED_TRACES; k++) {
        int64_t first, end;
        history_kept(f->trace[k].samples, &first, &end);
        g.n_samples += end + first;
    }
    return g;
}

static bool is_same(const feed_glance *a, const feed_glance *b)
{
    return a->state == b->state && a->t_ms == b->t_ms && a->end_ms == b->end_ms && a->knobs == b->knobs &&
           a->weights_ms == b->weights_ms && a->n_samples == b->n_samples && a->older_from_ms == b->older_from_ms &&
           a->older_to_ms == b->older_to_ms && a->n_spikes == b->n_spikes && a->n_events == b->n_events &&
           a->n_pending == b->n_pending && a->n_bytes == b->n_bytes;
}

static bool is_visible(const window *w)
{
    return !(SDL_GetWindowFlags(w->shown) & (SDL_WINDOW_HIDDEN | SDL_WINDOW_MINIMIZED));
}

/* Something happened a moment ago: more is to be expected, the simulation's answer to what the user did. */
static bool is_lively(const window *w) { return w->looked_at < fmax(w->changed_at, w->touched_at) + LIVELY_SECONDS; }

/* Does a simulation run that would use every processor? Frames of a film are wanted all the same. */
static bool gives_way(const window *w)
{
    return w->busy && !w->film && w->glance.state == FEED_RUNNING && !w->view.paused && isinf(w->view.speed);
}

/* Processor time that frames may use earns CPU_SHARE of one processor and is spent by this thread: a simulation on all of
 * them waits, within each window of its time, for its slowest thread, the one that shares a processor with us. */
static void settle_account(window *w, double elapsed)
{
    double cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID), income = CPU_SHARE;
    w->allowance += income * elapsed - (cpu - w->thread_cpu);
    w->allowance = fmin(fmax(w->allowance, -income * LONGEST_DEBT), income * FRAME_SECONDS);
    w->thread_cpu = cpu;
}

/* The earliest moment for the next frame. What the user did is shown soon, and paid for afterwards. */
static double next_frame_at(const window *w)
{
    double at = w->shown_at + FRAME_SECONDS;
    if (!gives_way(w) || w->allowance >= 0) return at;
    if (w->touched) return at + FRAME_SECONDS;
    return fmax(at, w->looked_at - w->allowance / CPU_SHARE);
}

/* The next moment at which there may be something to do without an event. */
static double next_look_at(const window *w)
{
    if (!is_visible(w) || (!w->changed && !is_lively(w))) return w->looked_at + IDLE_SECONDS;
    return w->changed ? next_frame_at(w) : fmax(next_frame_at(w), w->looked_at + LOOK_SECONDS);
}

static void wait_for_events(const window *w)
{
    double seconds = next_look_at(w) - wall_seconds();
    if (seconds <= 0) return;
    if (is_visible(w)) SDL_WaitEventTimeout(NULL, (int)ceil(1e3 * seconds));
    else SDL_Delay((Uint32)ceil(1e3 * seconds)); /* SDL asks without a break for events of a window that is not seen */
}

static void count_frames(window *w, double now)
{
    double seconds = now - w->counted_at;
    if (seconds < COUNTED_SECONDS) return;
    w->view.frames_per_second = (double)(w->frames_shown - w->counted_from) / seconds;
    w->counted_at = now, w->counted_from = w->frames_shown;
}

/* Time passes, and the simulation may have gone on. */
static void look_at_feed(window *w)
{
    double      now = wall_seconds(), elapsed = now - w->looked_at, speed = w->view.measured_speed;
    bool        waited = gives_way(w) && is_lively(w) && is_visible(w);
    feed_glance g = glance_at(w->feed);
    pthread_mutex_lock(&w->lock);
    bool changed = !is_same(&g, &w->glance);
    w->glance = g;
    changed |= view_tick(&w->view, w->feed, elapsed);
    changed |= w->view.measured_speed != speed;
    count_frames(w, now);
    fulfil_wishes(w);
    pthread_mutex_unlock(&w->lock);
    settle_account(w, elapsed);
    w->looked_at = now;
    if ((changed && !w->changed) || !is_visible(w)) /* nobody waits for a window that is not seen */
        w->changed_at = waited ? w->shown_at : now;
    if (changed) w->changed = true, w->settled = false;
    else if (!w->settled && !is_lively(w)) w->changed = w->settled = true, w->changed_at = now;
}

/* ------------------------------------------------------------------------------------------------- drawing --- */

/* Canvas and texture of the window's size. */
static bool fit_canvas(window *w)
{
    int width = 0, height = 0, stride;
    if (w->canvas) canvas_pixels(w->canvas, &width, &height, &stride);
    if (w->texture && width == w->columns && height == w->rows && canvas_scale(w->canvas) == w->view.scale) return true;
    drop_canvas(w);
    if (canvas_new(w->columns, w->rows, w->view.scale, &w->canvas, NULL) != RV_OK) return false;
    w->texture =
        SDL_CreateTexture(w->renderer, SDL_PIXELFORMAT_RGB888, SDL_TEXTUREACCESS_STREAMING, w->columns, w->rows);
    return w->texture;
}

static bool present(window *w)
{
    int             width, height, stride;
    const uint32_t *pixels = canvas_pixels(w->canvas, &width, &height, &stride);
    if (SDL_UpdateTexture(w->texture, NULL, pixels, stride * (int)sizeof *pixels) != 0) return false;
    if (SDL_RenderCopy(w->renderer, w->texture, NULL, NULL) != 0) return false;
    SDL_RenderPresent(w->renderer);
    return true;
}

static void film_frame(window *w, double now)
{
    rv_error error = { 0 };
    if (now < w->film_at) return;
    w->film_at = fmax(w->film_at + FILM_SECONDS, now);
    if (frames_add(w->film, w->canvas, &error) != RV_OK) end_film(w);
}

/* Frames that were due and not shown before this one was. */
static int64_t dropped_before(const window *w, double now)
{
    double due = fmax(w->changed_at, w->shown_at + FRAME_SECONDS);
    return now > due ? (int64_t)((now - due) / FRAME_SECONDS) : 0;
}

static void count_frame(window *w, double began, double ended)
{
    pthread_mutex_lock(&w->lock);
    w->frames_dropped += dropped_before(w, began);
    w->frame_seconds[w->frames_shown++ % FRAMES_KEPT] = ended - began;
    w->view.dropped_frames = w->frames_dropped;
    if (w->film) film_frame(w, began);
    pthread_mutex_unlock(&w->lock);
}

static void show_frame(window *w)
{
    double planned = next_frame_at(w), began = wall_seconds();
    bool   complete = true, drawn = fit_canvas(w);
    w->changed = w->touched = false;
    if (drawn) drawn = screen_draw(w->screen, &w->view, w->canvas, DRAW_SECONDS, &complete) == RV_OK && present(w);
    if (drawn) count_frame(w, began, wall_seconds());
    w->shown_at = fmin(began, fmax(planned, began - PUNCTUAL_SECONDS));
    if (!complete) w->changed = true, w->changed_at = began;
}

/* ------------------------------------------------------------------------------------------------ the loop --- */

void window_loop(window *w)
{
    while (!atomic_load(&w->over)) {
        obey_user(w);
        look_at_feed(w);
        if (w->changed && is_visible(w) && wall_seconds() >= next_frame_at(w)) show_frame(w);
        wait_for_events(w);
    }
    leave(w);
}

/* The loop looks ten times a second at least. Events that wake SDL from another thread may come after the window's end,
 * and that ends the process. */
void window_stop(window *w) { atomic_store(&w->over, true); }

rv_status window_view(window *w, view *copy)
{
    size_t bytes = (size_t)w->feed->n_populations * sizeof *copy->visible;
    bool  *visible = malloc(bytes ? bytes : 1);
    if (!visible) return RV_OUT_OF_MEMORY;
    pthread_mutex_lock(&w->lock);
    *copy = w->view;
    memcpy(visible, w->view.visible, bytes);
    pthread_mutex_unlock(&w->lock);
    copy->visible = visible;
    return RV_OK;
}

window_frames window_frames_get(window *w)
{
    pthread_mutex_lock(&w->lock);
    window_frames result = { .shown = w->frames_shown, .dropped = w->frames_dropped };
    int           n = result.shown < FRAMES_KEPT ? (int)result.shown : FRAMES_KEPT;
    for (int k = 0; k < n; k++) {
        result.mean_seconds += w->frame_seconds[k] / n;
        result.longest_seconds = fmax(result.longest_seconds, w->frame_seconds[k]);
    }
    pthread_mutex_unlock(&w->lock);
    return result;
}
