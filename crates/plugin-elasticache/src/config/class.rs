//! Node types: `cache.FAMILY.SIZE` (<https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheNodes.SupportedTypes.html>).

/// Generations that ElastiCache makes no new nodes of, each with its successor.
const RETIRED: [(&str, &str); 6] =
    [("t1", "t4g"), ("m1", "m7g"), ("m2", "r7g"), ("m3", "m7g"), ("c1", "m7g"), ("r3", "r7g")];

/// Families that keep part of their data on disks. They ask for a switch of their own when they are made, which this
/// component does not have.
const TIERED: [&str; 1] = ["r6gd"];

/// A node type in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeClass<'a> {
    family: &'a str,
    size: &'a str,
}

impl<'a> NodeClass<'a> {
    /// The parts of `cache.FAMILY.SIZE`; `None` when the text is not of that form.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (family, size) = text.strip_prefix("cache.")?.split_once('.')?;
        let word = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        };
        (word(family) && word(size)).then_some(Self { family, size })
    }

    /// The type of the same size to take instead, when the family is not offered any more. What is smaller than a large
    /// has become burstable.
    pub fn successor(&self) -> Option<String> {
        let (_, family) = RETIRED.iter().find(|(retired, _)| *retired == self.family)?;
        let is_small = matches!(self.size, "micro" | "small" | "medium");
        let family = if is_small { "t4g" } else { family };
        Some(format!("cache.{family}.{}", self.size))
    }

    /// Whether part of its data is on disks.
    pub fn is_tiered(&self) -> bool {
        TIERED.contains(&self.family)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_a_family_and_a_size() {
        for text in ["cache.m7g.large", "cache.t2.micro", "cache.r7g.16xlarge"] {
            let class = NodeClass::parse(text).unwrap();
            assert_eq!((class.successor(), class.is_tiered()), (None, false), "{text}");
        }
        for text in
            ["", "m7g.large", "db.m7g.large", "cache.m7g", "cache..large", "cache.M7G.large"]
        {
            assert_eq!(NodeClass::parse(text), None, "{text}");
        }
        assert!(NodeClass::parse("cache.r6gd.xlarge").unwrap().is_tiered());
    }

    #[test]
    fn a_retired_class_has_a_successor() {
        let successor = |class| NodeClass::parse(class).unwrap().successor();
        assert_eq!(successor("cache.m3.medium").as_deref(), Some("cache.t4g.medium"));
        assert_eq!(successor("cache.t1.micro").as_deref(), Some("cache.t4g.micro"));
        assert_eq!(successor("cache.r3.xlarge").as_deref(), Some("cache.r7g.xlarge"));
    }
}
