//! Rules of a security group in the words of a specification, and which of them are missing or too many.

use aws_sdk_ec2::types::{
    IpPermission, IpRange, Ipv6Range, PrefixListId, SecurityGroup, UserIdGroupPair,
};
use serde_json::{Map, Value as Json, json};

/// What EC2 writes for every protocol.
const EVERY_PROTOCOL: &str = "-1";

/// Who a rule lets through.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// Members of a security group; with the account when it is another one's.
    Group { account: Option<String>, id: String },
    /// A range of IPv4 addresses.
    Ipv4(String),
    /// A range of IPv6 addresses.
    Ipv6(String),
    /// The ranges of a prefix list.
    PrefixList(String),
}

/// One rule. EC2 tells rules by protocol, ports and source; the description is none of its identity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rule {
    protocol: String,
    ports: Option<(i32, i32)>,
    source: Source,
    description: Option<String>,
}

impl Rule {
    fn is_like(&self, other: &Self) -> bool {
        (&self.protocol, self.ports, &self.source) == (&other.protocol, other.ports, &other.source)
    }

    /// From a specification; `None` for what is no rule (or not resolved yet).
    fn from_json(json: &Json) -> Option<Self> {
        let text = |key: &str| json.get(key).and_then(Json::as_str).map(str::to_owned);
        let port = |key: &str| i32::try_from(json.get(key)?.as_i64()?).ok();
        let source = match (text("group"), text("cidr"), text("prefix_list")) {
            (Some(group), None, None) => match group.split_once('/') {
                Some((account, id)) => {
                    Source::Group { account: Some(account.to_owned()), id: id.to_owned() }
                }
                None => Source::Group { account: None, id: group },
            },
            (None, Some(range), None) if range.contains(':') => Source::Ipv6(range),
            (None, Some(range), None) => Source::Ipv4(range),
            (None, None, Some(list)) => Source::PrefixList(list),
            _ => return None,
        };
        let protocol = match text("protocol")?.as_str() {
            "all" => EVERY_PROTOCOL.to_owned(),
            other => other.to_owned(),
        };
        let ports = match port("port") {
            Some(port) => Some((port, port)),
            None => port("from_port").zip(port("to_port")),
        };
        Some(Self { protocol, ports, source, description: text("description") })
    }

    fn to_json(&self) -> Json {
        let protocol = if self.protocol == EVERY_PROTOCOL { "all" } else { &self.protocol };
        let mut map = Map::from_iter([("protocol".to_owned(), json!(protocol))]);
        match self.ports {
            Some((from, to)) if from == to => {
                map.insert("port".to_owned(), json!(from));
            }
            Some((from, to)) => {
                map.insert("from_port".to_owned(), json!(from));
                map.insert("to_port".to_owned(), json!(to));
            }
            None => {}
        }
        let (key, value) = match &self.source {
            Source::Group { account: None, id } => ("group", id.clone()),
            Source::Group { account: Some(account), id } => ("group", format!("{account}/{id}")),
            Source::Ipv4(range) | Source::Ipv6(range) => ("cidr", range.clone()),
            Source::PrefixList(list) => ("prefix_list", list.clone()),
        };
        map.insert(key.to_owned(), value.into());
        if let Some(description) = &self.description {
            map.insert("description".to_owned(), description.as_str().into());
        }
        Json::Object(map)
    }

    /// The rule as EC2 takes it. The description goes along, also to take a rule away: EC2 ignores it there, the emulators
    /// find the rule only with it.
    pub(super) fn to_permission(&self) -> IpPermission {
        let description = self.description.clone();
        let permission = IpPermission::builder()
            .ip_protocol(&self.protocol)
            .set_from_port(self.ports.map(|(from, _)| from))
            .set_to_port(self.ports.map(|(_, to)| to));
        match &self.source {
            Source::Group { account, id } => permission.user_id_group_pairs(
                UserIdGroupPair::builder()
                    .set_user_id(account.clone())
                    .group_id(id)
                    .set_description(description)
                    .build(),
            ),
            Source::Ipv4(range) => permission
                .ip_ranges(IpRange::builder().cidr_ip(range).set_description(description).build()),
            Source::Ipv6(range) => permission.ipv6_ranges(
                Ipv6Range::builder().cidr_ipv6(range).set_description(description).build(),
            ),
            Source::PrefixList(list) => permission.prefix_list_ids(
                PrefixListId::builder().prefix_list_id(list).set_description(description).build(),
            ),
        }
        .build()
    }
}

