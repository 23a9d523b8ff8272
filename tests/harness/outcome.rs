//! How a run of the program ended.

use serde_json::Value;

/// Exit code and output.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The command line, for messages.
    pub(super) command: String,
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Fails the test unless the program ended with this code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "the exit code of {self}");
        self
    }

    /// stdout as one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(error) => panic!("{error} in the JSON of {self}"),
        }
    }

    /// stdout as one JSON object per line.
    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        let lines = self.stdout.lines().map(serde_json::from_str::<Value>);
        match lines.collect() {
            Ok(values) => values,
            Err(error) => panic!("{error} in the JSON lines of {self}"),
        }
    }

    /// Fails the test unless both streams together have all these texts.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            let found = self.stdout.contains(text) || self.stderr.contains(text);
            assert!(found, "{text:?} is not in the output of {self}");
        }
        self
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command, code, stdout, stderr } = self;
        write!(f, "`{command}` (exit code {code})\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n---")
    }
}
