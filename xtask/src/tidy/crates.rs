//! The arrows between crates: what each may depend on.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Complaint;
use super::tree::File;

/// Asks cargo for everything that core is built from.
pub(super) const CORE_TREE: [&str; 8] =
    ["tree", "-p", "zonestack-core", "-e", "normal", "--prefix", "none", "--no-dedupe"];

/// Every crate that core may be built from: nothing that knows a network, a clock or an operating system's services.
const CORE_ALLOWED: [&str; 46] = [
    "arraydeque",
    "block-buffer",
    "cfg-if",
    "const-oid",
    "cpufeatures",
    "crypto-common",
    "digest",
    "dyn-clone",
    "equivalent",
    "foldhash",
    "futures",
    "futures-channel",
    "futures-core",
    "futures-io",
    "futures-macro",
    "futures-sink",
    "futures-task",
    "futures-util",
    "granit-parser",
    "hashbrown",
    "hybrid-array",
    "indexmap",
    "itoa",
    "memchr",
    "pin-project-lite",
    "proc-macro2",
    "quote",
    "ref-cast",
    "ref-cast-impl",
    "regex-lite",
    "schemars",
    "schemars_derive",
    "serde",
    "serde_core",
    "serde_derive",
    "serde_derive_internals",
    "serde_json",
    "sha2",
    "slab",
    "smallvec",
    "syn",
    "thiserror",
    "thiserror-impl",
    "typenum",
    "unicode-ident",
    "zmij",
];

/// Crates of ours that a crate may use; the tests of a crate may use more.
fn allowed(package: &str) -> Option<&'static [&'static str]> {
    match package {
        "zonestack-core" | "zonestack-abi" => Some(&[]),
        "zonestack-aws" | "zonestack-kubernetes" | "zonestack-recorded" | "zonestack-sandbox" => {
            Some(&["zonestack-core"])
        }
        "zonestack-sdk" => Some(&["zonestack-abi", "zonestack-core", "zonestack-aws"]),
        "zonestack-host" => Some(&["zonestack-abi", "zonestack-core", "zonestack-sdk"]),
        "zonestack-conformance" => {
            Some(&["zonestack-core", "zonestack-host", "zonestack-sandbox", "zonestack-sdk"])
        }
        // The SDK is for `export`: the same crate as a shared library.
        _ if package.starts_with("zonestack-plugin-") => {
            Some(&["zonestack-core", "zonestack-aws", "zonestack-kubernetes", "zonestack-sdk"])
        }
        // The command line knows every crate; tests and tasks are no part of the product.
        _ => None,
    }
}

/// Checks the dependencies that manifests declare (`cargo metadata --no-deps`).
pub(super) fn dependencies(metadata: &Value) -> Vec<Complaint> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut complaints = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let dependencies = package["dependencies"].as_array().map(Vec::as_slice);
        for dependency in dependencies.unwrap_or_default() {
            let used = dependency["name"].as_str().unwrap_or_default();
            let is_ours = used.starts_with("zonestack");
            let in_product = dependency["kind"].as_str() != Some("dev");
            let refused = match allowed(name) {
                Some(allowed) => in_product && is_ours && !allowed.contains(&used),
                None => false,
            };
            let program = is_ours && used == "zonestack";
            if refused || program {
                complaints.push(Complaint::of(name, format!("must not depend on {used}")));
            }
        }
    }
    complaints
}

/// Checks what core is built from, all the way down (`cargo tree`).
pub(super) fn core(tree: &str) -> Vec<Complaint> {
    let names: BTreeSet<&str> =
        tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let strange = |name: &&&str| **name != "zonestack-core" && !CORE_ALLOWED.contains(*name);
    let complain = |name: &&str| {
        let message = format!(
            "is built from {name}, which is not on its list (xtask/src/tidy/crates.rs): does it know a \
             network, a clock or the environment?"
        );
        Complaint::of("zonestack-core", message)
    };
    names.iter().filter(strange).map(complain).collect()
}

/// Checks that every manifest takes the workspace's lints, and that the lock file names one registry.
pub(super) fn manifests(files: &[File]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in files {
        // Examples are crates of their own, as third parties have them.
        let is_member = file.path.ends_with("/Cargo.toml") && !file.path.starts_with("examples/");
        if is_member && !file.text.contains("[lints]\nworkspace = true") {
            complaints.push(Complaint::of(&file.path, "lacks `[lints] workspace = true`"));
        }
        if file.path.ends_with("Cargo.lock") {
            let sources = file.text.lines().filter(|line| line.starts_with("source = "));
            let foreign = sources.collect::<BTreeSet<_>>().into_iter().find(|line| {
                *line != "source = \"registry+https://github.com/rust-lang/crates.io-index\""
            });
            complaints.extend(foreign.map(|line| Complaint::of(&file.path, line)));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn depends(package: &str, on: &str, kind: Option<&str>) -> bool {
        let metadata = json!({ "packages": [
            { "name": package, "dependencies": [{ "name": on, "kind": kind }] },
        ]});
        dependencies(&metadata).is_empty()
    }

    #[test]
    fn plugins_meet_the_engine_only_through_its_contracts() {
        assert!(depends("zonestack-plugin-efs", "zonestack-aws", None));
        assert!(depends("zonestack-plugin-efs", "serde", None));
        assert!(!depends("zonestack-plugin-efs", "zonestack-plugin-rds", None));
        assert!(!depends("zonestack-plugin-efs", "zonestack-sandbox", None));
        assert!(depends("zonestack-plugin-efs", "zonestack-sandbox", Some("dev")));
        assert!(!depends("zonestack-plugin-efs", "zonestack", Some("dev")));
        assert!(!depends("zonestack-core", "zonestack-aws", None));
        assert!(depends("zonestack", "zonestack-plugin-efs", None));
    }

    #[test]
    fn core_is_built_from_nothing_that_knows_a_network() {
        assert_eq!(core("zonestack-core v0.1.0 (path)\nserde v1.0.0\n"), []);
        assert_eq!(core("zonestack-core v0.1.0\ntokio v1.54.0\ntokio v1.54.0\n").len(), 1);
    }

    #[test]
    fn every_crate_takes_the_lints_of_the_workspace() {
        let file =
            |text: &str| [File { path: "crates/aws/Cargo.toml".to_owned(), text: text.to_owned() }];
        assert_eq!(manifests(&file("[package]\n\n[lints]\nworkspace = true\n")), []);
        assert_eq!(manifests(&file("[package]\n")).len(), 1);
        let path = "examples/plugins/fsx/Cargo.toml".to_owned();
        assert_eq!(manifests(&[File { path, text: "[package]\n".to_owned() }]), []);
    }
}
