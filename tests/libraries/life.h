/* A driver whose service is a table in memory: what it makes grows, is ready, and goes. It keeps every law, unless it is compiled
 * to break one: -DODD_STATE, -DNEW_ID, … */

#define THINGS 16

struct thing {
    char id[64], key[64], node[128], uid[64], stack[64], spec[1024];
    int there, looks;
};

static struct thing things[THINGS];

/* The text from a key on, up to where the brackets of its value are closed. */
static int value(const char *text, const char *key, char *to, size_t size) {
    const char *at = strstr(text, key);
    if (at == NULL) return 0;
    at += strlen(key);
    size_t length = 0;
    int depth = 0;
    do {
        if (at[length] == '{') depth++;
        if (at[length] == '}') depth--;
        length++;
    } while (depth > 0 && at[length] != 0);
    if (length + 1 > size) return 0;
    memcpy(to, at, length);
    to[length] = 0;
    return 1;
}

static void text_of(const char *text, const char *key, char *to, size_t size) {
    zonestack_slice slice = {(const uint8_t *)text, strlen(text)};
    after(slice, key, to, size);
}

/* What a target means: by its id, or by its token. */
static struct thing *find(const char *target) {
    char id[64], key[64];
    text_of(target, "\"remote_id\":\"", id, sizeof id);
    text_of(target, "\"token\":\"", key, sizeof key);
    for (int index = 0; index < THINGS; index++) {
        struct thing *thing = &things[index];
        if (thing->there && (id[0] ? strcmp(thing->id, id) == 0 : strcmp(thing->key, key) == 0)) return thing;
    }
    return NULL;
}

static void observed(const char *query, const char *uid, char *to, size_t size) {
    char target[512], spec[1024] = "null", outputs[256] = "", id[96];
    value(query, "\"target\":", target, sizeof target);
    int asked = value(query, "\"spec\":", spec, sizeof spec);
    struct thing *thing = find(target);
    if (thing == NULL) {
        const char *left = "null";
#ifdef LEFTOVERS
        left = "\"odd-left\"";
#endif
        snprintf(to, size,
                 "{\"ok\":{\"status\":\"absent\",\"remote_id\":%s,\"ownership\":\"unknown\",\"attributes\":null,\"outputs\":{}}}",
                 left);
        return;
    }
    thing->looks++;
    int ready = thing->looks > 2;
    const char *state = "{\"pending\":\"growing\"}", *whose = "ours";
#ifdef ODD_STATE
    state = "{\"pending\":\"sulking\"}";
#endif
    if (ready) state = "\"ready\"";
    snprintf(id, sizeof id, "%s", thing->id);
#ifdef NEW_ID
    if (ready) snprintf(id, sizeof id, "%s-now", thing->id);
#endif
#ifdef MORE_OUTPUTS
    snprintf(outputs, sizeof outputs, "\"other\":1");
#elif !defined NO_OUTPUT
    if (ready) snprintf(outputs, sizeof outputs, "\"id\":\"%s\"", thing->id);
#endif
#ifndef ALL_OURS
    if (strcmp(thing->uid, uid) != 0) whose = "foreign";
#endif
    const char *attributes = asked ? thing->spec : "null";
#ifdef WIDE
    if (asked) attributes = "{\"size\":1,\"colour\":\"green\"}";
#endif
    snprintf(to, size, "{\"ok\":{\"status\":%s,\"remote_id\":\"%s\",\"ownership\":\"%s\",\"attributes\":%s,\"outputs\":{%s}}}", state,
             id, whose, attributes, outputs);
}

static void observe(uint64_t call, char *text, const char *uid) {
    char answers[8192] = "", one[2048];
    char *query = strstr(text, "\"queries\":");
    query = query ? strstr(query, "\"target\":") : NULL;
    while (query) {
        char *next = strstr(query + 1, "{\"target\":");
        if (next) *next = 0;
        observed(query, uid, one, sizeof one);
        if (answers[0]) strcat(answers, ",");
        strcat(answers, one);
        query = next ? next + 1 : NULL;
    }
    char all[8300];
    snprintf(all, sizeof all, "{\"answers\":[%s]}", answers);
    complete(call, ZONESTACK_OK, all);
}

static void create(uint64_t call, const char *text, const char *target, const char *uid, const char *stack) {
    static int count;
    char answer[128];
    struct thing *thing = find(target);
#ifdef TWINS
    thing = NULL;
#endif
    for (int index = 0; thing == NULL && index < THINGS; index++) {
        if (things[index].there) continue;
        thing = &things[index];
        memset(thing, 0, sizeof *thing);
        thing->there = 1;
        snprintf(thing->id, sizeof thing->id, "odd-%d", ++count);
        snprintf(thing->uid, sizeof thing->uid, "%s", uid);
        snprintf(thing->stack, sizeof thing->stack, "%s", stack);
        text_of(target, "\"token\":\"", thing->key, sizeof thing->key);
        text_of(target, "\"id\":\"", thing->node, sizeof thing->node);
        value(text, "\"spec\":", thing->spec, sizeof thing->spec);
    }
    if (thing == NULL) {
        fail(call, "quota", "too many things");
        return;
    }
    snprintf(answer, sizeof answer, "{\"remote_id\":\"%s\"}", thing->id);
    complete(call, ZONESTACK_OK, answer);
}

static void owned(uint64_t call, const char *stack) {
    char all[8192] = "", one[512], text[8300];
    for (int index = 0; index < THINGS; index++) {
        struct thing *thing = &things[index];
        if (!thing->there || strcmp(thing->stack, stack) != 0) continue;
#ifdef UNLISTED
        continue;
#endif
        snprintf(one, sizeof one,
                 "%s{\"kind\":\"" KIND "\",\"id\":\"%s\",\"uid\":\"%s\",\"cluster\":null,\"name\":null,\"remote_id\":\"%s\"}",
                 all[0] ? "," : "", thing->node, thing->uid, thing->id);
        strcat(all, one);
    }
    snprintf(text, sizeof text, "{\"owned\":[%s]}", all);
    complete(call, ZONESTACK_OK, text);
}

static void live(uint64_t call, zonestack_slice method, zonestack_slice body) {
    char *text = malloc(body.len + 1), target[512] = "", uid[64], stack[64];
    memcpy(text, body.ptr, body.len);
    text[body.len] = 0;
    text_of(text, "\"uid\":\"", uid, sizeof uid);
    text_of(text, "\"stack\":\"", stack, sizeof stack);
    value(text, "\"target\":", target, sizeof target);
    struct thing *thing = find(target);
    if (target[0] && strstr(target, "\"kind\":\"" KIND "\"") == NULL) {
        fail(call, "bug", "a kind of somebody else");
    } else if (holds(method, "observe")) {
        observe(call, text, uid);
    } else if (holds(method, "create")) {
        create(call, text, target, uid, stack);
    } else if (holds(method, "owned")) {
        owned(call, stack);
    } else {
#ifndef UNCHANGED
        if (thing && holds(method, "update")) value(text, "\"spec\":", thing->spec, sizeof thing->spec);
#endif
#ifndef STAYS
        if (thing && holds(method, "delete")) thing->there = 0;
#endif
        complete(call, ZONESTACK_OK, "{}");
    }
    free(text);
}
