//! Plugins as shared libraries: built by cargo beside this test from `libraries/*.rs`, compiled here from `libraries/rude.c`, or built
//! here by cargo from `examples/plugins` and from what `plugin new` writes.
//! The child process is the real program.

mod cargo; // cargo in a crate outside the workspace
mod example; // the third party's example, outside the workspace
mod faults; // what a bad plugin does, and what the host says
mod kit; // the conformance kit, on good plugins and on bad ones
mod loading; // libraries that are no plugin, or none that fits
mod new; // what `plugin new` writes
mod process; // the child: its surroundings and its end
mod swap; // a plugin instead of what is built in: the same bytes
mod tiny; // a third party's plugin, call by call

use std::collections::BTreeSet;
use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Command;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use zonestack_core::component::Component;
use zonestack_core::diagnostic::Finding;
use zonestack_core::driver::{
    CallContext, Created, Driver, DriverError, ErrorClass, Owner, Target,
};
use zonestack_core::name::Kind;
use zonestack_core::secret::{SecretError, SecretRef, SecretSource, Sensitive};
use zonestack_host::plugin::{Description, Isolation, Limits, LoadOptions, RemotePlugin};
use zonestack_host::services::Services;
use zonestack_sdk::abi::{Card, HostV1, PluginV1};
use zonestack_sdk::message::{AwsCredentials, AwsSettings};

use crate::harness::{Folder, library_path, program_path, search_path};

/// Both ways in which a plugin runs.
const WAYS: [Isolation; 2] = [Isolation::Child, Isolation::InProcess];

/// Generous where something must happen on a busy machine; what must not is cut short by the test that tries it.
const LIMITS: Limits = Limits {
    load: Duration::from_mins(1),
    render: Duration::from_secs(30),
    call: Duration::from_secs(30),
    grace: Duration::from_secs(10),
    restarts: 3,
};

fn options(isolation: Isolation, limits: Limits) -> LoadOptions {
    LoadOptions { program: program_path(), isolation, limits }
}

fn hash(library: &Path) -> String {
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16));
    Sha256::digest(fs::read(library).unwrap()).iter().flat_map(digits).flatten().collect()
}

/// A library that cargo has built.
fn built(name: &str, isolation: Isolation) -> RemotePlugin {
    let library = library_path(name);
    RemotePlugin::open(&library, &hash(&library), name, options(isolation, LIMITS)).unwrap()
}

/// The bad plugin, compiled with these definitions into the folder.
fn compiled(folder: &Folder, definitions: &[&str]) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = folder.path().join("libzonestack_plugin_rude.so");
    let output = Command::new("cc")
        .args(["-shared", "-fPIC", "-O0", "-w"])
        .args(definitions.iter().map(|definition| format!("-D{definition}")))
        .arg(format!("-DCARD_SIZE={}", Card::SIZE))
        .arg(format!("-DHOST_SIZE={}", HostV1::SIZE))
        .arg(format!("-DPLUGIN_SIZE={}", PluginV1::SIZE))
        .arg("-I")
        .arg(here.join("../crates/abi/include"))
        .arg(here.join("libraries/rude.c"))
        .arg("-o")
        .arg(&library)
        .env("PATH", search_path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    library
}

fn rude(library: &Path, limits: Limits) -> RemotePlugin {
    let options = options(Isolation::Child, limits);
    RemotePlugin::open(library, &hash(library), "rude", options).unwrap()
}

/// Its only component type.
fn component(plugin: &RemotePlugin, described: &Description) -> Arc<dyn Component> {
    plugin.components(described).remove(0)
}

fn told(findings: &[Finding]) -> String {
    let tell = |finding: &Finding| format!("{} {}", finding.code, finding.message);
    findings.iter().map(tell).collect::<Vec<_>>().join("\n")
}

/// Services of a test.
struct Offered;

impl Services for Offered {
    fn aws_settings(&self) -> BoxFuture<'_, Result<AwsSettings, DriverError>> {
        let settings = AwsSettings {
            region: "eu-west-1".to_owned(),
            endpoint_url: Some("http://127.0.0.1:9".to_owned()),
            ..AwsSettings::default()
        };
        async { Ok(settings) }.boxed()
    }

    fn aws_credentials<'a>(
        &'a self,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<AwsCredentials, DriverError>> {
        async { Err(DriverError::new(ErrorClass::Denied(None), "no credentials in a test")) }
            .boxed()
    }

    fn now(&self) -> String {
        "2026-11-23T07:00:00Z".to_owned()
    }

    fn turn<'a>(&'a self, _: &'a str) -> BoxFuture<'a, ()> {
        async {}.boxed()
    }
}

/// One secret.
struct OneSecret;

impl SecretSource for OneSecret {
    fn resolve<'a>(
        &'a self,
        reference: &'a SecretRef,
    ) -> BoxFuture<'a, Result<Sensitive<String>, SecretError>> {
        async move {
            match reference {
                SecretRef::Env(name) if name == "PASSWORD" => {
                    Ok(Sensitive::new("eleven-char".to_owned()))
                }
                _ => Err(SecretError::Missing(reference.clone())),
            }
        }
        .boxed()
    }
}

fn owner() -> Owner {
    Owner {
        stack: "git".to_owned(),
        uid: Some("uid-1".to_owned()),
        namespace: "git".to_owned(),
        region: "eu-west-1".to_owned(),
    }
}

fn target(kind: &str, name: &str) -> Target {
    Target {
        id: "x/thing".parse().unwrap(),
        kind: Kind::new(kind),
        name: Some(name.to_owned()),
        token: None,
        remote_id: None,
        parent: Some("parent-1".to_owned()),
    }
}

/// Creates something by a driver.
fn create(driver: &dyn Driver, target: &Target, spec: &Json) -> Result<Created, DriverError> {
    let (owner, nothing) = (owner(), BTreeSet::new());
    let cx = CallContext { owner: &owner, secrets: &OneSecret, taken_over: &nothing };
    wait_for(driver.create(cx, target, spec))
}

/// Asks the bad plugin's driver to do something.
fn do_it(driver: &dyn Driver, what: &str) -> Result<Created, DriverError> {
    create(driver, &target("rude.thing", "x"), &json!({ "do": what }))
}

/// Runs a future to its end on this thread.
fn wait_for<T>(future: impl Future<Output = T>) -> T {
    let woken: Waker = Arc::new(Unpark(thread::current())).into();
    let (mut cx, mut future) = (TaskContext::from_waker(&woken), pin!(future));
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
