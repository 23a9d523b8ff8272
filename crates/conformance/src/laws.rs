//! Every law: its name, what it says, and what tries it. Names are stable: `--law`, JSON and the docs use them.

use std::time::Duration;

use crate::subject::Subject;
use crate::verdict::Outcome;
use crate::{calls, card, description, drivers, life, memory, rendering, secrecy};

/// What a law is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Before anything of the plugin runs.
    Card,
    /// What it says of itself.
    Description,
    /// Settings to resources.
    Rendering,
    /// At the boundary.
    Calls,
    /// Its own driver: when nothing works, and what it makes.
    Drivers,
    /// What must not be told.
    Secrecy,
    /// The whole engine in the sandbox.
    Life,
}

impl Group {
    /// The group as printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Description => "description",
            Self::Rendering => "rendering",
            Self::Calls => "calls",
            Self::Drivers => "drivers",
            Self::Secrecy => "secrecy",
            Self::Life => "life",
        }
    }

    /// How long one of its laws may take, on a busy machine.
    pub(crate) fn limit(self) -> Duration {
        match self {
            Self::Card | Self::Description => Duration::from_mins(1),
            Self::Rendering | Self::Calls | Self::Secrecy => Duration::from_mins(2),
            Self::Drivers | Self::Life => Duration::from_mins(5),
        }
    }
}

/// A law.
#[derive(Debug)]
pub struct Law {
    /// Its name.
    pub name: &'static str,
    /// What it is about.
    pub group: Group,
    /// What it says: one sentence.
    pub meaning: &'static str,
    /// What tries it.
    pub(crate) check: fn(&Subject) -> Outcome,
}

const fn law(
    group: Group,
    name: &'static str,
    check: fn(&Subject) -> Outcome,
    meaning: &'static str,
) -> Law {
    Law { name, group, meaning, check }
}

