use std::fmt::Write as _;
use std::path::PathBuf;

use super::forged::Forged;
use super::*;

fn told(file: &str, bytes: &[u8]) -> String {
    match read(&PathBuf::from(file), bytes) {
        Ok(identity) => format!("{} {}", identity.name, identity.version),
        Err(error) => format!("{error}\n  hint: {}", error.hint()),
    }
}

#[test]
fn a_card_is_read_from_the_file() {
    let file = PathBuf::from(file_name("fsx"));
    let identity = read(&file, &Forged::default().library()).unwrap();
    assert_eq!(
        identity,
        Identity {
            name: "fsx".to_owned(),
            version: "0.3.1".to_owned(),
            abi_major: 1,
            abi_minor: 0,
            proto_min: 1,
            proto_max: 1,
            sdk: "zonestack-sdk 0.1.0".to_owned(),
            target: "x86_64-unknown-linux-gnu".to_owned(),
            rustc: "rustc 1.95.0".to_owned(),
            min_glibc: "2.28".to_owned(),
        }
    );
}

#[test]
fn a_larger_card_of_a_later_release_is_read_as_far_as_it_is_known() {
    let later =
        Forged { size: 340, abi: [1, 7], proto: [1, 9], more: vec![9; 48], ..Forged::default() };
    let identity = read(&PathBuf::from(file_name("fsx")), &later.library()).unwrap();
    assert_eq!((identity.abi_minor, identity.proto_max), (7, 9));
}

#[test]
fn a_dash_of_the_name_is_an_underscore_of_the_file() {
    let forged = Forged::named("fsx-openzfs").library();
    let file = PathBuf::from("/plugins/libzonestack_plugin_fsx_openzfs.so");
    assert_eq!(read(&file, &forged).unwrap().name, "fsx-openzfs");
}

/// Each with the one message that a person gets.
#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn what_is_no_plugin_for_this_program_is_refused_in_words() {
    let good = Forged::default();
    let library = good.library();
    let with = |forged: &Forged| forged.library();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("text", b"this is a text and not a library at all".to_vec()),
        ("script", b"#!/bin/sh\nexec true # with some more text\n".to_vec()),
        ("archive", b"!<arch>\nand some more bytes".to_vec()),
        ("object file", with(&Forged { kind: 1, ..good.clone() })),
        ("program", with(&Forged { kind: 2, ..good.clone() })),
        ("cut off in the middle", library[..200].to_vec()),
        ("cut off at the end", library[..library.len() - 1].to_vec()),
        ("without a card", with(&Forged { section: ".rodata", ..good.clone() })),
        ("another processor", with(&Forged { machine: 183, ..good.clone() })),
        ("older interface", with(&Forged { abi: [0, 3], ..good.clone() })),
        ("newer interface", with(&Forged { abi: [2, 0], ..good.clone() })),
        ("older messages", with(&Forged { proto: [0, 0], ..good.clone() })),
        ("newer messages", with(&Forged { proto: [2, 4], ..good.clone() })),
        ("messages upside down", with(&Forged { proto: [1, 0], ..good.clone() })),
        ("a size that is not there", with(&Forged { size: 4096, ..good.clone() })),
        ("a size that is too small", with(&Forged { size: 40, ..good.clone() })),
        ("two cards", with(&Forged { more: good.card(), ..good.clone() })),
        ("a name that is a path", with(&Forged::named("../fsx"))),
        ("a name that moves the cursor", with(&Forged::named("fsx\u{1b}[2J"))),
        ("no version", with(&Forged { version: String::new(), ..good.clone() })),
        ("another name", with(&Forged::named("other"))),
    ];
    let mut all = String::new();
    for (what, bytes) in cases {
        let _ = writeln!(all, "{what}: {}", told("libzonestack_plugin_fsx.so", &bytes));
    }
    insta::assert_snapshot!(all);
}

/// Whatever bytes there are, there is an answer.
#[test]
fn no_cut_and_no_changed_byte_of_a_header_is_a_panic() {
    let library = Forged::default().library();
    for length in 0..library.len() {
        assert!(read(&PathBuf::from("x"), &library[..length]).is_err());
    }
    for at in 0..library.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut changed = library.clone();
            changed[at] = value;
            drop(read(&PathBuf::from("x"), &changed));
        }
    }
}
