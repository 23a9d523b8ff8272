//! The program against the emulators and a real API server. One test at a time: they share the nodes, and count calls.

mod aurora; // a stack on Aurora
mod calls; // how many API calls a plan makes
mod drift; // what people do by hand
mod elasticache; // ElastiCache, as far as MiniStack has it
mod faults; // one at every request of the real program
mod fsx; // what moto can show of FSx
mod made; // what AWS and the cluster hold, field by field
mod ministack; // what moto cannot do
mod outage; // the API server and etcd die
mod secrecy; // planted values are found nowhere
mod story; // from nothing to nothing
mod zones; // one less, one more

use serde_json::Value;

use crate::harness::{EXAMPLE, Lab, Program, replaced};

/// The example under another name, which is its namespace too.
#[track_caller]
fn example(name: &str) -> String {
    replaced(EXAMPLE, "name: git ", &format!("name: {name} "))
}

/// A stack that is up.
#[track_caller]
fn up(lab: &Lab, name: &str) -> Program {
    let program = lab.program(&example(name));
    program.up();
    program
}

/// Everything goes, data too. The namespace may take a moment more.
#[track_caller]
fn down(lab: &Lab, program: &Program, name: &str) {
    program.run(&["down", "--yes", "--delete-data", "data", "--delete-data", "db"]).exits(0);
    lab.kubernetes.eventually("the end of the namespace", |kubernetes| {
        kubernetes.find(&format!("/api/v1/namespaces/{name}")).is_none().then_some(())
    });
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// The members of a list.
fn items(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

/// The only member of a list.
#[track_caller]
fn only(value: &Value) -> &Value {
    match items(value) {
        [only] => only,
        several => panic!("{} and not one: {value:#}", several.len()),
    }
}
