//! The security groups of network interfaces: EFS tells a mount target's interface, and only EC2 tells many interfaces'
//! groups in one call.

use std::collections::BTreeMap;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::Filter;
use zonestack_core::driver::DriverError;

use crate::error::driver_error;

/// The most values that EC2 takes in one filter.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>
pub(crate) const FILTER_VALUES: usize = 200;
/// Items on a page: the most that every list of EC2 used here allows.
pub(crate) const PAGE: i32 = 1000;

/// A filter of a list.
pub(crate) fn filter<'a>(name: &str, values: impl IntoIterator<Item = &'a str>) -> Filter {
    let values = values.into_iter().map(str::to_owned).collect();
    Filter::builder().name(name).set_values(Some(values)).build()
}

/// The security groups of each interface, in order of id. An interface that does not exist is simply absent from the
/// answer. One call for each 200 interfaces, none for none.
pub async fn groups_of_interfaces(
    client: &Client,
    ids: &[String],
) -> Result<BTreeMap<String, Vec<String>>, DriverError> {
    let mut groups = BTreeMap::new();
    for ids in ids.chunks(FILTER_VALUES) {
        // A filter, not the list of ids: with that, one id that is gone fails the whole call.
        let mut pages = client
            .describe_network_interfaces()
            .filters(filter("network-interface-id", ids.iter().map(String::as_str)))
            .into_paginator()
            .page_size(PAGE)
            .send();
        while let Some(page) = pages.next().await {
            let page =
                page.map_err(|error| driver_error("DescribeNetworkInterfaces", error, false))?;
            for interface in page.network_interfaces() {
                let mut of_interface: Vec<String> =
                    interface.groups().iter().filter_map(|group| group.group_id.clone()).collect();
                of_interface.sort();
                if let Some(id) = &interface.network_interface_id {
                    groups.insert(id.clone(), of_interface);
                }
            }
        }
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use zonestack_core::driver::ErrorClass;

    use super::*;
    use crate::recorded::{ec2_answering, ec2_error, ec2_ok};

    #[tokio::test]
    async fn one_call_tells_the_groups_of_all_that_exist() {
        let (client, log) = ec2_answering(|call, _| {
            let group = |id: &str| format!("<item><groupId>{id}</groupId></item>");
            let groups = format!("<groupSet>{}{}</groupSet>", group("sg-2"), group("sg-1"));
            let item =
                format!("<item><networkInterfaceId>eni-1</networkInterfaceId>{groups}</item>");
            ec2_ok(call, &format!("<networkInterfaceSet>{item}</networkInterfaceSet>"))
        });
        let ids = ["eni-1".to_owned(), "eni-gone".to_owned()];
        let found = groups_of_interfaces(&client, &ids).await.unwrap();
        let expected = [("eni-1".to_owned(), vec!["sg-1".to_owned(), "sg-2".to_owned()])];
        assert_eq!(found, BTreeMap::from(expected));
        insta::assert_snapshot!(log.requests().join("\n---\n"), @r"
        DescribeNetworkInterfaces
        MaxResults=1000
        Filter.1.Name=network-interface-id
        Filter.1.Value.1=eni-1
        Filter.1.Value.2=eni-gone
        ");
    }

    #[tokio::test]
    async fn no_interfaces_take_no_call_and_a_page_is_followed_by_the_next() {
        let (client, log) = ec2_answering(|call, request| {
            let next =
                if request.contains("NextToken=2") { "" } else { "<nextToken>2</nextToken>" };
            let id = if next.is_empty() { "eni-2" } else { "eni-1" };
            let item = format!("<item><networkInterfaceId>{id}</networkInterfaceId></item>");
            ec2_ok(call, &format!("<networkInterfaceSet>{item}</networkInterfaceSet>{next}"))
        });
        assert!(groups_of_interfaces(&client, &[]).await.unwrap().is_empty());
        assert!(log.requests().is_empty());
        let found = groups_of_interfaces(&client, &["eni-1".to_owned()]).await.unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), ["eni-1", "eni-2"]);
    }

    #[tokio::test]
    async fn a_denial_says_so() {
        let (client, _) = ec2_answering(|_, _| ec2_error(403, "UnauthorizedOperation", "no"));
        let error = groups_of_interfaces(&client, &["eni-1".to_owned()]).await.unwrap_err();
        assert_eq!(error.class, ErrorClass::Denied(None));
    }
}
