//! Which versions fit together (plugin-abi.md, A.3.5).

use zonestack_abi::{ABI_MAJOR, PROTO_MAX, PROTO_MIN};

/// A plugin and this program do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The plugin is too old.
    #[error(
        "the plugin {name} has the {what} {theirs}, and this zonestack needs {ours}: rebuild the plugin with a newer SDK"
    )]
    TooOld {
        /// The plugin.
        name: String,
        /// `interface` or `messages`.
        what: &'static str,
        /// What the plugin has.
        theirs: String,
        /// What is needed.
        ours: String,
    },
    /// This program is too old.
    #[error(
        "the plugin {name} has the {what} {theirs}, and this zonestack knows {ours}: update zonestack"
    )]
    TooNew {
        /// The plugin.
        name: String,
        /// `interface` or `messages`.
        what: &'static str,
        /// What the plugin has.
        theirs: String,
        /// What is known here.
        ours: String,
    },
}

/// The version of the messages that a plugin with these versions is spoken to in: the highest that both know.
pub fn agree(name: &str, abi_major: u32, proto: (u32, u32)) -> Result<u32, Unfit> {
    fit(name, "interface", (abi_major, abi_major), (ABI_MAJOR, ABI_MAJOR))?;
    fit(name, "messages", proto, (PROTO_MIN, PROTO_MAX))
}

fn fit(name: &str, what: &'static str, theirs: (u32, u32), ours: (u32, u32)) -> Result<u32, Unfit> {
    let shown = |(min, max): (u32, u32)| {
        if min == max { format!("version {min}") } else { format!("versions {min} to {max}") }
    };
    let name = name.to_owned();
    if theirs.1 < ours.0 {
        return Err(Unfit::TooOld { name, what, theirs: shown(theirs), ours: shown(ours) });
    }
    if theirs.0 > ours.1 {
        return Err(Unfit::TooNew { name, what, theirs: shown(theirs), ours: shown(ours) });
    }
    Ok(theirs.1.min(ours.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_common_version_wins() {
        assert_eq!(fit("x", "messages", (1, 5), (2, 3)), Ok(3));
        assert_eq!(fit("x", "messages", (1, 2), (2, 3)), Ok(2));
        assert_eq!(agree("x", ABI_MAJOR, (PROTO_MIN, PROTO_MAX)), Ok(PROTO_MAX));
    }

    #[test]
    fn what_does_not_fit_says_who_must_do_what() {
        let old = fit("fsx", "messages", (1, 1), (2, 3)).unwrap_err().to_string();
        assert_eq!(
            old,
            "the plugin fsx has the messages version 1, and this zonestack needs versions 2 to 3: rebuild the plugin with a newer SDK"
        );
        let new = agree("fsx", ABI_MAJOR + 1, (1, 1)).unwrap_err().to_string();
        assert_eq!(
            new,
            "the plugin fsx has the interface version 2, and this zonestack knows version 1: update zonestack"
        );
    }
}
