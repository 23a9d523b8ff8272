//! The program against the model of AWS and Kubernetes that is inside it.

mod aurora; // another database: its life, its advisory
mod changes; // ten and more changes of the example, and the plan that a careful engineer would write
mod elasticache; // ElastiCache in the place of the one Redis
mod faulty; // stack files with faults, and the one screen that each gives
mod faulty_text; // the same for files that are hardly YAML
mod first_run; // the README's first command
mod fsx; // files on FSx in place of EFS, from the first `up` to the last backup
mod guards; // what is refused, and how
mod interruption; // Ctrl-C, kill -9, and again
mod lease; // who is at work, and how the dead let go
mod lifecycle; // up, nothing to do, down, up again
mod offline; // what needs no world at all
mod plugins; // plugins that are refused before anything of them runs
mod plugins_loaded; // plugins from their first day to their last
mod recovery; // a stack whose inventory is gone
mod renaming; // components under a new name; what becomes the stack's own
mod secrecy; // values that are printed nowhere
mod swaps; // one backend for another, on a new stack and on one that is up
mod zones; // from one to six

/// The world in a sandbox's file.
pub(crate) fn world(file: &str) -> serde_json::Value {
    let mut document: serde_json::Value = serde_json::from_str(file).unwrap();
    document["world"].take()
}
