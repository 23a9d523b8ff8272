/* A small plugin that keeps every law, unless it is compiled to break one: -DLIES, -DIMPURE, … */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "zonestack.h"

#ifndef NAME
#define NAME "odd"
#endif
#ifndef KIND
#define KIND "odd.thing"
#endif
#ifndef RENDERED
#define RENDERED KIND
#endif
#ifndef LAX
#define STRICT "\"additionalProperties\":false,"
#else
#define STRICT ""
#endif
#ifndef OUTPUT
#define OUTPUT "id"
#endif
#ifndef EXPORTS
#define EXPORTS "{\"other\":[\"odd/v1\",{\"size\":1}]}"
#endif
#ifndef STATES
#define STATES "\"growing\""
#endif
#ifndef TAKES
#define TAKES "20000"
#endif
#ifndef ADVISORY
#define ADVISORY "odd-size"
#endif

__attribute__((used, section(ZONESTACK_SECTION))) static const zonestack_card card = {
    ZONESTACK_MAGIC,     sizeof(zonestack_card), ZONESTACK_ABI_MAJOR, ZONESTACK_ABI_MINOR,
    ZONESTACK_PROTO_MIN, ZONESTACK_PROTO_MAX,    NAME,                "0.1.0",
    "c",                 "",                     "",                  "",
};

static const zonestack_host_v1 *host;

static int holds(zonestack_slice slice, const char *text) {
    size_t length = strlen(text);
    for (size_t at = 0; at + length <= slice.len; at++)
        if (memcmp(slice.ptr + at, text, length) == 0) return 1;
    return 0;
}

/* The text that follows in quotes. */
static void after(zonestack_slice slice, const char *key, char *to, size_t size) {
    size_t length = strlen(key), written = 0;
    to[0] = 0;
    for (size_t at = 0; at + length <= slice.len; at++) {
        if (memcmp(slice.ptr + at, key, length) != 0) continue;
        for (at += length; at < slice.len && slice.ptr[at] != '"' && written + 1 < size; at++)
            to[written++] = (char)slice.ptr[at];
        to[written] = 0;
        return;
    }
}

static void complete(uint64_t call, int32_t status, const char *text) {
    zonestack_slice body = {(const uint8_t *)text, strlen(text)};
    host->complete(host->ctx, call, status, body);
}

static void fail(uint64_t call, const char *class, const char *message) {
    char text[1024];
    snprintf(text, sizeof text, "{\"class\":\"%s\",\"message\":\"%s\"}", class, message);
    complete(call, ZONESTACK_ERROR, text);
}

/* Calls that have asked something, and have not ended. */
static uint64_t asking[64];

static int forget(uint64_t call) {
    for (size_t at = 0; call != 0 && at < sizeof asking / sizeof *asking; at++) {
        if (asking[at] != call) continue;
#ifndef ENDS_TWICE
        asking[at] = 0;
#endif
        return 1;
    }
    return 0;
}

static void ask(uint64_t call, const char *method, const char *text) {
    zonestack_slice name = {(const uint8_t *)method, strlen(method)};
    zonestack_slice body = {(const uint8_t *)text, strlen(text)};
    for (size_t at = 0; at < sizeof asking / sizeof *asking; at++) {
        if (asking[at] != 0) continue;
        asking[at] = call;
        host->ask(host->ctx, call, call, name, body);
        return;
    }
    fail(call, "throttled", "too much is asked");
}

#ifdef LIVES
#include "life.h"
#endif

