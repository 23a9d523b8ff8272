//! The usual driver: one kind, whose specification is a type and whose marks are tags. Authors implement [`TypedDriver`]; what
//! every driver does alike is done here, once.

mod adapter; // from the typed contract to the engine's
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use zonestack_core::driver::{
    CallContext, Deletion, Difference, Driver, DriverError, ErrorClass, Owner, Status, Target,
};
use zonestack_core::kind::KindDeclaration;
use zonestack_core::secret::Sensitive;
use zonestack_core::value::as_secret;

use crate::host::Host;
use adapter::Typed;

/// Tags as a specification has them.
pub type Tags = BTreeMap<String, String>;

/// What a call of a driver ends with.
pub type Outcome<T = ()> = Result<T, DriverError>;

/// Contract: a driver of one kind, whose specification is a type and whose marks are tags. See [`Driver`] for the contract
/// with the engine, which [`into_driver`](Self::into_driver) makes of it.
///
/// # Flow
/// As of [`Driver`]: one API call per call, and no waiting. `find` is asked by name or parent. Kinds whose identity is a token or
/// the server's id are asked for by id, as soon as it is known; before, and when it is gone, what `list` gives is searched for our
/// marks. Where only the server's id tells resources apart, `create` is called when `list` has none of ours.
///
/// # Guarantees
/// - The specification given to `create` and `update` has our marks among its tags, at [`KindDeclaration::marks_at`].
/// - Whose a resource is, is read from the tags that `find` and `list` give back; so is what belongs to the stack.
/// - What is found is compared only where the specification has something to say.
/// - `delete` may answer [`ErrorClass::NotFound`] for what is gone already: that is done. `find` may do so for what is not there.
///
/// # Assumptions
/// Every call may be made twice: `create` of what is there answers [`ErrorClass::AlreadyExists`] or its id, and never takes its
/// place. `list` has everything of the kind that carries tags of ours, at least. A kind without tags takes a [`Driver`] of its own;
/// so does one of which a stack has so many that a call for each is too slow.
///
/// # Errors
/// A class that is true, as of [`Driver`]; `?` on a [`std::io::Error`] gives one. A specification that is not of the type is a
/// [`ErrorClass::Bug`]: the component of the same plugin wrote it.
pub trait TypedDriver: Send + Sync + Sized + 'static {
    /// The specification, as the component renders it. Fields that the service does not give back are `Option`s; a field for a
    /// secret is a [`Json`], which [`Call::secret`] reads, and any value but null when it is found.
    type Spec: Serialize + DeserializeOwned + Send;

    /// What the engine must know of the kind. Pure.
    fn declaration() -> KindDeclaration;

    /// What is there, and `None` when it is not.
    fn find(
        &self,
        call: Call<'_>,
    ) -> impl Future<Output = Outcome<Option<Found<Self::Spec>>>> + Send;

    /// Everything of the kind; what is not marked as a stack's of the owner's name may be left out.
    fn list(&self, owner: &Owner) -> impl Future<Output = Outcome<Vec<Found<Self::Spec>>>> + Send;

    /// Makes it, with the tags of the specification. Gives the service's id for it.
    fn create(
        &self,
        call: Call<'_>,
        spec: Self::Spec,
    ) -> impl Future<Output = Outcome<String>> + Send;

    /// Brings it one API call closer to the specification. `differences` is what differs now, never empty.
    fn update(
        &self,
        call: Call<'_>,
        spec: Self::Spec,
        differences: &[Difference],
    ) -> impl Future<Output = Outcome> + Send;

    /// Starts its end.
    fn delete(&self, call: Call<'_>, deletion: &Deletion) -> impl Future<Output = Outcome> + Send;

    /// Where the last copy stands, for kinds that declare [`KindDeclaration::final_copy`].
    fn final_copy(
        &self,
        call: Call<'_>,
        _name: &str,
    ) -> impl Future<Output = Outcome<Status>> + Send {
        let kind = call.target.kind.clone();
        async move {
            let message = format!("the driver of {kind} cannot tell whether a final copy is there");
            Err(DriverError::new(ErrorClass::Unsupported, message))
        }
    }

    /// The driver as the engine knows it.
    fn into_driver(self) -> Arc<dyn Driver> {
        Arc::new(Typed::new(self))
    }
}

