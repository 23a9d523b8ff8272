use super::*;
use crate::card::forged::Forged;
use crate::scratch::Scratch;

/// A place for each step of the order, all in one folder.
struct Places {
    scratch: Scratch,
    search: Search,
}

impl Places {
    fn new() -> Self {
        let scratch = Scratch::new();
        let root = scratch.path();
        let path = [PathBuf::new(), root.join("first"), root.join("second")];
        let search = Search::new(&root.join("stack"), &path, Some(&root.join("data"))).unwrap();
        Self { scratch, search }
    }

    fn put(&self, folder: &str, name: &str, version: &str) -> PathBuf {
        let forged = Forged { version: version.to_owned(), ..Forged::named(name) };
        let folder = self.scratch.path().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(file_name(name));
        std::fs::write(&path, forged.library()).unwrap();
        path
    }
}

#[test]
fn the_first_place_of_the_order_wins_among_equal_files() {
    let mut places = Places::new();
    let order = ["data/zonestack/plugins", "second", "first", "stack/.zonestack/plugins"];
    for folder in order {
        let path = places.put(folder, "fsx", "1.0.0");
        assert_eq!(places.search.find("fsx").unwrap().path, path);
    }
    let named = places.put("elsewhere", "fsx", "1.0.0");
    places.search.named.push(("fsx".to_owned(), named.clone()));
    assert_eq!(places.search.find("fsx").unwrap().path, named);
    let explicit = places.put("target", "fsx", "1.0.0");
    places.search.files.push(explicit.clone());
    assert_eq!(places.search.find("fsx").unwrap().path, explicit);
    assert_eq!(places.search.explicit().unwrap(), ["fsx"]);
}

#[test]
fn two_files_of_one_name_and_different_contents_are_refused() {
    let places = Places::new();
    let one = places.put("first", "fsx", "1.0.0");
    let other = places.put("data/zonestack/plugins", "fsx", "1.0.1");
    let error = places.search.find("fsx").unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, SearchError::Clash { .. }));
    assert!(text.contains(one.to_str().unwrap()) && text.contains(other.to_str().unwrap()));
}

#[test]
fn what_was_named_must_be_there() {
    let mut places = Places::new();
    places.put("first", "fsx", "1.0.0");
    let gone = places.scratch.path().join("gone").join(file_name("fsx"));
    places.search.named.push(("fsx".to_owned(), gone));
    assert!(matches!(places.search.find("fsx"), Err(SearchError::NamedMissing { .. })));
    assert!(matches!(places.search.find("efs"), Err(SearchError::NotFound { .. })));
    places.search.files.push(PathBuf::from("/plugins/fsx.so"));
    assert!(matches!(places.search.explicit(), Err(SearchError::NoName(_))));
}

#[test]
fn no_place_depends_on_where_the_program_is_started() {
    let relative = [PathBuf::from("plugins")];
    let refused = Search::new(Path::new("/stack"), &relative, None);
    assert!(matches!(refused, Err(SearchError::Relative(_))));
}

#[test]
fn everything_that_is_there_is_listed_once() {
    let places = Places::new();
    places.put("first", "fsx-openzfs", "1.0.0");
    places.put("second", "fsx-openzfs", "1.0.1");
    places.put("data/zonestack/plugins", "cache", "1.0.0");
    std::fs::write(places.scratch.path().join("first/README"), "none").unwrap();
    assert_eq!(places.search.all(), ["cache", "fsx-openzfs"]);
}
