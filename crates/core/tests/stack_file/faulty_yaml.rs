//! Files that are not even a tree, or barely.

use insta::assert_snapshot;

use crate::{check, check_below_head, check_bytes};

#[test]
fn not_utf8() {
    assert_snapshot!(check_bytes(b"apiVersion: zonestack/v1\nname: caf\xe9\n"), @r#"
        2:10 not-utf8: the file is not UTF-8: byte 0xE9 at offset 34, in line 2
          hint: save the file as UTF-8
        "#);
}

#[test]
fn utf16() {
    assert_snapshot!(check_bytes(b"\xff\xfea\0:\0 \x001\0"), @r#"
        1:1 not-utf8: the file is UTF-16; a stack file is UTF-8
          hint: save the file as UTF-8
        "#);
}

#[test]
fn nothing_in_it() {
    assert_snapshot!(check_bytes(b""), @r#"
        - empty-file: the file has nothing in it
          hint: `zonestack init` writes a commented stack file
        "#);
    assert_snapshot!(check_bytes(b"# only a comment\n"), @r#"
        - empty-file: the file has nothing in it
          hint: `zonestack init` writes a commented stack file
        "#);
    assert_snapshot!(check_bytes(b"---\n"), @r#"
        - empty-file: the file has nothing in it
          hint: `zonestack init` writes a commented stack file
        "#);
}

#[test]
fn a_list_instead_of_keys() {
    assert_snapshot!(check("- name: git"), @r#"
        1:1 wrong-type: the stack file must be a map, not a list
          hint: its keys: `apiVersion`, `name`, `cluster`, `region`, `namespace`, `zones`, `network`, `tags`, `plugins` and `components`
        "#);
}

#[test]
fn tabs() {
    assert_snapshot!(check_bytes(b"name: git\ncomponents:\n\tdb: { use: rds }\n\tcache: { use: redis }\n"), @r#"
        3:1 tab: this line is indented with a tab (2 lines of this file are); YAML takes only spaces
          hint: write two spaces for each tab
        "#);
    assert_snapshot!(check_bytes(b"components:\n  db:\n    use: rds\n\tcache: { use: redis }\n"), @r#"
        4:1 tab: this line is indented with a tab; YAML takes only spaces
          hint: write two spaces for each tab
        "#);
}

#[test]
fn two_documents() {
    assert_snapshot!(check("
        name: git
        ---
        name: hub
    "), @r#"
        2:1 multiple-documents: a second document begins here; a stack file is one document
          hint: keep one stack in each file, and remove the `---`
        "#);
}

#[test]
fn a_key_given_twice_hides_nothing_else() {
    assert_snapshot!(check_below_head("
        components:
          db: { use: rds, with: { storageGib: 5 } }
          cache: { use: redis }
          db: { use: aurora }
    "), @r#"
        6:39 out-of-bounds: `storageGib` must be from 20 to 65536, not 5
        8:3 duplicate-key: the key `db` is given twice, here and in line 6
          hint: remove one of them, or rename it
        "#);
}

#[test]
fn a_bomb() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let lines = names.windows(2).map(|pair| {
        let aliases = vec![format!("*{}", pair[0]); 10].join(", ");
        format!("{0}: &{0} [{aliases}]", pair[1])
    });
    let first = "a: &a [x, x, x, x, x, x, x, x, x, x]".to_owned();
    let bomb = [first].into_iter().chain(lines).collect::<Vec<_>>().join("\n");
    assert_snapshot!(check_bytes(bomb.as_bytes()), @r#"
        5:16 too-large: up to here the file has more than 50000 values, with every alias written out
          hint: use fewer aliases (`*name`), or split the stack
        "#);
}

#[test]
fn a_bomb_of_text() {
    let bomb = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 100].join(", "));
    assert_snapshot!(check_bytes(bomb.as_bytes()), @r#"
        2:161 too-large: up to here the file has more than 4194304 bytes of text, with every alias written out
          hint: use fewer aliases (`*name`), or split the stack
        "#);
}

#[test]
fn a_file_that_is_too_large() {
    assert_snapshot!(check_bytes(&vec![b'#'; 2 << 20]), @r#"
        - too-large: the file has 2097152 bytes, at most 1048576 are read
        "#);
}

#[test]
fn too_deep() {
    let deep = format!("a: {}{}", "[".repeat(100), "]".repeat(100));
    assert_snapshot!(check_bytes(deep.as_bytes()), @r#"
        1:68 too-deep: lists and maps stand more than 64 deep in each other
        "#);
    let line = |n: usize| format!("a{n}: &a{n} [[[[[[[[[*a{}]]]]]]]]]\n", n - 1);
    let by_aliases = (1..10).map(line).collect::<Vec<_>>().concat();
    assert_snapshot!(check_bytes(format!("a0: &a0 []\n{by_aliases}").as_bytes()), @r#"
        8:18 too-deep: lists and maps stand more than 64 deep in each other
        "#);
}

#[test]
fn aliases_that_lead_nowhere() {
    assert_snapshot!(check_below_head("
        components:
          db: { use: *type }
    "), @r#"
        6:14 unknown-alias: nothing above this line is marked `&type`
          hint: put the text in quotes if it should begin with `*`: "*type"
        6:14 wrong-type: `use` must be a text, not nothing
          hint: write a value; a key that is not needed may be left out
        "#);
    assert_snapshot!(check("a: &a [*a]"), @r#"
        1:8 endless-alias: this alias contains itself
          hint: write the value out
        "#);
}

#[test]
fn keys_that_are_no_texts() {
    assert_snapshot!(check_below_head("
        tags:
          8080: port
          [a]: list
        components:
          cache: { use: redis }
    "), @r#"
        6:3 key-not-text: a key must be a text, this one is the number 8080
          hint: write "8080":
        7:3 key-not-text: a key must be a text, this one is a list
        "#);
}

#[test]
fn merge_keys_tags_and_dollars() {
    assert_snapshot!(check_below_head("
        components:
          db: &db { use: rds }
          other:
            <<: *db
            use: !!str aurora
            with:
              $ref: db/instance#address
    "), @r#"
        8:5 merge-key: merge keys (`<<`) are not part of YAML 1.2
          hint: write the keys out
        9:10 yaml-tag: YAML tags (`!…`) are not supported
          hint: remove the tag; put a value in quotes to make it a text
        11:7 reserved-key: the key `$ref` begins with `$`, which zonestack keeps for itself
          hint: choose another name
        "#);
}

#[test]
fn brackets_and_quotes_that_are_not_closed() {
    assert_snapshot!(check("components:\n  db: { use: rds\n"), @r#"
        2:7 syntax: the `{` that begins here is not closed
          hint: write the missing `}`
        "#);
    assert_snapshot!(check("zones: [eu-west-1a\nname: git\n"), @r#"
        2:5 syntax: a `:` cannot stand here; perhaps a bracket of a line above is not closed
          hint: close the list with `]` or the map with `}`
        "#);
    assert_snapshot!(check("name: 'git\ncluster: k8s\n"), @r#"
        1:7 syntax: the quote that begins here is not closed
          hint: write the missing quote
        "#);
}

#[test]
fn lines_in_the_wrong_column() {
    assert_snapshot!(check("components:\n    db: { use: rds }\n  cache: { use: redis }\n"), @r#"
        3:3 syntax: this line stands in a column that fits no map or list above it
          hint: let the keys of one map begin in the same column
        "#);
    assert_snapshot!(check("name: git\ncluster\nregion: eu-west-1\n"), @r#"
        2:1 syntax: this key has no `:` after it
          hint: write `key: value`, with a space after the `:`
        "#);
    assert_snapshot!(check_bytes(b"  name: git\nregion: eu-west-1\n"), @r#"
        2:1 syntax: this line stands further left than the first line of the file
          hint: let all top-level keys begin in the first column
        "#);
}

#[test]
fn text_that_needs_quotes() {
    assert_snapshot!(check("name: a: b"), @r#"
        1:8 syntax: a `:` cannot stand here: this line is already a value, or the line above has no `:`
          hint: put a text that contains `: ` in quotes, and begin each key on its own line
        "#);
    assert_snapshot!(check("name: @git"), @r#"
        1:7 syntax: no value may begin with `@`
          hint: put the text in quotes
        "#);
    assert_snapshot!(check("name: \"git\" hub"), @r#"
        1:13 syntax: something follows the closing quote
          hint: put the whole text in one pair of quotes
        "#);
}