/// Every law, in the order in which they are told.
pub static LAWS: [Law; 55] = [
    law(
        Group::Card,
        "card",
        card::card,
        "The card can be read from the file, and fits this program",
    ),
    law(Group::Card, "file-name", card::file, "The file is called after the plugin"),
    law(
        Group::Card,
        "card-is-true",
        card::says_the_same,
        "The running plugin has the name and version of its card",
    ),
    law(
        Group::Description,
        "stable",
        description::stable,
        "Two processes describe themselves with the same bytes",
    ),
    law(
        Group::Description,
        "schema",
        description::schema,
        "The schema of every component type is a JSON Schema of a map",
    ),
    law(
        Group::Description,
        "types",
        description::types,
        "Component types have legal names that are not built in, and a summary",
    ),
    law(
        Group::Description,
        "kinds",
        description::kinds,
        "Kinds have legal names that are not built in, each once",
    ),
    law(
        Group::Description,
        "declarations",
        description::declarations,
        "What a kind declares fits together: outputs are in the model, times suffice, marks have a place",
    ),
    law(
        Group::Description,
        "interfaces",
        description::interfaces,
        "Interfaces are called `name/vN`, requirements each by a name of their own",
    ),
    law(
        Group::Description,
        "advisories",
        description::advisories,
        "Codes of advisories are in kebab case, each listed once",
    ),
    law(
        Group::Description,
        "unknown-setting",
        description::unknown_setting,
        "A setting that is not there is refused by the schema, by its name",
    ),
    law(
        Group::Rendering,
        "example",
        rendering::example,
        "What its author means to work renders without an error: `--with`, the schema's examples, no settings at all",
    ),
    law(
        Group::Rendering,
        "pure",
        rendering::pure,
        "The same request renders the same bytes, again and in another process",
    ),
    law(Group::Rendering, "order", rendering::order, "The order of settings changes nothing"),
    law(
        Group::Rendering,
        "threads",
        rendering::threads,
        "Sixteen renderings at once give the same bytes",
    ),
    law(
        Group::Rendering,
        "graph",
        rendering::graph,
        "What is rendered is a graph without circles: ids of its own and each once, known kinds, needs that are there",
    ),
    law(
        Group::Rendering,
        "exports",
        rendering::exports,
        "A component type exports what it promises, and no more",
    ),
    law(
        Group::Rendering,
        "random",
        rendering::random,
        "200 random settings end in findings that are declared, or in a graph; never in a crash or a hang",
    ),
    law(
        Group::Rendering,
        "zone-counts",
        rendering::zones,
        "One zone to four: findings or a graph, in no other zone",
    ),
    law(
        Group::Rendering,
        "two",
        rendering::two,
        "Two components of the type live in one stack without a name in common",
    ),
    law(
        Group::Rendering,
        "in-time",
        rendering::in_time,
        "Rendering takes less than the two seconds that a run gives",
    ),
    law(
        Group::Rendering,
        "size",
        rendering::size,
        "An answer has at most 4 MiB, a quarter of what is read",
    ),
    law(
        Group::Calls,
        "malformed",
        calls::malformed,
        "A request that cannot be read is `invalid`, and no crash",
    ),
    law(
        Group::Calls,
        "unknown-method",
        calls::unknown_method,
        "A call that it does not know is `unsupported`",
    ),
    law(
        Group::Calls,
        "unknown-type",
        calls::unknown_type,
        "A component type that it does not have is `invalid`",
    ),
    law(Group::Calls, "many", calls::many, "200 calls at once are each answered, exactly once"),
    law(
        Group::Calls,
        "cancelled",
        calls::cancelled,
        "After calls that nobody waits for any more, it works on",
    ),
    law(
        Group::Calls,
        "shutdown",
        calls::shutdown,
        "It ends in time with 50 calls open, and can be started again",
    ),
    law(
        Group::Calls,
        "quiet",
        calls::quiet,
        "A check says at most 10 lines, and what it prints breaks nothing",
    ),
    law(
        Group::Calls,
        "no-files",
        calls::no_files,
        "Checks and rendering write no file where it runs, at home or among temporary ones",
    ),
    law(
        Group::Calls,
        "memory",
        memory::grows,
        "750 turns of calls leave at most 512 bytes each in its memory, in the best of three rounds",
    ),
    law(
        Group::Drivers,
        "refused",
        drivers::refused,
        "A service that refuses the connection is an error, never done, `not-found` or `already-exists`",
    ),
    law(
        Group::Drivers,
        "garbage",
        drivers::garbage,
        "After an answer that is none, a change is transient, ambiguous or throttled, and nothing was seen",
    ),
    law(
        Group::Drivers,
        "fails",
        drivers::fails,
        "After a 500, a change is transient, ambiguous or throttled, and nothing was seen",
    ),
    law(
        Group::Drivers,
        "hangs",
        drivers::hangs,
        "A call of a service that never answers stops within 5 s of being asked to",
    ),
    law(
        Group::Drivers,
        "strangers",
        drivers::strangers,
        "A kind of somebody else is an error, and no crash",
    ),
    law(
        Group::Drivers,
        "late-answers",
        drivers::late::answers,
        "Answers to what it did not ask, after a call was cancelled, twice or unreadable end no call twice, and no plugin",
    ),
    law(
        Group::Drivers,
        "observed",
        drivers::observed,
        "What it observes fits the declaration and what was asked, when its service has nothing",
    ),
    law(
        Group::Drivers,
        "made",
        drivers::own::made,
        "What it makes is there by one id, in declared states, then ready as asked with its outputs; made again it is the same",
    ),
    law(
        Group::Drivers,
        "changed",
        drivers::own::changed,
        "What it changes in place stays there by its id, and becomes ready as asked",
    ),
    law(
        Group::Drivers,
        "whose",
        drivers::own::whose,
        "What it makes is ours and in the list of its stack, and never that of another stack",
    ),
    law(
        Group::Drivers,
        "gone",
        drivers::own::gone,
        "What it deletes goes, is not there by id, key or list, and can be deleted again",
    ),
    law(
        Group::Secrecy,
        "secret-settings",
        secrecy::rendered,
        "Settings that hold a secret are handed on as references",
    ),
    law(
        Group::Secrecy,
        "secret-calls",
        secrecy::calls,
        "No value of a secret or credential is in an error or a line of the log of its driver",
    ),
    law(
        Group::Secrecy,
        "secret-run",
        secrecy::run,
        "No value of a secret is in a plan, inventory, specification or line of the log",
    ),
    law(Group::Life, "up", life::up, "In the sandbox `up` ends with everything ready"),
    law(Group::Life, "again", life::again, "A second `up` has nothing to do"),
    law(
        Group::Life,
        "repeated",
        life::repeated,
        "Every call made twice makes nothing twice, and leaves nothing",
    ),
    law(
        Group::Life,
        "killed",
        life::killed,
        "A run that is killed before or after a call is mended by running it again",
    ),
    law(
        Group::Life,
        "states",
        life::states::states,
        "Every declared state is waited out, and a run that is killed in it is finished by running it again",
    ),
    law(
        Group::Life,
        "answers-lost",
        life::lost,
        "An answer that is lost is mended by running it again",
    ),
    law(
        Group::Life,
        "throttled",
        life::throttled,
        "A call that is refused for a while is mended by running it again",
    ),
    law(Group::Life, "down-keeps", life::keeps, "`down` keeps what holds data"),
    law(Group::Life, "down", life::down, "`down` with the data leaves nothing"),
    law(
        Group::Life,
        "zone-loss",
        life::zones,
        "When any one zone is lost, what says that it survives that is ready",
    ),
];

/// The law of a name.
pub fn find(name: &str) -> Option<&'static Law> {
    LAWS.iter().find(|law| law.name == name)
}

/// The laws as a table of Markdown: what stands in `docs/plugins.md`.
pub fn table() -> String {
    let row =
        |law: &Law| format!("| {} | `{}` | {} |\n", law.group.as_str(), law.name, law.meaning);
    let rows: String = LAWS.iter().map(row).collect();
    format!("| | law | says |\n|---|---|---|\n{rows}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_words_each_once_and_meanings_are_sentences_without_an_end() {
        let names: BTreeSet<&str> = LAWS.iter().map(|law| law.name).collect();
        assert_eq!(names.len(), LAWS.len());
        for law in &LAWS {
            assert!(law.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", law.name);
            assert!(!law.meaning.ends_with('.') && law.meaning.len() > 20, "{}", law.name);
            assert!(std::ptr::eq(find(law.name).unwrap(), law));
        }
    }

    /// `docs/plugins.md` has the table as it is.
    #[test]
    fn the_docs_have_every_law() {
        let docs = include_str!("../../../docs/plugins.md");
        assert!(docs.contains(&table()), "docs/plugins.md must contain:\n{}", table());
    }
}
