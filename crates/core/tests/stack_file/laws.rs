//! What holds for every text and every wiring.

use proptest::prelude::*;
use zonestack_core::parse::parse;
use zonestack_core::wire::validate_and_wire;
use zonestack_core::yaml::line_and_column;

use crate::components::registry;
use crate::{HEAD, read};

/// Words of YAML and of stack files: most combinations are faulty, many get far.
fn yamlish() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "apiVersion: zonestack/v1\n",
        "name: git\n",
        "cluster: k\n",
        "region: eu-west-1\n",
        "components:\n",
        "  db:\n",
        "    use: rds\n",
        "    with:\n",
        "      storageGib: 100\n",
        "      password: {env: A}\n",
        "  cache: {use: redis}\n",
        "zones: [eu-west-1a]\n",
        "tags:\n",
        "      throughput: elastic\n",
        "    needs: {upstream: db}\n",
        "  p: {use: pgbouncer}\n",
        "network:\n",
        "  vpc: vpc-01234567\n",
        "- ",
        "? ",
        ": ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "&a ",
        "*a ",
        "<<: ",
        "!!str ",
        "| ",
        ">\n",
        "\"",
        "'",
        "#",
        "\t",
        "\n",
        "  ",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "\u{feff}",
        "é",
        "\0",
        "null",
        "~",
        "0o7",
        "1e3",
        "$ref: ",
        "a: ",
        "\\",
    ]);
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

/// Reads a file in every way, and looks at every place that is reported.
fn total(bytes: &[u8]) {
    let places = |found: &[zonestack_core::diagnostic::Diagnostic]| {
        assert!(!found.is_empty());
        for span in found.iter().filter_map(|found| found.span) {
            assert!(span.offset + span.length <= bytes.len(), "{span:?}");
            line_and_column(&String::from_utf8_lossy(bytes), span.offset);
        }
    };
    match parse(bytes) {
        Err(found) => places(&found),
        Ok(raw) => {
            if let Err(found) = validate_and_wire(&raw, &registry()) {
                places(&found);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        total(&bytes);
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        total(text.as_bytes());
    }

    #[test]
    fn any_yaml_is_read_or_refused(text in yamlish()) {
        total(text.as_bytes());
        total(format!("{HEAD}{text}").as_bytes());
        total(format!("{HEAD}components:\n  a: {{use: efs}}\n  db:\n    use: rds\n    with:\n      {text}").as_bytes());
    }

    #[test]
    fn any_value_is_set_or_refused(path in "(name|db|components|zones|db.with|a.b)(\\.[a-z0-9$]{0,3}){0,3}", value in ".{0,20}") {
        let mut raw = parse(format!("{HEAD}components:\n  db: {{use: rds}}\n").as_bytes()).unwrap();
        if raw.set(&path, &value).is_ok() {
            let found = validate_and_wire(&raw, &registry()).err();
            prop_assert!(found.is_none_or(|found| !found.is_empty()));
        }
    }

    /// Each component requires one of any others: a stack that is wired has every provider before its consumers, and of those
    /// that could come next, the first in the file.
    #[test]
    fn providers_come_first(upstreams in prop::collection::vec(0..12_usize, 1..12)) {
        let count = upstreams.len();
        let lines = upstreams
            .iter()
            .enumerate()
            .map(|(index, upstream)| match upstream % (count + 1) {
                // Not itself and not nothing: the database.
                at if at == index || at == count => format!("  c{index}: {{use: pgbouncer, needs: {{upstream: db}}}}\n"),
                at => format!("  c{index}: {{use: pgbouncer, needs: {{upstream: c{at}}}}}\n"),
            })
            .collect::<Vec<_>>()
            .concat();
        let text = format!("{HEAD}components:\n{lines}  db: {{use: rds}}\n");
        match read(text.as_bytes()) {
            Ok(wiring) => {
                let names: Vec<&str> = wiring.order.iter().map(|wired| wired.component.as_str()).collect();
                prop_assert_eq!(names.len(), count + 1);
                let position = |name: &str| names.iter().position(|have| *have == name).unwrap();
                for (at, wired) in wiring.order.iter().enumerate() {
                    let ready = |name: &str| wiring.order.iter().find(|w| w.component.as_str() == name).unwrap()
                        .providers.values().all(|provider| position(provider.as_str()) < at);
                    prop_assert!(ready(wired.component.as_str()));
                    let first = wiring.stack.components.iter().map(|c| c.name.as_str())
                        .find(|name| position(name) >= at && ready(name));
                    prop_assert_eq!(first, Some(wired.component.as_str()));
                    let consumers = wiring.order.iter().filter(|w| w.providers.values().any(|p| *p == wired.component)).count();
                    prop_assert_eq!(wired.consumers, consumers);
                }
            }
            Err(found) => prop_assert!(found.iter().all(|found| found.code == "cycle"), "{found:?}"),
        }
    }
}

/// 64 KiB are read in far less than a second even without optimisation: work does not grow with the square of the size. The
/// best of three, because the machine may be busy.
#[test]
fn a_large_file_takes_no_time() {
    let line = |count: usize| {
        let settings = "storageGib: 100, backup: { window: 03:00-04:00 }";
        format!("  db{count}: {{ use: rds, with: {{ {settings} }} }}\n")
    };
    let components = (0..800).map(line).collect::<Vec<_>>().concat();
    let text = format!("{HEAD}components:\n{components}");
    assert!(text.len() > 64 << 10);
    let elapsed = || {
        let start = std::time::Instant::now();
        let raw = parse(text.as_bytes()).unwrap();
        let parsed = start.elapsed();
        assert_eq!(validate_and_wire(&raw, &registry()).unwrap().order.len(), 800);
        parsed
    };
    let best = [elapsed(), elapsed(), elapsed()].into_iter().min().unwrap();
    assert!(best.as_millis() < 1000, "{best:?}");
}
