/* A plugin in C, for tests: the component type `notes` and the kind `notes.note`. Its answers are texts; the sandbox plays its
 * kind. It leaves a line in the file `started` of its folder each time when it is started. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { const uint8_t *ptr; size_t len; } slice;

typedef struct {
  uint32_t struct_size, abi_minor;
  void *ctx;
  void (*complete)(void *, uint64_t, int32_t, slice);
  void (*emit)(void *, uint64_t, uint32_t, slice);
  void (*ask)(void *, uint64_t, uint64_t, slice, slice);
} host_v1;

typedef struct {
  uint32_t struct_size, abi_minor;
  void *ctx;
  int32_t (*start)(void *, uint64_t, slice, slice);
  void (*cancel)(void *, uint64_t);
  void (*answer)(void *, uint64_t, int32_t, slice);
  void (*shutdown)(void *, uint64_t);
} plugin_v1;

struct card {
  char magic[8];
  uint32_t card_size, abi_major, abi_minor, proto_min, proto_max;
  char name[64], version[32], sdk[32], target[64], rustc[64], min_glibc[16];
};

#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef COMPONENT
#define COMPONENT "notes"
#endif

__attribute__((section(".zonestack"), used)) static const struct card card = {
    "ZONESTK\x01", sizeof(struct card), 1, 0, 1, 1, NAME, VERSION, "by hand", "", "", ""};

static const char description[] =
    "{\"proto\":1,\"name\":\"" NAME "\",\"version\":\"" VERSION "\",\"components\":[{\"name\":\"" COMPONENT "\","
    "\"summary\":\"A note\",\"schema\":{\"type\":\"object\",\"required\":[\"text\"],\"additionalProperties\":false,"
    "\"properties\":{\"text\":{\"type\":\"string\",\"description\":\"What it says.\"}}}}],"
    "\"kinds\":[{\"kind\":\"" KIND "\",\"identity\":\"name\",\"tagging\":\"on-create\",\"marks_at\":\"/tags\","
    "\"data\":\"stateless\",\"ready_within_ms\":60000,\"delete_within_ms\":60000,\"outputs\":[\"path\"],"
    "\"iam_actions\":[\"notes:Write\",\"notes:Burn\"],"
    "\"model\":{\"id\":\"note-{hex8}\",\"outputs\":[[\"path\",\"/shelf/{name}\"]]}}]}";

static const char findings[] = "{\"findings\":[]}";

static const char rendered[] =
    "{\"resources\":[{\"id\":\"note/note\",\"kind\":\"" KIND "\",\"name\":\"git-note\","
    "\"spec\":{\"text\":\"hello\",\"tags\":{}},\"needs\":[],\"data\":\"stateless\",\"placement\":\"regional\","
    "\"foreign\":\"refuse\"}],\"exports\":[],\"findings\":[],\"outputs\":[]}";

static const char unknown[] = "{\"class\":\"unsupported\",\"message\":\"not in this plugin\"}";

static const host_v1 *host;

static int is(slice text, const char *word) {
  return text.len == strlen(word) && memcmp(text.ptr, word, text.len) == 0;
}

static int32_t start(void *ctx, uint64_t call, slice method, slice body) {
  (void)ctx, (void)body;
  const char *answer = unknown;
  if (is(method, "describe")) answer = description;
  if (is(method, "check")) answer = findings;
  if (is(method, "render")) answer = rendered;
  slice bytes = {(const uint8_t *)answer, strlen(answer)};
  host->complete(host->ctx, call, answer == unknown, bytes);
  return 0;
}

static void cancel(void *ctx, uint64_t call) { (void)ctx, (void)call; }
static void answer(void *ctx, uint64_t ask, int32_t status, slice body) { (void)ctx, (void)ask, (void)status, (void)body; }
static void end(void *ctx, uint64_t grace) { (void)ctx, (void)grace; }

static const plugin_v1 plugin = {sizeof(plugin_v1), 0, 0, start, cancel, answer, end};

const plugin_v1 *zonestack_plugin_v1(const host_v1 *given) {
  const char *home = getenv("HOME");
  char path[4096];
  snprintf(path, sizeof path, "%s/started", home ? home : ".");
  FILE *file = fopen(path, "a");
  if (file) fputs("started\n", file), fclose(file);
  host = given;
  return &plugin;
}
