//! Plugins that a stack file names.

use insta::assert_snapshot;
use zonestack_core::parse::{NamedPlugin, parse};

use crate::{HEAD, check_below_head};

fn named(name: &str, path: Option<&str>) -> NamedPlugin {
    NamedPlugin { name: name.to_owned(), path: path.map(str::to_owned) }
}

#[test]
fn a_plugin_is_a_name_or_a_name_with_a_file() {
    let text = "plugins: [fsx, { name: cache-x, path: build/libzonestack_plugin_cache_x.so }, { name: more }]\n\
                components:\n  cache: { use: redis }\n  other: { use: fsx }\n  third: { with: {} }\n";
    let mut raw = parse(format!("{HEAD}{text}").as_bytes()).unwrap();
    let path = "build/libzonestack_plugin_cache_x.so";
    assert_eq!(
        raw.plugins(),
        [named("fsx", None), named("cache-x", Some(path)), named("more", None)]
    );
    assert_eq!(raw.uses(), ["fsx".to_owned(), "redis".to_owned()].into());
    raw.set("plugins.0", "fsx-openzfs").unwrap();
    assert_eq!(raw.plugins()[0], named("fsx-openzfs", None));
    let fitting =
        "plugins: [fsx, { name: cache-x, path: x }]\ncomponents:\n  cache: { use: redis }\n";
    assert_eq!(check_below_head(fitting), "right");
}

#[test]
fn what_is_no_plugin_is_told_at_its_place() {
    assert_snapshot!(check_below_head(
        "
        plugins:
          - fsx
          - libzonestack_plugin_fsx.so
          - fsx
          - { name: other, file: x }
          - { path: x }
          - { name: third, path: '' }
          - 5
        components:
          cache: { use: redis }
    "
    ));
    assert_snapshot!(check_below_head(
        "
        plugins: fsx
        components:
          cache: { use: redis }
    "
    ));
}
