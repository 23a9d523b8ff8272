use super::*;

fn identity(version: &str) -> Identity {
    Identity {
        name: "fsx".to_owned(),
        version: version.to_owned(),
        abi_major: 1,
        abi_minor: 0,
        proto_min: 1,
        proto_max: 1,
        sdk: String::new(),
        target: String::new(),
        rustc: String::new(),
        min_glibc: String::new(),
    }
}

fn brings(version: &str) -> Offer {
    Offer {
        version: version.to_owned(),
        components: ["fsx".to_owned()].into(),
        kinds: ["aws.fsx.volume".to_owned(), "aws.fsx.file-system".to_owned()].into(),
    }
}

fn hash(digit: char) -> String {
    digit.to_string().repeat(64)
}

fn lock() -> Lock {
    let mut lock = Lock::default();
    lock.record(
        &identity("0.3.1"),
        brings("0.3.1"),
        "https://example.org/fsx".to_owned(),
        &hash('a'),
    );
    let entry = lock.plugins.get_mut("fsx").unwrap();
    entry.sha256.insert("sparc-sun-solaris".to_owned(), hash('b'));
    lock
}

fn parse(text: &str) -> Result<Lock, LockError> {
    Lock::parse(Path::new("zonestack.lock"), text)
}

#[test]
fn the_file_reads_what_it_writes() {
    let mut lock = lock();
    lock.removed
        .insert("old".to_owned(), Offer { version: "1.0.0".to_owned(), ..Offer::default() });
    lock.plugins.get_mut("fsx").unwrap().source = "a \"quoted\" \\ source\nof two lines".to_owned();
    assert_eq!(parse(&lock.text()).unwrap(), lock);
    assert_eq!(parse(&Lock::default().text()).unwrap(), Lock::default());
}

#[test]
fn the_file_is_for_people_too() {
    let mut lock = lock();
    lock.removed
        .insert("old".to_owned(), Offer { version: "1.0.0".to_owned(), ..Offer::default() });
    insta::assert_snapshot!(lock.text().replace(PLATFORM, "THIS-PLATFORM"));
}

#[test]
fn what_is_not_understood_is_refused() {
    let good = lock().text();
    for (bad, said) in [
        ("", "missing field `version`"),
        ("version = 2\n", "has format 2, this zonestack reads up to 1"),
        ("version = 1\nplugins = []\n", "line 2: unknown field `plugins`"),
        ("version = 1\n[[plugin]]\nname = \"fsx\"\n", "missing field"),
        ("version = \n", "line 1"),
        (&good.replace("name = \"fsx\"", "name = \"../fsx\""), "is no name of a plugin"),
        (&good.replace(&hash('a'), "aa"), "is not 64 hexadecimal digits"),
        (&good.replace(&hash('a'), &hash('A')), "is not 64 hexadecimal digits"),
        (&good.replace("abi = 1\n", "abi = 1\nkey = \"RWQ\"\n"), "unknown field `key`"),
        (&format!("{good}{}", &good[good.find("[[").unwrap()..]), "fsx stands there twice"),
    ] {
        let error = parse(bad).unwrap_err().to_string();
        assert!(error.contains(said), "{said:?}: {error}");
    }
}

#[test]
fn whatever_the_file_does_not_vouch_for_is_untrusted() {
    let file = Path::new("libzonestack_plugin_fsx.so");
    let mut lock = lock();
    assert_eq!(lock.vouches("fsx", file, &hash('a')), Ok(()));
    let mut told = vec![lock.vouches("fsx", file, &hash('c')).unwrap_err().to_string()];
    lock.plugins.get_mut("fsx").unwrap().sha256.remove(PLATFORM);
    // The hash of another platform is none.
    told.push(lock.vouches("fsx", file, &hash('b')).unwrap_err().to_string());
    lock.remove("fsx");
    told.push(lock.vouches("fsx", file, &hash('a')).unwrap_err().to_string());
    insta::assert_snapshot!(told.join("\n").replace(PLATFORM, "THIS-PLATFORM"));
}

#[test]
fn other_platforms_stay_with_the_version_and_go_with_it() {
    let mut lock = lock();
    lock.record(&identity("0.3.1"), brings("0.3.1"), String::new(), &hash('c'));
    let hashes = &lock.plugins["fsx"].sha256;
    assert_eq!((hashes[PLATFORM].as_str(), hashes.len()), (hash('c').as_str(), 2));
    lock.record(&identity("0.4.0"), brings("0.4.0"), String::new(), &hash('d'));
    assert_eq!(lock.plugins["fsx"].sha256.keys().collect::<Vec<_>>(), [PLATFORM]);
}

#[test]
fn a_removed_plugin_leaves_what_it_brought_until_it_is_added_again() {
    let mut lock = lock();
    assert_eq!(lock.of_component("fsx"), Some("fsx"));
    assert_eq!(lock.of_kind("aws.fsx.volume"), Some("fsx"));
    lock.remove("fsx").unwrap();
    assert_eq!((lock.of_component("fsx"), lock.of_kind("aws.fsx.volume")), (None, None));
    assert_eq!(lock.removed["fsx"], brings("0.3.1"));
    lock.record(&identity("0.3.1"), brings("0.3.1"), String::new(), &hash('c'));
    assert_eq!(lock.removed, BTreeMap::new());
}
