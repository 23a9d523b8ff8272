//! Instance classes: `db.FAMILY.SIZE` (domain.md 1.8 and 4.1).

/// Generations that RDS does not offer for PostgreSQL 13 and later, each with its successor.
const RETIRED: [(&str, &str); 8] = [
    ("t1", "t4g"),
    ("t2", "t4g"),
    ("m1", "m7g"),
    ("m2", "r7g"),
    ("m3", "m7g"),
    ("m4", "m7g"),
    ("r3", "r7g"),
    ("r4", "r7g"),
];

const GIB: u64 = 1 << 30;
/// What RDS holds back for itself before it divides: 4 GiB make about 430 connections, 8 GiB about 880 (domain.md 1.8).
const HELD_BACK: u64 = 200 << 20;
/// Bytes for one connection in the default of `max_connections`, `LEAST({DBInstanceClassMemory/9531392},5000)`.
const PER_CONNECTION: u64 = 9_531_392;
const MOST_CONNECTIONS: u64 = 5000;

/// An instance class in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstanceClass<'a> {
    family: &'a str,
    size: &'a str,
}

impl<'a> InstanceClass<'a> {
    /// The family with its generation, such as `m7g`.
    pub fn family(&self) -> &'a str {
        self.family
    }

    /// The parts of `db.FAMILY.SIZE`; `None` when the text is not of that form.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (family, size) = text.strip_prefix("db.")?.split_once('.')?;
        let word = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        (word(family) && word(size)).then_some(Self { family, size })
    }

    /// The class of the same size to take instead, when the family is not offered any more.
    pub fn successor(&self) -> Option<String> {
        let (_, family) = RETIRED.iter().find(|(retired, _)| *retired == self.family)?;
        Some(format!("db.{family}.{}", self.size))
    }

    /// Its memory in GiB; `None` for a family without a simple rule.
    pub fn memory_gib(&self) -> Option<u64> {
        let mut letters = self.family.chars();
        let (kind, generation) = (letters.next()?, letters.next()?);
        if !generation.is_ascii_digit() {
            return None;
        }
        // A large has two virtual CPUs; every step up doubles it, and Nxlarge is N times an xlarge.
        let larges = match self.size.strip_suffix("xlarge") {
            Some("") => Some(2),
            Some(factor) => factor.parse::<u64>().ok().map(|factor| 2 * factor),
            None => (self.size == "large").then_some(1),
        };
        match (kind, self.size) {
            ('t', "micro") => Some(1),
            ('t', "small") => Some(2),
            ('t', "medium") => Some(4),
            ('t' | 'm', _) => larges.map(|larges| 8 * larges),
            ('c', _) => larges.map(|larges| 4 * larges),
            ('r', _) => larges.map(|larges| 16 * larges),
            _ => None,
        }
    }

    /// The default of `max_connections` of RDS and of Aurora, rather too low than too high.
    pub fn max_connections(&self) -> Option<u32> {
        let bytes = (self.memory_gib()? * GIB).saturating_sub(HELD_BACK);
        u32::try_from((bytes / PER_CONNECTION).min(MOST_CONNECTIONS)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_memory_and_connections() {
        #[track_caller]
        fn check(class: &str, gib: u64, connections: u32) {
            let class = InstanceClass::parse(class).unwrap();
            assert_eq!(
                (class.memory_gib(), class.max_connections()),
                (Some(gib), Some(connections))
            );
        }
        check("db.t4g.micro", 1, 90);
        check("db.t4g.small", 2, 203);
        check("db.t4g.medium", 4, 428);
        check("db.t3.large", 8, 879);
        check("db.t3.2xlarge", 32, 3582);
        check("db.m6g.large", 8, 879);
        check("db.m6i.xlarge", 16, 1780);
        check("db.m7g.large", 8, 879);
        check("db.m7i.2xlarge", 32, 3582);
        check("db.m8g.4xlarge", 64, 5000);
        check("db.r6g.large", 16, 1780);
        check("db.r7g.xlarge", 32, 3582);
        check("db.r8g.16xlarge", 512, 5000);
        check("db.m6gd.12xlarge", 192, 5000);
        check("db.c6gd.large", 4, 428);
    }

    #[test]
    fn what_is_no_class_or_has_no_rule_is_unknown() {
        for text in [
            "",
            "m7g.large",
            "db.m7g",
            "db.serverless",
            "db..large",
            "db.M7G.large",
            "db.m7g.large x",
        ] {
            assert_eq!(InstanceClass::parse(text), None, "{text}");
        }
        for text in ["db.x2iedn.xlarge", "db.z1d.large", "db.m7g.huge", "db.m7g.medium"] {
            assert_eq!(InstanceClass::parse(text).unwrap().memory_gib(), None, "{text}");
        }
    }

    #[test]
    fn a_retired_class_has_a_successor() {
        let successor = |class| InstanceClass::parse(class).unwrap().successor();
        assert_eq!(successor("db.t2.medium").as_deref(), Some("db.t4g.medium"));
        assert_eq!(successor("db.m4.xlarge").as_deref(), Some("db.m7g.xlarge"));
        assert_eq!(successor("db.m7g.large"), None);
        assert_eq!(successor("db.t3.micro"), None);
    }
}
