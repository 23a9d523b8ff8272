//! A third party's plugin, call by call, in a child and in process: what goes in comes out.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::future::{BoxFuture, Either, pending, select};
use futures::{FutureExt as _, StreamExt as _};
use serde_json::json;
use zonestack_core::diagnostic::Severity;
use zonestack_core::driver::{
    CallContext, Deletion, Difference, Driver, DriverError, ErrorClass, Query, Status, Target,
};
use zonestack_core::secret::SecretRef;
use zonestack_core::value::secret;
use zonestack_host::plugin::{Description, Isolation, Limits, RemotePlugin};
use zonestack_host::services::Services;
use zonestack_sdk::message::{AwsCredentials, AwsSettings};

use super::{
    LIMITS, Offered, OneSecret, WAYS, built, component, create, hash, options, owner, target, told,
    wait_for,
};
use crate::harness::library_path;

const KIND: &str = "tiny.thing";

fn with_driver(check: impl Fn(&dyn Driver)) {
    for way in WAYS {
        let plugin = built("tiny", way);
        let described = plugin.describe().unwrap();
        check(plugin.driver(&described, Arc::new(Offered)).as_ref());
        assert_eq!(plugin.faults(), Vec::<String>::new());
    }
}

fn thing(name: &str) -> Target {
    target(KIND, name)
}

#[test]
fn it_describes_itself_the_same_in_both_ways() {
    let descriptions = WAYS.map(|way| built("tiny", way).describe().unwrap());
    assert_eq!(descriptions[0], descriptions[1]);
    let text = serde_json::to_string_pretty(&descriptions[0]).unwrap();
    insta::assert_snapshot!(text);
    let read: Description = serde_json::from_str(&text).unwrap();
    assert_eq!(read, descriptions[0]);
}

/// Nothing is started for what a kept description answers: there is no such library.
#[test]
fn a_kept_description_starts_nothing() {
    let described = built("tiny", Isolation::Child).describe().unwrap();
    let nowhere = std::path::Path::new("/nowhere/libzonestack_plugin_tiny.so");
    let plugin =
        RemotePlugin::open(nowhere, "", "tiny", options(Isolation::Child, LIMITS)).unwrap();
    let component = component(&plugin, &described);
    assert_eq!(component.describe().name, "tiny");
    assert_eq!(plugin.kinds(&described)[0].kind.as_str(), KIND);
    let refused = component.check(&json!({}));
    assert_eq!(refused[0].severity, Severity::Error);
    assert!(told(&refused).contains("cannot be loaded"), "{}", told(&refused));
}

#[test]
fn checks_come_back_whole_and_a_panic_is_a_finding() {
    for way in WAYS {
        let plugin = built("tiny", way);
        let component = component(&plugin, &plugin.describe().unwrap());
        assert_eq!(component.check(&json!({ "things": 2 })), []);
        let many = component.check(&json!({ "things": 5 }));
        assert_eq!(told(&many), "many-things so many things");
        assert_eq!(many[0].hint.as_deref(), Some("take fewer"));
        let panicked = told(&component.check(&json!({ "things": 13 })));
        assert!(panicked.contains("the plugin tiny panicked: thirteen things"), "{panicked}");
        // It goes on.
        assert_eq!(component.check(&json!({ "things": 1 })), []);
        assert_eq!(plugin.faults(), Vec::<String>::new());
    }
}

#[test]
fn a_driver_s_answers_and_errors_come_back_whole() {
    with_driver(|driver| {
        let made = create(driver, &thing("a thing"), &json!({})).unwrap();
        assert_eq!(made.remote_id.as_deref(), Some("made a thing"));
        let denied = create(driver, &thing("denied"), &json!({})).unwrap_err();
        let class = ErrorClass::Denied(Some("tiny:Create".to_owned()));
        assert_eq!(denied, DriverError::new(class, "not allowed to make things"));

        let (owner, taken) = (owner(), BTreeSet::from(["x/taken".parse().unwrap()]));
        let cx = CallContext { owner: &owner, secrets: &OneSecret, taken_over: &taken };
        let query =
            |name: &str| Query { target: thing(name), spec: Some(json!({ "index": null })) };
        let queries = [query("here"), query("absent"), query("denied")];
        let found = wait_for(driver.observe(cx, &queries));
        let here = found[0].as_ref().unwrap();
        assert_eq!(here.status, Status::Pending("growing".to_owned()));
        assert_eq!(here.outputs["parent"], "parent-1");
        assert_eq!(here.attributes, json!({ "index": null }));
        assert!(!found[1].as_ref().unwrap().is_present());
        assert_eq!(found[2].as_ref().unwrap_err().class, ErrorClass::Denied(None));

        // A value that shall be null is not one that shall go.
        let difference =
            Difference { path: "/a".to_owned(), from: None, to: Some(serde_json::Value::Null) };
        let spec = json!({});
        let updated = wait_for(driver.update(cx, &thing("x"), &spec, &[difference])).unwrap_err();
        assert_eq!(updated.class, ErrorClass::Busy);
        assert!(updated.message.contains("from: None, to: Some(Null)"), "{updated}");

        let deletion = Deletion { final_copy: Some("copy-1".to_owned()) };
        let deleted = wait_for(driver.delete(cx, &thing("x"), &deletion)).unwrap_err();
        assert_eq!(deleted, DriverError::new(ErrorClass::Dependency, "copy-1"));
        assert_eq!(wait_for(driver.delete(cx, &thing("x"), &Deletion::default())), Ok(()));
        let copy = wait_for(driver.final_copy(cx, &thing("x"), "copy-2")).unwrap();
        assert_eq!(copy, Status::Busy("copy-2".to_owned()));
        let marked = wait_for(driver.owned(cx)).unwrap();
        assert_eq!(marked[0].uid.as_deref(), Some("uid-1"));
        assert!(marked[0].remote_id.as_deref().unwrap().contains("taken"), "{marked:?}");
    });
}

