//! Near misses: what a person probably meant.

/// The candidate that is nearest to a word, when one is near enough to be meant: a third of its letters may differ. Case,
/// dashes and underscores do not count.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = plain(word);
    // A longer word is no slip of the pen, and the distance takes time that grows with the square of its length.
    if word.len() > 64 {
        return None;
    }
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let other = plain(candidate);
            let allowed = (word.len().max(other.len()) / 3).max(1);
            let distance = distance(&word, &other);
            // One letter for another makes a short word a different one.
            let alike = distance < word.len().max(other.len());
            (distance <= allowed && alike).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Words in backticks, joined for a sentence: `` `a`, `b` or `c` ``. Of more than twelve the rest is counted.
pub fn listed<'a>(words: impl IntoIterator<Item = &'a str>, conjunction: &str) -> String {
    let mut quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    if quoted.len() > 12 {
        let rest = quoted.len() - 12;
        quoted.truncate(12);
        quoted.push(format!("{rest} more"));
    }
    match quoted.pop() {
        None => "none".to_owned(),
        Some(last) if quoted.is_empty() => last,
        Some(last) => format!("{} {conjunction} {last}", quoted.join(", ")),
    }
}

/// Advice on an unknown word: the near miss, or everything that is allowed.
pub(crate) fn advice<'a>(word: &str, allowed: &[&'a str], what: &str) -> String {
    let near: Option<&'a str> = nearest(word, allowed.iter().copied());
    match near {
        Some(near) => format!("did you mean `{near}`?"),
        None if allowed.is_empty() => format!("remove it: there are no {what} here"),
        None => format!("{what}: {}", listed(allowed.iter().copied(), "and")),
    }
}

fn plain(word: &str) -> Vec<char> {
    word.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

/// The number of letters to add, drop, change or swap with their neighbour (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut cost = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                cost = cost.min(before_last[j - 1] + 1);
            }
            row.push(cost);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised_and_another_word_is_not() {
        let candidates = ["components", "region", "cluster", "name", "securityGroups", "use"];
        for (word, meant) in [
            ("componets", Some("components")),
            ("Region", Some("region")),
            ("regoin", Some("region")),
            ("security_groups", Some("securityGroups")),
            ("nmae", Some("name")),
            ("uses", Some("use")),
            ("database", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, candidates), meant, "{word}");
        }
        assert_eq!(nearest("b", ["a"]), None);
        assert_eq!(nearest(&"r".repeat(10_000), ["region"]), None);
    }

    #[test]
    fn a_list_reads_as_a_sentence() {
        assert_eq!(listed([], "or"), "none");
        assert_eq!(listed(["a"], "or"), "`a`");
        assert_eq!(listed(["a", "b", "c"], "or"), "`a`, `b` or `c`");
        assert!(listed(["a"; 20], "and").ends_with("`a` and 8 more"));
    }
}