/// What the driver that is opened so declares. For [`export!`](crate::export).
#[doc(hidden)]
pub fn declared<D: TypedDriver, F: Future<Output = Outcome<D>>>(
    _open: impl FnOnce(Host) -> F,
) -> KindDeclaration {
    D::declaration()
}

/// The driver that is opened so, as the engine knows it. For [`export!`](crate::export).
#[doc(hidden)]
pub fn opened<D: TypedDriver, F: Future<Output = Outcome<D>> + Send>(
    open: impl FnOnce(Host) -> F,
    host: &Host,
) -> impl Future<Output = Outcome<Arc<dyn Driver>>> + Send {
    let opening = open(host.clone());
    async move { Ok(opening.await?.into_driver()) }
}

/// What one call is about.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The resource.
    pub target: &'a Target,
    /// Who we are, and where secrets come from.
    pub cx: CallContext<'a>,
}

impl<'a> Call<'a> {
    /// Its physical name.
    ///
    /// # Errors
    /// [`ErrorClass::Bug`] when it has none, because the component gave it none.
    pub fn name(&self) -> Outcome<&'a str> {
        self.known("name", self.target.name.as_deref())
    }

    /// The id that the service gave it.
    ///
    /// # Errors
    /// [`ErrorClass::Bug`] when it is not known. In `update` and `delete` it is.
    pub fn remote_id(&self) -> Outcome<&'a str> {
        self.known("remote id", self.target.remote_id.as_deref())
    }

    /// The token of its creation, for kinds with such an identity.
    ///
    /// # Errors
    /// [`ErrorClass::Bug`] when it has none.
    pub fn token(&self) -> Outcome<&'a str> {
        self.known("token", self.target.token.as_deref())
    }

    /// The value of a secret, from the reference in a field of the specification. It stays in this call.
    ///
    /// # Errors
    /// [`ErrorClass::Bug`] for a field that has no reference, [`ErrorClass::Invalid`] for a secret that cannot be read.
    pub async fn secret(&self, field: &Json) -> Outcome<Sensitive<String>> {
        let reference = as_secret(field);
        let reference = self.known("reference to a secret in that field", reference)?;
        let value = self.cx.secrets.resolve(&reference).await;
        value.map_err(|error| DriverError::new(ErrorClass::Invalid, error.to_string()))
    }

    fn known<T>(&self, what: &str, value: Option<T>) -> Outcome<T> {
        value.ok_or_else(|| {
            let message = format!("{}, a {}, has no {what}", self.target.id, self.target.kind);
            DriverError::new(ErrorClass::Bug, message)
        })
    }
}

/// Something that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<S> {
    /// Where it stands.
    pub status: Status,
    /// The service's id for it.
    pub remote_id: String,
    /// Its physical name, where that is not the service's id.
    pub name: Option<String>,
    /// What it is, with all its tags.
    pub spec: S,
    /// Outputs by name, those that are known.
    pub outputs: BTreeMap<String, Json>,
}

impl<S> Found<S> {
    /// Something that is there and works.
    pub fn ready(remote_id: impl Into<String>, spec: S) -> Self {
        Self {
            status: Status::Ready,
            remote_id: remote_id.into(),
            name: None,
            spec,
            outputs: BTreeMap::new(),
        }
    }

    /// The same in another state.
    #[must_use]
    pub fn in_state(self, status: Status) -> Self {
        Self { status, ..self }
    }

    /// The same with a name that is not its id.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// The same with a further output.
    #[must_use]
    pub fn output(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.outputs.insert(name.to_owned(), value.into());
        self
    }
}
