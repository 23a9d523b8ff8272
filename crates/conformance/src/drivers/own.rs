//! The laws about what its own driver makes.

use serde_json::Value as Json;
use zonestack_core::difference::differences;
use zonestack_core::driver::{Owner, Ownership, Query, Target};
use zonestack_core::kind::{Direction, Effect, KindDeclaration, Tagging};
use zonestack_core::resource::Resource;
use zonestack_core::value::Value;

use super::lifetime::Lifetime;
use super::thing::Thing;
use crate::generate;
use crate::subject::{Example, Loaded, Rendering, Subject, own};
use crate::verdict::{Outcome, Stop, failed, not_applicable};

/// How many generated settings are looked at for one that changes something in place.
const ATTEMPTS: usize = 100;

/// Makes what the example renders, in its order, does something with it, and deletes it whatever came of that.
fn with_made(
    subject: &Subject,
    act: impl FnOnce(&mut Lifetime, &mut [Thing], &Loaded<'_>, &Example) -> Outcome,
) -> Outcome {
    let loaded = subject.loaded()?;
    if loaded.kinds.is_empty() {
        return not_applicable("it drives no kinds");
    }
    let example = loaded.example()?;
    let mut life = Lifetime::new(&loaded)?;
    let mut made = Vec::new();
    let outcome = make(&mut life, &mut made, &loaded, &example)
        .and_then(|()| act(&mut life, &mut made, &loaded, &example));
    // Its service may be one that others use too.
    for thing in made.iter_mut().rev() {
        drop(life.delete(thing));
    }
    loaded.plugin.shutdown();
    outcome
}

fn make(
    life: &mut Lifetime,
    made: &mut Vec<Thing>,
    loaded: &Loaded<'_>,
    example: &Example,
) -> Outcome {
    let driven = |resource: &&Resource| loaded.kinds.iter().any(|kind| kind.kind == resource.kind);
    for resource in example.own().filter(driven) {
        made.push(life.make(loaded, resource)?);
    }
    if made.is_empty() {
        not_applicable("it renders nothing of the kinds that it drives")
    } else {
        Ok(())
    }
}

/// From its creation until it is ready.
pub(crate) fn made(subject: &Subject) -> Outcome {
    with_made(subject, |_, _, _, _| Ok(()))
}

/// From a change until it is as it shall be.
pub(crate) fn changed(subject: &Subject) -> Outcome {
    with_made(subject, |life, made, loaded, example| {
        let Some((index, spec)) = another(life, made, loaded, example)? else {
            return not_applicable("no settings were found that change in place what it makes");
        };
        let Some(thing) = made.get_mut(index) else { return Ok(()) };
        life.change(thing, spec)
    })
}

/// Which of the things can be changed in place, and to what.
fn another(
    life: &Lifetime,
    made: &[Thing],
    loaded: &Loaded<'_>,
    example: &Example,
) -> Result<Option<(usize, Json)>, Stop> {
    let tested = loaded.type_of(example)?;
    let mut random = loaded.subject.random();
    for _ in 0..ATTEMPTS {
        let Some(config) = generate::settings(&tested.described.schema, &mut random) else {
            continue;
        };
        let Rendering::Graph(desired) = loaded.rendered(tested, &config, 3)? else { continue };
        for resource in own(&desired) {
            let of =
                |thing: &Thing| thing.target.id == resource.id && thing.kind.kind == resource.kind;
            let Some(index) = made.iter().position(of) else { continue };
            let Some(thing) = made.get(index) else { continue };
            let spec = life.spec(&thing.kind, resource);
            if in_place(&thing.kind, &spec, &thing.spec) {
                return Ok(Some((index, spec)));
            }
        }
    }
    Ok(None)
}

/// Whether all that differs changes in place, either way. Something must.
fn in_place(kind: &KindDeclaration, wanted: &Json, actual: &Json) -> bool {
    let differing = differences(&Value::from(wanted.clone()), actual);
    let harmless = |path: &str| {
        let rule = kind.rule(path);
        rule.effect != Effect::Replace && rule.direction == Direction::Any
    };
    !differing.is_empty() && differing.iter().all(|difference| harmless(&difference.path))
}

/// Until it is gone.
pub(crate) fn gone(subject: &Subject) -> Outcome {
    with_made(subject, |life, made, _, _| {
        for thing in made.iter_mut().rev() {
            let id = thing.target.remote_id.clone();
            life.delete(thing)?;
            let Ok(owned) = life.owned(&life.owner) else { continue };
            let left = owned.iter().any(|owned| {
                owned.kind == thing.kind.kind && id.is_some() && owned.remote_id == id
            });
            if left {
                return failed(format!("{} is gone, and still listed as owned", thing.title()));
            }
        }
        Ok(())
    })
}

/// Whose it is.
pub(crate) fn whose(subject: &Subject) -> Outcome {
    with_made(subject, |life, made, _, _| {
        let mut tried = false;
        for thing in made.iter().filter(|thing| thing.kind.tagging != Tagging::None) {
            tried = true;
            strangers(life, thing)?;
            listed(life, thing)?;
        }
        if tried { Ok(()) } else { not_applicable("nothing that it makes carries marks") }
    })
}

/// What a stack of the same name and another uid made, or one without any, is not ours.
fn strangers(life: &Lifetime, thing: &Thing) -> Outcome {
    for uid in [Some("fedcba9876543210".to_owned()), None] {
        let owner = Owner { uid, ..life.owner.clone() };
        // The engine's token follows from the uid.
        let token = owner.uid.as_ref().and(thing.target.token.as_ref());
        let token = token.map(|_| "kit-of-another-stack".to_owned());
        let target = Target { token, ..thing.target.clone() };
        let query = Query { target, spec: Some(thing.spec.clone()) };
        let found = match life.look_as(&owner, thing, query)? {
            Ok(found) => found,
            Err(error) => {
                return not_applicable(format!("{}: {}", thing.title(), error.message));
            }
        };
        if found.is_present() && found.ownership == Ownership::Ours {
            return failed(format!(
                "{} was made by another stack of this name, and is observed as ours (our uid is {})",
                thing.title(),
                owner.uid.as_deref().unwrap_or("not there yet")
            ));
        }
    }
    Ok(())
}

/// A stack whose inventory is lost finds what it made, whatever its uid is now; another stack does not.
fn listed(life: &Lifetime, thing: &Thing) -> Outcome {
    let lost = Owner { uid: None, ..life.owner.clone() };
    let other = Owner { stack: "another".to_owned(), ..life.owner.clone() };
    let of = |owner: &Owner| {
        let owned = life.owned(owner);
        let owned = owned.map_err(|error| {
            Stop::NotApplicable(format!("{} cannot be listed: {}", thing.title(), error.message))
        })?;
        let found = owned.into_iter().find(|owned| {
            owned.kind == thing.kind.kind && owned.remote_id == thing.target.remote_id
        });
        Ok::<_, Stop>(found)
    };
    let Some(found) = of(&lost)? else {
        return failed(format!("{} is not listed as owned by its stack", thing.title()));
    };
    if found.uid != life.owner.uid {
        return failed(format!(
            "{} is listed with the uid {:?}, and was made with {:?}",
            thing.title(),
            found.uid.unwrap_or_default(),
            life.owner.uid.as_deref().unwrap_or_default()
        ));
    }
    if found.id.as_ref().is_some_and(|id| *id != thing.target.id) {
        return failed(format!("{} is listed as another resource", thing.title()));
    }
    match of(&other)? {
        Some(_) => failed(format!("{} is listed as owned by another stack", thing.title())),
        None => Ok(()),
    }
}
