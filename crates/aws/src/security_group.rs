//! The kind `aws.ec2.security-group`: what guards a managed service. Reachable from the worker nodes on its ports, and from
//! nowhere else; nothing goes out.

mod declaration;
#[cfg(feature = "ec2")]
mod driver;
#[cfg(feature = "ec2")]
mod rule;

use serde_json::json;
use zonestack_core::context::Context;
use zonestack_core::name::ResourceId;
use zonestack_core::resource::Resource;

pub use declaration::declaration;
#[cfg(feature = "ec2")]
pub use driver::SecurityGroupDriver;

/// The kind.
pub const KIND: &str = "aws.ec2.security-group";

/// Ports that the worker nodes reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// `tcp` or `udp`.
    pub protocol: &'static str,
    /// The first.
    pub from: u16,
    /// The last.
    pub to: u16,
}

/// The longest description that EC2 takes (domain.md 7.11).
const DESCRIPTION: usize = 255;

/// A security group in the stack's VPC that the worker nodes reach on one TCP port: one rule for each of their own groups,
/// whatever addresses the nodes have.
///
/// `name` is the physical name, `<stack>-<component>`. `purpose` says what is behind it, such as `NFS`; it becomes the
/// description, which EC2 never changes again, so it must not depend on anything that may change. What EC2 does not take in
/// a description is left out.
///
/// # Specification
/// ```json
/// { "vpc_id": "vpc-…", "description": "…",
///   "ingress": [ { "protocol": "tcp", "port": 2049, "group": "sg-…", "description": "…" } ],
///   "egress": [], "tags": {} }
/// ```
/// Rules are in order of their group. A rule is told by protocol, port and source; its description is written once and
/// never compared, because EC2 does not count it as part of the rule. Output: `id`.
pub fn from_nodes(
    id: ResourceId,
    name: &str,
    context: &Context,
    port: u16,
    purpose: &str,
) -> Resource {
    from_nodes_on(id, name, context, &[Ports { protocol: "tcp", from: port, to: port }], purpose)
}

/// The same as [`from_nodes`] for a service with several ports, in their order. A rule of more than one port has `from_port`
/// and `to_port` in place of `port`.
pub fn from_nodes_on(
    id: ResourceId,
    name: &str,
    context: &Context,
    ports: &[Ports],
    purpose: &str,
) -> Resource {
    let mut groups = context.node_security_groups.clone();
    groups.sort();
    groups.dedup();
    let rules = groups.iter().flat_map(|group| ports.iter().map(move |ports| (group, ports)));
    let ingress: Vec<_> = rules
        .map(|(group, ports)| {
            let description = printable(&format!("{purpose} from the worker nodes"));
            let Ports { protocol, from, to } = ports;
            if from == to {
                json!({ "protocol": protocol, "port": from, "group": group, "description": description })
            } else {
                json!({
                    "protocol": protocol,
                    "from_port": from,
                    "to_port": to,
                    "group": group,
                    "description": description,
                })
            }
        })
        .collect();
    let spec = json!({
        "vpc_id": context.vpc.id,
        "description": printable(&format!("{purpose} of {name}, from the worker nodes only")),
        "ingress": ingress,
        "egress": [],
        "tags": {},
    });
    Resource::new(id, KIND, spec).named(name)
}

/// What EC2 takes in a description: `a-z A-Z 0-9 . _ - : / ( ) # , @ [ ] + = & ; { } ! $ *` and blanks.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html>
fn printable(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(*c))
        .take(DESCRIPTION)
        .collect()
}

#[cfg(test)]
mod tests;