/// The rules of a list in a specification; `None` for an item that is none.
fn listed(list: Option<&Json>) -> Vec<Option<Rule>> {
    let items = list.and_then(Json::as_array);
    items.into_iter().flatten().map(Rule::from_json).collect()
}

/// The rules behind EC2's permissions, in order. EC2 groups rules of the same protocol and ports.
pub(super) fn rules_of(permissions: &[IpPermission], group: &SecurityGroup) -> Vec<Rule> {
    let mut rules = Vec::new();
    for permission in permissions {
        let every = permission.ip_protocol() == Some(EVERY_PROTOCOL);
        let ports = permission.from_port.zip(permission.to_port).filter(|_| !every);
        let mut add = |source: Source, description: Option<&str>| {
            rules.push(Rule {
                protocol: permission.ip_protocol().unwrap_or(EVERY_PROTOCOL).to_owned(),
                ports,
                source,
                description: description.filter(|text| !text.is_empty()).map(str::to_owned),
            });
        };
        for pair in permission.user_id_group_pairs() {
            let stranger = pair.user_id().filter(|account| Some(*account) != group.owner_id());
            let source = Source::Group {
                account: stranger.map(str::to_owned),
                id: pair.group_id().unwrap_or_default().to_owned(),
            };
            add(source, pair.description());
        }
        for range in permission.ip_ranges() {
            let source = Source::Ipv4(range.cidr_ip().unwrap_or_default().to_owned());
            add(source, range.description());
        }
        for range in permission.ipv6_ranges() {
            let source = Source::Ipv6(range.cidr_ipv6().unwrap_or_default().to_owned());
            add(source, range.description());
        }
        for list in permission.prefix_list_ids() {
            let source = Source::PrefixList(list.prefix_list_id().unwrap_or_default().to_owned());
            add(source, list.description());
        }
    }
    rules.sort();
    rules
}

/// The rules that are there in the words and the order of a specification's list. A rule that was asked for is given back
/// as it was asked, whatever its description; one that was not stands in the place of one that is missing, or at the end.
pub(super) fn in_words_of(wanted: Option<&Json>, mut actual: Vec<Rule>) -> Json {
    let mut placed: Vec<Option<Json>> = listed(wanted)
        .iter()
        .zip(wanted.and_then(Json::as_array).into_iter().flatten())
        .map(|(rule, json)| {
            let rule = rule.as_ref()?;
            let index = actual.iter().position(|found| found.is_like(rule))?;
            actual.remove(index);
            Some(json.clone())
        })
        .collect();
    let mut extra = actual.iter().map(Rule::to_json);
    for gap in placed.iter_mut().filter(|place| place.is_none()) {
        *gap = extra.next();
    }
    placed.into_iter().flatten().chain(extra).collect()
}

/// What has to change in a list of rules.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RuleChanges {
    pub(super) missing: Vec<Rule>,
    pub(super) extra: Vec<Rule>,
}

