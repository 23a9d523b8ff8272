//! Files that are right, and values given with `--set`.

use insta::assert_snapshot;
use zonestack_core::name::ComponentName;
use zonestack_core::parse::parse;
use zonestack_core::validate::validate;
use zonestack_core::wire::{Wiring, validate_and_wire};
use zonestack_core::yaml::line_and_column;

use crate::components::registry;
use crate::{HEAD, dedented, read, render};

fn wiring(text: &str) -> Wiring {
    let text = format!("{HEAD}{}", dedented(text));
    read(text.as_bytes()).unwrap_or_else(|found| panic!("{}", render(text.as_bytes(), &found)))
}

/// One line for each component in order: its providers and the number of its consumers.
fn wires(wiring: &Wiring) -> String {
    let line = |wired: &zonestack_core::wire::Wired| {
        let providers: Vec<String> =
            wired.providers.iter().map(|(name, from)| format!("{name}={from}")).collect();
        format!("{} [{}] {}", wired.component, providers.join(" "), wired.consumers)
    };
    wiring.order.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_whole_of_it() {
    let wiring = wiring(
        "
        namespace: apps
        zones: [eu-west-1b, eu-west-1a]
        network: { subnets: [subnet-01234567], securityGroups: [] }
        tags: { team: platform, empty: '' }
        components:
          gitlab:
            use: gitlab
            with: { host: git.example.com, version: \"18\" }
          data: { use: efs, with: { throughput: { provisioned: { mibps: 100 } } } }
          db:
            use: rds
            with:
              password: { secret: { name: db, key: password } }
              parameters: { max_connections: \"300\" }
          cache: { use: redis, with: }
        ",
    );
    assert_snapshot!(wires(&wiring), @r#"
        data [] 1
        db [] 1
        cache [] 1
        gitlab [cache=cache database=db storage=data] 0
        "#);
    let stack = &wiring.stack;
    assert_eq!(stack.namespace, "apps");
    assert_eq!(stack.zones.as_ref().unwrap()[0].as_str(), "eu-west-1b");
    assert_eq!(stack.network.subnets, ["subnet-01234567"]);
    assert_eq!(stack.tags["team"], "platform");
    assert_eq!(stack.components[0].config["version"], "18");
    assert_eq!(stack.components[3].config, serde_json::json!({}));
}

#[test]
fn what_is_left_out_has_its_default() {
    let wiring = wiring("components: { cache: { use: redis } }");
    assert_eq!(wiring.stack.namespace, "git");
    assert_eq!(wiring.stack.zones, None);
    assert_eq!(wiring.stack.network, zonestack_core::stack::Network::default());
}

#[test]
fn explicit_needs_win_and_a_component_is_not_its_own_provider() {
    let wiring = wiring(
        "
        components:
          gitlab:
            use: gitlab
            with: { host: git.example.com }
            needs: { database: pool }
          pool: { use: pgbouncer, needs: { upstream: db2 } }
          db: { use: rds }
          db2: { use: aurora }
          data: { use: efs }
          cache: { use: redis }
        ",
    );
    assert_snapshot!(wires(&wiring), @r#"
        db [] 0
        db2 [] 1
        pool [upstream=db2] 1
        data [] 1
        cache [] 1
        gitlab [cache=cache database=pool storage=data] 0
        "#);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_fine() {
    let text =
        format!("\u{feff}{HEAD}components:\n  cache: {{ use: redis }}\n").replace('\n', "\r\n");
    assert!(read(text.as_bytes()).is_ok());
    let faulty = text.replace("zonestack/v1", "zonestack/v2");
    let found = read(faulty.as_bytes()).unwrap_err();
    assert_eq!(line_and_column(&faulty, found[0].span.unwrap().offset), (1, 13));
}

#[test]
fn anchors_save_writing() {
    let wiring = wiring(
        "
        components:
          a: { use: rds, with: &settings { storageGib: 100 } }
          b: { use: rds, with: *settings }
        ",
    );
    assert_eq!(wiring.stack.components[1].config["storageGib"], 100);
}

#[test]
fn a_setting_is_found_where_it_stands() {
    let text =
        "components:\n  db:\n    use: rds\n    with:\n      backup:\n        window: 03:00-04:00\n";
    let text = format!("{HEAD}{text}");
    let stack = validate(&parse(text.as_bytes()).unwrap(), &registry()).unwrap();
    let db: ComponentName = "db".parse().unwrap();
    let place = |path: &str| line_and_column(&text, stack.locate(&db, path).unwrap().offset);
    assert_eq!(place("backup.window"), (10, 17));
    assert_eq!(place("backup"), (9, 7));
    assert_eq!(place("backup.days"), (9, 7));
    assert_eq!(place("storageGib"), (6, 3));
    assert_eq!(place(""), (6, 3));
    assert_eq!(stack.locate(&"no".parse().unwrap(), ""), None);
}

fn set(arguments: &[(&str, &str)]) -> String {
    let text = format!(
        "{HEAD}{}",
        dedented(
            "
            components:
              data: { use: efs }
              db: { use: rds }
              cache: { use: redis }
              gitlab: { use: gitlab, with: { host: git.example.com, names: [a] } }
            "
        )
    );
    let mut raw = parse(text.as_bytes()).unwrap();
    for (path, value) in arguments {
        if let Err(found) = raw.set(path, value) {
            return render(text.as_bytes(), &[found]);
        }
    }
    match validate_and_wire(&raw, &registry()) {
        Ok(wiring) => {
            let stack = wiring.stack;
            let configs: Vec<String> = stack
                .components
                .iter()
                .map(|component| {
                    format!("{} {} {}", component.name, component.type_name, component.config)
                })
                .collect();
            format!(
                "{} {} {:?} {:?}\n{}",
                stack.name,
                stack.region,
                stack.network,
                stack.tags,
                configs.join("\n")
            )
        }
        Err(found) => render(text.as_bytes(), &found),
    }
}

#[test]
fn values_can_be_set_from_outside() {
    assert_snapshot!(set(&[
        ("name", "hub"),
        ("network.vpc", "vpc-01234567"),
        ("components.db.use", "aurora"),
        ("db.storageGib", "200"),
        ("db.backup.window", "03:00-04:00"),
        ("db.version", "17"),
        ("db.parameters.max_connections", "300"),
        ("tags.cost-center", "0042"),
        ("gitlab.host", "git: 2"),
        ("gitlab.names.0", "b"),
        ("gitlab.names.1", "\"c\""),
        ("data.throughput", "{provisioned: {mibps: 7}}"),
    ]), @r#"
        hub eu-west-1 Network { vpc: Some("vpc-01234567"), subnets: [], security_groups: [] } {"cost-center": "0042"}
        data efs {"throughput":{"provisioned":{"mibps":7}}}
        db aurora {"storageGib":200,"backup":{"window":"03:00-04:00"},"version":"17","parameters":{"max_connections":"300"}}
        cache redis {}
        gitlab gitlab {"host":"git: 2","names":["b","c"]}
        "#);
}

#[test]
fn a_number_begins_a_list() {
    assert_snapshot!(set(&[
        ("network.subnets.0", "subnet-01234567"),
        ("network.subnets.1", "subnet-89abcdef"),
        ("zones.0", "eu-west-1a"),
        ("tags.2026", "budget"),
        ("data.acknowledge.0", "x"),
        ("components.data.acknowledge.0", "one-zone"),
    ]), @r"
    - unknown-key: unknown key `acknowledge` in `with` of `data` (given with --set)
      hint: write `acknowledge` beside `use`, not under `with`
    ");
    assert_snapshot!(set(&[
        ("network.subnets.0", "subnet-01234567"),
        ("network.subnets.1", "subnet-89abcdef"),
        ("zones.0", "eu-west-1a"),
        ("tags.2026", "budget"),
        ("components.data.acknowledge.0", "one-zone"),
    ]), @r#"
    git eu-west-1 Network { vpc: None, subnets: ["subnet-01234567", "subnet-89abcdef"], security_groups: [] } {"2026": "budget"}
    data efs {}
    db rds {}
    cache redis {}
    gitlab gitlab {"host":"git.example.com","names":["a"]}
    "#);
}

#[test]
fn what_cannot_be_set_is_said() {
    let wrong = [
        ("gitlb.host", "x"),
        ("gitlab", "x"),
        ("gitlab..host", "x"),
        ("components.gitlab", "x"),
        ("gitlab.names.7", "x"),
        ("zones.1", "x"),
        ("region.name", "x"),
        ("gitlab.$ref", "x"),
        ("gitlab.host", "[a"),
        ("gitlab.host", "{a: 1, a: 2}"),
    ];
    assert_snapshot!(wrong.map(|wrong| set(&[wrong])).join("\n"), @r#"
        - set: --set gitlb.host: `gitlb` is neither a component of the stack nor a key of the stack file
          hint: did you mean `gitlab`?
        - set: --set gitlab: `gitlab` is a component
          hint: name a setting of it: gitlab.setting=value
        - set: --set gitlab..host: a word between two dots is missing
        - set: --set components.gitlab: a whole component cannot be set
          hint: write component.setting=value
        - set: --set gitlab.names.7: `7` is no index of a list of 1 values
        - set: --set zones.1: `1` is no index of an empty list: begin with 0
        - set: --set region.name: there is no `name` here: what should hold it is neither a map nor a list
        - reserved-key: the key `$ref` begins with `$`, which zonestack keeps for itself
          hint: choose another name
        - set: --set gitlab.host: the `[` that begins here is not closed
        - set: --set gitlab.host: the key `a` is given twice, here and in line 1
        "#);
}

#[test]
fn a_wrong_value_from_outside_says_so() {
    assert_snapshot!(set(&[
        ("region", "Ireland"),
        ("zones", "a"),
        ("db.storageGib", "three"),
        ("db.password", "hunter2"),
        ("gitlab.hosst", "x"),
        ("gitlab.replicas", "{a: 1}"),
    ]), @r#"
        - wrong-type: `zones` must be a list, not a text (given with --set)
          hint: write it in brackets, as in [a, b]
        - invalid-region: region "Ireland" is no AWS region (given with --set)
          hint: write it as in `region: eu-west-1`
        - wrong-type: `storageGib` must be a whole number, not text "three" (given with --set)
        - plain-secret: `password` must say where the secret is, not what it is (given with --set)
          hint: write { secret: { name: …, key: … } }, { env: NAME } or { file: PATH }
        - unknown-key: unknown key `hosst` in `with` of `gitlab` (given with --set)
          hint: did you mean `host`?
        - wrong-type: `replicas` must be a whole number, not a map (given with --set)
        "#);
    assert_snapshot!(set(&[("db.version", "\"9.4\"")]), @r#"
        - version-gone: PostgreSQL 9.4 has not been offered since 2020 (given with --set)
          hint: write "17"
        "#);
}

#[test]
fn the_schema_for_editors() {
    let schema = zonestack_core::schema::document(&registry());
    insta::assert_snapshot!(serde_json::to_string_pretty(&schema).unwrap());
    // Every reference leads somewhere.
    let text = schema.to_string();
    for part in text.split("\"$ref\":\"#").skip(1) {
        let pointer = part.split('"').next().unwrap();
        assert!(schema.pointer(pointer).is_some(), "{pointer}");
    }
}
