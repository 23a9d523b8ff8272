//! AWS for zonestack: client set-up, network discovery, security groups, error classes, tags.
//!
//! What a plugin's driver uses:
//!
//! - [`error::driver_error`] turns any failed call into the engine's [`zonestack_core::driver::DriverError`];
//! - [`tags`] marks what we make, and tells ours from strangers;
//! - [`security_group`] is the kind that guards a managed service: reachable from the worker nodes and from nowhere else;
//! - [`postgres`] reads and checks the settings that RDS and Aurora have in common;
//! - [`client::without_retries`] is for calls that make something and have neither a name nor a token;
//! - [`interfaces::groups_of_interfaces`] reads the security groups of many network interfaces in one call.
//!
//! ```no_run
//! use zonestack_aws::error::driver_error;
//! # async fn example(client: aws_sdk_ec2::Client) -> Result<(), zonestack_core::driver::DriverError> {
//! client
//!     .delete_security_group()
//!     .group_id("sg-0a1b2c3d4e5f60718")
//!     .send()
//!     .await
//!     .map_err(|error| driver_error("DeleteSecurityGroup", error, true))?;
//! # Ok(())
//! # }
//! ```

pub mod client; // one HTTP client, one set of time limits and retries for every service
pub mod error; // failed calls become classes
#[cfg(feature = "ec2")]
pub mod interfaces; // the security groups of network interfaces
#[cfg(feature = "ec2")]
pub mod network; // contract `NetworkReader`: what the cluster's network is
pub mod postgres; // settings that RDS and Aurora have in common
pub mod security_group; // the kind aws.ec2.security-group and its driver
pub mod spec; // reading a resolved specification
pub mod tags; // marks of ownership
pub mod window; // backup and maintenance windows
mod wire_code; // the table from wire codes to classes

#[cfg(feature = "ec2")]
pub use interfaces::groups_of_interfaces;

#[cfg(test)]
#[cfg(feature = "ec2")]
mod recorded; // clients that answer from a list and remember what was sent
