//! Files that are a tree, but no stack.

use insta::assert_snapshot;

use crate::{HEAD, check, check_below_head, check_bytes};

#[test]
fn only_a_name() {
    assert_snapshot!(check("name: git"), @r#"
        1:1 missing-key: the stack file lacks the key `apiVersion`
          hint: add `apiVersion: zonestack/v1`: The version of the format: `zonestack/v1`.
        1:1 missing-key: the stack file lacks the key `cluster`
          hint: add `cluster: k8s.example.net`: The name of the Kubernetes cluster, as kOps or EKS knows it.
        1:1 missing-key: the stack file lacks the key `region`
          hint: add `region: eu-west-1`: The AWS region of the cluster.
        1:1 missing-key: the stack file lacks the key `components`
          hint: add `components: …`: The components, by a name of your choice.
        "#);
}

#[test]
fn an_unknown_key_with_a_near_miss() {
    assert_snapshot!(check("
        apiVersion: zonestack/v1
        name: git
        cluster: k8s.example.net
        regoin: eu-west-1
        componets:
          cache: { use: redis }
        owner: me
    "), @r#"
        4:1 unknown-key: unknown key `regoin` in the stack file
          hint: did you mean `region`?
        5:1 unknown-key: unknown key `componets` in the stack file
          hint: did you mean `components`?
        7:1 unknown-key: unknown key `owner` in the stack file
          hint: allowed keys: `apiVersion`, `name`, `cluster`, `region`, `namespace`, `zones`, `network`, `tags`, `plugins` and `components`
        "#);
}

#[test]
fn five_faults_at_once() {
    assert_snapshot!(check("
        apiVersion: zonestack/v1
        name: Git_Server
        cluster: k8s.example.net
        region: eu-west-1a
        components:
          data: { use: esf }
          db:
            use: rds
            with: { storageGib: three, multiAZ: true }
          gitlab:
            use: gitlab
    "), @r#"
        2:7 invalid-name: stack name "Git_Server" must be lower-case letters, digits and single dashes, beginning with a letter
        4:9 invalid-region: region "eu-west-1a" is no AWS region
          hint: that is a zone: write `region: eu-west-1`
        6:16 unknown-component-type: there is no component type `esf`
          hint: did you mean `efs`?
        9:25 wrong-type: `storageGib` must be a whole number, not text "three"
        9:32 unknown-key: unknown key `multiAZ` in `with` of `db`
          hint: did you mean `multiAz`?
        10:3 missing-key: `with` of `gitlab` lacks the key `host`
          hint: add `host: git.example.com`: The host name under which users reach it.
        "#);
}

#[test]
fn faults_of_settings_and_of_wires_at_once() {
    assert_snapshot!(check_below_head("
        components:
          data: { use: efs, with: { throughput: bursty } }
          db: { use: rds, with: { storageGib: 5 } }
          db2: { use: aurora }
          gitlab: { use: gitlab, with: { host: git.example.com } }
    "), @r#"
        6:41 value-not-allowed: `throughput` must be `elastic` or `bursting`, or a map with the key `provisioned`, not text "bursty"
        7:39 out-of-bounds: `storageGib` must be from 20 to 65536, not 5
        9:3 ambiguous-requirement: `gitlab` needs postgres/v1 (database), and `db` and `db2` provide it
          hint: write `needs: { database: db }` in `gitlab`, or `db2` instead
        9:3 missing-requirement: `gitlab` needs redis/v1 (cache), and no other component provides it
          hint: add a component, such as `redis: { use: redis }`
        "#);
}

#[test]
fn the_head_in_the_wrong_form() {
    assert_snapshot!(check("
        apiVersion: zonestack/v2
        name: a-name-that-is-much-too-long
        cluster: my cluster
        region: Ireland
        namespace: Git
        zones: [eu-west-1a, us-east-1a, a, eu-west-1a]
        components: {}
    "), @r#"
        1:13 api-version: `apiVersion` is "zonestack/v2"; this zonestack reads "zonestack/v1"
          hint: update zonestack, or go back to the older format
        2:7 invalid-name: stack name "a-name-that-is-much-too-long" has 28 characters, at most 20 are allowed
        3:10 invalid-name: cluster "my cluster" must be letters, digits, dots, dashes and underscores, beginning with a letter or digit
          hint: write the name as `kops get clusters` or `aws eks list-clusters` shows it
        4:9 invalid-region: region "Ireland" is no AWS region
          hint: write it as in `region: eu-west-1`
        5:12 invalid-name: namespace "Git" must be lower-case letters, digits and dashes, with no dash at either end
        6:36 given-twice: zone "eu-west-1a" is given twice
          hint: remove one of them
        7:1 no-components: the stack has no components
          hint: component types: `aurora`, `efs`, `gitlab`, `pgbouncer`, `rds` and `redis`
        "#);
}

#[test]
fn zones_of_another_region() {
    assert_snapshot!(check_below_head("
        zones: [eu-west-1a, eu-central-1b, c, eu-west-1a, eu-west-1, 7]
        components:
          cache: { use: redis }
    "), @r#"
        5:21 zone-outside-region: zone "eu-central-1b" is not in region eu-west-1
          hint: write it as in `eu-west-1b`
        5:36 zone-outside-region: zone "c" is not in region eu-west-1
          hint: write it as in `eu-west-1c`
        5:39 given-twice: zone "eu-west-1a" is given twice
          hint: remove one of them
        5:51 zone-outside-region: zone "eu-west-1" is not in region eu-west-1
          hint: write it as in `eu-west-1a`
        5:62 wrong-type: item 6 of `zones` must be a text, not the number 7
          hint: write "7", in quotes
        "#);
    assert_snapshot!(check_below_head("
        zones: []
        components:
          cache: { use: redis }
    "), @r#"
        5:1 no-zones: `zones` is an empty list
          hint: remove the key to use every zone with worker nodes
        "#);
}

#[test]
fn network_ids() {
    assert_snapshot!(check_below_head("
        network:
          vpc: my-vpc
          subnets: [subnet-0123456789abcdef0, subnet-0123456789abcdef0, vpc-0123456789abcdef0]
          security_groups: [sg-01234567]
        components:
          cache: { use: redis }
    "), @r#"
        6:8 invalid-id: "my-vpc" must be `vpc-` and 8 or 17 hexadecimal digits in lower case
          hint: write the id, such as vpc-0123456789abcdef0, not a name
        7:39 given-twice: subnet-0123456789abcdef0 is given twice in `subnets`
          hint: remove one of them
        7:65 invalid-id: "vpc-0123456789abcdef0" must be `subnet-` and 8 or 17 hexadecimal digits in lower case
          hint: write the id, such as subnet-0123456789abcdef0, not a name
        8:3 unknown-key: unknown key `security_groups` in `network`
          hint: did you mean `securityGroups`?
        "#);
}

#[test]
fn tags() {
    assert_snapshot!(check_below_head(&format!("
        tags:
          cost-center: 42
          aws:owner: me
          Zonestack:stack: other
          team: a|b
          {}: long
        components:
          cache: {{ use: redis }}
    ", "k".repeat(129))), @r#"
        6:16 wrong-type: `cost-center` must be a text, not the number 42
          hint: write "42", in quotes
        7:3 invalid-tag: the tag key "aws:owner" is kept for AWS
        8:3 invalid-tag: the tag key "Zonestack:stack" is kept for zonestack
        9:9 invalid-tag: the value of tag "team" must be at most 256 letters, digits, spaces and _ . : / = + - @
        10:3 invalid-tag: the tag key "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk…" must be 1 to 128 letters, digits, spaces and _ . : / = + - @
        "#);
    let many = (0..41).map(|n| format!("  t{n}: x\n")).collect::<Vec<_>>().concat();
    let text = format!("{HEAD}tags:\n{many}components:\n  cache: {{ use: redis }}\n");
    assert_snapshot!(check_bytes(text.as_bytes()), @r#"
        5:1 too-many-tags: 41 tags are given, at most 40 fit
          hint: AWS allows 50 tags on a resource, and zonestack adds its own
        "#);
}

#[test]
fn component_names() {
    assert_snapshot!(check_below_head("
        components:
          stack: { use: redis }
          My_Cache: { use: redis }
          a-cache-with-a-long-name: { use: redis }
    "), @r#"
        6:3 reserved-name: the name `stack` is kept for the stack itself
          hint: choose another name
        7:3 invalid-name: component name "My_Cache" must be lower-case letters, digits and single dashes, beginning with a letter
        8:3 invalid-name: component name "a-cache-with-a-long-name" has 24 characters, at most 20 are allowed
        "#);
}

#[test]
fn components_that_are_no_maps() {
    assert_snapshot!(check_below_head("
        components:
          data: efs
          db: postgres
          cache:
          other: [use, redis]
          more: { with: {}, ues: redis }
    "), @r#"
        6:9 wrong-type: component `data` must be a map, not text "efs"
          hint: write `data: { use: efs }`
        7:7 wrong-type: component `db` must be a map, not text "postgres"
          hint: write `db: { use: TYPE }`; component types: `aurora`, `efs`, `gitlab`, `pgbouncer`, `rds` and `redis`
        8:3 wrong-type: component `cache` must be a map, not nothing
          hint: write `cache: { use: TYPE }`; component types: `aurora`, `efs`, `gitlab`, `pgbouncer`, `rds` and `redis`
        9:3 wrong-type: component `other` must be a map, not a list
          hint: write `other: { use: TYPE }`; component types: `aurora`, `efs`, `gitlab`, `pgbouncer`, `rds` and `redis`
        10:21 unknown-key: unknown key `ues` in component `more`
          hint: did you mean `use`?
        "#);
    assert_snapshot!(check_below_head("components:"), @r#"
        5:1 wrong-type: `components` must be a map, not nothing
          hint: write a value; a key that is not needed may be left out
        "#);
}

#[test]
fn unknown_component_types() {
    assert_snapshot!(check_below_head("
        components:
          db: { use: rsd }
          lb: { use: load-balancer }
    "), @r#"
        6:14 unknown-component-type: there is no component type `rsd`
          hint: did you mean `rds`?
        7:14 unknown-component-type: there is no component type `load-balancer`
          hint: component types: `aurora`, `efs`, `gitlab`, `pgbouncer`, `rds` and `redis`
        "#);
}

#[test]
fn settings_of_the_wrong_type() {
    assert_snapshot!(check_below_head("
        components:
          db:
            use: rds
            with:
              version: 17.0
              multiAz: yes
              storageGib: \"100\"
              backup: 03:00-04:00
              parameters: [a, b]
          cache: { use: redis, with: [x] }
    "), @r#"
        9:16 wrong-type: `version` must be a text, not the number 17.0
          hint: write "17.0", in quotes
        10:16 wrong-type: `multiAz` must be `true` or `false`, not text "yes"
          hint: write `true`: in YAML 1.2 `yes` is a text
        11:19 wrong-type: `storageGib` must be a whole number, not text "100"
          hint: write 100, without quotes
        12:15 wrong-type: `backup` must be a map, not a text
          hint: its keys: `window`
        13:7 wrong-type: `parameters` must be a map, not a list
        14:24 wrong-type: `with` must be a map, not a list
        "#);
}

#[test]
fn values_that_are_left_out() {
    assert_snapshot!(check_below_head("
        components:
          data: { use: efs }
          db: { use: rds, with: { backup: { window: } } }
          cache: { use: redis, with: , needs: }
          gitlab: { use: gitlab, with: { host: , names: } }
    "), @r#"
        7:37 wrong-type: `window` must be a text, not nothing
          hint: write a value; a key that is not needed may be left out
        9:34 wrong-type: `host` must be a text, not nothing
          hint: write a value; a key that is not needed may be left out
        9:42 wrong-type: `names` must be a list, not nothing
          hint: write a value; a key that is not needed may be left out
        "#);
}

#[test]
fn settings_with_unknown_keys() {
    assert_snapshot!(check_below_head("
        components:
          db:
            use: rds
            with: { multi_az: true, engine: postgres, backup: { windw: 03:00-04:00 } }
          cache: { use: redis, with: { size: 3 } }
    "), @r#"
        8:13 unknown-key: unknown key `multi_az` in `with` of `db`
          hint: did you mean `multiAz`?
        8:29 unknown-key: unknown key `engine` in `with` of `db`
          hint: allowed keys: `version`, `multiAz`, `storageGib`, `backup`, `maintenance`, `password` and `parameters`
        8:57 unknown-key: unknown key `windw` in `backup`
          hint: did you mean `window`?
        9:32 unknown-key: unknown key `size` in `with` of `cache`
          hint: remove it: there are no allowed keys here
        "#);
}

#[test]
fn missing_settings() {
    assert_snapshot!(check_below_head("
        components:
          data: { use: efs }
          db: { use: rds, with: { backup: {} } }
          cache: { use: redis }
          gitlab: { use: gitlab }
    "), @r#"
        7:27 missing-key: `backup` lacks the key `window`
          hint: add `window: 03:00-04:00`: Hours of the day in UTC, such as `03:00-04:00`.
        9:3 missing-key: `with` of `gitlab` lacks the key `host`
          hint: add `host: git.example.com`: The host name under which users reach it.
        "#);
}

#[test]
fn values_that_are_not_allowed() {
    assert_snapshot!(check_below_head("
        components:
          a: { use: efs, with: { throughput: elastik } }
          b: { use: efs, with: { throughput: fast } }
          c: { use: efs, with: { throughput: provisioned } }
          d: { use: efs, with: { throughput: { provisioned: { mibps: 9999 } } } }
          e: { use: efs, with: { throughput: { provisoned: { mibps: 9999 } } } }
          f: { use: efs, with: { throughput: 3 } }
    "), @r#"
        6:38 value-not-allowed: `throughput` must be `elastic` or `bursting`, or a map with the key `provisioned`, not text "elastik"
          hint: did you mean `elastic`?
        7:38 value-not-allowed: `throughput` must be `elastic` or `bursting`, or a map with the key `provisioned`, not text "fast"
        8:38 value-not-allowed: `throughput` must be `elastic` or `bursting`, or a map with the key `provisioned`, not text "provisioned"
          hint: write { provisioned: … }
        9:62 out-of-bounds: `mibps` must be from 1 to 3414, not 9999
        10:40 unknown-key: unknown key `provisoned` in `throughput`
          hint: did you mean `provisioned`?
        11:38 value-not-allowed: `throughput` must be `elastic` or `bursting`, or a map with the key `provisioned`, not the number 3
        "#);
}

#[test]
fn tagged_settings() {
    assert_snapshot!(check_below_head("
        components:
          a: { use: efs, with: { lifecycle: { type: afterwards } } }
          b: { use: efs, with: { lifecycle: { type: after } } }
          c: { use: efs, with: { lifecycle: { days: 3 } } }
          d: { use: efs, with: { lifecycle: { type: after, days: 70000, day: 2 } } }
          e: { use: efs, with: { lifecycle: never } }
    "), @r#"
        6:45 value-not-allowed: `type` must be `never` or `after`, not text "afterwards"
        7:26 missing-key: `lifecycle` lacks the key `days`
          hint: add `days: …`
        8:26 missing-key: `lifecycle` lacks the key `type`
          hint: add `type: …`, with `never` or `after`
        9:58 out-of-bounds: `days` must be from 0 to 65535, not 70000
        9:65 unknown-key: unknown key `day` in `lifecycle`
          hint: did you mean `days`?
        10:37 wrong-type: `lifecycle` must be a map, not a text
          hint: its keys: `days` and `type`
        "#);
}

#[test]
fn secret_references() {
    assert_snapshot!(check_below_head("
        components:
          a: { use: rds, with: { password: hunter2 } }
          b: { use: rds, with: { password: { evn: PASSWORD } } }
          c: { use: rds, with: { password: { env: PASSWORD, file: /p } } }
          d: { use: rds, with: { password: { secret: { name: db } } } }
          e: { use: rds, with: { password: { env: 7 } } }
          f: { use: rds, with: { password: {} } }
    "), @r#"
        6:36 plain-secret: `password` must say where the secret is, not what it is
          hint: write { secret: { name: …, key: … } }, { env: NAME } or { file: PATH }
        7:38 missing-key: `password` must have one key: `secret`, `env` or `file`
          hint: did you mean `env`?
        8:53 unknown-key: `password` must have only one of `secret`, `env` or `file`, it has `env` and `file`
          hint: remove the others
        9:38 missing-key: `secret` lacks the key `key`
          hint: add `key: …`: The key in its data.
        10:43 wrong-type: `env` must be a text, not a number
          hint: write it in quotes
        11:26 missing-key: `password` must have one key: `secret`, `env` or `file`
        "#);
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    for password in ["hunter2", "[hunter2]", "{ secret: hunter2 }", "{ env: [hunter2] }", "7777777"]
    {
        let found = check_below_head(&format!(
            "components: {{ db: {{ use: rds, with: {{ password: {password} }} }} }}"
        ));
        assert_ne!(found, "right");
        assert!(!found.contains("hunter2") && !found.contains("7777777"), "{found}");
    }
}

#[test]
fn bounds_and_patterns() {
    assert_snapshot!(check_below_head("
        components:
          a: { use: rds, with: { storageGib: 5 } }
          b: { use: rds, with: { storageGib: 0100 } }
          c: { use: rds, with: { storageGib: 1e3 } }
          d: { use: rds, with: { storageGib: 99999999999999999999 } }
          e: { use: rds, with: { backup: { window: at night } } }
    "), @r#"
        6:38 out-of-bounds: `storageGib` must be from 20 to 65536, not 5
        7:38 ambiguous-number: `storageGib` is 0100: YAML 1.2 reads that as decimal, YAML 1.1 as octal
          hint: write 100 for the decimal, 0o100 for the octal number
        8:38 wrong-type: `storageGib` must be a whole number, not the number 1e3
        9:38 wrong-type: `storageGib` must be a whole number, not text "99999999999999999999"
        10:44 pattern: `window` must match the pattern ^\d\d:\d\d-\d\d:\d\d$, "at night" does not
          hint: write it as in 03:00-04:00
        "#);
}

#[test]
fn overlapping_windows() {
    assert_snapshot!(check_below_head("
        components:
          db:
            use: rds
            with:
              backup: { window: 03:00-04:00 }
              maintenance:
                window: 03:30-04:30
              version: '9.4'
    "), @r#"
        9:25 window-overlap: the backup window 03:00-04:00 overlaps the maintenance window 03:30-04:30
          hint: leave half an hour between them
        12:16 version-gone: PostgreSQL 9.4 has not been offered since 2020
          hint: write "17"
        "#);
}

#[test]
fn an_unsupported_version_pair() {
    assert_snapshot!(check_below_head("
        components:
          data: { use: efs }
          db: { use: rds }
          cache: { use: redis }
          gitlab:
            use: gitlab
            with: { host: git.example.com, version: '18', database_version: '14' }
    "), @r#"
        11:69 version-pair: version 18 does not run on PostgreSQL 14
          hint: write database_version: "16" or newer
        "#);
}

#[test]
fn a_missing_requirement() {
    assert_snapshot!(check_below_head("
        components:
          data: { use: efs }
          gitlab: { use: gitlab, with: { host: git.example.com } }
    "), @r#"
        7:3 missing-requirement: `gitlab` needs postgres/v1 (database), and no other component provides it
          hint: add a component, such as `postgres: { use: aurora }`; component types that provide it: `aurora`, `pgbouncer` and `rds`
        7:3 missing-requirement: `gitlab` needs redis/v1 (cache), and no other component provides it
          hint: add a component, such as `redis: { use: redis }`
        "#);
}

#[test]
fn ambiguous_wiring() {
    assert_snapshot!(check_below_head("
        components:
          data: { use: efs }
          db: { use: rds }
          reporting: { use: aurora }
          cache: { use: redis }
          gitlab: { use: gitlab, with: { host: git.example.com } }
    "), @r#"
        10:3 ambiguous-requirement: `gitlab` needs postgres/v1 (database), and `db` and `reporting` provide it
          hint: write `needs: { database: db }` in `gitlab`, or `reporting` instead
        "#);
}

#[test]
fn needs_that_do_not_fit() {
    assert_snapshot!(check_below_head("
        components:
          data: { use: efs }
          db: { use: rds, needs: { storage: data } }
          cache: { use: redis }
          gitlab:
            use: gitlab
            with: { host: git.example.com }
            needs: { databse: db, database: dbb, storage: cache, cache: gitlab }
    "), @r#"
        7:28 unknown-requirement: `db` has no requirement `storage`: component type `rds` knows none
          hint: remove it from `needs`
        12:14 unknown-requirement: `gitlab` has no requirement `databse`: component type `gitlab` knows `storage`, `database` and `cache`
          hint: did you mean `database`?
        12:37 unknown-component: there is no component `dbb`
          hint: did you mean `db`?
        12:51 wrong-interface: `gitlab` needs shared-filesystem/v1 (storage), but `cache` provides redis/v1
          hint: components that provide shared-filesystem/v1: `data`
        12:65 self-requirement: `gitlab` cannot fulfil its own requirement
          hint: components that provide redis/v1: `cache`
        "#);
}

#[test]
fn circles() {
    assert_snapshot!(check_below_head("
        components:
          a: { use: pgbouncer, needs: { upstream: b } }
          b: { use: pgbouncer, needs: { upstream: c } }
          c: { use: pgbouncer, needs: { upstream: a } }
          d: { use: pgbouncer, needs: { upstream: a } }
          e: { use: pgbouncer, needs: { upstream: f } }
          f: { use: pgbouncer, needs: { upstream: e } }
          g: { use: pgbouncer, needs: { upstream: g } }
    "), @r#"
        6:43 cycle: components require each other in a circle: a → b → c → a
          hint: let one of them use another component, for example by `needs: { upstream: … }` in `a`
        10:43 cycle: components require each other in a circle: e → f → e
          hint: let one of them use another component, for example by `needs: { upstream: … }` in `e`
        12:43 self-requirement: `g` cannot fulfil its own requirement
          hint: components that provide postgres/v1: `a`, `b`, `c`, `d`, `e` and `f`
        "#);
}

#[test]
fn advisories_until_they_are_acknowledged() {
    assert_snapshot!(check_below_head("
        components:
          data: { use: efs, with: { encrypted: false } }
          more: { use: efs, with: { encrypted: false }, acknowledge: [not-encrypted] }
    "), @r#"
        6:40 advisory not-encrypted: the files are not encrypted
        "#);
}

#[test]
fn advisories_that_there_are_not() {
    assert_snapshot!(check_below_head("
        components:
          data: { use: efs, acknowledge: [not-encryptd, git-on-nfs, one-zone, 5] }
          cache:
            use: redis
            acknowledge:
              - not-encrypted
    "), @r#"
    6:35 unknown-advisory: component type `efs` has no advisory "not-encryptd"
      hint: did you mean `not-encrypted`? advisories of `efs`: `not-encrypted` and `one-zone`
    6:49 unknown-advisory: component type `efs` has no advisory "git-on-nfs"
      hint: advisories of `efs`: `not-encrypted` and `one-zone`
    6:71 wrong-type: item 4 of `acknowledge` must be a text, not the number 5
      hint: write "5", in quotes
    10:9 unknown-advisory: component type `redis` has no advisory "not-encrypted"
      hint: remove it: this component type has no advisories
    "#);
}

#[test]
fn a_pattern_comes_with_an_example() {
    let check = |more: &str| {
        let schema = format!(r#"{{"type": "string", "pattern": "^[0-9]+$"{more}}}"#);
        let node = zonestack_core::yaml::read("x").unwrap().root;
        let schema = serde_json::from_str(&schema).unwrap();
        zonestack_core::schema::check(&schema, &node, "it", None)[0].hint.clone()
    };
    let hint = |text: &str| Some(text.to_owned());
    assert_eq!(check(r#", "examples": ["17"]"#), hint("write it as in 17"));
    assert_eq!(check(r#", "examples": ["17", "18"]"#), hint("write it as in `17` or `18`"));
    assert_eq!(check(r#", "description": "Digits only.""#), hint("Digits only."));
    assert_eq!(check(""), None);
}
