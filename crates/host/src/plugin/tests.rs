//! A plugin that is linked into this test, called through its table: the whole way without loading anything.

#![expect(unsafe_code, reason = "names the function that `export!` makes")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread::{self, Thread};

use futures::FutureExt as _;
use zonestack_core::driver::Owner;
use zonestack_core::name::Kind;
use zonestack_core::secret::{SecretError, SecretRef, SecretSource, Sensitive};
use zonestack_sdk::abi::{HostV1, PluginV1};
use zonestack_sdk::message::{AwsCredentials, AwsSettings};
use zonestack_sdk::prelude::*;

use super::{Isolation, Limits, LoadOptions, RemotePlugin};
use crate::services::Services;

unsafe extern "C" {
    fn zonestack_plugin_v1(host: *const HostV1) -> *const PluginV1;
}

#[derive(Deserialize, JsonSchema)]
struct Settings {
    names: Vec<String>,
}

struct Named;

impl TypedComponent for Named {
    type Settings = Settings;

    fn describe(&self) -> ComponentType {
        ComponentType {
            name: "named",
            summary: "Things by name",
            provides: Vec::new(),
            requires: vec![Requirement { name: "database", interface: "postgres/v1" }],
            advisories: vec!["known"],
            schema: Json::Null,
        }
    }

    fn check(&self, settings: &Settings) -> Vec<Finding> {
        let finding = |name: &String| match name.as_str() {
            "known" => Finding::advisory("known", "names", "known"),
            _ => Finding::advisory("unknown", "names", "unknown"),
        };
        settings.names.iter().map(finding).collect()
    }

    fn render(&self, settings: &Settings, cx: &RenderContext<'_>) -> Rendered {
        let strange: ComponentName = "strange".parse().unwrap();
        let resource = |name: &String| match name.as_str() {
            "strange" => Resource::new(ResourceId::new(&strange, "x"), "named.thing", json!({})),
            name => Resource {
                adopt: Some("something".to_owned()),
                ..Resource::new(cx.id(name), "named.thing", json!({ "called": cx.called.as_str() }))
            },
        };
        Rendered { resources: settings.names.iter().map(resource).collect(), ..Rendered::default() }
    }
}

struct NamedPlugin;

impl Plugin for NamedPlugin {
    const NAME: &'static str = "named";
    const VERSION: &'static str = "1.2.3";

    fn components() -> Vec<Arc<dyn Component>> {
        vec![Arc::new(Named)]
    }

    fn drivers(_: Host) -> BoxFuture<'static, Result<Vec<Arc<dyn Driver>>, DriverError>> {
        Box::pin(async {
            Err(DriverError::new(ErrorClass::Expired, "the credentials have expired"))
        })
    }
}

zonestack_sdk::export!(NamedPlugin);

fn plugin(name: &str) -> RemotePlugin {
    let options = LoadOptions {
        program: PathBuf::new(),
        isolation: Isolation::InProcess,
        limits: Limits::default(),
    };
    // SAFETY: the function is what `export!` makes.
    unsafe { RemotePlugin::of_entry(zonestack_plugin_v1, name, options) }
}

fn component() -> Arc<dyn Component> {
    let plugin = plugin("named");
    plugin.components(&plugin.describe().unwrap()).remove(0)
}

fn rendered(names: &[&str]) -> Rendered {
    let context = Context::nominal("git".parse().unwrap(), "git", "eu-west-1", &[]);
    let cx = RenderContext {
        component: &"new".parse().unwrap(),
        called: &"old".parse().unwrap(),
        context: &context,
        requirements: &std::collections::BTreeMap::new(),
        consumers: 0,
    };
    component().render(&json!({ "names": names }), &cx)
}

#[test]
fn a_description_goes_there_and_back() {
    let plugin = plugin("named");
    let described = plugin.describe().unwrap();
    assert_eq!((described.name.as_str(), described.version.as_str()), ("named", "1.2.3"));
    assert_eq!(plugin.components(&described)[0].describe(), Component::describe(&Named));
}

#[test]
fn what_is_rendered_comes_back_and_what_it_must_not_say_is_a_mistake() {
    let made = rendered(&["one"]);
    assert_eq!(made.findings, []);
    assert_eq!(made.resources[0].id.to_string(), "new/one");
    assert_eq!(made.resources[0].spec.to_json(), json!({ "called": "old" }));
    assert_eq!(made.resources[0].adopt, None, "only the core says what is adopted");
    let strange = rendered(&["strange"]);
    assert!(strange.findings[0].message.contains("it renders strange/x for the component new"));
}

#[test]
fn an_advisory_that_is_not_declared_is_a_mistake() {
    let component = component();
    assert_eq!(component.check(&json!({ "names": ["known"] }))[0].code, "known");
    let unknown = &component.check(&json!({ "names": ["other"] }))[0];
    assert_eq!(
        (unknown.severity, unknown.code),
        (zonestack_core::diagnostic::Severity::Error, "plugin")
    );
    assert!(unknown.message.contains("\"unknown\", which it does not declare"), "{unknown:?}");
}

#[test]
fn a_plugin_of_another_name_is_refused() {
    let error = plugin("somebody").describe().unwrap_err().to_string();
    assert!(error.contains("it calls itself \"named\""), "{error}");
}

/// Drivers that could not be made are an error of the call, with its class.
#[test]
fn drivers_that_cannot_be_made_fail_the_call() {
    let plugin = plugin("named");
    let driver = plugin.driver(&plugin.describe().unwrap(), Arc::new(Nobody));
    let owner = Owner {
        stack: "git".to_owned(),
        uid: None,
        namespace: "git".to_owned(),
        region: "eu-west-1".to_owned(),
    };
    let nothing = BTreeSet::new();
    let cx = CallContext { owner: &owner, secrets: &Nobody, taken_over: &nothing };
    let target = Target {
        id: "x/y".parse().unwrap(),
        kind: Kind::new("named.thing"),
        name: None,
        token: None,
        remote_id: None,
        parent: None,
    };
    for _ in 0..2 {
        let error = wait_for(driver.create(cx, &target, &json!({}))).unwrap_err();
        assert_eq!(error, DriverError::new(ErrorClass::Expired, "the credentials have expired"));
    }
}

/// Nobody offers anything.
struct Nobody;

fn refused<T>() -> Result<T, DriverError> {
    Err(DriverError::new(ErrorClass::Unsupported, "nothing is offered"))
}

impl Services for Nobody {
    fn aws_settings(&self) -> BoxFuture<'_, Result<AwsSettings, DriverError>> {
        async { refused() }.boxed()
    }

    fn aws_credentials<'a>(
        &'a self,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<AwsCredentials, DriverError>> {
        async { refused() }.boxed()
    }

    fn now(&self) -> String {
        String::new()
    }

    fn turn<'a>(&'a self, _: &'a str) -> BoxFuture<'a, ()> {
        async {}.boxed()
    }
}

impl SecretSource for Nobody {
    fn resolve<'a>(
        &'a self,
        reference: &'a SecretRef,
    ) -> BoxFuture<'a, Result<Sensitive<String>, SecretError>> {
        async { Err(SecretError::Missing(reference.clone())) }.boxed()
    }
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
