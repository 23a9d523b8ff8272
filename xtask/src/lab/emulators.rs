//! moto and MiniStack, two emulators of AWS with different gaps.

use std::process::Command;
use std::time::Duration;

use ureq::Agent;

use super::cache;
use super::files;
use super::network::REGION;
use super::process::{Process, ProcessError};
use super::state::Lab;

const READY: Duration = Duration::from_mins(1);
const FORM: &str = "application/x-www-form-urlencoded";

/// The name of moto's process.
pub(crate) const MOTO: &str = "moto";
/// The name of MiniStack's process.
pub(crate) const MINISTACK: &str = "ministack";

/// A cheap question to each service that a plugin uses. moto loads a service when it is first asked, which takes up to
/// a second: that must not be in anyone's measurement.
const QUESTIONS: [(&str, Question); 5] = [
    ("ec2", Question::Post("Action=DescribeAvailabilityZones&Version=2016-11-15")),
    ("elasticfilesystem", Question::Get("/2015-02-01/file-systems")),
    ("rds", Question::Post("Action=DescribeDBInstances&Version=2014-10-31")),
    ("secretsmanager", Question::Target("secretsmanager.ListSecrets")),
    ("sts", Question::Post("Action=GetCallerIdentity&Version=2011-06-15")),
];

enum Question {
    Get(&'static str),
    Post(&'static str),
    Target(&'static str),
}

/// Starts moto, with the record of its calls.
pub(crate) fn start_moto(lab: &Lab, port: u16) -> Result<Process, ProcessError> {
    let mut moto = Command::new(&lab.moto.python);
    moto.arg(cache::sources().join("moto_server.py")).args(["--port", &port.to_string()]);
    if let Some(calls) = &lab.moto.calls {
        moto.arg("--calls").arg(calls);
    }
    moto.env("PYTHONDONTWRITEBYTECODE", "1");
    Process::start(MOTO, &mut moto, &lab.run)
}

/// Starts MiniStack; without `BIND_HOST` it would listen on every interface.
pub(crate) fn start_ministack(lab: &Lab, port: u16) -> Result<Process, ProcessError> {
    let scratch = lab.run.join("ministack");
    files::create_folder(&scratch)?;
    let mut ministack = Command::new(&lab.ministack.python);
    ministack.args(["-m", "ministack.app"]);
    ministack.env("GATEWAY_PORT", port.to_string()).env("BIND_HOST", "127.0.0.1");
    ministack.env("MINISTACK_REGION", REGION).env("TMPDIR", &scratch);
    Process::start(MINISTACK, &mut ministack, &lab.run)
}

/// Waits until every service that we use answers.
pub(crate) fn warm_up(name: &str, process: &Process, url: &str) -> Result<(), ProcessError> {
    let agent = agent();
    QUESTIONS.iter().try_for_each(|(service, question)| {
        process.ready(&format!("{name}'s {service}"), READY, || {
            ask(&agent, url, service, question).then_some(())
        })
    })
}

/// Whether the emulator answers now.
pub(crate) fn answers(url: &str) -> bool {
    let agent = agent();
    QUESTIONS.iter().all(|(service, question)| ask(&agent, url, service, question))
}

/// No emulator checks the signature; the service is read from it.
fn ask(agent: &Agent, url: &str, service: &str, question: &Question) -> bool {
    let signature = format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/{service}/aws4_request, \
         SignedHeaders=host, Signature=0"
    );
    let answer = match question {
        Question::Get(path) => {
            agent.get(format!("{url}{path}")).header("authorization", &signature).call()
        }
        Question::Post(form) => agent
            .post(format!("{url}/"))
            .header("authorization", &signature)
            .content_type(FORM)
            .send(*form),
        Question::Target(target) => agent
            .post(format!("{url}/"))
            .header("authorization", &signature)
            .header("x-amz-target", *target)
            .content_type("application/x-amz-json-1.1")
            .send("{}"),
    };
    answer.is_ok()
}

fn agent() -> Agent {
    let config = Agent::config_builder()
        .proxy(None)
        .user_agent("zonestack-xtask")
        .timeout_global(Some(Duration::from_secs(20)));
    config.build().new_agent()
}