static void describe(uint64_t call) {
    char text[4096];
    int odd = 0;
#ifdef UNSTABLE
    odd = (int)getpid();
#endif
    snprintf(text, sizeof text,
             "{\"proto\":1,\"name\":\"" NAME "\",\"version\":\"0.1.0\",\"components\":[{\"name\":\"" NAME
             "\",\"summary\":\"Things, %d\",\"provides\":[\"odd/v1\"],\"advisories\":[\"odd-size\"],\"schema\":{"
             "\"type\":\"object\"," STRICT "\"properties\":{\"size\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9}}}}],"
             "\"kinds\":[{\"kind\":\"" KIND "\",\"identity\":\"token\",\"tagging\":\"on-create\",\"marks_at\":\"/tags\","
             "\"data\":\"data\",\"ready_within_ms\":60000,\"delete_within_ms\":60000,\"outputs\":[\"" OUTPUT "\"],"
             "\"model\":{\"id\":\"odd-{hex8}\",\"outputs\":[[\"id\",\"{id}\"]],\"creating\":[" STATES "],"
             "\"create_ms\":" TAKES ",\"update_ms\":1000,\"delete_ms\":5000}}]}",
             odd);
    complete(call, ZONESTACK_OK, text);
}

static void resource(char *to, size_t size, const char *id, const char *spec, const char *needs) {
    const char *name = "null";
#ifdef ONE_NAME
    name = "\"the-one\"";
#endif
    snprintf(to, size,
             "{\"id\":\"%s\",\"kind\":\"" RENDERED "\",\"name\":%s,\"spec\":%s,\"needs\":[%s],\"data\":\"data\","
             "\"placement\":\"regional\",\"foreign\":\"refuse\"}",
             id, name, spec, needs);
}

/* What the settings say, and 1 when they do not. */
static int size_in(zonestack_slice body) {
    char text[32];
    after(body, "\"config\":{\"size\":", text, sizeof text);
    return text[0] ? atoi(text) : 1;
}

static void render(uint64_t call, zonestack_slice body) {
    char component[64], subnet[64], spec[256], id[128], other[128], need[256], one[1024], two[1024] = "";
    char text[4096];
    after(body, "\"component\":\"", component, sizeof component);
    after(body, "\"subnet\":\"", subnet, sizeof subnet);
    snprintf(id, sizeof id, "%s/thing", component);
    snprintf(other, sizeof other, "%s/other", component);
    snprintf(spec, sizeof spec, "{\"size\":%d,\"tags\":{}}", size_in(body));
    need[0] = 0;
#ifdef IMPURE
    static int count;
    snprintf(spec, sizeof spec, "{\"size\":%d,\"tags\":{}}", ++count);
#endif
#ifdef LIES
    snprintf(spec, sizeof spec, "{\"subnet_id\":\"%s\",\"tags\":{}}", subnet);
#endif
#ifdef DANGLING
    snprintf(need, sizeof need, "{\"id\":\"%s\",\"until\":\"ready\"}", other);
#endif
#ifdef CIRCLE
    char back[256];
    snprintf(need, sizeof need, "{\"id\":\"%s\",\"until\":\"ready\"}", other);
    snprintf(back, sizeof back, "{\"id\":\"%s\",\"until\":\"ready\"}", id);
    two[0] = ',';
    resource(two + 1, sizeof two - 1, other, spec, back);
#endif
#ifdef TWICE
    two[0] = ',';
    resource(two + 1, sizeof two - 1, id, spec, "");
#endif
#ifdef STRANGER
    snprintf(id, sizeof id, "somebody-else/thing");
#endif
    resource(one, sizeof one, id, spec, need);
    snprintf(text, sizeof text, "{\"resources\":[%s%s],\"exports\":[" EXPORTS "]}", one, two);
#ifdef HANGS
    for (;;) pause();
#endif
    complete(call, ZONESTACK_OK, text);
}

static void check(uint64_t call, zonestack_slice body) {
#ifdef NOISY
    for (int line = 0; line < 100; line++) puts("and another thing");
    fflush(stdout);
#endif
#ifdef GROWS
    memset(malloc(8192), 1, 8192);
#endif
#ifdef WRITES
    FILE *file = fopen("left-behind", "w");
    if (file) fclose(file);
#endif
#ifdef ANSWERS_TWICE
    complete(call, ZONESTACK_OK, "{\"findings\":[]}");
#endif
    const char *odd = "{\"findings\":[{\"severity\":\"advisory\",\"code\":\"" ADVISORY "\",\"message\":\"odd\"}]}";
    complete(call, ZONESTACK_OK, holds(body, "\"size\":9") ? odd : "{\"findings\":[]}");
}

