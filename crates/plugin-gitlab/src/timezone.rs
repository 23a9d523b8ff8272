//! Time zones by their two names: the operating system's (IANA) and Rails'.

/// Cities that Rails calls as IANA does.
const CITIES: [&str; 58] = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Harare",
    "Africa/Monrovia",
    "Africa/Nairobi",
    "America/Bogota",
    "America/Caracas",
    "America/Chihuahua",
    "America/Lima",
    "America/Mazatlan",
    "America/Montevideo",
    "America/Monterrey",
    "America/Tijuana",
    "Asia/Almaty",
    "Asia/Baghdad",
    "Asia/Baku",
    "Asia/Bangkok",
    "Asia/Dhaka",
    "Asia/Hong_Kong",
    "Asia/Jakarta",
    "Asia/Jerusalem",
    "Asia/Kabul",
    "Asia/Karachi",
    "Asia/Kolkata",
    "Asia/Kuwait",
    "Asia/Riyadh",
    "Asia/Seoul",
    "Asia/Singapore",
    "Asia/Taipei",
    "Asia/Tehran",
    "Asia/Tokyo",
    "Australia/Adelaide",
    "Australia/Brisbane",
    "Australia/Melbourne",
    "Australia/Perth",
    "Australia/Sydney",
    "Europe/Amsterdam",
    "Europe/Athens",
    "Europe/Belgrade",
    "Europe/Berlin",
    "Europe/Brussels",
    "Europe/Bucharest",
    "Europe/Budapest",
    "Europe/Copenhagen",
    "Europe/Dublin",
    "Europe/Helsinki",
    "Europe/Istanbul",
    "Europe/Lisbon",
    "Europe/London",
    "Europe/Madrid",
    "Europe/Moscow",
    "Europe/Paris",
    "Europe/Prague",
    "Europe/Rome",
    "Europe/Stockholm",
    "Europe/Vienna",
    "Europe/Warsaw",
    "Pacific/Auckland",
];

/// Those that Rails calls otherwise.
const OTHERS: [(&str, &str); 16] = [
    ("Africa/Algiers", "West Central Africa"),
    ("Africa/Johannesburg", "Pretoria"),
    ("America/Argentina/Buenos_Aires", "Buenos Aires"),
    ("America/Chicago", "Central Time (US & Canada)"),
    ("America/Denver", "Mountain Time (US & Canada)"),
    ("America/Halifax", "Atlantic Time (Canada)"),
    ("America/Juneau", "Alaska"),
    ("America/Los_Angeles", "Pacific Time (US & Canada)"),
    ("America/New_York", "Eastern Time (US & Canada)"),
    ("America/Phoenix", "Arizona"),
    ("America/Sao_Paulo", "Brasilia"),
    ("Asia/Shanghai", "Beijing"),
    ("Etc/UTC", "UTC"),
    ("Europe/Kyiv", "Kyiv"),
    ("Europe/Zurich", "Zurich"),
    ("Pacific/Honolulu", "Hawaii"),
];

/// What Rails calls a time zone. One that is not listed keeps its IANA name, which Rails reads as well.
pub(crate) fn rails_name(iana: &str) -> String {
    if let Some((_, rails)) = OTHERS.iter().find(|(name, _)| *name == iana) {
        return (*rails).to_owned();
    }
    let city = iana.rsplit('/').next().filter(|_| CITIES.contains(&iana));
    city.map_or_else(|| iana.to_owned(), |city| city.replace('_', " "))
}

/// Whether a text looks like an IANA name: words joined by slashes, such as `Europe/Paris`.
pub(crate) fn is_iana(text: &str) -> bool {
    text.split('/').all(|part| {
        part.starts_with(|c: char| c.is_ascii_uppercase())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "_+-".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rails_names_are_derived() {
        for (iana, rails) in [
            ("Europe/Paris", "Paris"),
            ("Asia/Hong_Kong", "Hong Kong"),
            ("America/New_York", "Eastern Time (US & Canada)"),
            ("UTC", "UTC"),
            ("America/Toronto", "America/Toronto"),
        ] {
            assert_eq!(rails_name(iana), rails);
        }
    }

    #[test]
    fn an_iana_name_has_words_and_slashes() {
        assert!(
            ["UTC", "Europe/Paris", "Etc/GMT+12", "America/Argentina/Buenos_Aires"]
                .into_iter()
                .all(is_iana)
        );
        assert!(
            !["", "paris", "Europe/", "Europe/Paris; rm", "../etc/passwd"].into_iter().any(is_iana)
        );
    }
}