impl RuleChanges {
    /// Between two lists in a specification's words. Of several rules that differ in their description only (an emulator has
    /// such), all but one are too many.
    pub(super) fn between(wanted: Option<&Json>, actual: Option<&Json>) -> Self {
        let mut extra: Vec<Rule> = listed(actual).into_iter().flatten().collect();
        let mut missing = Vec::new();
        for rule in listed(wanted).into_iter().flatten() {
            // The exact one first, so that of two alike the one that was asked for stays.
            let exact = extra.iter().position(|found| *found == rule);
            match exact.or_else(|| extra.iter().position(|found| found.is_like(&rule))) {
                Some(index) => {
                    extra.remove(index);
                }
                None => missing.push(rule),
            }
        }
        Self { missing, extra }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nfs(group: &str, description: &str) -> Json {
        json!({ "protocol": "tcp", "port": 2049, "group": group, "description": description })
    }

    fn found(list: &Json) -> Vec<Rule> {
        list.as_array().unwrap().iter().map(|json| Rule::from_json(json).unwrap()).collect()
    }

    #[test]
    fn a_rule_reads_what_it_writes_and_survives_ec2() {
        let owner = SecurityGroup::builder().owner_id("111122223333").build();
        for json in [
            nfs("sg-1", "NFS"),
            json!({ "protocol": "tcp", "port": 22, "group": "444455556666/sg-2" }),
            json!({ "protocol": "udp", "from_port": 1, "to_port": 9, "cidr": "10.0.0.0/8" }),
            json!({ "protocol": "all", "cidr": "0.0.0.0/0" }),
            json!({ "protocol": "all", "cidr": "::/0" }),
            json!({ "protocol": "tcp", "port": 443, "prefix_list": "pl-1" }),
            json!({ "protocol": "icmp", "from_port": 8, "to_port": -1, "cidr": "10.0.0.0/8" }),
        ] {
            let rule = Rule::from_json(&json).unwrap();
            assert_eq!(rule.to_json(), json);
            assert_eq!(rules_of(&[rule.to_permission()], &owner), [rule]);
        }
    }

    #[test]
    fn what_is_no_rule_is_none() {
        for json in [
            json!({}),
            json!({ "protocol": "tcp", "port": 1 }),
            json!({ "protocol": "tcp", "port": 1, "group": { "$ref": "a/b#id" } }),
            json!({ "protocol": "tcp", "port": 1, "group": "sg-1", "cidr": "0.0.0.0/0" }),
        ] {
            assert_eq!(Rule::from_json(&json), None, "{json}");
        }
    }

    #[test]
    fn a_stranger_takes_the_place_of_what_is_missing() {
        let check = |wanted: Json, actual: Json, shown: Json| {
            assert_eq!(in_words_of(Some(&wanted), found(&actual)), shown);
        };
        let ssh = json!({ "protocol": "tcp", "port": 22, "cidr": "0.0.0.0/0" });
        let (a, b) = (nfs("sg-a", "d"), nfs("sg-b", "d"));
        check(json!([a, b]), json!([b, a]), json!([a, b]));
        check(json!([a, b]), json!([nfs("sg-a", "another"), b]), json!([a, b]));
        check(json!([a, b]), json!([b]), json!([b]));
        check(json!([a, b]), json!([ssh, b]), json!([ssh, b]));
        check(json!([a]), json!([ssh, a]), json!([a, ssh]));
        check(json!([]), json!([ssh]), json!([ssh]));
    }

    #[test]
    fn changes_are_what_is_missing_and_what_is_too_many() {
        let check = |wanted: Json, actual: Json, missing: Json, extra: Json| {
            let changes = RuleChanges::between(Some(&wanted), Some(&actual));
            let expected = RuleChanges { missing: found(&missing), extra: found(&extra) };
            assert_eq!(changes, expected);
        };
        let (a, b, c) = (nfs("sg-a", "d"), nfs("sg-b", "d"), nfs("sg-c", "d"));
        let other = nfs("sg-a", "another description");
        check(json!([a, b]), json!([a, b]), json!([]), json!([]));
        check(json!([a, b]), json!([a, c]), json!([b]), json!([c]));
        check(json!([a, b]), json!([]), json!([a, b]), json!([]));
        check(json!([a]), json!([other]), json!([]), json!([]));
        check(json!([a]), json!([other, a]), json!([]), json!([other]));
    }
}