/* An error for each query. */
static void see_nothing(uint64_t call, zonestack_slice body) {
    char text[4096] = "{\"answers\":[";
    int queries = 0;
    for (size_t at = 0; at < body.len; at++) {
        zonestack_slice rest = {body.ptr + at, 10};
        if (at + rest.len > body.len || !holds(rest, "{\"target\":")) continue;
        strcat(text, queries++ ? "," : "");
        strcat(text, "{\"error\":{\"class\":\"transient\",\"message\":\"no cloud\"}}");
    }
    strcat(text, "]}");
    complete(call, ZONESTACK_OK, text);
}

static int32_t start(void *ctx, uint64_t call, zonestack_slice method, zonestack_slice body) {
    (void)ctx;
    int computes = holds(method, "check") || holds(method, "render");
    int drives = holds(method, "observe") || holds(method, "create") || holds(method, "update") || holds(method, "delete") ||
                 holds(method, "owned");
    if (holds(method, "describe")) {
        describe(call);
    } else if (!computes && !drives) {
        fail(call, "unsupported", "no such call");
    } else if ((computes && !holds(body, "\"component_type\":\"" NAME "\"")) || (drives && !holds(body, "\"caller\":{"))) {
#ifdef CRASHES
        abort();
#endif
        fail(call, "invalid", "that cannot be read");
    } else if (holds(method, "check")) {
        check(call, body);
    } else if (holds(method, "render")) {
        render(call, body);
#ifdef LIVES
    } else if (drives) {
        live(call, method, body);
#endif
    } else if (holds(method, "observe")) {
        see_nothing(call, body);
    } else {
#ifdef LEAKS
        ask(call, "secret.resolve", "{\"ref\":{\"env\":\"KIT_SECRET\"}}");
#elif defined UNTRUE
        ask(call, "aws.settings", "{}");
#elif defined ASKS
        ask(call, "clock.now", "{}");
#else
        fail(call, "transient", "no cloud");
#endif
    }
    return 0;
}

static void cancel(void *ctx, uint64_t call) {
    (void)ctx;
    if (forget(call)) fail(call, "ambiguous", "stopped");
}

/* Calls a service, and forgets what it says. */
static void knock(const char *url) {
    int port = 0;
    if (sscanf(url, "http://127.0.0.1:%d", &port) != 1) return;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int it = socket(AF_INET, SOCK_STREAM, 0);
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    char said[256];
    if (connect(it, (struct sockaddr *)&to, sizeof to) == 0 && write(it, request, sizeof request - 1) > 0)
        while (read(it, said, sizeof said) > 0) {}
    close(it);
}

static void answer(void *ctx, uint64_t number, int32_t status, zonestack_slice body) {
    (void)ctx, (void)status;
    char text[256];
    int known = forget(number);
#ifdef TRUSTING
    if (!known) abort();
#endif
    if (!known) return;
    after(body, "\"value\":\"", text, sizeof text);
#ifdef UNTRUE
    after(body, "\"endpoint_url\":\"", text, sizeof text);
    knock(text);
    fail(number, "not-found", "whatever it said");
#else
    fail(number, "invalid", text);
#endif
}

static void shut_down(void *ctx, uint64_t grace_ms) { (void)ctx, (void)grace_ms; }

static zonestack_plugin_v1_table table = {
    sizeof(zonestack_plugin_v1_table), ZONESTACK_ABI_MINOR, NULL, start, cancel, answer, shut_down,
};

const zonestack_plugin_v1_table *zonestack_plugin_v1(const zonestack_host_v1 *offered) {
    host = offered;
    return &table;
}
