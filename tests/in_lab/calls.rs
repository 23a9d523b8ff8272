//! How many API calls a plan makes when there is nothing to do, counted at the emulator and at the API server.

use super::example;
use crate::harness::{Lab, Program, replaced};

const NAME: &str = "calls";

/// One more of each component, wired to each other.
const COPY: &str = "
  data2: { use: efs }
  db2: { use: rds }
  cache2: { use: redis }
  gitlab2:
    use: gitlab
    needs: { storage: data2, database: db2, cache: cache2 }
    with: { host: code.example.com }
";

#[test]
fn calls_grow_with_services_and_not_with_resources() {
    let lab = Lab::new();
    let stack = example(NAME);
    let program = lab.program(&stack);
    program.up();
    let one = noop(&lab, &program);
    assert!(one.0.len() <= 15, "{} AWS calls: {:#?}", one.0.len(), one.0);
    assert!(one.1.len() <= 20, "{} Kubernetes calls: {:#?}", one.1.len(), one.1);

    let wired = replaced(
        &stack,
        "    use: gitlab\n",
        "    use: gitlab\n    needs: { storage: data, database: db, cache: cache }\n",
    );
    program.stack(format!("{wired}{COPY}"));
    program.up();
    let two = noop(&lab, &program);
    assert!(two.0.len() <= one.0.len() + 4, "{:#?}\nand with a copy\n{:#?}", one.0, two.0);
    assert!(two.1.len() <= one.1.len(), "{:#?}\nand with a copy\n{:#?}", one.1, two.1);

    program.stack(stack);
    program
        .run(&[
            "down",
            "--yes",
            "--delete-data",
            "data2",
            "--delete-data",
            "db2",
            "--delete-data",
            "data",
            "--delete-data",
            "db",
        ])
        .exits(0);
}

/// The AWS and the Kubernetes calls of a plan that finds nothing to do.
#[track_caller]
fn noop(lab: &Lab, program: &Program) -> (Vec<String>, Vec<String>) {
    let before = lab.calls();
    program.plan().is_noop();
    let calls = lab.calls().since(&before);
    assert!(!calls.aws.is_empty() && !calls.kubernetes.is_empty());
    (calls.aws, calls.kubernetes)
}
