/* A plugin that breaks every rule of the boundary. What it does in a call stands in the call: {"do": "abort"}. What it does when
 * it is loaded is decided when it is compiled. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "zonestack.h"

__attribute__((used, section(ZONESTACK_SECTION))) static const zonestack_card card = {
    ZONESTACK_MAGIC,     sizeof(zonestack_card), ZONESTACK_ABI_MAJOR, ZONESTACK_ABI_MINOR,
    ZONESTACK_PROTO_MIN, ZONESTACK_PROTO_MAX,    "rude",              "0.1.0",
    "c",                 "",                     "",                  "",
};

/* The header and the crate say the same. */
_Static_assert(sizeof(zonestack_card) == CARD_SIZE, "the card");
_Static_assert(sizeof(zonestack_host_v1) == HOST_SIZE, "the host's table");
_Static_assert(sizeof(zonestack_plugin_v1_table) == PLUGIN_SIZE, "the plugin's table");

static const zonestack_host_v1 *host;

static int holds(zonestack_slice slice, const char *text) {
    size_t length = strlen(text);
    for (size_t at = 0; at + length <= slice.len; at++)
        if (memcmp(slice.ptr + at, text, length) == 0) return 1;
    return 0;
}

static int asks_for(zonestack_slice body, const char *what) {
    char text[64];
    snprintf(text, sizeof text, "\"do\":\"%s\"", what);
    return holds(body, text);
}

static void complete(uint64_t call, int32_t status, const char *text) {
    zonestack_slice body = {(const uint8_t *)text, strlen(text)};
    host->complete(host->ctx, call, status, body);
}

static void ask(uint64_t call, uint64_t number, const char *method, const char *text) {
    zonestack_slice name = {(const uint8_t *)method, strlen(method)};
    zonestack_slice body = {(const uint8_t *)text, strlen(text)};
    host->ask(host->ctx, call, number, name, body);
}

#ifndef CALLED
#define CALLED "rude"
#endif
#ifndef PROTO
#define PROTO "1"
#endif

static const char description[] =
    "{\"proto\":" PROTO ",\"name\":\"" CALLED "\",\"a field of the future\":[],"
    "\"components\":[{\"name\":\"rude\",\"schema\":{\"type\":\"object\"},\"provides\":[\"rude/v1\"]}],"
    "\"kinds\":[{\"kind\":\"rude.thing\",\"identity\":\"name\",\"tagging\":\"none\",\"data\":\"stateless\","
    "\"ready_within_ms\":1000,\"delete_within_ms\":1000,\"model\":{\"id\":\"x\"}}]}";

static volatile int depth;

__attribute__((noinline)) static int overflow(int level) {
    volatile char frame[4096];
    frame[0] = (char)level;
    depth = level;
    return overflow(level + 1) + frame[0];
}

static uint64_t asking;

static int32_t start(void *ctx, uint64_t call, zonestack_slice method, zonestack_slice body) {
    (void)ctx;
    if (holds(method, "describe")) {
        complete(call, ZONESTACK_OK, description);
    } else if (asks_for(body, "abort")) {
        abort();
    } else if (asks_for(body, "segfault")) {
        *(volatile int *)8 = 1;
    } else if (asks_for(body, "exit")) {
        exit(0);
    } else if (asks_for(body, "overflow")) {
        overflow(0);
    } else if (asks_for(body, "loop")) {
        for (;;) depth++;
    } else if (asks_for(body, "silence")) {
        /* Never completes. */
    } else if (asks_for(body, "noise")) {
        for (int line = 0; line < 20000; line++) {
            puts("noise on stdout, which is the way to the host in a worse program");
            fputs("noise on stderr\n", stderr);
            complete(0, 7, "");
        }
        for (int line = 0; line < 300000; line++) fputs("a line without an end ", stderr);
        fflush(NULL);
        complete(call, ZONESTACK_OK, "{\"findings\":[]}");
    } else if (asks_for(body, "huge")) {
        size_t length = ((size_t)17 << 20);
        zonestack_slice large = {calloc(length, 1), length};
        host->complete(host->ctx, call, ZONESTACK_OK, large);
    } else if (asks_for(body, "nonsense")) {
        complete(call, ZONESTACK_OK, "{\"findings\": [\xff\xfe");
    } else if (asks_for(body, "wrong-type")) {
        complete(call, ZONESTACK_OK, "[1, 2, 3]");
    } else if (asks_for(body, "twice")) {
        complete(call, ZONESTACK_OK, "{\"findings\":[]}");
        complete(call, ZONESTACK_OK, "{\"findings\":[]}");
    } else if (asks_for(body, "unknown")) {
        complete(4711, ZONESTACK_OK, "{}");
        complete(call, ZONESTACK_OK, "{\"findings\":[]}");
    } else if (asks_for(body, "refuse")) {
        return 1;
    } else if (asks_for(body, "flood")) {
        for (uint64_t number = 1; number < 5000; number++) ask(call, number, "clock.now", "{}");
    } else if (asks_for(body, "steal")) {
        asking = call;
        ask(call, 1, "secret.resolve", "{\"ref\":{\"env\":\"SOMEBODY_ELSES\"}}");
    } else if (asks_for(body, "future")) {
        complete(call, ZONESTACK_ERROR, "{\"class\":\"of-the-future\",\"message\":\"who knows\"}");
    } else if (asks_for(body, "close")) {
        for (int file = 0; file < 64; file++) close(file);
    } else if (holds(method, "render") || holds(method, "check")) {
        complete(call, ZONESTACK_OK, "{\"findings\":[]}");
    } else {
        complete(call, ZONESTACK_OK, "{}");
    }
    return 0;
}

static void cancel(void *ctx, uint64_t call) { (void)ctx, (void)call; }

static void answer(void *ctx, uint64_t number, int32_t status, zonestack_slice body) {
    (void)ctx, (void)number;
    /* What the host says goes into the error, so that the test sees it. */
    static char text[4096];
    if (asking == 0) return;
    snprintf(text, sizeof text, "{\"class\":\"denied\",\"message\":\"status %d\",\"said\":%.*s}", status,
             (int)body.len, (const char *)body.ptr);
    complete(asking, ZONESTACK_ERROR, text);
    asking = 0;
}

static void shut_down(void *ctx, uint64_t grace_ms) { (void)ctx, (void)grace_ms; }

static zonestack_plugin_v1_table table = {
    sizeof(zonestack_plugin_v1_table), ZONESTACK_ABI_MINOR, NULL, start, cancel, answer, shut_down,
};

#ifdef CRASH_ON_LOAD
__attribute__((constructor)) static void crash(void) { *(volatile int *)8 = 1; }
#endif
#ifdef HANG_ON_LOAD
__attribute__((constructor)) static void hang(void) { for (;;) pause(); }
#endif

#ifndef NO_SYMBOL
const zonestack_plugin_v1_table *zonestack_plugin_v1(const zonestack_host_v1 *offered) {
    host = offered;
#ifdef SHORT_TABLE
    table.struct_size = 16;
#endif
#ifdef REFUSES
    return NULL;
#endif
    return &table;
}
#endif