#[test]
fn a_kind_of_nobody_is_an_error_of_its_query_only() {
    with_driver(|driver| {
        let owner = owner();
        let cx = CallContext::new(&owner, &OneSecret);
        let strange = Query { target: target("strange.kind", "x"), spec: None };
        let found =
            wait_for(driver.observe(cx, &[strange, Query { target: thing("y"), spec: None }]));
        assert_eq!(found[0].as_ref().unwrap_err().class, ErrorClass::Bug);
        assert!(found[1].is_ok(), "{found:?}");
    });
}

#[test]
fn the_host_answers_what_a_call_may_ask() {
    with_driver(|driver| {
        let made = |name: &str, spec| create(driver, &thing(name), &spec);
        let clock = made("clock", json!({})).unwrap();
        assert_eq!(clock.remote_id.as_deref(), Some("2026-11-23T07:00:00Z"));
        let aws = made("credentials", json!({})).unwrap();
        assert_eq!(aws.remote_id.as_deref(), Some("eu-west-1 at http://127.0.0.1:9"));
        let password = |name: &str| json!({ "password": secret(&SecretRef::Env(name.to_owned())) });
        let resolved = made("secret", password("PASSWORD")).unwrap();
        assert_eq!(resolved.remote_id.as_deref(), Some("11 characters"));
        let missing = made("secret", password("OTHER")).unwrap_err();
        assert_eq!(missing.message, "environment variable OTHER does not exist");
    });
}

#[test]
fn a_panic_in_a_driver_is_an_error_and_the_plugin_goes_on() {
    with_driver(|driver| {
        let error = create(driver, &thing("panic"), &json!({})).unwrap_err();
        let message = "the plugin tiny panicked: this is the panic of a test";
        assert_eq!(error, DriverError::new(ErrorClass::Bug, message));
        assert!(create(driver, &thing("next"), &json!({})).is_ok());
    });
}

/// A call that nobody waits for any more is asked to stop, and ends without taking the plugin with it.
#[test]
fn a_call_that_is_dropped_is_stopped() {
    for way in WAYS {
        let library = library_path("tiny");
        let limits = Limits { grace: Duration::from_mins(10), ..LIMITS };
        let plugin =
            RemotePlugin::open(&library, &hash(&library), "tiny", options(way, limits)).unwrap();
        let driver = plugin.driver(&plugin.describe().unwrap(), Arc::new(Offered));
        let (owner, target, spec) = (owner(), thing("sleep"), json!({}));
        let cx = CallContext::new(&owner, &OneSecret);
        let mut sleeping = driver.create(cx, &target, &spec);
        let mut task = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(sleeping.as_mut().poll(&mut task).is_pending());
        drop(sleeping);
        assert!(create(driver.as_ref(), &thing("next"), &json!({})).is_ok());
        // Its end comes as the end of a call that is known: no fault.
        assert_eq!(plugin.faults(), Vec::<String>::new());
    }
}

/// Says when it is asked, and never answers.
struct Deaf(UnboundedSender<()>);

impl Services for Deaf {
    fn aws_settings(&self) -> BoxFuture<'_, Result<AwsSettings, DriverError>> {
        self.0.unbounded_send(()).unwrap();
        pending().boxed()
    }

    fn aws_credentials<'a>(
        &'a self,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<AwsCredentials, DriverError>> {
        pending().boxed()
    }

    fn now(&self) -> String {
        String::new()
    }

    fn turn<'a>(&'a self, _: &'a str) -> BoxFuture<'a, ()> {
        pending().boxed()
    }
}

/// What calls have asked that nobody waits for any more is no burden: a plugin may have a thousand open asks.
#[test]
fn asks_of_dropped_calls_do_not_add_up() {
    for way in WAYS {
        let plugin = built("tiny", way);
        let (says, mut asked) = unbounded();
        let driver = plugin.driver(&plugin.describe().unwrap(), Arc::new(Deaf(says)));
        let (owner, target, spec) = (owner(), thing("credentials"), json!({}));
        for _ in 0..1_100 {
            let cx = CallContext::new(&owner, &OneSecret);
            let call = driver.create(cx, &target, &spec);
            let ended = wait_for(select(call, asked.next()));
            assert!(matches!(ended, Either::Right(_)));
        }
        assert!(create(driver.as_ref(), &thing("next"), &json!({})).is_ok());
        assert_eq!(plugin.faults(), Vec::<String>::new());
    }
}

/// A call that lasts too long is asked to stop, and says itself that its effect is unknown.
#[test]
fn a_call_that_lasts_too_long_is_stopped() {
    for way in WAYS {
        let library = library_path("tiny");
        let limits =
            Limits { call: Duration::from_millis(300), grace: Duration::from_mins(1), ..LIMITS };
        let plugin =
            RemotePlugin::open(&library, &hash(&library), "tiny", options(way, limits)).unwrap();
        let driver = plugin.driver(&plugin.describe().unwrap(), Arc::new(Offered));
        let error = create(driver.as_ref(), &thing("sleep"), &json!({})).unwrap_err();
        assert_eq!(error.class, ErrorClass::Ambiguous);
        assert!(error.message.contains("stopped before it had ended"), "{error}");
    }
}
