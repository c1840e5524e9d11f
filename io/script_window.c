#include "io/script_window.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "sim/error.h"
#include "viz/window.h"

struct window_stage {
    void          (*body)(void *user, window_stage *stage);
    void           *user;
    pthread_mutex_t lock;
    pthread_cond_t  changed;
    feed           *feed;   /* to be shown                        */
    window         *window; /* while it is open                   */
    bool            over;   /* the body has come to its end       */
};

static void *run_body(void *argument)
{
    window_stage *stage = argument;
    stage->body(stage->user, stage);
    pthread_mutex_lock(&stage->lock);
    stage->over = true;
    if (stage->window) window_stop(stage->window);
    pthread_cond_signal(&stage->changed);
    pthread_mutex_unlock(&stage->lock);
    return NULL;
}

void window_stage_show(void *argument, feed *f)
{
    window_stage *stage = argument;
    pthread_mutex_lock(&stage->lock);
    stage->feed = f;
    pthread_cond_signal(&stage->changed);
    pthread_mutex_unlock(&stage->lock);
}

/* Waits for the feed. @return NULL if the body ended without one */
static feed *wait_for_feed(window_stage *stage)
{
    pthread_mutex_lock(&stage->lock);
    while (!stage->feed && !stage->over) pthread_cond_wait(&stage->changed, &stage->lock);
    feed *f = stage->over ? NULL : stage->feed;
    pthread_mutex_unlock(&stage->lock);
    return f;
}

/* The window as the body's end sees it. */
static bool set_window(window_stage *stage, window *w)
{
    pthread_mutex_lock(&stage->lock);
    stage->window = w;
    bool over = stage->over;
    pthread_mutex_unlock(&stage->lock);
    return over;
}

static void show_window(window_stage *stage, feed *f, bool busy)
{
    window  *w;
    rv_error error = { 0 };
    if (window_open(f, &(window_options){ .busy = busy }, &w, &error) != RV_OK) {
        fprintf(stderr, "ranvier: %s\n", error.text);
        atomic_store(&f->closed, true);
        return;
    }
    if (!set_window(stage, w)) window_loop(w);
    set_window(stage, NULL);
    window_close(w);
}

int window_stage_threads(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors >= 4 ? (int)processors - 1 : 0;
}

rv_status window_stage_run(void (*body)(void *user, window_stage *stage), void *user, bool busy, rv_error *error)
{
    window_stage stage = { .body = body, .user = user, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
    pthread_t    thread;
    rv_status    status = window_check(error);
    if (status != RV_OK) return status;
    if (pthread_create(&thread, NULL, run_body, &stage) != 0) return error_set(error, RV_OUT_OF_MEMORY, "no memory for a thread");
    feed *f = wait_for_feed(&stage);
    if (f) show_window(&stage, f, busy);
    pthread_join(thread, NULL);
    return RV_OK;
}
