use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::card::forged::Forged;
use crate::scratch::Scratch;

const NAME: &str = "libzonestack_plugin_fsx.so";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_is_loaded_is_a_copy_that_nobody_writes() {
    let scratch = Scratch::new();
    let path = scratch.write(NAME, Forged::default().library());
    let store = Store::below(&scratch.path().join("cache"));
    let candidate = Candidate::read(&path).unwrap();
    let stored = store.keep(&candidate).unwrap();
    assert_eq!(stored.identity.name, "fsx");
    assert_eq!(
        stored.path,
        scratch.path().join("cache/zonestack/plugins").join(&candidate.sha256).join(NAME)
    );
    assert_eq!(mode(&stored.path), 0o500);
    assert_eq!(mode(stored.path.parent().unwrap()), 0o700);
    // The original may change now; and a copy that somebody damaged is made anew.
    fs::write(&path, "another").unwrap();
    set(&stored.path, 0o700);
    fs::write(&stored.path, "damaged").unwrap();
    assert_eq!(store.keep(&candidate).unwrap(), stored);
    assert_eq!(sha256(&fs::read(&stored.path).unwrap()), candidate.sha256);
    assert_eq!(mode(&stored.path), 0o500);
    let left: Vec<_> = fs::read_dir(stored.path.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1);
}

#[test]
fn what_everybody_can_write_is_refused() {
    let scratch = Scratch::new();
    let path = scratch.write(NAME, Forged::default().library());
    let refused = |path: &Path| match Candidate::read(path) {
        Err(StoreError::WorldWritable(place)) => Some(place),
        _ => None,
    };
    assert_eq!(refused(&path), None);
    set(&path, 0o646);
    assert_eq!(refused(&path), Some(path.canonicalize().unwrap()));
    set(&path, 0o664);
    assert_eq!(refused(&path), None);
    // Sticky or not.
    for mode in [0o777, 0o1777] {
        set(scratch.path(), mode);
        assert_eq!(refused(&path), Some(scratch.path().canonicalize().unwrap()));
    }
    // Through a link in a good folder, too.
    let other = Scratch::new();
    let link = other.path().join(NAME);
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert_eq!(refused(&link), Some(scratch.path().canonicalize().unwrap()));
    set(scratch.path(), 0o755);
    assert_eq!(refused(&link), None);
}

#[test]
fn what_is_no_file_is_not_read() {
    let scratch = Scratch::new();
    let folder = scratch.path().join(NAME);
    fs::create_dir(&folder).unwrap();
    assert!(matches!(Candidate::read(&folder), Err(StoreError::NoFile(_))));
    assert!(matches!(Candidate::read(Path::new("/dev/zero")), Err(StoreError::NoFile(_))));
    let missing = scratch.path().join("missing.so");
    assert!(matches!(Candidate::read(&missing), Err(StoreError::Read { .. })));
}

/// The recorded hash comes first, so that nothing of another file is even looked at; but what could not be loaded anyway is
/// told before somebody records it.
#[test]
fn trust_comes_before_a_look_inside() {
    let scratch = Scratch::new();
    let path = scratch.write(NAME, Forged::default().library());
    let good = Candidate::read(&path).unwrap();
    let untrusted = |result: Result<Identity, StoreError>| match result {
        Err(StoreError::Untrusted { source, .. }) => Some(source),
        _ => None,
    };
    let mut lock = Lock::default();
    assert!(matches!(untrusted(good.trusted("fsx", &lock)), Some(Untrusted::NoEntry { .. })));
    let identity = good.identity().unwrap();
    lock.record(&identity, crate::lock::Offer::default(), String::new(), &good.sha256);
    assert_eq!(good.trusted("fsx", &lock).unwrap(), identity);
    let path = scratch.write(NAME, "a text that is no library");
    let bad = Candidate::read(&path).unwrap();
    assert!(matches!(untrusted(bad.trusted("fsx", &lock)), Some(Untrusted::Mismatch { .. })));
    lock.remove("fsx");
    assert!(matches!(bad.trusted("fsx", &lock), Err(StoreError::Card { .. })));
}

#[test]
fn a_description_is_remembered_by_hash_and_release() {
    let scratch = Scratch::new();
    let store = Store::below(scratch.path());
    let hash = "a".repeat(64);
    assert_eq!(store.description::<Vec<u32>>(&hash), None);
    store.remember(&hash, &vec![1, 2]);
    assert_eq!(store.description::<Vec<u32>>(&hash), Some(vec![1, 2]));
    assert_eq!(store.description::<String>(&hash), None);
    let file = store.folder(&hash).join(DESCRIPTION);
    assert_eq!(mode(&file), 0o600);
    let older = fs::read_to_string(&file).unwrap().replace(env!("CARGO_PKG_VERSION"), "0.0.0");
    fs::write(&file, older).unwrap();
    assert_eq!(store.description::<Vec<u32>>(&hash), None);
}
