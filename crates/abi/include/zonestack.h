/* The binary interface between zonestack and a plugin, version 1: one card, one symbol, bytes in, bytes out.
 *
 * The same as the crate zonestack-abi, for plugins that are not written in Rust. What the bytes say is JSON, documented in the
 * crate zonestack-sdk, module `message`.
 *
 * Memory: nothing allocated on one side is ever freed by the other. Every zonestack_slice is borrowed: whoever receives it copies
 * it before returning.
 *
 * Calls: the host calls `start` with a number that is new; the plugin calls `complete` with that number exactly once, from any
 * thread. No function of either table blocks, and none lets an exception out.
 *
 * Versions: within a major version functions are only appended to the tables, and `struct_size` says which are there.
 */
#ifndef ZONESTACK_H
#define ZONESTACK_H

#include <stddef.h>
#include <stdint.h>

#define ZONESTACK_ABI_MAJOR 1
#define ZONESTACK_ABI_MINOR 0
#define ZONESTACK_PROTO_MIN 1
#define ZONESTACK_PROTO_MAX 1

/* The largest message, in bytes. */
#define ZONESTACK_MESSAGE_MAX (16u << 20)

/* `complete` and `answer`: it went well and the body is the result; it failed and the body is
 * {"class": "…", "message": "…"}. Classes: throttled, transient, ambiguous, not-found, already-exists, busy, dependency, denied,
 * quota, invalid, expired, zone-unavailable, unsupported, bug. */
#define ZONESTACK_OK 0
#define ZONESTACK_ERROR 1

/* `emit`: a line for the log, {"level": "info", "target": "…", "text": "…"}; progress of a call, {"text": "…"}; something that
 * the host should tell when the call does not end, any JSON. */
#define ZONESTACK_EMIT_LOG 1u
#define ZONESTACK_EMIT_PROGRESS 2u
#define ZONESTACK_EMIT_CHECKPOINT 3u

/* Where the card stands in the file. */
#if defined(__APPLE__)
#define ZONESTACK_SECTION "__DATA,__zonestack"
#elif defined(_WIN32)
#define ZONESTACK_SECTION ".zstk"
#else
#define ZONESTACK_SECTION ".zonestack"
#endif

/* Who a plugin is: read from the file, before any of its code runs. Texts are UTF-8, padded with zeros.
 *
 *     __attribute__((used, section(ZONESTACK_SECTION)))
 *     static const zonestack_card card = {
 *         ZONESTACK_MAGIC, sizeof(zonestack_card), ZONESTACK_ABI_MAJOR, ZONESTACK_ABI_MINOR,
 *         ZONESTACK_PROTO_MIN, ZONESTACK_PROTO_MAX, "fsx", "0.1.0", "c", "x86_64-unknown-linux-gnu", "", "",
 *     };
 */
typedef struct zonestack_card {
    uint8_t magic[8];    /* ZONESTACK_MAGIC */
    uint32_t card_size;  /* sizeof(zonestack_card) */
    uint32_t abi_major;  /* ZONESTACK_ABI_MAJOR */
    uint32_t abi_minor;  /* ZONESTACK_ABI_MINOR */
    uint32_t proto_min;  /* the oldest version of the messages that the plugin speaks */
    uint32_t proto_max;  /* the newest */
    char name[64];       /* the NAME of libzonestack_plugin_NAME.so */
    char version[32];    /* its version */
    char sdk[32];        /* what it was built with */
    char target[64];     /* what it was built for, such as x86_64-unknown-linux-gnu */
    char rustc[64];      /* the compiler; may be empty */
    char min_glibc[16];  /* the oldest glibc that it runs with, such as 2.28; may be empty */
} zonestack_card;

#define ZONESTACK_MAGIC { 'Z', 'O', 'N', 'E', 'S', 'T', 'K', 1 }

/* Bytes that are borrowed for the call that passes them. `ptr` may be null when `len` is 0. */
typedef struct zonestack_slice {
    const uint8_t *ptr;
    size_t len;
} zonestack_slice;

/* What the host offers. It lives as long as the process; every function may be called from any thread, with `ctx` first. */
typedef struct zonestack_host_v1 {
    uint32_t struct_size; /* of this structure, as the host knows it */
    uint32_t abi_minor;
    void *ctx;
    /* Ends a call that was started. Exactly once for each. */
    void (*complete)(void *ctx, uint64_t call, int32_t status, zonestack_slice body);
    /* Says something while a call goes on. Too much of it is dropped and counted. */
    void (*emit)(void *ctx, uint64_t call, uint32_t kind, zonestack_slice body);
    /* Asks the host for something, for a call; `ask` is a number of the plugin's own, not used before. Answered through
     * `answer`. Methods: aws.credentials, aws.settings, clock.now, secret.resolve, throttle.acquire. */
    void (*ask)(void *ctx, uint64_t call, uint64_t ask, zonestack_slice method, zonestack_slice body);
} zonestack_host_v1;

/* What the plugin offers. It lives as long as the process; every function may be called from any thread. */
typedef struct zonestack_plugin_v1_table {
    uint32_t struct_size; /* sizeof(zonestack_plugin_v1_table) */
    uint32_t abi_minor;
    void *ctx; /* given back with every call */
    /* Starts a call. Returns at once: 0, or another number when the call cannot be taken, and then there is no `complete` for it.
     * Methods: describe, check, render, observe, create, update, delete, final_copy, owned; for any other, complete with the
     * class `unsupported`. `describe` is the first call after every start. */
    int32_t (*start)(void *ctx, uint64_t call, zonestack_slice method, zonestack_slice body);
    /* Asks a call to stop. Its `complete` still comes. */
    void (*cancel)(void *ctx, uint64_t call);
    /* Answers what the plugin asked. */
    void (*answer)(void *ctx, uint64_t ask, int32_t status, zonestack_slice body);
    /* Asks the plugin to end what it has under way within so many milliseconds. */
    void (*shutdown)(void *ctx, uint64_t grace_ms);
} zonestack_plugin_v1_table;

/* The one exported function. Called once for each load, with a host that lives as long as the process; NULL refuses the host. */
#if defined(_WIN32)
__declspec(dllexport)
#elif defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const zonestack_plugin_v1_table *zonestack_plugin_v1(const zonestack_host_v1 *host);

#endif
