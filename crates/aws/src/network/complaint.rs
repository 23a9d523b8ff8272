//! What to say when the network cannot be read, and what to do then.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use zonestack_core::discover::{NetworkRequest, SurveyError};
use zonestack_core::driver::ErrorClass;

use super::Ec2Network;
use crate::error::{Failure, Origin, failure};

/// Instances named in a message: enough to recognise the cluster by.
const NAMED: usize = 3;

impl Ec2Network {
    /// A call that failed.
    pub(super) fn failed<E>(
        &self,
        call: &'static str,
        error: SdkError<E, HttpResponse>,
    ) -> SurveyError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let Failure { class, origin, message } = failure(call, error, false);
        let hint = hint(&class, origin, &message, &self.region);
        SurveyError { message: format!("{message}, in region {}", self.region), hint }
    }

    /// An id of the stack file that leads to nothing.
    pub(super) fn nowhere(&self, account: &str, id: &str, field: &str) -> SurveyError {
        SurveyError {
            message: format!(
                "there is no {id} in region {} of account {account} (searched because the stack file's `{field}` names it)",
                self.region
            ),
            hint: format!(
                "Correct `{field}` in the stack file, or the region and the AWS profile, if they are of another network."
            ),
        }
    }

    /// Neither instances nor tags lead anywhere.
    pub(super) fn no_network(&self, account: &str, request: &NetworkRequest) -> SurveyError {
        let (cluster, region) = (&request.cluster, &self.region);
        let searched = format!(
            "no subnet is tagged `kubernetes.io/cluster/{cluster}` or `KubernetesCluster={cluster}`"
        );
        let message = if request.instances.is_empty() {
            format!(
                "the network of cluster {cluster} was not found in region {region} of account {account}: no worker node is \
                 an EC2 instance, and {searched}"
            )
        } else {
            let named = request.instances.iter().take(NAMED).map(String::as_str);
            let named = named.collect::<Vec<_>>().join(", ");
            let rest = request.instances.len().saturating_sub(NAMED);
            let rest = if rest == 0 { String::new() } else { format!(" and {rest} more") };
            format!(
                "the network of cluster {cluster} was not found: none of its worker nodes' instances ({named}{rest}) is in \
                 region {region} of account {account}, and {searched} there"
            )
        };
        SurveyError {
            message,
            hint: "Check that the stack file's `region` and `cluster`, the AWS profile and the Kubernetes context all mean the \
                   same cluster. If they do, give the ids under `network` in the stack file: `vpc`, `subnets`, \
                   `securityGroups`."
                .to_owned(),
        }
    }
}

fn hint(class: &ErrorClass, origin: Origin, message: &str, region: &str) -> String {
    match (origin, class) {
        (_, ErrorClass::Expired) => {
            "Sign in again (`aws sso login`, or renew the session token) and run the same command again; also check this \
             machine's clock."
                .to_owned()
        }
        (Origin::Credentials, _) => {
            "Set AWS_PROFILE to a profile with credentials, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; \
             `aws sts get-caller-identity` shows what is found."
                .to_owned()
        }
        (Origin::Connection, _) if message.contains("failed to lookup address") => format!(
            "Check that {region} is a region's name, that this machine can resolve names, and AWS_ENDPOINT_URL when it is set."
        ),
        (Origin::Connection, _) => {
            "Check this machine's network, HTTPS_PROXY, and AWS_ENDPOINT_URL when it is set; then run the same command again."
                .to_owned()
        }
        (_, ErrorClass::Denied(Some(action))) => {
            format!("Allow `{action}` to the identity that the message names; nothing was changed.")
        }
        (_, ErrorClass::Denied(None)) => format!(
            "Check the credentials (`aws sts get-caller-identity`), and that region {region} is enabled for this account."
        ),
        (_, ErrorClass::Throttled | ErrorClass::Transient) => {
            "Nothing was changed: run the same command again.".to_owned()
        }
        (_, ErrorClass::Unsupported) => {
            "Check AWS_ENDPOINT_URL: what answers there does not speak this service's API.".to_owned()
        }
        _ => "Read the service's message; nothing was changed.".to_owned(),
    }
}
