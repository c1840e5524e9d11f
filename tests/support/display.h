/* A screen without a monitor (Xvfb), and hands on its keyboard and mouse (xdotool): tests of the window use it as a
 * person would, through the X server, and look at the picture in the server's memory.
 *
 *   if (!display_start()) skip();
 *   ... open a window ...
 *   display_find("Ranvier");
 *   display_key("space");
 *   display_click(400, 300, 1, "ctrl", 1);
 *
 * There is no window manager. Coordinates are pixels of the window that was found. What is done here has reached the X
 * server when the function returns; the program under test sees it later. */
#ifndef RV_TESTS_DISPLAY_H
#define RV_TESTS_DISPLAY_H

#include <stdbool.h>
#include <stdint.h>

enum { DISPLAY_WIDTH = 4096, DISPLAY_HEIGHT = 3200 };

/** Starts the server on a free number and sets DISPLAY. It ends with this process, however that ends.
 *  @return false, with a message, where Xvfb or xdotool is missing or does not start */
bool display_start(void);
void display_stop(void);

/** Finds the window whose title contains the text, waiting for it, and gives it the keyboard. @return false: not there
 */
bool display_find(const char *title);

/** A key by its name ("space", "shift+q", "question", "ctrl+plus"), several separated by blanks. */
void display_key(const char *keys);
void display_type(const char *text);
void display_hold(const char *key, bool down); /* pressed and not yet released */

/** Changes the keyboard: "us", "de". @return false where setxkbmap is missing */
bool display_layout(const char *layout);

void display_move(int x, int y);

/** @param button 1 left, 2 middle, 3 right  @param modifier "ctrl", "shift", "alt" or NULL  @param times 2: double */
void display_click(int x, int y, int button, const char *modifier, int times);
void display_drag(int x0, int y0, int x1, int y1, int button, const char *modifier);

/** @param notches up is positive */
void display_wheel(int x, int y, int notches, const char *modifier);

void display_resize(int width, int height);
void display_hide(void); /* as when minimised */
void display_show(void);
void display_close(void); /* as the window's close button does */

/** The colour of a pixel of the window, 0xRRGGBB; 0 beyond the screen. */
uint32_t display_pixel(int x, int y);

/** A number that differs where the picture in a rectangle differs. */
uint64_t display_hash(int x, int y, int width, int height);

#endif
