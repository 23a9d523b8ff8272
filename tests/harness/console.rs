//! A look at the emulator that costs little: one process of Python that stays.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// `lab/dump.py --serve`.
pub(crate) struct Console {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Console {
    #[track_caller]
    pub(super) fn open(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let questions = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, questions, answers }
    }

    /// Everything that belongs to a stack, a line for each thing, sorted.
    #[track_caller]
    pub(crate) fn holdings(&mut self, stack: &str) -> Vec<String> {
        serde_json::from_value(self.ask(&json!(stack))).unwrap()
    }

    /// A call as boto3 has it.
    #[track_caller]
    pub(crate) fn call(&mut self, service: &str, operation: &str, arguments: &Value) -> Value {
        self.ask(&json!([service, operation, arguments]))
    }

    #[track_caller]
    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.questions, "{question}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "dump.py ended at {question}; its own words are above");
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
