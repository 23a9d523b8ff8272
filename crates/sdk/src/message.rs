//! What goes over the boundary: JSON, version 1 of the messages.
//!
//! A field may be added: readers ignore those that they do not know, and take the default for those that are missing. A field
//! is never renamed and never changes its meaning; the snapshots of this module's tests hold every message to that.
//!
//! The words of core (resources, targets, observations, exports, the context) are core's own types in JSON. What core keeps
//! as `&'static str` has a mirror in [`description`].

mod asked; // what a plugin asks of its host
mod call; // what the host asks of a plugin
pub mod description; // what a plugin is
mod failure; // what went wrong

pub use asked::{
    AwsCredentials, AwsCredentialsRequest, AwsSettings, ClockAnswer, LogLine, SecretAnswer,
    SecretRequest, ThrottleRequest,
};
pub use call::{
    Answer, Caller, CheckAnswer, CheckRequest, CreateRequest, DeleteRequest, DescribeRequest,
    FinalCopyAnswer, FinalCopyRequest, FindingMessage, Nothing, ObserveAnswer, ObserveRequest,
    OwnedAnswer, OwnedRequest, RenderAnswer, RenderRequest, UpdateRequest,
};
pub use description::Description;
pub use failure::Failure;

/// Names of the calls.
pub mod method {
    /// [`super::DescribeRequest`] → [`super::Description`]. The first call after every start.
    pub const DESCRIBE: &str = "describe";
    /// [`super::CheckRequest`] → [`super::CheckAnswer`].
    pub const CHECK: &str = "check";
    /// [`super::RenderRequest`] → [`super::RenderAnswer`].
    pub const RENDER: &str = "render";
    /// [`super::ObserveRequest`] → [`super::ObserveAnswer`].
    pub const OBSERVE: &str = "observe";
    /// [`super::CreateRequest`] → [`zonestack_core::driver::Created`].
    pub const CREATE: &str = "create";
    /// [`super::UpdateRequest`] → [`super::Nothing`].
    pub const UPDATE: &str = "update";
    /// [`super::DeleteRequest`] → [`super::Nothing`].
    pub const DELETE: &str = "delete";
    /// [`super::FinalCopyRequest`] → [`super::FinalCopyAnswer`].
    pub const FINAL_COPY: &str = "final_copy";
    /// [`super::OwnedRequest`] → [`super::OwnedAnswer`].
    pub const OWNED: &str = "owned";
}

/// Names of what a plugin may ask.
pub mod ask {
    /// [`super::AwsCredentialsRequest`] → [`super::AwsCredentials`].
    pub const AWS_CREDENTIALS: &str = "aws.credentials";
    /// → [`super::AwsSettings`].
    pub const AWS_SETTINGS: &str = "aws.settings";
    /// → [`super::ClockAnswer`].
    pub const CLOCK: &str = "clock.now";
    /// [`super::SecretRequest`] → [`super::SecretAnswer`]. Only for a reference that stands in the specification of the call.
    pub const SECRET: &str = "secret.resolve";
    /// [`super::ThrottleRequest`] → [`super::Nothing`], when it is its turn.
    pub const THROTTLE: &str = "throttle.acquire";
}

#[cfg(test)]
mod tests;
