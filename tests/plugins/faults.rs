//! What a bad plugin does, and what the host says. Whatever happens, the host goes on.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use zonestack_core::component::Component;
use zonestack_core::diagnostic::Severity;
use zonestack_core::driver::{CallContext, Driver, DriverError, ErrorClass, Query};
use zonestack_host::plugin::{Limits, RemotePlugin};

use super::{
    LIMITS, Offered, OneSecret, compiled, component, do_it, owner, rude, target, told, wait_for,
};
use crate::harness::Folder;

struct Bad {
    plugin: RemotePlugin,
    component: Arc<dyn Component>,
    driver: Arc<dyn Driver>,
    _library: Folder,
}

impl Bad {
    fn new(limits: Limits) -> Self {
        let folder = Folder::new();
        let plugin = rude(&compiled(&folder, &[]), limits);
        let described = plugin.describe().unwrap();
        let component = component(&plugin, &described);
        let driver = plugin.driver(&described, Arc::new(Offered));
        Self { plugin, component, driver, _library: folder }
    }

    /// What is found when its check does this; it must refuse the stack.
    #[track_caller]
    fn refused(&self, what: &str) -> String {
        let findings = self.component.check(&json!({ "do": what }));
        assert!(findings.iter().all(|finding| finding.severity == Severity::Error), "{what}");
        assert!(findings.iter().all(|finding| finding.hint.is_some()), "{what}");
        told(&findings)
    }

    fn looks(&self, what: &str) -> Result<(), DriverError> {
        let owner = owner();
        let query = Query { target: target("rude.thing", "x"), spec: Some(json!({ "do": what })) };
        let found = wait_for(self.driver.observe(CallContext::new(&owner, &OneSecret), &[query]));
        found.into_iter().next().unwrap().map(drop)
    }
}

/// How it ends, and what is said of it.
#[track_caller]
fn dies(what: &str, how: &str) {
    let bad = Bad::new(LIMITS);
    let refused = bad.refused(what);
    let expected = format!("plugin the plugin rude {how} (asked to check `rude`)");
    assert_eq!(refused, expected);
    // Started again: a call that changes something may have had an effect, one that looks has not.
    let error = do_it(bad.driver.as_ref(), what).unwrap_err();
    let message = format!("the plugin rude {how} (asked to create)");
    assert_eq!(error, DriverError::new(ErrorClass::Ambiguous, message));
    assert_eq!(bad.looks(what).unwrap_err().class, ErrorClass::Transient);
    assert_eq!(bad.component.check(&json!({})), []);
}

#[test]
fn a_plugin_that_aborts_is_told_by_its_signal() {
    dies("abort", "was ended by signal 6 (SIGABRT)");
}

#[test]
fn a_plugin_that_touches_foreign_memory_is_told_by_its_signal() {
    dies("segfault", "was ended by signal 11 (SIGSEGV)");
}

#[test]
fn a_plugin_that_exits_is_told_by_its_status() {
    dies("exit", "exited with status 0");
}

#[test]
fn a_plugin_that_runs_out_of_stack_is_told_by_its_signal() {
    let bad = Bad::new(LIMITS);
    // Rust's own handler of this signal may turn it into another.
    assert!(bad.refused("overflow").contains("the plugin rude was ended by signal"));
    assert_eq!(bad.component.check(&json!({})), []);
}

#[test]
fn a_plugin_that_closes_its_files_is_ended() {
    dies("close", "was ended by signal 9 (SIGKILL)");
}

#[test]
fn a_plugin_that_dies_too_often_is_not_started_again() {
    let bad = Bad::new(LIMITS);
    for _ in 0..4 {
        assert!(bad.refused("abort").contains("signal 6"));
    }
    let last = bad.refused("nothing");
    assert!(last.contains("has ended 4 times in this run and is not started again"), "{last}");
    assert_eq!(bad.looks("nothing").unwrap_err().class, ErrorClass::Bug);
}

#[test]
fn a_plugin_that_hangs_is_ended_and_its_effect_is_unknown() {
    let short = Duration::from_millis(200);
    for what in ["loop", "silence"] {
        let bad = Bad::new(Limits { render: short, call: short, grace: short, ..LIMITS });
        let refused = bad.refused(what);
        assert!(
            refused.contains("hung in `check` and did not stop when it was asked to"),
            "{refused}"
        );
        let error = do_it(bad.driver.as_ref(), what).unwrap_err();
        assert_eq!(error.class, ErrorClass::Ambiguous);
        assert!(error.message.contains("hung in `create`"), "{error}");
        assert_eq!(bad.looks(what).unwrap_err().class, ErrorClass::Transient);
    }
}

