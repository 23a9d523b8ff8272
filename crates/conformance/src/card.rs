//! Before anything of it runs.

use zonestack_host::card::{CardError, file_name};
use zonestack_host::store::{Candidate, StoreError};

use crate::subject::Subject;
use crate::verdict::{Outcome, failed};

/// The card can be read.
pub(crate) fn card(subject: &Subject) -> Outcome {
    let identity = Candidate::read(&subject.library).and_then(|candidate| candidate.identity());
    match identity {
        Ok(_) | Err(StoreError::Card { source: CardError::OtherName { .. }, .. }) => Ok(()),
        Err(StoreError::Card { source, .. }) => failed(format!("{source}: {}", source.hint())),
        Err(error) => failed(error.to_string()),
    }
}

/// The file is called after the plugin.
pub(crate) fn file(subject: &Subject) -> Outcome {
    let identity = Candidate::read(&subject.library).and_then(|candidate| candidate.identity());
    match identity {
        Err(StoreError::Card { source: CardError::OtherName { card, file }, .. }) => {
            failed(format!(
                "the file is called {file}, and the plugin {card}: call it {}",
                file_name(&card)
            ))
        }
        _ => Ok(()),
    }
}

/// The card and the description say the same.
pub(crate) fn says_the_same(subject: &Subject) -> Outcome {
    let identity = Candidate::read(&subject.library).and_then(|candidate| candidate.identity());
    let Ok(identity) = identity else { return failed("its card cannot be read") };
    let described = subject.loaded()?.description;
    let card = (identity.name.as_str(), identity.version.as_str());
    let said = (described.name.as_str(), described.version.as_str());
    if card != said {
        return failed(format!(
            "its card says {} {}, its description {} {}",
            card.0, card.1, said.0, said.1
        ));
    }
    Ok(())
}