#[test]
fn noise_is_no_answer_and_does_no_harm() {
    let bad = Bad::new(LIMITS);
    assert_eq!(bad.component.check(&json!({ "do": "noise" })), []);
    assert_eq!(bad.component.check(&json!({})), []);
    let faults = bad.plugin.faults();
    assert_eq!(faults.len(), 100, "they are counted to a hundred");
}

#[test]
fn an_answer_that_is_too_large_is_not_read() {
    let bad = Bad::new(LIMITS);
    let refused = bad.refused("huge");
    assert!(refused.contains("answered with 17825792 bytes, and at most 16777216"), "{refused}");
    let error = do_it(bad.driver.as_ref(), "huge").unwrap_err();
    assert_eq!(error.class, ErrorClass::Ambiguous);
    assert_eq!(bad.component.check(&json!({})), []);
}

#[test]
fn an_answer_that_cannot_be_read_is_an_error() {
    let bad = Bad::new(LIMITS);
    for what in ["nonsense", "wrong-type"] {
        let refused = bad.refused(what);
        assert!(refused.contains("answered with what cannot be read"), "{refused}");
        assert_eq!(do_it(bad.driver.as_ref(), what).unwrap_err().class, ErrorClass::Ambiguous);
        assert_eq!(bad.looks(what).unwrap_err().class, ErrorClass::Bug);
    }
    // An object, but of no answers.
    assert_eq!(bad.looks("nothing").unwrap_err().class, ErrorClass::Bug);
    assert_eq!(bad.component.check(&json!({})), []);
}

#[test]
fn a_call_that_is_ended_twice_is_a_fault() {
    let bad = Bad::new(LIMITS);
    assert_eq!(bad.component.check(&json!({ "do": "twice" })), []);
    assert_eq!(bad.component.check(&json!({ "do": "unknown" })), []);
    let faults = bad.plugin.faults();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[1].contains("4711"), "{faults:?}");
}

#[test]
fn a_call_that_is_not_taken_has_had_no_effect() {
    let bad = Bad::new(LIMITS);
    assert!(bad.refused("refuse").contains("the plugin rude did not take the call"));
    assert_eq!(do_it(bad.driver.as_ref(), "refuse").unwrap_err().class, ErrorClass::Bug);
}

#[test]
fn a_plugin_that_asks_without_end_is_ended() {
    // Nothing is given to what only computes, so it never has a thousand open.
    let short =
        Limits { render: Duration::from_secs(2), grace: Duration::from_millis(200), ..LIMITS };
    let impatient = Bad::new(short);
    assert!(impatient.refused("flood").contains("hung in `check`"));
    // What a driver asks is answered as fast as it comes, or is too much; the call never ends either way.
    let short = Duration::from_secs(1);
    let bad = Bad::new(Limits { call: short, grace: short, ..LIMITS });
    let error = do_it(bad.driver.as_ref(), "flood").unwrap_err();
    assert_eq!(error.class, ErrorClass::Ambiguous);
}

#[test]
fn a_secret_that_is_not_in_the_call_is_not_given() {
    let bad = Bad::new(LIMITS);
    let error = do_it(bad.driver.as_ref(), "steal").unwrap_err();
    assert_eq!(error, DriverError::new(ErrorClass::Denied(None), "status 1"));
    let refused = bad.refused("steal");
    assert!(refused.contains("status 1"), "{refused}");
}

#[test]
fn a_class_of_the_future_is_a_bug() {
    let bad = Bad::new(LIMITS);
    let error = do_it(bad.driver.as_ref(), "future").unwrap_err();
    assert_eq!(error.class, ErrorClass::Bug);
    assert!(error.message.contains("of-the-future"), "{error}");
}

#[test]
fn a_call_that_is_too_large_is_not_sent() {
    let bad = Bad::new(LIMITS);
    let findings = bad.component.check(&json!({ "text": "x".repeat(17 << 20) }));
    assert!(told(&findings).contains("cannot be sent a call of"), "{}", told(&findings));
    assert_eq!(bad.component.check(&json!({})), []);
}
